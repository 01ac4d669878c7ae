// Statistics: each counter is moved by what it is named after and by nothing else, and a reader on any thread
// sees sums that hold.
#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

struct Scenario {
  const char* name;
  std::function<StreamConfig()> config;
  uint32_t slots;
  std::function<void(Rig&)> play;
  Counts expected;  // beyond those of one complete block before and one after
};

Counts plus_two_blocks(Counts counts) {
  for (const char* name : {"datagrams", "accepted", "packets_expected", "packets_received"})
    counts[name] += 24;
  for (const char* name : {"blocks_expected", "blocks_complete", "frames_queued"}) counts[name] += 2;
  return counts;
}

// Between block 1 and the last block; which id comes next is the scenario's business.
constexpr uint64_t kLast = 9;

}  // namespace

TEST_CASE("every counter is moved by what causes it and by nothing else") {
  const auto plain = [] { return Rig::defaults(); };
  const auto resend = [] { return Rig::with_resend(); };
  const auto camera = [] {
    StreamConfig config = Rig::defaults();
    config.camera_address = 0x0A000001;
    return config;
  };
  const auto deliver = [] {
    StreamConfig config = Rig::defaults();
    config.deliver_incomplete = true;
    return config;
  };
  const auto skip_to_last = [](Rig& rig, uint64_t from) {
    for (uint64_t id = from; id < kLast; ++id) rig.send(Rig::image(id)), rig.take_all();
  };
  const Counts six{{"datagrams", 84},        {"accepted", 84},       {"packets_expected", 84},
                   {"packets_received", 84}, {"blocks_expected", 7}, {"blocks_complete", 7},
                   {"frames_queued", 7}};
  const auto with = [&](Counts more) {
    Counts counts = six;
    for (const auto& [name, value] : more) counts[name] += value;
    return counts;
  };
  const Scenario scenarios[] = {
      {"nothing", plain, 8, [&](Rig& rig) { skip_to_last(rig, 2); }, with({})},
      {"duplicate", plain, 8,
       [&](Rig& rig) {
         rig.send(Rig::image(2), {0, 1, 1, 1});
         rig.send_range(Rig::image(2), 2, 11);
         rig.take_all();
         skip_to_last(rig, 3);
       },
       with({{"datagrams", 2}, {"duplicate", 2}})},
      {"late", plain, 8,
       [&](Rig& rig) {
         skip_to_last(rig, 2);
         rig.send(Rig::image(4), {0, 3, 11});
       },
       with({{"datagrams", 3}, {"late", 3}})},
      {"foreign", camera, 8,
       [&](Rig& rig) {
         rig.send(Rig::image(2).packet(0), 0x0A000002);
         skip_to_last(rig, 2);
       },
       with({{"datagrams", 1}, {"foreign", 1}})},
      {"malformed", plain, 8,
       [&](Rig& rig) {
         rig.send({1, 2, 3});
         skip_to_last(rig, 2);
       },
       with({{"datagrams", 1}, {"malformed", 1}})},
      {"test packet", plain, 8,
       [&](Rig& rig) {
         rig.send(Rig::image(0).packet(1));
         skip_to_last(rig, 2);
       },
       with({{"datagrams", 1}, {"test", 1}})},
      {"refused without a question", plain, 8,
       [&](Rig& rig) {
         skip_to_last(rig, 2);
         rig.send(Rig::image(8).refusal(1, 0x800C));
       },
       with({{"datagrams", 1}, {"refused", 1}})},
      {"missing, resend off", plain, 8,
       [&](Rig& rig) {
         rig.send_all_but(Rig::image(2), {3});
         skip_to_last(rig, 3);
         rig.pass(4 * kMs);
         rig.take_all();
       },
       with({{"datagrams", ~0ULL},
             {"accepted", ~0ULL},
             {"packets_received", ~0ULL},
             {"packets_missing", 1},
             {"missing_not_requested", 1},
             {"blocks_complete", ~0ULL},
             {"blocks_incomplete", 1},
             {"frames_queued", ~0ULL}})},
      {"missing, delivered", deliver, 8,
       [&](Rig& rig) {
         rig.send_all_but(Rig::image(2), {3});
         skip_to_last(rig, 3);
         rig.pass(4 * kMs);
         rig.take_all();
       },
       with({{"datagrams", ~0ULL},
             {"accepted", ~0ULL},
             {"packets_received", ~0ULL},
             {"packets_missing", 1},
             {"missing_not_requested", 1},
             {"blocks_complete", ~0ULL},
             {"blocks_incomplete", 1}})},
      {"resent", resend, 8,
       [&](Rig& rig) {
         rig.send_all_but(Rig::image(2), {3, 4});
         rig.settle();
         rig.send(Rig::image(2), {3, 4});
         rig.take_all();
         skip_to_last(rig, 3);
       },
       with({{"packets_resent", 2}, {"resend_requests", 1}, {"resend_requested", 2}})},
      {"refused", resend, 8,
       [&](Rig& rig) {
         rig.send_all_but(Rig::image(2), {3});
         rig.settle();
         rig.send(Rig::image(2).refusal(3, 0x800C));
         rig.settle();
         skip_to_last(rig, 3);
       },
       with({{"accepted", ~0ULL},
             {"refused", 1},
             {"packets_received", ~0ULL},
             {"packets_missing", 1},
             {"missing_refused", 1},
             {"blocks_complete", ~0ULL},
             {"blocks_incomplete", 1},
             {"frames_queued", ~0ULL},
             {"resend_requests", 1},
             {"resend_requested", 1}})},
      {"exhausted", resend, 8,
       [&](Rig& rig) {
         rig.send_all_but(Rig::image(2), {3});
         rig.pass(200 * kMs);
         skip_to_last(rig, 3);
       },
       with({{"datagrams", ~0ULL},
             {"accepted", ~0ULL},
             {"packets_received", ~0ULL},
             {"packets_missing", 1},
             {"missing_exhausted", 1},
             {"blocks_complete", ~0ULL},
             {"blocks_incomplete", 1},
             {"frames_queued", ~0ULL},
             {"resend_requests", 6},
             {"resend_requested", 6}})},
      {"missed", plain, 8,
       [&](Rig& rig) {
         skip_to_last(rig, 3);
         rig.pass(4 * kMs);
         rig.take_all();
       },
       with({{"datagrams", ~0ULL - 11},
             {"accepted", ~0ULL - 11},
             {"packets_received", ~0ULL - 11},
             {"packets_missing", 12},
             {"missing_not_requested", 12},
             {"blocks_complete", ~0ULL},
             {"blocks_missed", 1},
             {"frames_queued", ~0ULL}})},
      {"no slot", plain, 1,
       [&](Rig& rig) {
         rig.send(Rig::image(2));
         rig.send(Rig::image(3));
         rig.take_all();
         skip_to_last(rig, 4);
       },
       with({{"blocks_complete", ~0ULL}, {"blocks_no_slot", 1}, {"frames_queued", ~0ULL}})},
      {"overwritten",
       [] {
         StreamConfig config = Rig::defaults();
         config.handling = BufferHandling::kNewestOnly;
         return config;
       },
       4,
       [&](Rig& rig) {
         rig.send(Rig::image(2));
         rig.send(Rig::image(3));
         rig.take_all();
         skip_to_last(rig, 4);
       },
       with({{"frames_overwritten", 1}})},
      {"resync", plain, 8,
       [&](Rig& rig) {
         skip_to_last(rig, 2);
         rig.send(Rig::image(kLast - 1 + 30000).at_time(1));
         rig.take_all();
         rig.send(Rig::image(kLast - 1).at_time(2));
         rig.take_all();
       },
       with({{"datagrams", 24},
             {"accepted", 24},
             {"packets_expected", 24},
             {"packets_received", 24},
             {"blocks_expected", 2},
             {"blocks_complete", 2},
             {"frames_queued", 2},
             {"resyncs", 2},
             // The ids between were skipped: 30000 blocks of which nothing came.
             {"blocks_missed", 29999}})},
  };
  for (const Scenario& scenario : scenarios) {
    CAPTURE(scenario.name);
    Rig rig(scenario.config(), scenario.slots);
    rig.send(Rig::image(1));
    rig.take_all();
    scenario.play(rig);
    rig.send(Rig::image(kLast));
    rig.settle();
    rig.take_all();
    Counts expected = plus_two_blocks(scenario.expected);
    if (std::string(scenario.name) == "resync") {
      expected["blocks_expected"] += 29999;
      expected["packets_expected"] += 29999 * 12;
      expected["packets_missing"] += 29999 * 12;
      expected["missing_not_requested"] += 29999 * 12;
    }
    rig.check_counts(expected);
  }
}

