// The receive thread: batches, deadlines, keep-alives, how it ends and what it leaves. Its source decides
// what time it is.
#include <doctest/doctest.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "net/replay_source.h"
#include "path/receiver.h"
#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

class TestClock final : public Clock {
 public:
  uint64_t now_ns() const override { return now.load(); }
  std::atomic<uint64_t> now{1'000'000 * kMs};
};

// Nothing ever comes; each read waits until its deadline, and the last one fails.
class IdleSource final : public PacketSource {
 public:
  IdleSource(TestClock& clock, int reads, int error) : clock_(clock), reads_(reads), error_(error) {}
  ReadResult read(std::span<PacketView>, const ReadRequest& request) override {
    const uint64_t deadline_ns = request.deadline_ns;
    if (reads_-- <= 0) return {0, false, true, error_};
    longest = std::max(longest, deadline_ns - clock_.now_ns());
    clock_.now = std::max(deadline_ns, clock_.now_ns());
    return {};
  }
  void interrupt() override {}
  uint64_t kernel_drops() const override { return 17; }
  uint64_t longest = 0;

 private:
  TestClock& clock_;
  int reads_;
  int error_;
};

}  // namespace

TEST_CASE("packets from the source become frames, statistics and wakes") {
  PoolMemory memory(32, 2000, 200);
  ReplaySource source;
  for (uint64_t id = 1; id <= 20; ++id) {
    for (uint32_t at = 0; at <= 11; ++at) source.push(Rig::image(id).packet(at));
  }
  TestCamera camera;
  std::atomic<int> wakes{0};
  Receiver receiver(Rig::defaults(), source, memory.pool(), camera, [&] { ++wakes; });
  CHECK(state_of(memory.pool()) == kStreamIdle);
  receiver.start("gw-rx-test");
  wait_for([&] { return snapshot(memory.pool().stats()).frames_queued == 20; });
  CHECK(state_of(memory.pool()) == kStreamRunning);
  receiver.stop();
  receiver.stop();
  CHECK(state_of(memory.pool()) == kStreamEnded);
  const StreamCounters counters = snapshot(memory.pool().stats());
  CHECK(counters.datagrams == 240);
  CHECK(counters.batches == 4);  // 64 at a time
  CHECK(counters.batch_max == 64);
  CHECK(camera.alive == 4);
  CHECK(wakes == 5);  // once for each batch with frames, once for the end
  check_identities(counters, 0, 0);
  for (uint64_t id = 1; id <= 20; ++id) {
    const auto lease = memory.pool().take();
    REQUIRE(lease.has_value());
    CHECK(memory.pool().slot(lease->slot).block_id == id);
  }
}

TEST_CASE("only what is accepted as the camera's is a sign of its life") {
  constexpr uint32_t kCamera = 0xC0A80002;
  StreamConfig config = Rig::defaults();
  config.camera_address = kCamera;
  config.camera_port = 5000;
  const TestBlock block = Rig::image(1);
  PoolMemory memory(4, 2000, 200);
  ReplaySource source;
  for (int i = 0; i < 64; ++i) source.push(block.packet(2), kCamera + 1, 5000);  // a batch of a stranger's
  for (int i = 0; i < 64; ++i) source.push({1, 2, 3}, kCamera, 5000);            // one of nonsense
  for (uint32_t at = 0; at <= 11; ++at) source.push(block.packet(at), kCamera, 5000);
  TestCamera camera;
  Receiver receiver(config, source, memory.pool(), camera, [] {});
  receiver.start("gw-rx-test");
  wait_for([&] { return snapshot(memory.pool().stats()).datagrams == 140; });
  receiver.stop();
  const StreamCounters counters = snapshot(memory.pool().stats());
  CHECK(counters.batches == 3);
  CHECK(counters.foreign == 64);
  CHECK(counters.malformed == 64);
  CHECK(counters.accepted == 12);
  CHECK(camera.alive == 1);
}

TEST_CASE("what is open when the receiver is stopped was cut") {
  PoolMemory memory(4, 2000, 200);
  ReplaySource source;
  for (uint32_t at = 0; at <= 5; ++at) source.push(Rig::image(1).packet(at));
  TestCamera camera;
  Receiver receiver(Rig::defaults(), source, memory.pool(), camera, [] {});
  receiver.start("gw-rx-test");
  wait_for([&] { return snapshot(memory.pool().stats()).datagrams == 6; });
  receiver.stop();
  const StreamCounters counters = snapshot(memory.pool().stats());
  CHECK(counters.blocks_cut == 1);
  CHECK(counters.packets_cut == 6);
  check_identities(counters, 0, 0);
}

TEST_CASE("a source that fails ends the stream with its errno, and wakes") {
  PoolMemory memory(4, 2000, 200);
  TestClock clock;
  IdleSource source(clock, 0, ENETDOWN);
  TestCamera camera;
  std::atomic<int> wakes{0};
  Receiver receiver(Rig::defaults(), source, memory.pool(), camera, [&] { ++wakes; }, clock);
  receiver.start("gw-rx-test");
  wait_for([&] { return wakes == 1; });
  receiver.stop();
  CHECK(state_of(memory.pool()) == kStreamFailed);
  CHECK(memory.pool().header().fail_errno == ENETDOWN);
  CHECK(snapshot(memory.pool().stats()).kernel_drops == 17);
}

TEST_CASE("keep-alives go out at their interval while nothing comes, and statistics are published") {
  StreamConfig config = Rig::defaults();
  config.keep_alive_ns = 10'000 * kMs;
  PoolMemory memory(4, 2000, 200);
  TestClock clock;
  IdleSource source(clock, 200, ENETDOWN);
  TestCamera camera;
  std::atomic<int> wakes{0};
  const uint64_t start = clock.now;
  Receiver receiver(config, source, memory.pool(), camera, [&] { ++wakes; }, clock);
  receiver.start("gw-rx-test");
  wait_for([&] { return wakes == 1; });
  receiver.stop();
  const uint64_t passed = clock.now - start;
  CHECK(camera.keep_alives == static_cast<int>(passed / config.keep_alive_ns));
  CHECK(camera.keep_alives >= 9);
  CHECK(snapshot(memory.pool().stats()).keepalives == static_cast<uint64_t>(camera.keep_alives));
  CHECK(camera.alive == 0);
  CHECK(source.longest <= 500 * kMs);
}

TEST_CASE("no keep-alives where none are wanted") {
  StreamConfig config = Rig::defaults();
  config.keep_alive_ns = 0;
  PoolMemory memory(4, 2000, 200);
  TestClock clock;
  IdleSource source(clock, 200, ENETDOWN);
  TestCamera camera;
  std::atomic<int> wakes{0};
  Receiver receiver(config, source, memory.pool(), camera, [&] { ++wakes; }, clock);
  receiver.start("gw-rx-test");
  wait_for([&] { return wakes == 1; });
  receiver.stop();
  CHECK(camera.keep_alives == 0);
}

TEST_CASE("a receiver that never started can be stopped and destroyed") {
  PoolMemory memory(4, 2000, 200);
  ReplaySource source;
  TestCamera camera;
  Receiver receiver(Rig::defaults(), source, memory.pool(), camera, [] {});
  receiver.stop();
}
