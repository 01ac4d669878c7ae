// Block ids that make no sense: one stray packet does no harm, two witnesses are believed, and a camera that
// begins anew is followed at once.
#include <doctest/doctest.h>

#include "path_rig.h"

using namespace gw;
using namespace gw::test;

namespace {

TestBlock relabelled(uint64_t real, uint64_t wrong) {
  TestBlock block = Rig::image(real);
  block.id = wrong;
  return block;
}

}  // namespace

TEST_CASE("one packet with a wrong id, at any distance and of any kind, closes and opens nothing") {
  for (const uint64_t wrong : {101U, 102U, 103U, 150U, 227U, 228U, 300U, 5000U, 40000U, 65535U, 1U, 50U}) {
    for (const uint32_t packet : {0U, 1U, 4U, 10U, 11U}) {
      CAPTURE(wrong);
      CAPTURE(packet);
      Rig rig(Rig::defaults(), 16);
      for (uint64_t id = 90; id < 100; ++id) rig.send(Rig::image(id));
      const TestBlock block = Rig::image(100);
      rig.send_range(block, 0, packet == 0 ? 3 : packet - 1);
      rig.pass(5 * kMs);
      rig.send(relabelled(100, wrong), {packet});
      rig.pass(10 * kMs);  // longer than any grace
      rig.send_range(block, packet == 0 ? 4 : packet, 11);
      for (uint64_t id = 101; id < 104; ++id) {
        rig.pass(5 * kMs);
        rig.send(Rig::image(id));
      }
      rig.pass(5 * kMs);
      CHECK(rig.count("blocks_complete") == 14);
      CHECK(rig.count("blocks_expected") == 14);
      CHECK(rig.count("resyncs") == 0);
      CHECK(rig.count("malformed") + rig.count("late") == 1);
      for (uint64_t id = 90; id < 104; ++id) rig.expect_complete(Rig::image(id));
      rig.check();
    }
  }
}

TEST_CASE("in a new channel ids begin at 1: blocks lost before the first packet are missed") {
  for (const bool extended : {false, true}) {
    for (const uint64_t first : {2U, 3U, 128U}) {
      CAPTURE(extended);
      CAPTURE(first);
      StreamConfig config = Rig::defaults();
      config.channel_is_new = true;
      Rig rig(config);
      const TestBlock block(first, 100, 20, extended ? 188 : 200, extended);
      rig.send(block);
      rig.pass(10 * kMs);
      rig.expect_complete(block);
      CHECK(rig.count("blocks_missed") == first - 1);
      CHECK(rig.count("blocks_expected") == first);
      CHECK(rig.count("packets_missing") == (first - 1) * block.packets());
      CHECK(rig.count("malformed") == 0);
      rig.check();
    }
  }
}

TEST_CASE("blocks lost before the first packet of a new channel are asked for, and come in order") {
  StreamConfig config = Rig::with_resend();
  config.channel_is_new = true;
  Rig rig(config);
  rig.send(Rig::image(3));
  rig.settle();
  const std::vector<gvcp::Resend> requests = rig.requests();
  REQUIRE(requests.size() == 2);
  CHECK(same(requests[0], 1, 0, gvcp::kToEnd));
  CHECK(same(requests[1], 2, 0, gvcp::kToEnd));
  CHECK(rig.take_all() == 0);
  rig.send(Rig::image(1));
  rig.send(Rig::image(2));
  for (uint64_t id = 1; id <= 3; ++id) rig.expect_complete(Rig::image(id));
  CHECK(rig.count("blocks_missed") == 0);
  CHECK(rig.count("packets_missing") == 0);
  rig.check();
}

TEST_CASE("in a new channel: ids that begin elsewhere say nothing of losses, and a stray one does no harm") {
  StreamConfig config = Rig::defaults();
  config.channel_is_new = true;
  for (const uint64_t first : {129U, 300U, 65401U}) {
    CAPTURE(first);
    Rig rig(config);
    rig.send(Rig::image(first));
    rig.expect_complete(Rig::image(first));
    CHECK(rig.count("blocks_missed") == 0);
    rig.check();
  }
  Rig rig(config);
  rig.send(relabelled(1, 77), {4});
  rig.send_all_but(Rig::image(1), {4});
  rig.send(Rig::image(1), {4});
  rig.expect_complete(Rig::image(1));
  CHECK(rig.count("blocks_expected") == 1);
  CHECK(rig.count("malformed") == 1);
  rig.check();
}

TEST_CASE("a packet of the other id layout does no harm") {
  Rig rig;
  rig.send(Rig::image(1));
  rig.send(Rig::image(2, true), {0});
  rig.send(Rig::image(2));
  rig.send(Rig::image(77, true), {4});
  rig.send(Rig::image(3));
  CHECK(rig.take_all() == 3);
  CHECK(rig.count("malformed") == 2);
  CHECK(rig.count("resyncs") == 0);
  rig.check();
}

