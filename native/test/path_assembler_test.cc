// Blocks are put together: order, ids, copies, and what is no packet of ours. No resends here.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("a block in order is handed over whole, in both id layouts") {
  for (const bool extended : {false, true}) {
    CAPTURE(extended);
    StreamConfig config = Rig::defaults();
    config.packet_size = 200 + (extended ? 48 : 36);
    Rig rig(config);
    for (uint64_t id = 1; id <= 20; ++id) {
      const TestBlock block = Rig::image(id, extended);
      rig.send(block);
      rig.settle();
      const auto frame = rig.take();
      REQUIRE(frame.has_value());
      CHECK(frame->data == block.payload);
      CHECK(frame->complete());
      CHECK(((frame->header.flags & kFrameExtendedIds) != 0) == extended);
      CHECK(frame->header.block_id == id);
      CHECK(frame->header.timestamp == 1000 + id * 10);
      CHECK(frame->header.width == 100);
      CHECK(frame->header.height == 20);
      CHECK(frame->header.pixel_format == kMono8);
      CHECK(frame->header.payload_type == 1);
      CHECK(frame->header.packets_expected == 12);
      CHECK(frame->header.packets_received == 12);
      CHECK(frame->header.packets_resent == 0);
      CHECK(frame->header.data_size == 200);
      CHECK(frame->header.sequence == id - 1);
      CHECK(frame->header.host_time_ns == rig.now);
    }
    rig.check_counts({{"datagrams", 240},
                      {"accepted", 240},
                      {"packets_expected", 240},
                      {"packets_received", 240},
                      {"blocks_expected", 20},
                      {"blocks_complete", 20},
                      {"frames_queued", 20}});
    CHECK(rig.count("last_block_id") == 20);
  }
}

TEST_CASE("16-bit block ids go from 65535 to 1") {
  Rig rig;
  for (const uint64_t id : {65533, 65534, 65535, 1, 2, 3}) {
    rig.send(Rig::image(id));
    rig.expect_complete(Rig::image(id));
  }
  CHECK(rig.count("blocks_complete") == 6);
  CHECK(rig.count("blocks_missed") == 0);
  CHECK(rig.count("resyncs") == 0);
  rig.check();
}

TEST_CASE("a block that is lost across the wrap is one block, and late packets of 65535 are late") {
  Rig rig;
  rig.send(Rig::image(65534).at_time(10));
  rig.send(Rig::image(1).at_time(30));  // 65535 is missing
  rig.pass(10 * kMs);
  rig.send(Rig::image(65535).at_time(20));
  CHECK(rig.take_all() == 2);
  rig.check_counts({{"datagrams", 36},
                    {"accepted", 24},
                    {"late", 12},
                    {"packets_expected", 36},
                    {"packets_received", 24},
                    {"packets_missing", 12},
                    {"missing_not_requested", 12},
                    {"blocks_expected", 3},
                    {"blocks_complete", 2},
                    {"blocks_missed", 1},
                    {"frames_queued", 2}});
}

TEST_CASE("ids around half the ring are told apart: 32767 to 32768 is one step, and back again is late") {
  Rig rig;
  rig.send(Rig::image(32767));
  rig.send(Rig::image(32768));
  rig.send(Rig::image(32767).packet(3));
  CHECK(rig.take_all() == 2);
  CHECK(rig.count("late") == 1);
  CHECK(rig.count("blocks_expected") == 2);
  rig.check();
}

TEST_CASE("64-bit block ids beyond 2^32") {
  StreamConfig config = Rig::defaults();
  config.packet_size = 248;
  Rig rig(config);
  for (uint64_t id = (1ULL << 40) + 65534; id < (1ULL << 40) + 65538; ++id) {
    rig.send(Rig::image(id, true));
    rig.expect_complete(Rig::image(id, true));
  }
  rig.check();
}

TEST_CASE("any order within a block") {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    Rig rig;
    const TestBlock block = Rig::image(1);
    std::vector<uint32_t> ids(block.packets());
    for (uint32_t i = 0; i < ids.size(); ++i) ids[i] = i;
    std::shuffle(ids.begin(), ids.end(), random);
    if (round == 0) std::reverse(ids.begin(), ids.end());
    for (const uint32_t id : ids) rig.send(block.packet(id));
    rig.expect_complete(block);
    rig.check();
  }
}

