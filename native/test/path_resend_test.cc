// Resend requests: which packets, when, how often, and when to stop.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

// Answers each request at once with what it asks for.
size_t answer(Rig& rig, const TestBlock& block, uint16_t status = 0x0100) {
  size_t packets = 0;
  for (const gvcp::Resend& request : rig.requests()) {
    if (request.block_id != block.id) continue;
    const uint32_t last = std::min(request.last_packet, block.trailer_id());
    for (uint32_t id = request.first_packet; id <= last; ++id, ++packets) rig.send(block.packet(id, status));
  }
  return packets;
}

}  // namespace

TEST_CASE("a gap in mid block is asked for after the initial delay, exactly, once") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send_range(block, 0, 4);
  rig.send_range(block, 8, 20);
  rig.settle();
  CHECK(rig.requests().empty());
  rig.pass(kMs - 1);
  CHECK(rig.requests().empty());
  rig.pass(1);
  auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 5, 7));
  CHECK(requests[0].channel == 0);
  CHECK_FALSE(requests[0].extended);
  rig.send_range(block, 21, 30);
  rig.pass(5 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("resend_requests") == 1);
  CHECK(rig.count("resend_requested") == 3);
  rig.check();
}

TEST_CASE("packets that merely come in another order are not asked for") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send(block, {0, 1, 3, 2, 6, 5, 4});
  rig.pass(kMs / 2);
  rig.send(block, {9, 8});
  rig.pass(kMs / 4);
  rig.send(block, {7});
  rig.send_range(block, 10, 101);
  rig.expect_complete(block);
  rig.pass(200 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("packets_resent") == 0);
  rig.check();
}

TEST_CASE("each gap has its own delay: reordering that never stops asks for nothing") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send(block, {0});
  // Every pair is swapped, 0.6 ms between the two.
  for (uint32_t id = 1; id < 100; id += 2) {
    rig.send(block, {id + 1});
    rig.pass(6 * kMs / 10);
    rig.send(block, {id});
    rig.pass(1000);
  }
  rig.send(block, {101});
  rig.expect_complete(block);
  CHECK(rig.requests().empty());
  rig.check();
}

TEST_CASE("extended ids and another channel are named in the request") {
  StreamConfig config = Rig::with_resend();
  config.packet_size = 248;
  config.channel = 3;
  Rig rig(config);
  const TestBlock block(0x123456789AULL, 100, 20, 200, true);
  rig.send_all_but(block, {4});
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 0x123456789AULL, 4, 4));
  CHECK(requests[0].extended);
  CHECK(requests[0].channel == 3);
}

TEST_CASE("at a block's end everything is asked for at once") {
  SUBCASE("its trailer came") {
    Rig rig(for_long());
    const TestBlock block = long_image(1);
    rig.send_all_but(block, {0, 50, 51, 99, 100});
    rig.settle();
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 3);
    CHECK(same(requests[0], 1, 0, 0));
    CHECK(same(requests[1], 1, 50, 51));
    CHECK(same(requests[2], 1, 99, 100));
  }
  SUBCASE("the next block began: the missing tail is asked for to the end") {
    Rig rig(for_long());
    rig.send_range(long_image(1), 0, 90);
    rig.send(long_image(2), {0, 1});
    rig.settle();
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 1);
    CHECK(same(requests[0], 1, 91, gvcp::kToEnd));
    CHECK(rig.count("resend_requested") == 11);
  }
  SUBCASE("only the trailer is missing") {
    Rig rig(for_long());
    rig.send_range(long_image(1), 0, 100);
    rig.send(long_image(2), {0, 1});
    rig.settle();
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 1);
    CHECK(same(requests[0], 1, 101, gvcp::kToEnd));
    CHECK(rig.count("resend_requested") == 1);
  }
  SUBCASE("a whole block is missing") {
    Rig rig(for_long());
    rig.send(long_image(1));
    rig.send(long_image(3), {0, 1});
    rig.settle();
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 1);
    CHECK(same(requests[0], 2, 0, gvcp::kToEnd));
    CHECK(rig.count("resend_requested") == 102);
  }
  SUBCASE("gaps, and the tail") {
    Rig rig(for_long());
    rig.send_range(long_image(1), 1, 40);
    rig.send_range(long_image(1), 45, 90);
    rig.send(long_image(2), {0, 1});
    rig.settle();
    const auto requests = rig.requests();
    REQUIRE(requests.size() == 3);
    CHECK(same(requests[0], 1, 0, 0));
    CHECK(same(requests[1], 1, 41, 44));
    CHECK(same(requests[2], 1, 91, gvcp::kToEnd));
  }
}

