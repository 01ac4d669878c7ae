// How long the receive thread leaves packets to gather: never longer than allowed, than the block still
// takes, than the queue has room for; and not at all where there is nothing to foresee.
#include <doctest/doctest.h>

#include <algorithm>

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

namespace {

// Frames of 37 packets in bursts of 7, 100 us apart, each frame `gap` after the last burst of the one before.
// Reads when the rest is over, or at once when a burst comes, as the receive thread does; bursts of a block
// that follows are seen by the next read.
struct Bursts {
  static constexpr uint32_t kPackets = 37;
  static constexpr uint64_t kBurst = 7;
  static constexpr uint64_t kApart = 100 * kUs;

  explicit Bursts(uint64_t gap) : period(6 * kApart + gap) {}

  uint64_t burst_at(uint64_t block, uint64_t burst) const {
    return 1000 * kUs + block * period + burst * kApart;
  }
  uint32_t arrived(uint64_t block, uint64_t now) const {
    if (now < burst_at(block, 0)) return 0;
    const uint64_t bursts = (now - burst_at(block, 0)) / kApart + 1;
    return static_cast<uint32_t>(std::min<uint64_t>(kPackets, bursts * kBurst));
  }

  // Reads for `count` blocks after those it learns from.
  uint32_t reads(WakePacing& pacing, uint64_t learn, uint64_t count) {
    uint32_t reads = 0;
    uint64_t now = burst_at(0, 0);
    uint64_t seen_first = now;
    uint64_t seen_block = 0;
    uint64_t total = 0;
    while (seen_block < learn + count) {
      uint64_t block = seen_block;
      while (arrived(block + 1, now) > 0) ++block;
      if (block != seen_block) seen_first = now;
      seen_block = block;
      const uint64_t all = block * kPackets + arrived(block, now);
      BlockProgress seen = progress(block + 1, arrived(block, now), kPackets, seen_first);
      seen.ended = seen.received == kPackets;
      const uint64_t rest = pacing.rest(seen, all - total, (all - total) * 8964, false, now);
      total = all;
      longest = std::max(longest, rest);
      if (block >= learn) ++reads;
      now = rest != 0 ? now + rest : next_burst(now);
    }
    return reads;
  }

  uint64_t next_burst(uint64_t now) const {
    for (uint64_t block = (now - burst_at(0, 0)) / period;; ++block) {
      for (uint64_t burst = 0; burst * kBurst < kPackets; ++burst) {
        if (burst_at(block, burst) > now) return burst_at(block, burst);
      }
    }
  }

  uint64_t period;
  uint64_t longest = 0;
};

}  // namespace

TEST_CASE("the pace of packets is learned from whole blocks: short blocks in bursts need few reads") {
  WakePacing pacing(kLongest, 64 << 20);
  Bursts bursts(0);
  // 600 us a block, of which a rest is a quarter of a millisecond at most; by each burst it would be 6.
  CHECK(bursts.reads(pacing, 20, 100) < 4 * 100);
  CHECK(bursts.longest <= kLongest);
}

TEST_CASE("it rests beyond the end of a block only where the next one follows at once") {
  const auto after_block = [](uint64_t gap) {
    WakePacing pacing(kLongest, 64 << 20);
    Bursts bursts(gap);
    bursts.reads(pacing, 20, 20);
    const uint64_t begin = bursts.burst_at(41, 0);
    pacing.rest(progress(42, 7, 37, begin), 7, 62748, false, begin);
    BlockProgress ended = progress(42, 37, 37, begin);
    ended.ended = true;
    return pacing.rest(ended, 30, 268'920, false, begin + 560 * kUs);
  };
  CHECK(after_block(0) == kLongest);
  CHECK(after_block(50'000 * kUs) == 0);
}

TEST_CASE("a camera that becomes quicker is followed: what was whole when it was read corrects the pace") {
  WakePacing pacing(kLongest, 64 << 20);
  uint64_t begin = 1000 * kUs;
  const auto block = [&](uint64_t id, uint64_t each) {
    uint64_t now = begin;
    pacing.rest(progress(id, 7, 37, begin), 7, 62748, false, now);
    const uint64_t rest = pacing.rest(progress(id, 21, 37, begin), 14, 125'496, false, now += 14 * each);
    // It is over when the rest is, or a packet later where there was none.
    BlockProgress done = progress(id, 37, 37, begin);
    done.ended = true;
    pacing.rest(done, 16, 143'424, false, now += std::max(rest, 16 * each));
    begin += 100'000 * kUs;
    return rest;
  };
  for (uint64_t id = 1; id < 20; ++id) block(id, 14 * kUs);
  CHECK(block(20, 14 * kUs) == 16 * 14 * kUs);
  for (uint64_t id = 21; id < 60; ++id) block(id, 4 * kUs);
  CHECK(block(60, 4 * kUs) < 16 * 5 * kUs);
}

TEST_CASE("0 means never") {
  WakePacing pacing(0, kQueue);
  CHECK(pacing.rest(progress(1, 10, 1000, 1000), 1, 1464, false, 200'000) == 0);
}
