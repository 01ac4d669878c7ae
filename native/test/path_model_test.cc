// Random streams against a model: packets are lost, copied, swapped, cut and answered late, by a seed.
// Whatever happens, a frame that says complete holds what was sent, and the statistics add up after every
// step.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <random>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

struct Plan {
  double loss = 0;
  double duplicate = 0;
  double swap = 0;  // with a packet up to `reach` later
  uint32_t reach = 1;
  double cut = 0;
  double wrong_id = 0;
  double answered = 1;  // share of requested packets that are sent again
  double refused = 0;
};

struct Outcome {
  uint64_t complete = 0;
  uint64_t sent = 0;
};

Outcome run(uint32_t seed, const StreamConfig& config, const Plan& plan, bool extended, uint64_t blocks) {
  std::mt19937 random(seed);
  const auto chance = [&](double p) { return random() < p * 4294967296.0; };
  Rig rig(config, 256);  // blocks that wait for an earlier one need slots, too
  const uint32_t room = config.packet_size - (extended ? 48 : 36);
  std::map<uint64_t, TestBlock> sent;
  std::vector<std::pair<uint64_t, uint32_t>> order;
  uint64_t id = random() % 65535 + 1;
  uint64_t time = 1;
  for (uint64_t n = 0; n < blocks; ++n) {
    const uint32_t lines = random() % 3 == 0 ? random() % 20 + 1 : 20;
    TestBlock block(id, 100, lines, room, extended);
    block.leader_body = image_leader(1, ++time, kMono8, 100, 20);
    block.payload = pattern(seed * 1000 + n, 100 * lines);
    block.trailer_body = trailer(1, {lines});
    for (uint32_t at = 0; at <= block.trailer_id(); ++at) order.emplace_back(id, at);
    sent.emplace(id, std::move(block));
    id = extended ? id + 1 : id % 65535 + 1;
  }
  for (size_t i = 0; i < order.size(); ++i) {
    if (chance(plan.swap))
      std::swap(order[i], order[std::min<size_t>(order.size() - 1, i + random() % plan.reach + 1)]);
  }

  Outcome outcome;
  outcome.sent = blocks;
  const auto consume = [&] {
    while (const auto frame = rig.take()) {
      const auto found = sent.find(frame->header.block_id);
      REQUIRE(found != sent.end());
      const TestBlock& block = found->second;
      if (frame->complete()) {
        ++outcome.complete;
        CHECK(frame->data == block.payload);
        CHECK(frame->header.height == block.payload.size() / 100);
        continue;
      }
      // Whatever the map says arrived is right, and the rest is zero.
      for (size_t i = 0; i < frame->data.size(); ++i) {
        const auto packet = static_cast<uint32_t>(i / room + 1);
        const bool here = frame->has_packet(packet) && packet < block.trailer_id();
        const uint8_t expected = here && i < block.payload.size() ? block.payload[i] : 0;
        if (frame->data[i] != expected) {
          CAPTURE(i);
          REQUIRE(frame->data[i] == expected);
        }
      }
    }
  };
  const auto answer = [&] {
    for (const gvcp::Resend& request : rig.requests()) {
      const auto found = sent.find(request.block_id);
      REQUIRE(found != sent.end());
      REQUIRE(request.extended == extended);
      const TestBlock& block = found->second;
      const uint32_t last = std::min(request.last_packet, block.trailer_id());
      REQUIRE(request.first_packet <= request.last_packet);
      for (uint32_t at = request.first_packet; at <= last; ++at) {
        if (chance(plan.refused)) {
          rig.send(block.refusal(at, random() % 2 == 0 ? 0x800C : 0x8014));
        } else if (chance(plan.answered)) {
          rig.send(block.packet(at, random() % 2 == 0 ? 0x0100 : 0));
        }
      }
    }
  };
  for (const auto& [block_id, at] : order) {
    TestBlock& block = sent.at(block_id);
    rig.now += 10'000;
    if (!chance(plan.loss)) {
      Bytes bytes = block.packet(at);
      if (chance(plan.cut)) bytes.resize(random() % bytes.size());
      if (chance(plan.wrong_id)) bytes[extended ? 14 : 2] ^= static_cast<uint8_t>(1U << random() % 8);
      rig.send(bytes);
      if (chance(plan.duplicate)) rig.send(bytes);
    }
    if (random() % 8 == 0) rig.settle();
    if (random() % 32 == 0) answer();
    if (random() % 16 == 0) {
      consume();
      rig.check();
    }
  }
  for (int i = 0; i < 200; ++i) {
    rig.pass(kMs);
    answer();
    consume();
  }
  rig.pass(5000 * kMs);
  consume();
  rig.check();
  CHECK(rig.assembler.open_packets() <= 1);  // a leader alone waits for its data
  rig.finish();
  rig.check();
  // Each block was counted once.
  if (plan.wrong_id == 0 && plan.cut == 0 && rig.count("resyncs") == 0 && plan.loss < 0.5) {
    const uint64_t counted = rig.count("blocks_expected");
    CHECK(counted <= blocks);
    CHECK(counted + 2 >= blocks);  // the first and the last may be lost whole
  }
  return outcome;
}

}  // namespace

