// The pool of slots: policies when consumers are slow, leases with generations, and consumers on several
// threads.
#include <doctest/doctest.h>

#include <atomic>
#include <cstring>
#include <set>
#include <thread>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

StreamConfig with(BufferHandling handling) {
  StreamConfig config = Rig::defaults();
  config.handling = handling;
  return config;
}

uint32_t state_of(const SlotPool& pool, uint32_t slot) { return pool.slot(slot).state & kSlotStateMask; }

uint32_t in_state(const SlotPool& pool, uint32_t state) {
  uint32_t count = 0;
  for (uint32_t slot = 0; slot < pool.layout().slot_count; ++slot)
    count += state_of(pool, slot) == state ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("layout: parts do not overlap, are aligned, and end where the block ends") {
  for (const uint32_t slots : {1U, 2U, 3U, 8U, 33U, 4096U}) {
    for (const uint64_t payload : {1ULL, 511ULL, 4096ULL, 4097ULL, 5'000'000ULL}) {
      for (const uint32_t data : {0U, 1U, 188U, 512U, 8964U}) {
        const ControlLayout l = control_layout(slots, payload, data);
        REQUIRE(l.slot_count == slots);
        CHECK(l.ring_capacity >= slots);
        CHECK((l.ring_capacity & (l.ring_capacity - 1)) == 0);
        CHECK(l.stats_offset >= sizeof(ControlHeader));
        CHECK(l.events_offset >= l.stats_offset + sizeof(StatsPage));
        CHECK(l.slots_offset >= l.events_offset + kEventCapacity * sizeof(EventEntry));
        CHECK(l.ring_offset >= l.slots_offset + slots * sizeof(SlotHeader));
        CHECK(l.maps_offset >= l.ring_offset + l.ring_capacity * sizeof(uint32_t));
        CHECK(l.data_offset >= l.maps_offset + static_cast<uint64_t>(l.map_stride) * slots);
        CHECK(l.total_size == l.data_offset + l.slot_stride * slots);
        CHECK(l.slot_stride >= payload);
        CHECK(l.slot_stride % kPage == 0);
        CHECK(l.data_offset % kPage == 0);
        CHECK(l.stats_offset % 8 == 0);
        CHECK(l.slots_offset % 8 == 0);
        CHECK(l.map_stride * 8ULL >= l.map_bits);
        // Room for each packet of the smallest size that is expected, leader and trailer.
        const uint64_t smallest = data == 0 ? 512 : std::min<uint64_t>(data, 512);
        CHECK(l.map_bits >= (payload + smallest - 1) / smallest + 2);
      }
    }
  }
  CHECK(control_layout(0, 100, 0).slot_count == 0);
  CHECK(control_layout(kMaxSlots + 1, 100, 0).slot_count == 0);
  CHECK(control_layout(4, 0, 0).slot_count == 0);
  CHECK(control_layout(4, kMaxPayload + 1, 0).slot_count == 0);
  CHECK(control_layout(4, ~0ULL, 0).slot_count == 0);
  CHECK(control_layout(kMaxSlots, kMaxPayload, 1).slot_count == 0);  // its maps alone would not fit
}

TEST_CASE("the life of a slot") {
  PoolMemory memory(2, 100, 50);
  SlotPool& pool = memory.pool();
  const auto slot = pool.acquire();
  REQUIRE(slot.has_value());
  CHECK(state_of(pool, *slot) == kSlotFilling);
  CHECK_FALSE(pool.take().has_value());
  pool.make_ready(*slot);
  CHECK(state_of(pool, *slot) == kSlotReady);
  const auto lease = pool.take();
  REQUIRE(lease.has_value());
  CHECK(lease->slot == *slot);
  CHECK(state_of(pool, *slot) == kSlotLeased);
  CHECK_FALSE(pool.take().has_value());
  CHECK(pool.release(*lease));
  CHECK(state_of(pool, *slot) == kSlotFree);
  CHECK(pool.header().frames_taken == 1);
}

TEST_CASE("a lease releases once, and never what was filled anew") {
  PoolMemory memory(1, 100, 50);
  SlotPool& pool = memory.pool();
  pool.make_ready(*pool.acquire());
  const auto first = pool.take();
  REQUIRE(first.has_value());
  CHECK(pool.release(*first));
  CHECK_FALSE(pool.release(*first));
  pool.make_ready(*pool.acquire());
  CHECK_FALSE(pool.release(*first));
  const auto second = pool.take();
  REQUIRE(second.has_value());
  CHECK(second->word != first->word);
  CHECK_FALSE(pool.release(*first));
  CHECK(state_of(pool, 0) == kSlotLeased);
  CHECK_FALSE(pool.release({5, second->word}));
  CHECK_FALSE(pool.release({0, second->word & ~kSlotStateMask}));
  CHECK(pool.release(*second));
}

TEST_CASE("the generation wraps without harm") {
  PoolMemory memory(1, 100, 50);
  SlotPool& pool = memory.pool();
  pool.slot(0).state = ~kSlotStateMask | kSlotFree;
  pool.make_ready(*pool.acquire());
  const auto lease = pool.take();
  REQUIRE(lease.has_value());
  CHECK(lease->word == kSlotLeased);
  CHECK(pool.release(*lease));
}

TEST_CASE("OldestFirst: a slow consumer keeps what it has, later blocks find no slot, and it is told") {
  Rig rig(with(BufferHandling::kOldestFirst), 2);
  for (uint64_t id = 1; id <= 5; ++id) rig.send(Rig::image(id));
  rig.check_counts({{"datagrams", 60},
                    {"accepted", 60},
                    {"packets_expected", 60},
                    {"packets_received", 60},
                    {"blocks_expected", 5},
                    {"blocks_complete", 2},
                    {"blocks_no_slot", 3},
                    {"frames_queued", 2}});
  CHECK(rig.pool.header().event_head == 3);
  CHECK(rig.take_wake());
  rig.expect_complete(Rig::image(1));
  rig.send(Rig::image(6));
  rig.expect_complete(Rig::image(2));
  rig.expect_complete(Rig::image(6));
  CHECK_FALSE(rig.take().has_value());
}

TEST_CASE("a block that begins without a slot is dropped whole, even if one comes free meanwhile") {
  Rig rig(with(BufferHandling::kOldestFirst), 1);
  rig.send(Rig::image(1));
  rig.send_range(Rig::image(2), 0, 5);
  rig.expect_complete(Rig::image(1));
  rig.send_range(Rig::image(2), 6, 11);
  CHECK_FALSE(rig.take().has_value());
  rig.send(Rig::image(3));
  rig.expect_complete(Rig::image(3));
  CHECK(rig.count("blocks_no_slot") == 1);
  rig.check();
}

TEST_CASE("an incomplete block without a slot: no slot is the cause, its packets are missing") {
  Rig rig(with(BufferHandling::kOldestFirst), 1);
  rig.send(Rig::image(1));
  rig.send_all_but(Rig::image(2), {3, 4});
  rig.send(Rig::image(3), {0});
  rig.pass(10 * kMs);
  CHECK(rig.count("blocks_no_slot") == 1);
  CHECK(rig.count("blocks_incomplete") == 0);
  CHECK(rig.count("packets_missing") == 2);
  rig.check();
}

TEST_CASE("OldestFirstOverwrite: the oldest unseen frame makes room") {
  Rig rig(with(BufferHandling::kOldestFirstOverwrite), 3);
  for (uint64_t id = 1; id <= 5; ++id) rig.send(Rig::image(id));
  rig.expect_complete(Rig::image(3));
  rig.expect_complete(Rig::image(4));
  rig.expect_complete(Rig::image(5));
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("frames_overwritten") == 2);
  CHECK(rig.count("blocks_complete") == 5);
  CHECK(rig.count("blocks_no_slot") == 0);
  rig.check();
}