TEST_CASE("whatever is lost and answered: every block complete, in order, and counted") {
  for (const auto& lost :
       std::vector<std::vector<uint32_t>>{{0},
                                          {101},
                                          {100, 101},
                                          {90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101},
                                          {50},
                                          {0, 1, 100, 101},
                                          {}}) {
    Rig rig(for_long());
    for (uint64_t id = 1; id <= 5; ++id) {
      const TestBlock block = long_image(id);
      for (uint32_t at = 0; at <= 101; ++at) {
        if (std::find(lost.begin(), lost.end(), at) == lost.end()) rig.send(block.packet(at));
      }
      rig.pass(kMs);
      answer(rig, block);
      rig.pass(20 * kMs);  // quiet: the last block's tail is asked for, too
      answer(rig, block);
      rig.pass(kMs);
      answer(rig, block);
      rig.expect_complete(block);
    }
    CHECK(rig.count("blocks_complete") == 5);
    CHECK(rig.count("packets_resent") == 5 * lost.size());
    CHECK(rig.count("resend_requested") == 5 * lost.size());
    CHECK(rig.count("packets_missing") == 0);
    CHECK(rig.count("late") == 0);
    rig.check();
  }
}

TEST_CASE("the tail of the last block is asked for when it went quiet") {
  Rig rig(for_long());
  // Some cameras say which packets they send again, some do not: those are known by an answer that was surely
  // one.
  uint16_t status = 0x0100;
  SUBCASE("its camera says that it sends again") {}
  SUBCASE("it does not say so") { status = 0; }
  rig.send_all_but(long_image(1), {50});
  rig.settle();
  CHECK(rig.requests().size() == 1);
  rig.send(long_image(1).packet(50, status));
  rig.expect_complete(long_image(1));
  const TestBlock block = long_image(2);
  rig.send_range(block, 0, 60);
  rig.pass(20 * kMs - 1);
  CHECK(rig.requests().empty());
  rig.pass(1);
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 2, 61, gvcp::kToEnd));
  for (uint32_t id = 61; id <= 101; ++id) rig.send(block.packet(id, status));
  rig.expect_complete(block);
  CHECK(rig.count("packets_resent") == 1 + 41);
  rig.check();
}

TEST_CASE("a leader alone asks for nothing: its data may not exist yet") {
  Rig rig(for_long());
  rig.send(long_image(1), {0});
  rig.pass(10'000 * kMs);
  CHECK(rig.requests().empty());
}

TEST_CASE("a stream that stalls is not asked for its future again and again") {
  StreamConfig config = for_long();
  config.resend.max_tries = 3;
  Rig rig(config);
  rig.send_range(long_image(1), 0, 10);
  rig.pass(1900 * kMs);
  CHECK(rig.requests().size() == 3);
  rig.send_range(long_image(1), 11, 101);
  rig.expect_complete(long_image(1));
  rig.check();
}

TEST_CASE("unanswered packets are asked for again after the response time, the answered ones are not") {
  Rig rig(for_long());
  rig.send_all_but(long_image(1), {10});
  rig.settle();
  CHECK(rig.requests().size() == 1);
  rig.send(long_image(1), {10});  // at once: the response time becomes the least there is, 3 ms
  rig.expect_complete(long_image(1));
  const TestBlock block = long_image(2);
  rig.send_all_but(block, {10, 20, 30});
  rig.settle();
  CHECK(rig.requests().size() == 3);
  rig.send(block, {20});
  rig.pass(3 * kMs - 1);
  CHECK(rig.requests().empty());
  rig.pass(1);
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 2);
  CHECK(same(requests[0], 2, 10, 10));
  CHECK(same(requests[1], 2, 30, 30));
  rig.send(block, {10, 30});
  rig.expect_complete(block);
  rig.pass(200 * kMs);
  CHECK(rig.requests().empty());
  CHECK(rig.count("packets_resent") == 4);
  rig.check();
}

TEST_CASE("a resent tail that breaks off is asked for from where it broke off") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send_range(block, 0, 60);
  rig.send(long_image(2));
  rig.settle();
  REQUIRE(rig.requests().size() == 1);
  rig.pass(9 * kMs);
  rig.send_range(block, 61, 80);
  rig.pass(27 * kMs);             // three times what the camera took, and one, is 28 ms
  CHECK(rig.requests().empty());  // it may go on: what counts is when the last of it came
  rig.pass(2 * kMs);
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 81, gvcp::kToEnd));
  rig.send_range(block, 81, 101);
  rig.expect_complete(block);
  rig.check();
}

