// The manners of the socket engine: packets that the kernel put together come apart again, scattered ones
// land where they were wanted, and a stream finds out by itself which it is.
#include <doctest/doctest.h>

#include <array>
#include <numeric>

#include "net/aggregation.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kSize = 1000;

std::vector<uint8_t> many(uint32_t first, uint32_t count, uint32_t last_size = kSize) {
  std::vector<uint8_t> all;
  for (uint32_t i = 0; i < count; ++i) {
    const auto one = numbered(first + i, i + 1 == count ? last_size : kSize);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

void check_packet(const PacketView& view, uint32_t number, uint32_t size) {
  CAPTURE(number);
  REQUIRE(view.size == size);
  CHECK_FALSE(view.truncated);
  CHECK(view.landed == nullptr);
  const auto bytes = numbered(number, size);
  CHECK(std::memcmp(view.data, bytes.data(), size) == 0);
}

// Reads until nothing comes; returns how many packets that were, all of them checked.
uint32_t read_all(PacketSource& source, uint32_t first, size_t batch_size = 64) {
  std::vector<PacketView> batch(batch_size);
  uint32_t number = first;
  for (;;) {
    const ReadResult read = source.read(batch, {});
    REQUIRE_FALSE(read.failed);
    if (read.count == 0) return number - first;
    for (size_t i = 0; i < read.count; ++i) check_packet(batch[i], number++, kSize);
  }
}

}  // namespace

TEST_CASE("packets that were put together come apart, whatever the caller's batch") {
  const Pair pair(4 << 20);
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  CHECK(source->manner() == Manner::kAggregate);
  for (const size_t batch : {1U, 3U, 64U, 1000U}) {
    CAPTURE(batch);
    for (uint32_t at = 0; at < 120; at += 40) pair.send_together(many(at, 40), kSize);
    for (uint32_t at = 120; at < 130; ++at) pair.send(numbered(at, kSize));
    pair.send_together(many(130, 40), kSize);
    CHECK(read_all(*source, 0, batch) == 170);
  }
}

TEST_CASE("the last of them may be shorter") {
  const Pair pair;
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  pair.send_together(many(5, 20, 17), kSize);
  std::array<PacketView, 64> batch;
  const ReadResult read = source->read(batch, {});
  REQUIRE(read.count == 20);
  CHECK_FALSE(read.more);
  for (uint32_t i = 0; i < 19; ++i) check_packet(batch[i], 5 + i, kSize);
  check_packet(batch[19], 24, 17);
  CHECK(batch[19].source_port == pair.sender_port());
}

TEST_CASE("what the kernel drops is counted in packets also where it put them together") {
  const Pair pair(65536);
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kAggregate});
  constexpr uint32_t kCalls = 50;
  for (uint32_t i = 0; i < kCalls; ++i) pair.send_together(many(i * 40, 40), kSize);
  std::array<PacketView, 64> batch;
  uint64_t received = 0;
  while (const size_t count = source->read(batch, {}).count) received += count;
  CHECK(received < kCalls * 40);
  source->refresh_kernel_drops();
  CHECK(source->kernel_drops() == kCalls * 40 - received);
}

TEST_CASE("a stream finds out whether packets are put together, and loses none by it") {
  const Pair pair(4 << 20);
  const auto source = source_for(pair, {.max_datagram = 9216, .packet_bytes = kSize});
  CHECK(source->manner() == Manner::kAggregate);
  SUBCASE("they are") {
    for (uint32_t round = 0; round < 30; ++round) {
      for (uint32_t at = 0; at < 120; at += 40) pair.send_together(many(at, 40), kSize);
      CHECK(read_all(*source, 0) == 120);
    }
    CHECK(source->manner() == Manner::kAggregate);
  }
  SUBCASE("they come one by one") {
    for (uint32_t i = 0; i < 400; ++i) pair.send(numbered(i, kSize));
    CHECK(read_all(*source, 0) == 400);
    CHECK(source->manner() == Manner::kCopy);
    // Now the kernel takes apart itself.
    pair.send_together(many(0, 40), kSize);
    CHECK(read_all(*source, 0) == 40);
  }
  SUBCASE("some wait that were put together before it was given up") {
    for (uint32_t i = 0; i < 256; ++i) pair.send(numbered(i, kSize));
    for (uint32_t at = 256; at < 256 + 120; at += 40) pair.send_together(many(at, 40), kSize);
    pair.send_together(many(376, 3), kSize);  // no longer than a large packet might be
    CHECK(read_all(*source, 0) == 379);
    CHECK(source->manner() == Manner::kCopy);
  }
}

