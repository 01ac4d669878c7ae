// What does not arrive, with resends off: each packet counted once under its cause, nobody waits for long,
// and what is delivered all the same says what it lacks.
#include <doctest/doctest.h>

#include <algorithm>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

struct Lost {
  const char* what;
  std::vector<uint32_t> ids;
};

const Lost kCases[] = {
    {"leader", {0}},
    {"trailer", {11}},
    {"tail of data", {9, 10}},
    {"tail with trailer", {8, 9, 10, 11}},
    {"one in the middle", {5}},
    {"leader and first", {0, 1}},
    {"leader and trailer", {0, 11}},
    {"several gaps", {1, 3, 5, 7, 9}},
    {"all data", {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
    {"all but one", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11}},
};

void send_without(Rig& rig, const TestBlock& block, const std::vector<uint32_t>& lost) {
  for (uint32_t id = 0; id <= block.trailer_id(); ++id) {
    if (std::find(lost.begin(), lost.end(), id) == lost.end()) rig.send(block.packet(id));
  }
}

}  // namespace

TEST_CASE("whatever part of a block is lost: exactly those packets are missing, the neighbours are whole") {
  for (const Lost& lost : kCases) {
    CAPTURE(lost.what);
    Rig rig;
    rig.send(Rig::image(1));
    send_without(rig, Rig::image(2), lost.ids);
    rig.send(Rig::image(3));
    rig.pass(4 * kMs);
    rig.expect_complete(Rig::image(1));
    rig.expect_complete(Rig::image(3));
    CHECK_FALSE(rig.take().has_value());
    rig.check_counts({{"datagrams", 36 - lost.ids.size()},
                      {"accepted", 36 - lost.ids.size()},
                      {"packets_expected", 36},
                      {"packets_received", 36 - lost.ids.size()},
                      {"packets_missing", lost.ids.size()},
                      {"missing_not_requested", lost.ids.size()},
                      {"blocks_expected", 3},
                      {"blocks_complete", 2},
                      {"blocks_incomplete", 1},
                      {"frames_queued", 2}});
  }
}

TEST_CASE("the last block of a stream: its loss is noticed though nothing follows") {
  for (const Lost& lost : kCases) {
    CAPTURE(lost.what);
    Rig rig;
    send_without(rig, Rig::image(1), lost.ids);
    rig.pass(2001 * kMs);
    rig.check_counts({{"datagrams", 12 - lost.ids.size()},
                      {"accepted", 12 - lost.ids.size()},
                      {"packets_expected", 12},
                      {"packets_received", 12 - lost.ids.size()},
                      {"packets_missing", lost.ids.size()},
                      {"missing_not_requested", lost.ids.size()},
                      {"blocks_expected", 1},
                      {"blocks_incomplete", 1}});
  }
}