TEST_CASE("a gap that is seen while another waits is asked for after a delay of its own") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send(block, {0, 1, 3});
  rig.pass(kMs / 2);
  rig.send(block, {4, 6});
  rig.pass(kMs / 2);
  auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 2, 2));
  rig.pass(kMs);
  requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 5, 5));
}

TEST_CASE(
    "a tail that was asked for in vain while the stream stalled is asked for again at the block's end") {
  StreamConfig config = for_long();
  config.resend.max_tries = 2;
  Rig rig(config);
  rig.send_range(long_image(1), 0, 60);
  rig.pass(500 * kMs);
  CHECK(rig.requests().size() == 2);
  rig.send(long_image(2), {0, 1});
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 61, gvcp::kToEnd));
  rig.check();
}

TEST_CASE("a complete block waits for an incomplete one no longer than the block timeout") {
  StreamConfig config = for_long();
  config.resend.max_tries = 16;
  config.resend.response_timeout_ns = 50 * kMs;
  Rig rig(config);
  rig.send_all_but(long_image(1), {10});
  rig.send(long_image(2));
  rig.pass(100 * kMs - 1);
  CHECK_FALSE(rig.take().has_value());
  rig.pass(1);
  rig.expect_complete(long_image(2));
  CHECK(rig.count("missing_exhausted") == 1);
  rig.check();
}

TEST_CASE("a camera that pauses within a block has lost nothing, whatever it answers meanwhile") {
  for (const uint16_t answer : {0, 0x800C, 0x8010, 0x8012}) {
    CAPTURE(answer);
    Rig rig(for_long());
    for (uint64_t id = 1; id <= 3; ++id) {
      const TestBlock block = long_image(id);
      rig.send_range(block, 0, 10);
      rig.pass(40 * kMs);  // line triggers that are slow to come
      const auto asked = rig.requests();
      CHECK(asked.empty() == (id > 1));  // once: then the pace is known
      if (answer != 0 && !asked.empty()) rig.send(block.refusal(11, answer));
      rig.send_range(block, 11, 40);
      rig.pass(40 * kMs);
      rig.send_range(block, 41, 101);
      rig.expect_complete(block);
      CHECK(rig.requests().empty());
    }
    CHECK(rig.count("packets_resent") == 0);
    CHECK(rig.count("packets_missing") == 0);
    rig.check();
  }
}

TEST_CASE("a gap after a pause is asked for like any other") {
  Rig rig(for_long());
  const TestBlock block = long_image(1);
  rig.send_range(block, 0, 10);
  rig.pass(25 * kMs);
  CHECK(rig.requests().size() == 1);
  rig.send(block.refusal(11, 0x800C));
  rig.send_range(block, 11, 40);
  rig.send_range(block, 43, 101);
  rig.settle();
  const auto requests = rig.requests();
  REQUIRE(requests.size() == 1);
  CHECK(same(requests[0], 1, 41, 42));
  rig.send(block.packet(41, 0x0100));
  rig.send(block.packet(42, 0x0100));
  rig.expect_complete(block);
  CHECK(rig.count("packets_resent") == 2);
  rig.check();
}

TEST_CASE(
    "pauses that were seen once do not keep lost tails waiting for ever, nor beyond the end of their block") {
  StreamConfig config = for_long();
  config.frame_timeout_ns = 250 * kMs;
  Rig rig(config);
  rig.send_range(long_image(1), 0, 10);
  rig.pass(200 * kMs);
  rig.requests();
  rig.send_range(long_image(1), 11, 101);
  rig.expect_complete(long_image(1));
  const auto asked_within = [&](uint64_t id, uint64_t ns) {
    rig.send_range(long_image(id), 0, 60);
    rig.pass(ns);
    const bool asked = !rig.requests().empty();
    for (uint32_t at = 61; at <= 101; ++at) rig.send(long_image(id).packet(at, 0x0100));
    rig.expect_complete(long_image(id));
    return asked;
  };
  CHECK(asked_within(2, 126 * kMs));  // before the block would be given up
  for (uint64_t id = 3; id < 40; ++id) {
    rig.send(long_image(id));
    rig.expect_complete(long_image(id));
  }
  CHECK(asked_within(40, 21 * kMs));
  rig.check();
}