TEST_CASE("NewestOnly: one frame waits, the newest") {
  Rig rig(with(BufferHandling::kNewestOnly), 3);
  for (uint64_t id = 1; id <= 5; ++id) rig.send(Rig::image(id));
  rig.expect_complete(Rig::image(5));
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("frames_overwritten") == 4);
  CHECK(rig.count("blocks_no_slot") == 0);
  rig.check();
}

TEST_CASE("what a consumer holds is never overwritten, whatever the policy") {
  for (const auto handling : {BufferHandling::kOldestFirstOverwrite, BufferHandling::kNewestOnly}) {
    Rig rig(with(handling), 2);
    rig.send(Rig::image(1));
    rig.flush();
    const auto first = rig.pool.take();
    rig.send(Rig::image(2));
    rig.flush();
    const auto second = rig.pool.take();
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    rig.send(Rig::image(3));
    CHECK(rig.count("blocks_no_slot") == 1);
    CHECK(std::memcmp(rig.pool.data(first->slot), Rig::image(1).payload.data(), 2000) == 0);
    CHECK(std::memcmp(rig.pool.data(second->slot), Rig::image(2).payload.data(), 2000) == 0);
    CHECK(rig.pool.release(*first));
    rig.send(Rig::image(4));
    CHECK(rig.count("frames_overwritten") == 0);
    rig.expect_complete(Rig::image(4));
    rig.check();
  }
}