TEST_CASE("a leader alone may come long before its data") {
  Rig rig;
  rig.send(Rig::image(1), {0});
  rig.pass(60'000 * kMs);
  CHECK(rig.count("blocks_expected") == 0);
  rig.send_range(Rig::image(1), 1, 11);
  rig.expect_complete(Rig::image(1));
  rig.check();
}

TEST_CASE("whole blocks lost: missed, and told once each") {
  Rig rig;
  rig.send(Rig::image(1));
  rig.send(Rig::image(5));
  rig.pass(4 * kMs);
  CHECK(rig.take_all() == 2);
  rig.check_counts({{"datagrams", 24},
                    {"accepted", 24},
                    {"packets_expected", 60},
                    {"packets_received", 24},
                    {"packets_missing", 36},
                    {"missing_not_requested", 36},
                    {"blocks_expected", 5},
                    {"blocks_complete", 2},
                    {"blocks_missed", 3},
                    {"frames_queued", 2}});
  CHECK(rig.pool.header().event_head == 3);
}

TEST_CASE("an outage longer than the window is counted, too") {
  for (const bool extended : {false, true}) {
    CAPTURE(extended);
    StreamConfig config = Rig::defaults();
    config.packet_size = extended ? 248 : 236;
    Rig rig(config);
    rig.send(Rig::image(1000, extended));
    rig.send(Rig::image(2000, extended));
    rig.pass(4 * kMs);
    rig.expect_complete(Rig::image(1000, extended));
    rig.expect_complete(Rig::image(2000, extended));
    CHECK(rig.count("blocks_missed") == 999);
    CHECK(rig.count("packets_missing") == 999 * 12);
    CHECK(rig.count("malformed") == 0);
    CHECK(rig.count("resyncs") == 1);
    // told once, with the first of them and how many
    REQUIRE(rig.pool.header().event_head == 1);
    const auto* event = reinterpret_cast<const EventEntry*>(
        reinterpret_cast<const uint8_t*>(&rig.pool.header()) + rig.pool.layout().events_offset);
    CHECK(event->kind == kEventMissed);
    CHECK(event->block_id == 1001);
    CHECK(event->a == 999);
    rig.check();
  }
}

TEST_CASE("a complete block waits for an incomplete one no longer than the grace for stragglers") {
  Rig rig;
  rig.send_all_but(Rig::image(1), {5});
  rig.pass(kMs);
  rig.send(Rig::image(2));
  rig.pass(kMs);
  CHECK_FALSE(rig.take().has_value());
  SUBCASE("the straggler comes") {
    rig.send(Rig::image(1), {5});
    rig.expect_complete(Rig::image(1));
    rig.expect_complete(Rig::image(2));
    rig.check();
  }
  SUBCASE("it does not") {
    rig.pass(kMs);
    rig.expect_complete(Rig::image(2));
    rig.send(Rig::image(1), {5});
    CHECK(rig.count("late") == 1);
    rig.check();
  }
}

TEST_CASE("an incomplete frame that is delivered: missing ranges are zero, the map says which") {
  for (const Lost& lost : kCases) {
    if (lost.ids[0] == 0) continue;  // without a leader nothing is delivered
    CAPTURE(lost.what);
    StreamConfig config = Rig::defaults();
    config.deliver_incomplete = true;
    Rig rig(config);
    rig.memory.soil();
    TestBlock block = Rig::image(1);
    send_without(rig, block, lost.ids);
    rig.pass(2001 * kMs);
    const auto frame = rig.take();
    REQUIRE(frame.has_value());
    CHECK_FALSE(frame->complete());
    for (const uint32_t id : lost.ids) {
      if (id == 0 || id == 11) continue;
      std::fill_n(block.payload.begin() + (id - 1) * 200, 200, uint8_t{0});
    }
    CHECK(frame->data == block.payload);
    for (uint32_t id = 0; id < 12; ++id) {
      CAPTURE(id);
      CHECK(frame->has_packet(id) == (std::find(lost.ids.begin(), lost.ids.end(), id) == lost.ids.end()));
    }
    CHECK(frame->header.packets_expected == 12);
    CHECK(frame->header.packets_received == 12 - lost.ids.size());
    CHECK(rig.count("frames_queued") == 1);
    CHECK(rig.count("blocks_incomplete") == 1);
    rig.check();
  }
}

TEST_CASE("an incomplete frame with a short last packet: what the packet did not bring is zero") {
  StreamConfig config = Rig::defaults();
  config.deliver_incomplete = true;
  config.payload_size = 2100;
  Rig rig(config);
  rig.memory.soil();
  TestBlock block(1, 100, 21, 200);
  rig.send_all_but(block, {3, 11});
  rig.pass(2001 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  std::fill_n(block.payload.begin() + 400, 200, uint8_t{0});
  std::fill_n(block.payload.begin() + 2000, 100, uint8_t{0});
  CHECK(frame->data == block.payload);
  rig.check();
}

TEST_CASE("an incomplete frame of fewer lines than announced has no byte of a former frame") {
  StreamConfig config = Rig::defaults();
  config.deliver_incomplete = true;
  Rig rig(config);
  rig.memory.soil();
  TestBlock block(1, 100, 10, 200);  // 5 packets
  block.leader_body = image_leader(1, 1010, kMono8, 100, 20);
  rig.send_all_but(block, {2});
  rig.pass(2001 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->header.height == 10);
  std::fill_n(block.payload.begin() + 200, 200, uint8_t{0});
  CHECK(frame->data == block.payload);
  CHECK(rig.count("packets_expected") == 7);
  CHECK(rig.count("packets_missing") == 1);
  rig.check();
}

TEST_CASE("a frame of packets smaller than the map was made for is zeroed to its end") {
  StreamConfig config;  // nothing is known of the packets: the map has room for those of 512 bytes
  config.deliver_incomplete = true;
  config.payload_size = 20000;
  Rig rig(config);
  rig.memory.soil();
  const TestBlock block(1, 200, 100, 100);
  rig.send_range(block, 0, 3);
  rig.pass(2001 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  Bytes expected(20000, 0);
  std::copy_n(block.payload.begin(), 300, expected.begin());
  CHECK(frame->data == expected);
  rig.check();
}

TEST_CASE("a missing trailer is missing even where nobody knows how long the block is") {
  StreamConfig config = Rig::defaults();
  config.payload_size = 0;
  Rig rig(config, 4, 4096);
  TestBlock block(1, image_leader(0x4001, 5, kMono8, 100, 20), pattern(1, 2000),
                  trailer(0x4001, {20, 2000, 1}), 200);
  rig.send_range(block, 0, 10);
  rig.pass(2001 * kMs);
  CHECK(rig.count("packets_expected") == 12);
  CHECK(rig.count("packets_missing") == 1);
  CHECK(rig.count("blocks_incomplete") == 1);
  rig.check();
}

TEST_CASE("a last packet that was cut on its way is missing") {
  Rig rig;
  const TestBlock block = Rig::image(1);
  rig.send_range(block, 0, 9);
  Bytes cut = block.packet(10);
  cut.resize(cut.size() - 50);
  rig.send(cut);
  rig.send(block, {11});
  rig.send(Rig::image(2));
  rig.pass(4 * kMs);
  CHECK(rig.count("blocks_incomplete") == 1);
  CHECK(rig.count("malformed") == 1);
  CHECK(rig.count("packets_missing") == 1);
  rig.expect_complete(Rig::image(2));
  rig.check();
}

TEST_CASE("each packet of a block cut on its way, in turn, at several lengths: never complete") {
  for (uint32_t id = 0; id <= 11; ++id) {
    for (const size_t keep : {8U, 9U, 11U, 15U, 50U, 107U, 207U}) {
      Rig rig;
      const TestBlock block = Rig::image(1);
      Bytes cut = block.packet(id);
      if (keep >= cut.size()) continue;
      CAPTURE(id);
      CAPTURE(keep);
      cut.resize(keep);
      for (uint32_t at = 0; at <= 11; ++at) rig.send(at == id ? cut : block.packet(at));
      rig.pass(2001 * kMs);
      rig.check();
      const bool harmless = id == 11 && keep >= 12;  // the type is all that a trailer must have
      if (harmless) {
        rig.expect_complete(block);
      } else {
        CHECK(rig.count("blocks_complete") == 0);
        CHECK(rig.count("malformed") == 1);
        CHECK(rig.count("packets_missing") == 1);
        // The true packet comes after all.
      }
    }
  }
}

TEST_CASE("blocks that are open when the stream ends were cut, which is no loss") {
  Rig rig;
  rig.send(Rig::image(1));
  rig.send_all_but(Rig::image(2), {4});
  rig.send_range(Rig::image(3), 0, 6);
  rig.finish();
  rig.expect_complete(Rig::image(1));
  CHECK_FALSE(rig.take().has_value());
  rig.check_counts({{"datagrams", 30},
                    {"accepted", 30},
                    {"packets_expected", 12},
                    {"packets_received", 12},
                    {"blocks_expected", 1},
                    {"blocks_complete", 1},
                    {"blocks_cut", 2},
                    {"packets_cut", 18},
                    {"frames_queued", 1}});
  for (uint32_t slot = 0; slot < 8; ++slot) {
    CHECK((rig.pool.slot(slot).state & kSlotStateMask) == kSlotFree);
  }
}

TEST_CASE("a complete block behind one that is cut is handed over at the end") {
  Rig rig;
  rig.send_all_but(Rig::image(1), {4});
  rig.send(Rig::image(2));
  rig.finish();
  rig.expect_complete(Rig::image(2));
  CHECK(rig.count("blocks_cut") == 1);
  rig.check();
}
