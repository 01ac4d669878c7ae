// How long the receive thread leaves packets to gather: never longer than allowed, than the block still
// takes, than the queue has room for; and not at all where there is nothing to foresee.
#include <doctest/doctest.h>

#include "path/wake_pacing.h"

using namespace gw;

namespace {

constexpr uint64_t kUs = 1000;
constexpr uint64_t kLongest = 250 * kUs;
constexpr uint64_t kQueue = 4 << 20;

BlockProgress progress(uint64_t id, uint32_t received, uint32_t expected, uint64_t first_time) {
  return {
      .block_id = id, .ended = false, .received = received, .expected = expected, .first_time = first_time};
}

}  // namespace

TEST_CASE("in mid block it rests as long as it may, near the end until the end") {
  WakePacing pacing(kLongest, kQueue);
  const uint64_t begin = 1000 * kUs;
  // 12 us a packet.
  CHECK(pacing.rest(progress(1, 10, 1000, begin), 1, 1464, false, begin + 120 * kUs) == kLongest);
  CHECK(pacing.rest(progress(1, 990, 1000, begin), 20, 29280, false, begin + 11880 * kUs) == 120 * kUs);
  CHECK(pacing.rest(progress(1, 998, 1000, begin), 8, 11712, false, begin + 11976 * kUs) == 0);
  CHECK(pacing.rest(progress(1, 1000, 1000, begin), 2, 2928, false, begin + 12000 * kUs) == 0);
}

TEST_CASE("not where few packets would gather: a timer costs more than they do") {
  WakePacing pacing(kLongest, kQueue);
  const uint64_t begin = 1000 * kUs;
  // 72 us a packet: 9000 bytes at 1 Gbit/s.
  CHECK(pacing.rest(progress(1, 10, 263, begin), 1, 8964, false, begin + 720 * kUs) == 0);
}

TEST_CASE("packets of other streams wake the thread, too: fewer of each are worth a rest") {
  WakePacing pacing(kLongest, kQueue);
  const uint64_t begin = 1000 * kUs;
  const BlockProgress half = progress(1, 10, 263, begin);
  CHECK(pacing.rest(half, 1, 8964, false, begin + 720 * kUs, 2) == 0);
  CHECK(pacing.rest(half, 1, 8964, false, begin + 720 * kUs, 4) == kLongest);
}

TEST_CASE("not before the pace is known, not after the end, not when nothing came, not when more is there") {
  WakePacing pacing(kLongest, kQueue);
  const uint64_t begin = 1000 * kUs;
  CHECK(pacing.rest(progress(1, 2, 1000, begin), 2, 2928, false, begin + 24 * kUs) == 0);
  CHECK(pacing.rest(progress(1, 100, 1000, begin), 0, 0, false, begin + 1200 * kUs) == 0);
  CHECK(pacing.rest(progress(1, 100, 1000, begin), 64, 93696, true, begin + 1200 * kUs) == 0);
  BlockProgress ended = progress(1, 100, 1000, begin);
  ended.ended = true;
  CHECK(pacing.rest(ended, 1, 1464, false, begin + 1200 * kUs) == 0);
  CHECK(pacing.rest({}, 1, 100, false, begin) == 0);
}

TEST_CASE("never longer than fills a quarter of the queue") {
  WakePacing pacing(kLongest, 200'000);
  const uint64_t begin = 1000 * kUs;
  pacing.rest(progress(1, 10, 100'000, begin), 10, 14640, false, begin + 12 * kUs);
  // 1.2 us a packet, each charged with about 4 kB: 50 kB are 15 us.
  CHECK(pacing.rest(progress(1, 110, 100'000, begin), 100, 146'400, false, begin + 132 * kUs) == 0);
}

TEST_CASE("what full reads brought counts for the pace, and one packet after a gap does not slow it") {
  WakePacing pacing(10'000 * kUs, 400'000);
  const uint64_t begin = 1000 * kUs;
  uint64_t now = begin;
  uint64_t rest = 0;
  for (uint32_t i = 1; i <= 20; ++i) {  // 64 packets in 768 us, and one more
    pacing.rest(progress(1, i * 65 - 1, 1'000'000, begin), 64, 93'696, true, now += 768 * kUs);
    rest = pacing.rest(progress(1, i * 65, 1'000'000, begin), 1, 1464, false, now += 12 * kUs);
  }
  CHECK(rest > 100 * kUs);
  CHECK(rest < 400 * kUs);  // 100 kB are 25 packets
  CHECK(pacing.rest(progress(1, 1301, 1'000'000, begin), 1, 1464, false, now + 100'000 * kUs) < 500 * kUs);
}

TEST_CASE("small blocks in quick succession: none is worth a wake-up of its own") {
  WakePacing pacing(kLongest, kQueue);
  uint64_t rest = 0;
  for (uint64_t id = 1; id <= 50; ++id) {
    const uint64_t begin = id * 20 * kUs;
    BlockProgress done = progress(id, 5, 5, begin);
    done.ended = true;
    rest = pacing.rest(done, 5, 4200, false, begin + 2 * kUs);
  }
  CHECK(rest == kLongest);
}

TEST_CASE("0 means never") {
  WakePacing pacing(0, kQueue);
  CHECK(pacing.rest(progress(1, 10, 1000, 1000), 1, 1464, false, 200'000) == 0);
}