TEST_CASE("bytes are those of all datagrams, foreign ones included") {
  StreamConfig config = Rig::defaults();
  config.camera_address = 1;
  Rig rig(config);
  rig.send(Bytes(100), 2);
  rig.send(Bytes(3));
  rig.send(Rig::image(1).packet(1));
  CHECK(rig.count("bytes") == 100 + 3 + 208);
}

TEST_CASE("a snapshot is what was published") {
  alignas(64) uint8_t memory[kStatsPageSize] = {};
  auto& page = *reinterpret_cast<StatsPage*>(memory);
  StreamCounters counters;
  uint64_t next = 1;
  for (uint32_t i = 0; i < kCounterCount; ++i) reinterpret_cast<uint64_t*>(&counters)[i] = next++;
  publish(page, counters);
  CHECK(to_map(snapshot(page)) == to_map(counters));
  CHECK(page.sequence == 2);
}

TEST_CASE("snapshots from several threads are never torn") {
  alignas(64) uint8_t memory[kStatsPageSize] = {};
  auto& page = *reinterpret_cast<StatsPage*>(memory);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0};
  std::atomic<uint64_t> seen{0};
  const auto read = [&] {
    uint64_t last = 0;
    while (!stop.load()) {
      const StreamCounters counters = snapshot(page);
      const auto* values = reinterpret_cast<const uint64_t*>(&counters);
      for (uint32_t i = 1; i < kCounterCount; ++i)
        torn.fetch_add(values[i] != values[0] + (values[0] != 0 ? i : 0));
      torn.fetch_add(values[0] < last);
      last = values[0];
      seen.fetch_add(1);
    }
  };
  std::thread readers[2] = {std::thread(read), std::thread(read)};
  StreamCounters counters;
  for (uint64_t round = 1; round <= 20'000 || seen.load() < 100; ++round) {
    for (uint32_t i = 0; i < kCounterCount; ++i) reinterpret_cast<uint64_t*>(&counters)[i] = round + i;
    publish(page, counters);
    if (round % 64 == 0) std::this_thread::yield();
  }
  stop = true;
  for (std::thread& reader : readers) reader.join();
  CHECK(torn == 0);
}
