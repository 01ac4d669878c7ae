// The set of packet ids against a plain vector<bool>, at the borders of its words; and the order of block
// ids.
#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "path/block_order.h"
#include "path/packet_bitmap.h"

using namespace gw;

TEST_CASE("the bitmap agrees with a plain one") {
  for (const uint32_t bits : {1U, 63U, 64U, 65U, 127U, 128U, 1000U}) {
    CAPTURE(bits);
    PacketBitmap map(bits);
    std::vector<bool> plain(bits, false);
    std::mt19937 random(bits);
    uint32_t count = 0;
    for (int step = 0; step < 400; ++step) {
      const uint32_t id = random() % bits;
      if (!plain[id]) {
        map.set(id);
        plain[id] = true;
        ++count;
      } else if (random() % 3 == 0) {
        map.unset(id);
        plain[id] = false;
        --count;
      }
      CHECK(map.count() == count);
      const uint32_t from = random() % (bits + 1);
      const uint32_t limit = from + random() % (bits + 70 - from);
      const uint32_t end = std::min(limit, bits);
      uint32_t clear = from;
      while (clear < end && plain[clear]) ++clear;
      uint32_t set = from;
      while (set < end && !plain[set]) ++set;
      CHECK(map.next_clear(from, limit) == std::max(clear, std::min(from, end)));
      CHECK(map.next_set(from, limit) == std::max(set, std::min(from, end)));
    }
    for (uint32_t id = 0; id < bits; ++id) CHECK(map.test(id) == plain[id]);
    CHECK_FALSE(map.test(bits));
    CHECK_FALSE(map.test(0xFFFFFFFF));
    std::vector<uint8_t> bytes(bits / 8 + 20, 0xAA);
    map.copy_to(bytes.data(), bytes.size());
    for (uint32_t i = 0; i < bytes.size() * 8; ++i)
      CHECK((bytes[i / 8] >> (i % 8) & 1) == (i < bits && plain[i] ? 1 : 0));
    map.clear();
    CHECK(map.count() == 0);
    for (uint32_t id = 0; id < bits; ++id) CHECK_FALSE(map.test(id));
  }
}

TEST_CASE("16-bit ids: distances on a ring of 65535, and the ids between") {
  BlockOrder order;
  order.restart(65530, false, 1000);
  CHECK(order.distance(65530) == 0);
  CHECK(order.distance(65535) == 5);
  CHECK(order.distance(1) == 6);  // 0 is never used
  CHECK(order.distance(65529) == -1);
  CHECK(order.distance(65530 - 32767) == -32767);
  CHECK(order.distance(32762) == 32767);
  CHECK(order.distance(32763) == -32767);
  for (int64_t delta = -70000; delta <= 70000; delta += 997) {
    const uint64_t id = order.id_of(1000 + static_cast<uint64_t>(delta));
    CHECK(id >= 1);
    CHECK(id <= 65535);
    if (delta >= -32767 && delta <= 32767) CHECK(order.distance(id) == delta);
  }
  order.advance(3, 8);
  CHECK(order.newest() == 1008);
  CHECK(order.id_of(1000) == 65530);
  CHECK(order.id_of(1005) == 65535);
  CHECK(order.id_of(1006) == 1);
}

TEST_CASE("64-bit ids") {
  BlockOrder order;
  order.restart(1ULL << 40, true, 1000);
  CHECK(order.distance((1ULL << 40) + 70000) == 70000);
  CHECK(order.distance((1ULL << 40) - 1) == -1);
  CHECK(order.id_of(1001) == (1ULL << 40) + 1);
  CHECK(order.id_of(999) == (1ULL << 40) - 1);
  CHECK_FALSE(order.same_layout(false));
}