TEST_CASE("large packets are scattered where they are not put together") {
  const Pair pair(4 << 20);
  const auto source = source_for(pair, {.packet_bytes = 8000});
  std::array<PacketView, 64> batch;
  for (int round = 0; round < 8; ++round) {
    for (int i = 0; i < 40; ++i) pair.send(numbered(1, 8000));
    while (source->read(batch, {}).count != 0) {
    }
  }
  CHECK(source->manner() == Manner::kScatter);
}

TEST_CASE("scattered: the head stays, the data lands, what is too much or too little is told") {
  const Pair pair;
  const auto source = source_for(pair, {.max_datagram = 2000, .manner = Manner::kScatter});
  constexpr uint32_t kHead = 8;
  constexpr uint32_t kRoom = 500;
  std::vector<uint8_t> slot(8 * kRoom + 64, 0xEE);
  std::array<Landing, 8> landings{};
  for (size_t i = 0; i < landings.size(); ++i) landings[i] = {&slot[i * kRoom], kRoom};
  landings[2] = {};
  // Exact, shorter, without a landing, nothing but the head, less than it, too long, cut, and one more.
  const std::array<uint32_t, 8> sizes{508, 200, 508, 8, 5, 900, 2500, 508};
  for (uint32_t i = 0; i < 8; ++i) pair.send(numbered(i, sizes[i]));
  ReadRequest request;
  request.plan = {landings, kHead};
  std::array<PacketView, 64> batch;
  const ReadResult read = source->read(batch, request);
  REQUIRE(read.count == 8);
  for (uint32_t i = 0; i < 8; ++i) {
    CAPTURE(i);
    PacketView& view = batch[i];
    const bool landed = i != 2 && sizes[i] > kHead;
    CHECK(view.truncated == (i == 6));
    CHECK((view.landed != nullptr) == landed);
    if (landed) {
      CHECK(view.landed == landings[i].to);
      CHECK(view.landed_size == std::min(sizes[i] - kHead, kRoom));
      CHECK(view.head == kHead);
    }
    if (i == 6) continue;
    CHECK(view.size == sizes[i]);
    view.bring_home();
    const auto bytes = numbered(i, sizes[i]);
    CHECK(std::memcmp(view.data, bytes.data(), bytes.size()) == 0);
  }
  // Nothing was written beside the landings.
  CHECK(slot[2 * kRoom] == 0xEE);
  CHECK(std::accumulate(slot.begin() + 8 * kRoom, slot.end(), 0) == 64 * 0xEE);
}

TEST_CASE("a rest lets packets gather") {
  const Pair pair;
  const auto source = source_for(pair);
  pair.send(numbered(1, 100));
  std::array<PacketView, 4> batch;
  const uint64_t begin = now();
  ReadRequest request;
  request.rest_ns = 3 * kNsPerMs;
  CHECK(source->read(batch, request).count == 1);
  CHECK(now() - begin >= 3 * kNsPerMs);
}

TEST_CASE("when aggregation is tried, given up, and tried again") {
  Aggregation aggregation;
  using Turn = Aggregation::Turn;
  constexpr uint64_t kSecond = 1'000'000'000;
  aggregation.begin(true);
  CHECK(aggregation.note(255, 0, true, kSecond) == Turn::kStay);
  CHECK(aggregation.note(8, 1, true, kSecond) == Turn::kStay);  // one is enough to go on
  CHECK(aggregation.note(255, 0, true, kSecond) == Turn::kStay);
  CHECK(aggregation.note(1, 0, false, 2 * kSecond) == Turn::kOff);
  aggregation.begin(false);
  CHECK(aggregation.note(64, 0, true, 6 * kSecond) == Turn::kStay);    // too early
  CHECK(aggregation.note(3, 0, false, 600 * kSecond) == Turn::kStay);  // no need
  CHECK(aggregation.note(64, 0, true, 601 * kSecond) == Turn::kOn);
}
