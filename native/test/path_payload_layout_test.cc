// Payloads that are not a row of equal packets: all-in, multi-part and GenDC, with honest and hostile
// offsets.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

Bytes all_in(uint64_t id, bool extended, const Bytes& leader, const Bytes& tail, const Bytes& data) {
  return joined(gvsp_header(extended, 0, id, 4, 0), joined(leader, joined(tail, data)));
}

// A multi-part packet: part id and flags, then the place in 48 bits.
Bytes part_packet(uint64_t block, uint32_t id, uint64_t offset, const Bytes& data) {
  Bytes prefix{0, 0};
  put48(prefix, offset);
  return joined(gvsp_header(true, 0, block, 7, id), joined(prefix, data));
}

Bytes gendc_packet(uint64_t block, uint32_t id, uint64_t offset, const Bytes& data) {
  Bytes prefix;
  put32(prefix, data.size());
  put64(prefix, offset);
  put32(prefix, 0);
  return joined(gvsp_header(true, 0, block, 8, id), joined(prefix, data));
}

}  // namespace

TEST_CASE("all-in packets: image, chunks, fewer lines, contradictions") {
  for (const bool extended : {false, true}) {
    CAPTURE(extended);
    Rig rig;
    const Bytes leader = image_leader(1, 10, kMono8, 10, 20);
    const Bytes data = pattern(1, 200);
    rig.send(all_in(1, extended, leader, trailer(1, {20}), data));
    auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->complete());
    CHECK(frame->data == data);
    CHECK(frame->header.height == 20);
    CHECK(frame->header.packets_expected == 1);

    const Bytes chunky = image_leader(0x4001, 20, kMono8, 10, 20);
    rig.send(all_in(2, extended, chunky, trailer(0x4001, {20, 216, 4}), pattern(2, 216)));
    frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->data == pattern(2, 216));
    CHECK(frame->header.chunk_length == 216);

    rig.send(all_in(3, extended, leader, trailer(1, {7}), pattern(3, 70)));
    frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->header.height == 7);
    CHECK(frame->data == pattern(3, 70));

    rig.send(all_in(4, extended, leader, trailer(1, {7}), data));  // a wrong count of lines
    frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->header.height == 20);

    // Chunks after fewer lines: the image cannot be longer than all of them.
    rig.send(all_in(5, extended, chunky, trailer(0x4001, {7, 86, 4}), pattern(5, 86)));
    frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->header.height == 7);
    CHECK(frame->data == pattern(5, 86));

    rig.send(all_in(6, extended, leader, trailer(1, {20}), pattern(1, 199)));  // a byte is missing
    rig.send(all_in(6, extended, leader, trailer(1, {20}), {}));
    rig.send(all_in(6, extended, leader, {0, 0, 0}, {}));
    rig.send(all_in(6, extended, {0, 0, 0, 1}, {}, {}));
    CHECK(rig.count("malformed") == 4);
    rig.send(all_in(6, extended, leader, trailer(1, {20}), data));
    rig.send(all_in(6, extended, leader, trailer(1, {20}), data));
    CHECK(rig.take().has_value());
    CHECK(rig.count("late") == 1);
    rig.check();
  }
}

TEST_CASE("all-in blocks that are lost are missed; ids that begin anew are followed") {
  Rig rig;
  const auto send = [&](uint64_t id, uint64_t time) {
    rig.send(all_in(id, false, image_leader(1, time, kMono8, 10, 20), trailer(1, {20}), pattern(time, 200)));
  };
  send(1, 1);
  send(2, 2);
  send(5, 5);
  rig.pass(4 * kMs);
  CHECK(rig.take_all() == 3);
  CHECK(rig.count("blocks_missed") == 2);
  for (uint64_t id = 1; id <= 4; ++id) send(id, 100 + id);
  rig.pass(4 * kMs);
  CHECK(rig.take_all() == 4);
  CHECK(rig.count("resyncs") == 1);
  CHECK(rig.count("late") == 0);
  rig.check();
}

TEST_CASE("an all-in packet larger than the slot is malformed") {
  Rig rig(Rig::defaults(), 4, 100);
  rig.send(all_in(1, false, image_leader(1, 1, kMono8, 10, 20), trailer(1, {20}), pattern(1, 200)));
  CHECK(rig.count("malformed") == 1);
  CHECK_FALSE(rig.take().has_value());
  rig.check();
}

