// The manners of the socket engine that every system has: scattered packets land where they were wanted, and
// packets are left to gather.
#include <doctest/doctest.h>

#include <array>
#include <numeric>

#include "net/aggregation.h"
#include "udp_pair.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("large packets are scattered where they are not put together") {
  Pair pair(4 << 20);
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
  Pair pair;
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
  Pair pair;
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
