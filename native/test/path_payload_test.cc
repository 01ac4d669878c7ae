// Every kind of payload, packet sizes that nobody confirmed, and heights that leader and trailer disagree
// about.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

TestBlock lines(uint64_t id, uint32_t leader_lines, uint32_t sent_lines,
                std::initializer_list<uint32_t> fields) {
  TestBlock block(id, 100, sent_lines, 200);
  block.leader_body = image_leader(1, 1000 + id, kMono8, 100, leader_lines);
  block.trailer_body = trailer(1, fields);
  return block;
}

}  // namespace

TEST_CASE("variable height: the trailer says fewer lines, and the packets agree") {
  Rig rig;
  uint64_t id = 0;
  for (const uint32_t sent : {1U, 2U, 7U, 10U, 13U, 19U, 20U}) {
    CAPTURE(sent);
    const TestBlock block = lines(++id, 20, sent, {sent});
    rig.send(block);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->complete());
    CHECK(frame->header.height == sent);
    CHECK(frame->data == block.payload);
  }
  rig.check();
}

TEST_CASE("variable height: a leader that says zero lines") {
  Rig rig;
  const TestBlock block = lines(1, 0, 13, {13});
  rig.send(block);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.height == 13);
  CHECK(frame->data == block.payload);
}

TEST_CASE("a trailer with a wrong count of lines is not believed (Aravis 0.8.26)") {
  for (const uint32_t wrong : {0U, 1U, 5U, 19U, 21U, 512U, 0xFFFFFFFFU}) {
    CAPTURE(wrong);
    Rig rig;
    const TestBlock block = lines(1, 20, 20, {wrong});
    rig.send(block);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->complete());
    CHECK(frame->header.height == 20);
    CHECK(frame->data == block.payload);
    rig.check();
  }
}

TEST_CASE("a wrong count of lines does not make half a frame complete") {
  for (const uint32_t wrong : {9U, 10U, 11U}) {
    CAPTURE(wrong);
    Rig rig;
    TestBlock block = lines(1, 20, 20, {wrong});
    for (const uint32_t lost : {5U, 10U}) {
      CAPTURE(lost);
      block.id = lost;
      rig.send_all_but(block, {lost});
      rig.pass(10 * kMs);
    }
    CHECK_FALSE(rig.take().has_value());
    CHECK(rig.count("blocks_incomplete") == 2);
    rig.check();
  }
}

TEST_CASE("a trailer without a count of lines") {
  Rig rig;
  rig.send(lines(1, 20, 20, {}));
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.height == 20);
}

TEST_CASE("variable height: fewer lines without a word in the trailer are not a whole frame") {
  Rig rig;
  rig.send(lines(1, 20, 13, {}));
  rig.pass(10 * kMs);
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("blocks_incomplete") == 1);
  rig.check();
}

TEST_CASE("an image of which no line was sent is no complete image; zero lines announced are") {
  Rig rig;
  const Bytes leader = image_leader(1, 1, kMono8, 100, 20);
  rig.send(TestBlock(1, leader, {}, trailer(1, {20}), 200));
  rig.send(TestBlock(2, leader, {}, trailer(1, {0}), 200));
  rig.pass(10 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.block_id == 2);
  CHECK(frame->header.height == 0);
  CHECK(frame->data.empty());
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("blocks_incomplete") == 1);
  rig.check();
}

TEST_CASE("trailer status: a warning does not spoil the frame") {
  Rig rig;
  TestBlock block = Rig::image(1);
  rig.send_range(block, 0, 10);
  rig.send(joined(gvsp_header(false, 0x4004, 1, 2, 11), block.trailer_body));  // Photonfocus
  auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.trailer_status == 0x4004);
  block = Rig::image(2);
  rig.send_range(block, 0, 10);
  rig.send(joined(gvsp_header(false, 0x800D, 2, 2, 11), block.trailer_body));
  frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.trailer_status == 0x800D);
  rig.check();
}

TEST_CASE("data under an error status is no data") {
  Rig rig;
  const TestBlock block = Rig::image(1);
  TestBlock junk = block;
  junk.payload = pattern(5, 2000);
  rig.send_range(block, 0, 3);
  rig.send(junk.packet(4, 0x800C));
  rig.send_range(block, 4, 11);
  rig.expect_complete(block);
  CHECK(rig.count("refused") == 1);
  CHECK(rig.count("duplicate") == 0);
  rig.check();
}