TEST_CASE("multi-part: packets carry their own place") {
  Rig rig(Rig::defaults(), 4, 4096);
  Bytes leader;
  put16(leader, 0);
  put16(leader, 0xA);
  put64(leader, 42);
  leader = joined(leader, Bytes(96));
  const Bytes a = pattern(1, 300);
  const Bytes b = pattern(2, 500);
  const auto send = [&](uint64_t id, std::initializer_list<int> order) {
    for (const int packet : order) {
      switch (packet) {
        case 0:
          rig.send(joined(gvsp_header(true, 0, id, 1, 0), leader));
          break;
        case 1:
          rig.send(part_packet(id, 1, 0, Bytes(a.begin(), a.begin() + 200)));
          break;
        case 2:
          rig.send(part_packet(id, 2, 200, Bytes(a.begin() + 200, a.end())));
          break;
        // The second part begins behind the room kept for the first (AT C6: more than was sent).
        case 3:
          rig.send(part_packet(id, 3, 1000, Bytes(b.begin(), b.begin() + 200)));
          break;
        case 4:
          rig.send(part_packet(id, 4, 1200, Bytes(b.begin() + 200, b.begin() + 400)));
          break;
        case 5:
          rig.send(part_packet(id, 5, 1400, Bytes(b.begin() + 400, b.end())));
          break;
        default:
          rig.send(joined(gvsp_header(true, 0, id, 2, 6), trailer(0xA, {})));
          break;
      }
    }
  };
  Bytes expected(1500, 0);
  std::copy(a.begin(), a.end(), expected.begin());
  std::copy(b.begin(), b.end(), expected.begin() + 1000);
  const std::initializer_list<int> orders[] = {
      {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {3, 0, 2, 5, 1, 6, 4}};
  uint64_t id = 0;
  for (const auto& order : orders) {
    rig.memory.soil();  // what lies between the parts must not be a former frame
    send(++id, order);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->complete());
    CHECK((frame->header.flags & kFrameExplicitOffsets) != 0);
    CHECK(frame->header.payload_type == 0xA);
    CHECK(frame->header.timestamp == 42);
    CHECK(frame->data == expected);
  }
  rig.check();
}

TEST_CASE("explicit offsets that are hostile never leave the slot") {
  StreamConfig config = Rig::defaults();
  config.deliver_incomplete = true;
  Rig rig(config, 4, 4096);
  Bytes leader = sized_leader(0xB, 1, 1ULL << 63);
  leader = joined(leader, Bytes(8));
  rig.send(joined(gvsp_header(true, 0, 1, 1, 0), leader));
  uint32_t packet = 1;
  uint64_t bad = 0;
  for (const uint64_t offset :
       {~0ULL, ~0ULL - 99, 1ULL << 63, 4097ULL, 4096ULL, 3997ULL, 1ULL << 32, 0xFFFFFFFFULL}) {
    rig.send(gendc_packet(1, packet, offset, pattern(1, 100)));
    ++bad;
    if (offset >> 48 != 0) continue;
    rig.send(part_packet(1, packet, offset, pattern(1, 100)));
    ++bad;
  }
  CHECK(rig.count("malformed") == bad);
  rig.send(gendc_packet(1, packet++, 3996, pattern(1, 100)));
  rig.send(gendc_packet(1, packet++, 0, pattern(2, 100)));
  rig.send(gvsp_header(true, 0, 1, 8, packet));                      // no prefix
  rig.send(joined(gvsp_header(true, 0, 1, 8, packet), Bytes(16)));   // no data
  rig.send(joined(gvsp_header(true, 0, 1, 3, packet), Bytes(100)));  // another format
  CHECK(rig.count("malformed") == bad + 3);
  rig.pass(2001 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK_FALSE(frame->complete());
  Bytes expected(4096, 0);
  const Bytes first = pattern(1, 100);
  const Bytes second = pattern(2, 100);
  std::copy(first.begin(), first.end(), expected.begin() + 3996);
  std::copy(second.begin(), second.end(), expected.begin());
  CHECK(frame->data == expected);
  rig.check();
}

TEST_CASE("GenDC: the container is put together at its offsets") {
  Rig rig(Rig::defaults(), 4, 4096);
  const Bytes data = pattern(3, 900);
  const Bytes leader = joined(sized_leader(0xB, 9, 900), Bytes(8));
  rig.send(joined(gvsp_header(true, 0, 1, 1, 0), leader));
  for (uint32_t i = 0; i < 3; ++i) {
    rig.send(gendc_packet(1, 3 - i, (2 - i) * 300,
                          Bytes(data.begin() + (2 - i) * 300, data.begin() + (3 - i) * 300)));
  }
  rig.send(joined(gvsp_header(true, 0, 1, 2, 4), trailer(0xB, {})));
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->complete());
  CHECK(frame->data == data);
  CHECK(frame->header.payload_type == 0xB);
  rig.check();
}

TEST_CASE("GenDC: a packet that holds less than it says was cut on its way") {
  Rig rig(Rig::defaults(), 8, 4000);
  rig.send(joined(gvsp_header(true, 0, 1, 1, 0), joined(sized_leader(0xB, 1, 600), Bytes(8))));
  Bytes cut = gendc_packet(1, 2, 300, pattern(1, 300));
  const Bytes whole = cut;
  cut.resize(cut.size() - 100);
  rig.send(gendc_packet(1, 1, 0, pattern(1, 300)));
  rig.send(cut);
  rig.send(joined(gvsp_header(true, 0, 1, 2, 3), trailer(0xB, {})));
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("malformed") == 1);
  rig.send(whole);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->complete());
  rig.check();
}
