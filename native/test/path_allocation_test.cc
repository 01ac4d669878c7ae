// The receive path allocates nothing: operator new is counted while packets, losses, resends, time-outs, held
// packets and hand-overs go through it. Not in builds for ThreadSanitizer, which has an operator new of its
// own.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GW_TEST_TSAN
#endif
#endif
#if !defined(GW_TEST_TSAN) && !defined(__SANITIZE_THREAD__)

#include <doctest/doctest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <new>

#include "path_rig.h"

namespace {
std::atomic<uint64_t> g_allocations{0};
}

void* operator new(std::size_t size) {
  g_allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* p = std::malloc(size != 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete[](void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete[](void* p, std::size_t) noexcept { std::free(p); }

using namespace gw;
using namespace gw::test;

namespace {

class CountingCamera final : public SideChannel {
 public:
  void request_resend(const gvcp::Resend&) override { ++requests; }
  void keep_alive() override {}
  void stream_alive(uint64_t) override {}
  int requests = 0;
};

}  // namespace

TEST_CASE("no allocation on the receive path") {
  StreamConfig config = Rig::with_resend();
  config.deliver_incomplete = true;
  config.packet_size_confirmed = false;
  PoolMemory memory(64, 2000, 200);
  CountingCamera camera;
  BlockAssembler assembler(config, memory.pool(), camera);

  // All packets are made before the counting begins.
  std::vector<Bytes> packets;
  for (uint64_t id = 1; id <= 300; ++id) {
    const TestBlock block = TestBlock(id % 100 + 1, 100, 20, 200).at_time(id);
    for (uint32_t at = 0; at <= 11; ++at) {
      if ((id + at) % 7 != 0) packets.push_back(block.packet(at));
      if ((id + at) % 31 == 0) packets.push_back(block.packet(at));
      if ((id + at) % 37 == 0) packets.push_back(block.refusal(at, 0x8011));
      if ((id + at) % 41 == 0) packets.push_back(TestBlock(id + 5000, 100, 20, 200).packet(at));
      if ((id + at) % 43 == 0) packets.push_back({1, 2, 3});
    }
  }
  std::array<uint8_t, 4096> staging;
  uint64_t now = kMs;
  uint64_t frames = 0;
  const uint64_t before = g_allocations.load();
  for (const Bytes& bytes : packets) {
    std::array<Landing, 1> landing;
    const LandingPlan plan = assembler.plan(landing);
    PacketView view{.data = staging.data(), .size = static_cast<uint32_t>(bytes.size())};
    land(view, bytes, plan.landings.empty() ? Landing{} : plan.landings[0], plan.head);
    assembler.settle({&view, 1});
    assembler.on_packet(view, now);
    now += 200'000;
    assembler.on_time(now);
    if (assembler.take_wake()) {
      while (const auto lease = memory.pool().take()) {
        ++frames;
        memory.pool().release(*lease);
      }
    }
  }
  publish(memory.pool().stats(), assembler.counters());
  assembler.finish(now);
  const uint64_t allocated = g_allocations.load() - before;
  CHECK(allocated == 0);
  CHECK(camera.requests > 100);
  CHECK(frames > 100);
  CHECK(assembler.counters().blocks_incomplete > 0);
  CHECK(assembler.counters().resyncs > 0);
  CHECK(assembler.counters().in_place > 100);
  // The counter itself works.
  const uint64_t counted = g_allocations.load();
  int* volatile kept = new int(5);
  delete kept;
  CHECK(g_allocations.load() > counted);
}

#endif