TEST_CASE("packets of neighbouring blocks interleaved: both complete, handed over in order") {
  Rig rig;
  const TestBlock first = Rig::image(1);
  const TestBlock second = Rig::image(2);
  rig.send(first, {0, 1, 2, 3, 4, 5, 6, 7});
  rig.send(second, {0, 1, 2});
  rig.send(first, {9, 8});
  rig.send(second, {3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK_FALSE(rig.take().has_value());  // the first is not complete yet
  rig.send(first, {10, 11});
  rig.expect_complete(first);
  rig.expect_complete(second);
  rig.pass(5000 * kMs);
  rig.check_counts({{"datagrams", 24},
                    {"accepted", 24},
                    {"packets_expected", 24},
                    {"packets_received", 24},
                    {"blocks_expected", 2},
                    {"blocks_complete", 2},
                    {"frames_queued", 2}});
}

TEST_CASE("a leader that overtakes the former block's trailer loses nothing") {
  Rig rig;
  const TestBlock first = Rig::image(1);
  const TestBlock second = Rig::image(2);
  rig.send_range(first, 0, 10);
  rig.send(second, {0});
  rig.send(first, {11});
  rig.send_range(second, 1, 11);
  rig.expect_complete(first);
  rig.expect_complete(second);
  rig.check_counts({{"datagrams", 24},
                    {"accepted", 24},
                    {"packets_expected", 24},
                    {"packets_received", 24},
                    {"blocks_expected", 2},
                    {"blocks_complete", 2},
                    {"frames_queued", 2}});
}

TEST_CASE("the stream begins in the middle of a block: that one is lost, the next is whole") {
  Rig rig;
  rig.send_range(Rig::image(7), 5, 11);
  rig.send(Rig::image(8));
  rig.pass(10 * kMs);
  rig.expect_complete(Rig::image(8));
  CHECK_FALSE(rig.take().has_value());
  rig.check_counts({{"datagrams", 19},
                    {"accepted", 19},
                    {"packets_expected", 24},
                    {"packets_received", 19},
                    {"packets_missing", 5},
                    {"missing_not_requested", 5},
                    {"blocks_expected", 2},
                    {"blocks_complete", 1},
                    {"blocks_incomplete", 1},
                    {"frames_queued", 1}});
}

TEST_CASE("the stream begins with a trailer") {
  Rig rig;
  rig.send_range(Rig::image(7), 11, 11);
  rig.send(Rig::image(8));
  rig.pass(10 * kMs);
  rig.expect_complete(Rig::image(8));
  CHECK(rig.count("packets_missing") == 11);
  rig.check();
}

TEST_CASE("copies: the first one counts, whatever a later one holds") {
  Rig rig;
  const TestBlock block = Rig::image(1);
  TestBlock other = block;
  other.payload = pattern(99, 2000);
  rig.send(block, {0, 1, 2});
  rig.send(other, {0, 1, 2});  // Blackfly: data of another packet under a recent id
  rig.send_range(block, 3, 10);
  rig.send(block, {10});
  rig.send(block, {11});
  rig.expect_complete(block);
  rig.check_counts({{"datagrams", 16},
                    {"accepted", 12},
                    {"duplicate", 4},
                    {"packets_expected", 12},
                    {"packets_received", 12},
                    {"blocks_expected", 1},
                    {"blocks_complete", 1},
                    {"frames_queued", 1}});
  SUBCASE("a copy for a block that was handed over is late") {
    rig.send(block, {4});
    CHECK(rig.count("late") == 1);
  }
  SUBCASE("a copy for a block that is complete and waits for an earlier one is a duplicate") {
    rig.send(Rig::image(2), {0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11});
    rig.send(Rig::image(3));
    rig.send(Rig::image(3), {5});
    CHECK(rig.count("duplicate") == 5);
    CHECK(rig.count("late") == 0);
  }
  rig.check();
}

TEST_CASE("packets from elsewhere are foreign, whatever they say") {
  StreamConfig config = Rig::defaults();
  config.camera_address = 0xC0A80002;
  Rig rig(config);
  const TestBlock block = Rig::image(1);
  rig.send(block.packet(0), 0xC0A80003);
  rig.send({1, 2, 3}, 0xC0A80003);
  rig.send({}, 0x01020304);
  rig.send(block.refusal(1, 0x800C), 0xC0A80003);
  rig.send(Rig::image(0).packet(0), 0xC0A80003);
  rig.check_counts({{"datagrams", 5}, {"foreign", 5}});
  rig.send(block);
  rig.expect_complete(block);
  CHECK(rig.count("foreign") == 5);
}

TEST_CASE("test packets: block id 0 in either layout, any format") {
  Rig rig;
  rig.send(joined(gvsp_header(false, 0, 0, 3, 0), pattern(1, 500)));
  rig.send(joined(gvsp_header(true, 0, 0, 0, 0), pattern(1, 500)));
  rig.send(gvsp_header(false, 0, 0, 1, 7));
  rig.check_counts({{"datagrams", 3}, {"test", 3}});
}

TEST_CASE("what is no stream packet is malformed, and opens no block") {
  Rig rig;
  rig.send(Bytes{});
  rig.send(Bytes(7, 0));
  rig.send(Bytes{0, 0, 0, 1, 0x81, 0, 0, 0});                   // extended, but 8 bytes
  rig.send(gvsp_header(false, 0, 1, 3, 1));                     // no data
  rig.send(joined(gvsp_header(false, 0, 1, 0, 1), Bytes(10)));  // no such format
  rig.send(joined(gvsp_header(false, 0, 1, 9, 1), Bytes(10)));  // no such format
  rig.send(Rig::image(1).packet(3), 0, true);                   // cut by the socket buffer
  rig.check_counts({{"datagrams", 7}, {"malformed", 7}});
  rig.send(Rig::image(9));
  rig.expect_complete(Rig::image(9));
  CHECK(rig.count("blocks_expected") == 1);
}

TEST_CASE("packets that contradict their block are malformed and change nothing") {
  Rig rig;
  const TestBlock block = Rig::image(1);
  rig.send_range(block, 0, 4);
  rig.send(joined(gvsp_header(false, 0, 1, 1, 6), block.leader_body));  // a leader with an id
  rig.send(joined(gvsp_header(false, 0, 1, 1, 0), Bytes(11)));          // copy of a leader, too short: a copy
  rig.send(joined(gvsp_header(false, 0, 1, 2, 0), block.trailer_body));  // a trailer without one
  rig.send(joined(gvsp_header(false, 0, 1, 2, 3), block.trailer_body));  // a trailer before its data
  rig.send(joined(gvsp_header(false, 0, 1, 2, 11), Bytes(3)));           // a trailer too short
  rig.send(joined(gvsp_header(false, 0, 1, 3, 0), Bytes(200)));          // data with id 0
  rig.send(joined(gvsp_header(false, 0, 1, 3, 5), Bytes(201)));          // larger than a full packet
  rig.send(joined(gvsp_header(false, 0, 1, 3, 2'000), Bytes(200)));      // beyond the slot
  rig.send(joined(gvsp_header(false, 0, 1, 3, 0xFFFFFF), Bytes(200)));   // far beyond
  rig.send(joined(gvsp_header(false, 0, 1, 4, 0), Bytes(200)));          // all-in, in the middle of a block
  rig.send(joined(gvsp_header(false, 0, 1, 5, 5), Bytes(208)));          // another packet format
  rig.send_range(block, 5, 11);
  rig.expect_complete(block);
  CHECK(rig.count("malformed") == 10);
  CHECK(rig.count("duplicate") == 1);
  rig.check();
}

TEST_CASE("short last packets of every length, and exactly full ones") {
  for (uint32_t height = 1; height <= 45; ++height) {
    CAPTURE(height);
    StreamConfig config = Rig::defaults();
    config.payload_size = 100 * height;
    Rig rig(config);
    const TestBlock block(5, 100, height, 200);
    rig.send(block);
    rig.expect_complete(block);
    rig.check();
  }
}

TEST_CASE("host time is the leader's arrival, or the first packet's where the leader is late") {
  Rig rig;
  const TestBlock block = Rig::image(1);
  const uint64_t start = rig.now;
  rig.send(block, {0});
  rig.now += 500 * kMs;
  rig.send_range(block, 1, 11);
  CHECK(rig.take()->header.host_time_ns == start);
  const TestBlock next = Rig::image(2);
  rig.now += kMs;
  rig.send(next, {1});
  rig.now += kMs;
  rig.send(next, {0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(rig.take()->header.host_time_ns == rig.now);
}

TEST_CASE("frames that were queued wake the consumer once") {
  Rig rig;
  rig.send_range(Rig::image(1), 0, 10);
  CHECK_FALSE(rig.take_wake());
  rig.send(Rig::image(1), {11});
  CHECK(rig.take_wake());
  CHECK_FALSE(rig.take_wake());
}