TEST_CASE("payloads of a known size: raw, file, JPEG; and sizes that do not match") {
  for (const uint16_t type : {2, 3, 6, 7}) {
    CAPTURE(type);
    Rig rig;
    const auto leader = [&](uint64_t size) {
      Bytes body = sized_leader(type, 77, size);
      if (type == 3) body = joined(body, {'a', '.', 'b', 0});
      if (type >= 6) body = joined(body, Bytes(12));
      return body;
    };
    const TestBlock right(1, leader(1234), pattern(1, 1234), trailer(type, {}), 200);
    rig.send(right);
    auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->data == right.payload);
    CHECK(frame->header.payload_type == type);
    CHECK(frame->header.timestamp == 77);
    CHECK(frame->header.width == 0);
    rig.send(TestBlock(2, leader(1235), pattern(2, 1234), trailer(type, {}), 200));
    rig.pass(10 * kMs);
    CHECK_FALSE(rig.take().has_value());
    CHECK(rig.count("blocks_incomplete") == 1);
    rig.check();
  }
}

TEST_CASE("chunk payloads are delivered whole: 0x4001, 4 and 5") {
  struct Kind {
    uint16_t type;
    Bytes leader;
    Bytes tail;
    uint32_t layout;
  };
  Bytes bare;  // payload type 4: 12 bytes, no geometry
  put16(bare, 0);
  put16(bare, 4);
  put64(bare, 5);
  const Kind kinds[] = {
      {0x4001, image_leader(0x4001, 5, kMono8, 100, 20), trailer(0x4001, {20, 2056, 9}), 9},
      {4, bare, trailer(4, {2056}), 0},
      {5, image_leader(5, 5, kMono8, 100, 20), trailer(5, {2056, 20, 9}), 9},
  };
  for (const Kind& kind : kinds) {
    CAPTURE(kind.type);
    StreamConfig config = Rig::defaults();
    config.payload_size = 4000;  // an upper bound
    Rig rig(config);
    const TestBlock block(1, kind.leader, pattern(1, 2056), kind.tail, 200);
    rig.send(block);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->complete());
    CHECK(frame->data == block.payload);
    CHECK(frame->header.payload_type == kind.type);
    CHECK(frame->header.chunk_length == 2056);
    CHECK(frame->header.chunk_layout == kind.layout);
    CHECK(frame->header.height == (kind.type == 4 ? 0 : 20));
    SUBCASE("a last packet that was cut is missing") {
      TestBlock next = block;
      next.id = 2;
      rig.send_range(next, 0, 10);
      Bytes cut = next.packet(11);
      cut.pop_back();
      rig.send(cut);
      rig.send(next, {12});
      rig.pass(10 * kMs);
      CHECK_FALSE(rig.take().has_value());
      CHECK(rig.count("blocks_incomplete") == 1);
    }
    rig.check();
  }
}

TEST_CASE("chunks and fewer lines: the trailer's height is taken where the leader's is impossible") {
  StreamConfig config = Rig::defaults();
  config.payload_size = 4000;
  Rig rig(config);
  const TestBlock block(1, image_leader(0x4001, 5, kMono8, 100, 20), pattern(1, 1056),
                        trailer(0x4001, {10, 1056, 9}), 200);
  rig.send(block);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.height == 10);
  CHECK(frame->data == block.payload);
}

TEST_CASE("payload types of the makers' own are delivered as they are") {
  for (const uint16_t type : {0x8001, 0xC004, 0xFFFF}) {
    CAPTURE(type);
    Rig rig;
    Bytes leader;
    put16(leader, 0);
    put16(leader, type);
    put64(leader, 123);
    const TestBlock block(1, leader, pattern(1, 777), trailer(type, {1, 2, 3}), 200);
    rig.send(block);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK(frame->header.payload_type == type);
    CHECK(frame->header.chunk_length == 0);
    CHECK(frame->data == block.payload);
  }
}

TEST_CASE("a leader with a first word that is not zero (Blackfly S)") {
  Rig rig;
  TestBlock block = Rig::image(1);
  block.leader_body[0] = 0x12;
  block.leader_body[1] = 0x34;
  rig.send(block);
  rig.expect_complete(block);
}