TEST_CASE("no slot is ever lost: after every kind of end all are free again") {
  for (const auto handling :
       {BufferHandling::kOldestFirst, BufferHandling::kOldestFirstOverwrite, BufferHandling::kNewestOnly}) {
    StreamConfig config = with(handling);
    config.deliver_incomplete = true;
    Rig rig(config, 3);
    for (uint64_t id = 1; id <= 200; ++id) {
      switch (id % 5) {
        case 0:
          rig.send_all_but(Rig::image(id), {0});
          break;
        case 1:
          rig.send_all_but(Rig::image(id), {11});
          break;
        case 2:
          rig.send_all_but(Rig::image(id), {5});
          break;
        case 3:
          break;
        default:
          rig.send(Rig::image(id));
          break;
      }
      rig.pass(kMs);
      if (id % 7 == 0) rig.take();
      rig.check();
    }
    rig.finish();
    rig.take_all();
    CHECK(in_state(rig.pool, kSlotFree) == 3);
    rig.check();
  }
}

TEST_CASE("events that nobody fetches are counted as lost, the others keep their order") {
  Rig rig(with(BufferHandling::kOldestFirst), 1);
  for (uint64_t id = 1; id <= 100; ++id) rig.send(Rig::image(id));
  CHECK(rig.count("events_lost") == 99 - kEventCapacity);
  const auto* events = reinterpret_cast<const EventEntry*>(
      reinterpret_cast<const uint8_t*>(&rig.pool.header()) + rig.pool.layout().events_offset);
  for (uint32_t i = 0; i < kEventCapacity; ++i) {
    CHECK(events[i].kind == kEventStarved);
    CHECK(events[i].block_id == i + 2);
  }
  rig.check();
}

TEST_CASE("nonsense in the shared words neither hangs nor leaves the pool") {
  Rig rig(with(BufferHandling::kNewestOnly), 2);
  rig.send(Rig::image(1));
  rig.flush();
  for (const uint32_t tail : {0x80000000U, 2U, 7U, 0xFFFFFFFFU}) {
    rig.pool.header().ring_tail = tail;
    CHECK_FALSE(rig.pool.take().has_value());
    rig.send(Rig::image(2));  // reclaims
    rig.flush();
  }
  Rig other(with(BufferHandling::kOldestFirst), 2);
  other.send(Rig::image(1));
  other.flush();
  auto* ring = reinterpret_cast<uint32_t*>(reinterpret_cast<uint8_t*>(&other.pool.header()) +
                                           other.pool.layout().ring_offset);
  ring[0] = 0x7FFFFFFF;
  CHECK_FALSE(other.pool.take().has_value());
}