TEST_CASE("a camera that changes its id layout is followed") {
  Rig rig;
  rig.send(Rig::image(40));
  const TestBlock other(1, 100, 20, 188, true);  // the same packet size has less room then
  rig.send(other);
  CHECK(rig.count("malformed") == 0);
  rig.expect_complete(Rig::image(40));
  rig.expect_complete(other);
  CHECK(rig.count("resyncs") == 1);
  rig.check();
}

TEST_CASE("a camera whose ids begin anew is followed from its first block on") {
  for (const uint64_t reached :
       {2U, 3U, 20U, 99U, 100U, 127U, 128U, 129U, 200U, 255U, 256U, 257U, 5000U, 40000U}) {
    for (const bool mid_block : {false, true}) {
      CAPTURE(reached);
      CAPTURE(mid_block);
      Rig rig;
      const uint64_t first = reached > 300 ? reached - 300 : 1;
      for (uint64_t id = first; id < reached; ++id) {
        rig.send(Rig::image(id).at_time(id));
        rig.take_all();
      }
      if (mid_block) rig.send_range(Rig::image(reached).at_time(reached), 0, 5);
      rig.pass(100 * kMs);
      for (uint64_t id = 1; id < 10; ++id) {
        const TestBlock block = Rig::image(id).at_time(100'000 + id);
        rig.send(block);
        rig.expect_complete(block);
      }
      CHECK(rig.count("resyncs") == 1);
      CHECK(rig.count("late") == 0);
      CHECK(rig.count("malformed") == 0);
      CHECK(rig.count("blocks_incomplete") == (mid_block ? 1 : 0));
      CHECK(rig.count("blocks_missed") == 0);
      rig.check();
    }
  }
}

TEST_CASE("a camera that begins anew with the very id that is open: no frame of two halves") {
  Rig rig;
  const TestBlock before = Rig::image(1).at_time(10);
  TestBlock after = Rig::image(1).at_time(20);
  after.payload = pattern(77, 2000);
  rig.send_range(before, 0, 5);  // acquisition aborted here
  rig.pass(50 * kMs);
  rig.send(after);
  rig.expect_complete(after);
  CHECK(rig.count("blocks_incomplete") == 1);
  CHECK(rig.count("resyncs") == 1);
  rig.check();
}

TEST_CASE("a camera that rebooted counts its time anew: its next start is seen, too") {
  Rig rig;
  uint64_t starts = 0;
  for (const auto& [first, time] : {std::pair{5000U, 1'000'000U}, {1U, 10U}, {1U, 100U}}) {
    for (uint32_t i = 0; i < 5; ++i) {
      const TestBlock block = Rig::image(first + i).at_time(time + i);
      rig.send(block);
      rig.expect_complete(block);
    }
    CHECK(rig.count("resyncs") == starts++);
    rig.pass(100 * kMs);
  }
  CHECK(rig.count("late") == 0);
  CHECK(rig.count("blocks_missed") == 0);
  rig.check();
}

TEST_CASE("a camera that begins anew and loses its first leader is followed from the next block on") {
  Rig rig;
  for (uint64_t id = 1; id <= 50; ++id) {
    rig.send(Rig::image(id).at_time(id));
    rig.take_all();
  }
  rig.send_range(Rig::image(1).at_time(1000), 1, 11);
  const TestBlock second = Rig::image(2).at_time(1001);
  rig.send(second);
  rig.expect_complete(second);
  rig.check();
}

TEST_CASE("restarts again and again") {
  Rig rig;
  uint64_t time = 1;
  for (int restart = 0; restart < 20; ++restart) {
    for (uint64_t id = 1; id <= 5; ++id) {
      const TestBlock block = Rig::image(id).at_time(++time);
      rig.send(block);
      rig.expect_complete(block);
    }
  }
  CHECK(rig.count("resyncs") == 19);
  CHECK(rig.count("blocks_complete") == 100);
  CHECK(rig.count("blocks_expected") == 100);
  rig.check();
}

TEST_CASE("late packets of a block that was given up are late and begin nothing") {
  Rig rig;
  rig.send_all_but(Rig::image(1), {0, 5});
  rig.send(Rig::image(2));
  rig.pass(10 * kMs);
  rig.send(Rig::image(1), {0, 5, 0, 5});
  CHECK(rig.count("late") == 4);
  CHECK(rig.count("resyncs") == 0);
  rig.send(Rig::image(3));
  CHECK(rig.count("blocks_complete") == 2);
  rig.check();
}

TEST_CASE("two strays that agree by chance: the stream finds back") {
  Rig rig;
  for (uint64_t id = 1; id <= 10; ++id) rig.send(Rig::image(id)), rig.take_all();
  rig.send(relabelled(11, 9000), {3, 4});
  for (uint64_t id = 11; id <= 20; ++id) rig.send(Rig::image(id)), rig.take_all();
  CHECK(rig.count("resyncs") == 2);
  CHECK(rig.count("blocks_complete") >= 20);
  rig.check();
}

TEST_CASE("a stray never brings its bytes into the real block of that id") {
  for (const uint32_t packet : {1U, 4U, 10U}) {
    CAPTURE(packet);
    Rig rig;
    rig.send_range(Rig::image(1), 0, 3);
    rig.send(relabelled(1, 3), {packet});
    rig.send_range(Rig::image(1), 4, 11);
    rig.send(Rig::image(2));
    rig.send(Rig::image(3));
    rig.expect_complete(Rig::image(1));
    rig.expect_complete(Rig::image(2));
    rig.expect_complete(Rig::image(3));
    CHECK(rig.count("malformed") == 1);
    rig.check();
  }
}

TEST_CASE("a stray that is much older than the packet that would bear it out is no witness") {
  Rig rig;
  rig.send(Rig::image(1));
  rig.send(relabelled(2, 500), {1});
  rig.send(Rig::image(2));
  rig.pass(3000 * kMs);
  rig.send(relabelled(3, 500), {2});
  CHECK(rig.count("resyncs") == 0);
  CHECK(rig.count("malformed") == 2);
  rig.check();
}

TEST_CASE("copies of a packet that is held are duplicates") {
  Rig rig;
  rig.send(Rig::image(1));
  rig.send(Rig::image(3), {0, 0, 0});
  rig.send_range(Rig::image(3), 1, 11);
  rig.pass(10 * kMs);
  CHECK(rig.count("duplicate") == 2);
  CHECK(rig.count("malformed") == 0);
  CHECK(rig.count("blocks_complete") == 2);
  CHECK(rig.count("blocks_missed") == 1);
  rig.check();
}

TEST_CASE("a trailer that was lost costs its own block only, however long the next leader waits for data") {
  Rig rig;
  rig.send_range(Rig::image(1), 0, 10);
  rig.pass(5 * kMs);
  const uint64_t leader_time = rig.now;
  rig.send(Rig::image(2), {0});
  rig.pass(1500 * kMs);
  rig.send_range(Rig::image(2), 1, 11);
  rig.pass(4 * kMs);
  const auto frame = rig.take();
  REQUIRE(frame.has_value());
  CHECK(frame->data == Rig::image(2).payload);
  CHECK(frame->header.host_time_ns == leader_time);
  CHECK(rig.count("blocks_incomplete") == 1);
  CHECK(rig.count("malformed") == 0);
  rig.check();
}

TEST_CASE("large data packets bear each other out where the leader was lost") {
  StreamConfig config = Rig::defaults();
  config.packet_size = 9000;
  config.payload_size = 100'000;
  Rig rig(config);
  rig.send(TestBlock(7, 1000, 100, 8964));
  const TestBlock block(3, 1000, 100, 8964);  // ids began anew
  rig.send_range(block.at_time(5000), 1, block.trailer_id());
  rig.send(TestBlock(4, 1000, 100, 8964).at_time(6000));
  rig.pass(10 * kMs);
  CHECK(rig.count("blocks_complete") == 2);
  rig.check();
}

TEST_CASE("more blocks open than the window holds: the oldest is given up") {
  StreamConfig config = Rig::with_resend();
  config.resend.block_timeout_ns = 60'000 * kMs;
  config.resend.max_tries = 16;
  config.resend.response_timeout_ns = 50 * kMs;
  Rig rig(config, 4);
  for (uint64_t id = 1; id <= 600; ++id) rig.send_all_but(Rig::image(id), {5});
  CHECK(rig.count("blocks_expected") == 600 - 256);
  rig.check();
  rig.finish();
  CHECK(rig.count("blocks_cut") == 256);
  rig.check();
}

TEST_CASE("a camera that rebooted counts its time anew: its next restart is seen, too") {
  Rig rig;
  const auto play = [&](uint64_t first, uint64_t time) {
    for (uint64_t id = first; id < first + 5; ++id) {
      const TestBlock block = Rig::image(id).at_time(time++);
      rig.send(block);
      rig.expect_complete(block);
    }
  };
  play(5000, 1'000'000);
  play(1, 10);  // far away: no younger leader is needed
  play(1, 100);
  CHECK(rig.count("resyncs") == 2);
  CHECK(rig.count("late") == 0);
  rig.check();
}

TEST_CASE("a camera that began anew when only a leader had come: the image has its own leader") {
  Rig rig;
  rig.send(Rig::image(1).at_time(10), {0});
  const TestBlock after = Rig::image(1).at_time(20);
  rig.send(after);
  rig.expect_complete(after);
  CHECK(rig.count("resyncs") == 1);
  rig.check();
}