TEST_CASE("a stream without faults loses nothing, in any layout") {
  for (const bool extended : {false, true}) {
    StreamConfig config = Rig::with_resend();
    if (extended) config.packet_size = 248;
    for (uint32_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(seed);
      CHECK(run(seed, config, {}, extended, 100).complete == 100);
    }
  }
}

TEST_CASE("reordering within a few packets loses nothing, with resends and without") {
  for (const bool resend : {false, true}) {
    for (uint32_t seed = 1; seed <= 10; ++seed) {
      CAPTURE(resend);
      CAPTURE(seed);
      const Plan plan{.duplicate = 0.1, .swap = resend ? 0.3 : 0.05, .reach = 3};
      StreamConfig config = resend ? Rig::with_resend() : Rig::defaults();
      // Without resends, one packet of the next block that came before this one's end, alone and in the wrong
      // order, is not believed. The first block may come after the second one's first packets.
      CHECK(run(seed, config, plan, false, 100).complete >= (resend ? 99 : 96));
    }
  }
}

TEST_CASE("losses that are answered lose nothing") {
  for (const bool extended : {false, true}) {
    StreamConfig config = Rig::with_resend();
    config.resend.budget_percent = 100;
    if (extended) config.packet_size = 248;
    for (const double loss : {0.01, 0.05, 0.2}) {
      for (uint32_t seed = 1; seed <= 5; ++seed) {
        CAPTURE(loss);
        CAPTURE(seed);
        const Plan plan{.loss = loss, .duplicate = 0.02, .swap = 0.05, .reach = 2, .answered = 0.9};
        CHECK(run(seed, config, plan, extended, 100).complete >= 98);
      }
    }
  }
}

TEST_CASE("every fault at once: nothing wrong is called complete, and the sums hold") {
  for (const bool resend : {false, true}) {
    for (const bool deliver : {false, true}) {
      for (const bool confirmed : {false, true}) {
        for (uint32_t seed = 1; seed <= 12; ++seed) {
          CAPTURE(resend);
          CAPTURE(deliver);
          CAPTURE(confirmed);
          CAPTURE(seed);
          StreamConfig config = resend ? Rig::with_resend() : Rig::defaults();
          config.deliver_incomplete = deliver;
          config.packet_size_confirmed = confirmed;
          const Plan plan{.loss = 0.05,
                          .duplicate = 0.05,
                          .swap = 0.1,
                          .reach = 20,
                          .cut = confirmed ? 0.02 : 0.0,
                          .answered = 0.7,
                          .refused = 0.05};
          run(seed, config, plan, seed % 2 == 0, 80);
        }
      }
    }
  }
}