TEST_CASE("a consumer that is gone: all its leases are given back, nobody else's") {
  PoolMemory memory(3, 100, 50);
  SlotPool& pool = memory.pool();
  for (int i = 0; i < 3; ++i) pool.make_ready(*pool.acquire());
  const auto a = pool.take();
  const auto b = pool.take();
  REQUIRE(a.has_value());
  REQUIRE(b.has_value());
  pool.slot(a->slot).holder = 7;
  pool.slot(b->slot).holder = 8;
  pool.release_all_of(7);
  CHECK(state_of(pool, a->slot) == kSlotFree);
  CHECK(state_of(pool, b->slot) == kSlotLeased);
  CHECK_FALSE(pool.release(*a));
  CHECK(pool.release(*b));
}

TEST_CASE("a consumer that was ended in a take: its slot comes back, and the frames behind it in order") {
  for (const bool moved : {false, true}) {  // had it moved the ring's tail already?
    CAPTURE(moved);
    PoolMemory memory(3, 100, 50);
    SlotPool& pool = memory.pool();
    for (int i = 0; i < 3; ++i) pool.make_ready(*pool.acquire());
    pool.slot(0).holder = 7;  // the claim; what comes behind it never happened
    if (moved) ++pool.header().ring_tail;
    CHECK_FALSE(pool.acquire().has_value());
    pool.release_all_of(7);
    CHECK(state_of(pool, 0) == kSlotFree);
    const auto again = pool.acquire();
    REQUIRE(again == std::optional<uint32_t>(0));
    pool.make_ready(*again);
    for (const uint32_t slot : {1U, 2U, 0U}) {
      const auto lease = pool.take();
      REQUIRE(lease.has_value());
      CHECK(lease->slot == slot);
    }
    CHECK_FALSE(pool.take().has_value());
    CHECK(pool.header().ring_tail == pool.header().ring_head);
  }
}

TEST_CASE("several consumers take and release while the receive thread fills, in every policy") {
  for (const auto handling :
       {BufferHandling::kOldestFirst, BufferHandling::kOldestFirstOverwrite, BufferHandling::kNewestOnly}) {
    Rig rig(with(handling), 4);
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> taken{0};
    std::atomic<uint64_t> wrong{0};
    std::atomic<uint64_t> released_twice{0};
    const auto consume = [&] {
      while (!stop.load()) {
        const auto lease = rig.pool.take();
        if (!lease) {
          std::this_thread::yield();
          continue;
        }
        const SlotHeader& header = rig.pool.slot(lease->slot);
        const uint8_t* data = rig.pool.data(lease->slot);
        // Every byte of a frame is its block's id: a torn or reused frame shows.
        for (uint32_t i = 0; i < 2000; ++i) {
          if (data[i] != static_cast<uint8_t>(header.block_id)) {
            wrong.fetch_add(1);
            break;
          }
        }
        taken.fetch_add(1);
        if (!rig.pool.release(*lease)) wrong.fetch_add(1);
        if (rig.pool.release(*lease)) released_twice.fetch_add(1);
      }
    };
    std::thread consumers[3] = {std::thread(consume), std::thread(consume), std::thread(consume)};
    TestBlock block = Rig::image(1);
    for (uint64_t id = 1; id <= 1500; ++id) {
      block.id = id;
      std::fill(block.payload.begin(), block.payload.end(), static_cast<uint8_t>(id));
      rig.send(block.at_time(id));
      if (id % 16 == 0) std::this_thread::yield();
    }
    stop = true;
    for (std::thread& consumer : consumers) consumer.join();
    const uint64_t left = rig.take_all();
    CHECK(wrong == 0);
    CHECK(released_twice == 0);
    CHECK(rig.count("frames_queued") == taken + left + rig.count("frames_overwritten"));
    CHECK(rig.count("blocks_complete") + rig.count("blocks_no_slot") == 1500);
    CHECK(in_state(rig.pool, kSlotFree) == 4);
    rig.check();
  }
}
