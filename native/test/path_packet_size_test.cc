// Packet sizes that nobody confirmed: a camera that rounds them silently is told from packets that were cut.
#include <doctest/doctest.h>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

// Ten packets of 2000 bytes, or of whatever the camera makes of it.
TestBlock large(uint64_t id, uint32_t data_size = 2000, uint32_t height = 100) {
  return {id, 200, height, data_size};
}

StreamConfig unconfirmed(uint32_t packet_size, uint64_t payload = 20'000) {
  StreamConfig config = Rig::defaults();
  config.packet_size = packet_size;
  config.packet_size_confirmed = false;
  config.payload_size = payload;
  return config;
}

}  // namespace

TEST_CASE("a camera that rounds its packet size silently: every frame is right, the first included") {
  for (const uint32_t asked : {2036U, 2040U, 2300U, 4000U, 9000U, 0U, 1500U, 2035U}) {
    for (const bool reversed : {false, true}) {
      for (const uint32_t lost : {0U, 1U, 2U, 9U, 10U}) {  // 0: none
        CAPTURE(asked);
        CAPTURE(reversed);
        CAPTURE(lost);
        Rig rig(unconfirmed(asked));
        for (uint64_t id = 1; id <= 3; ++id) {
          const TestBlock block = large(id);
          for (uint32_t at = 0; at <= 11; ++at) {
            const uint32_t packet = reversed ? 11 - at : at;
            if (packet != lost || lost == 0) rig.send(block.packet(packet));
          }
          if (lost != 0) {
            rig.pass(kMs);
            rig.send(block.packet(lost));
          }
          rig.expect_complete(block);
        }
        rig.check();
        CHECK(rig.count("blocks_incomplete") == 0);
      }
    }
  }
}

TEST_CASE("size not confirmed, short last packet, any order") {
  for (const uint32_t asked : {9000U, 2036U, 1500U}) {
    for (uint32_t first = 1; first <= 11; ++first) {
      for (uint32_t second = 1; second <= 11; ++second) {
        if (first == second) continue;
        CAPTURE(asked);
        CAPTURE(first);
        CAPTURE(second);
        Rig rig(unconfirmed(asked, 21'000), 4);
        const TestBlock block = large(1, 2000, 105);
        rig.send(block, {first, second});
        for (uint32_t id = 0; id <= 12; ++id) {
          if (id != first && id != second) rig.send(block.packet(id));
        }
        rig.expect_complete(block);
        rig.check_counts({{"datagrams", 13},
                          {"accepted", 13},
                          {"packets_expected", 13},
                          {"packets_received", 13},
                          {"blocks_expected", 1},
                          {"blocks_complete", 1},
                          {"frames_queued", 1}});
      }
    }
  }
}

TEST_CASE("size not confirmed: the trailer before all data, and blocks of one packet") {
  Rig rig(unconfirmed(9000));
  const TestBlock block = large(1);
  rig.send(block, {11, 7, 0, 1, 2, 3, 4, 5, 6, 8, 9, 10});
  rig.expect_complete(block);
  Rig single(unconfirmed(1500));
  for (uint64_t id = 1; id <= 3; ++id) {
    const TestBlock small(id, 100, 2, 1464);
    REQUIRE(small.packets() == 3);
    single.send(small);
    single.expect_complete(small);
  }
  single.send(large(4, 600));
  single.expect_complete(large(4, 600));
}

TEST_CASE("size confirmed: packets cut on their way are malformed, even where all are cut alike") {
  Rig rig;
  const TestBlock cut(1, 100, 20, 150);  // as if each packet had lost its end
  rig.send(cut);
  rig.pass(10 * kMs);
  CHECK_FALSE(rig.take().has_value());
  CHECK(rig.count("blocks_complete") == 0);
  CHECK(rig.count("malformed") >= 12);
  rig.check();
}

TEST_CASE("size not confirmed: one packet that was cut never makes a wrong frame, whichever and whenever") {
  for (uint32_t id = 1; id <= 10; ++id) {
    for (const uint32_t keep : {1U, 500U, 1000U, 1999U}) {
      for (const bool reversed : {false, true}) {
        CAPTURE(id);
        CAPTURE(keep);
        CAPTURE(reversed);
        Rig rig(unconfirmed(9000));
        const TestBlock block = large(1);
        for (uint32_t at = 0; at <= 11; ++at) {
          const uint32_t packet = reversed ? 11 - at : at;
          Bytes bytes = block.packet(packet);
          if (packet == id) bytes.resize(8 + keep);
          rig.send(bytes);
        }
        CHECK_FALSE(rig.take().has_value());
        rig.pass(kMs);
        rig.send(block, {id});  // whole this time
        rig.pass(10 * kMs);
        rig.check();
        if (const auto frame = rig.take()) CHECK(frame->data == block.payload);
        // The next block is not harmed.
        rig.send(large(2));
        rig.expect_complete(large(2));
      }
    }
  }
}

TEST_CASE("once a whole frame proved the packet size, cut packets are told from short ones") {
  Rig rig(unconfirmed(9000));
  rig.send(large(1));
  rig.expect_complete(large(1));
  rig.send(large(2, 1500));
  rig.pass(10 * kMs);
  CHECK_FALSE(rig.take().has_value());
  rig.check();
}
