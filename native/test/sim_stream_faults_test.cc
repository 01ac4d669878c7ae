// The stream over loopback when things go wrong: what is lost, what is sent again, what is refused.
#include <map>
#include <set>

#include "sim/packetizer.h"
#include "sim/pattern.h"
#include "sim/register_map.h"
#include "sim_test_host.h"

using namespace gw;
using namespace gw::sim;
using namespace gw::sim::test;

TEST_CASE("stream: test packets have the exact size, one per fire, none where the fault says so") {
  SimOptions options = small_camera();
  Stream s(options);
  for (const uint32_t size : {220U, 576U, 1500U, 9000U, 16384U}) {
    REQUIRE(s.host.write(reg::stream(0, reg::kScps), reg::kScpsFireTest | size) == 0);
    const auto packet = s.host.receive_packet();
    REQUIRE(packet);
    CHECK(packet->udp_size == size - 28);
    CHECK(packet->header.block_id == 0);
  }
  CHECK(s.host.stream_is_silent(30));
  FaultPlan faults;
  faults.packet_size = PacketSizeFault::kNoTestPacket;
  s.camera->set_faults(faults);
  REQUIRE(eventually([&] {
    REQUIRE(s.host.write(reg::stream(0, reg::kScps), reg::kScpsFireTest | 1000) == 0);
    return s.host.stream_is_silent(30);
  }));
  faults.packet_size = PacketSizeFault::kFireOnce;
  s.camera->set_faults(faults);
  size_t fired = 0;
  for (int i = 0; i < 10; ++i) {
    REQUIRE(s.host.write(reg::stream(0, reg::kScps),
                         reg::kScpsFireTest | (1000 + 4 * static_cast<uint32_t>(i))) == 0);
    if (s.host.receive_packet(30)) ++fired;
  }
  CHECK(fired == 1);
  faults = {};
  faults.path_mtu = 1400;
  s.camera->set_faults(faults);
  REQUIRE(eventually([&] {
    REQUIRE(s.host.write(reg::stream(0, reg::kScps), reg::kScpsFireTest | 1400) == 0);
    return s.host.receive_packet(30).has_value();
  }));
  REQUIRE(s.host.write(reg::stream(0, reg::kScps), reg::kScpsFireTest | 1404) == 0);
  CHECK(s.host.stream_is_silent(30));
}

TEST_CASE("stream: what was lost is sent again on request, marked, and right") {
  for (const bool extended : {false, true}) {
    SimOptions options = small_camera();
    options.extended_ids = extended;
    options.faults.drop_packets = {{0, 0, 1}, {0, 3, 1}, {0, kTrailerPacket, 2}};
    Stream s(options);
    s.start_triggered();
    s.trigger();
    auto got = s.receive(4);
    CHECK(got.order == std::vector<uint32_t>{1, 2, 4, 5});
    s.host.resend(1, 0, 0, extended);
    s.host.resend(1, 3, 3, extended);
    auto again = s.receive(2);
    CHECK(again.order == std::vector<uint32_t>{0, 3});
    for (const auto& [id, packet] : again.packets) {
      CHECK(packet.header.status == gvcp::kPacketResend);
      CHECK(packet.header.block_id == 1);
    }
    got.packets.merge(again.packets);
    CHECK(first_wrong_byte(s.image(got), 1, s.seed) == kNoWrongByte);
    CHECK(s.image(got).size() == kFrame);
    s.host.resend(1, 6, gvcp::kToEnd, extended);  // chosen to be lost once more
    CHECK(s.host.stream_is_silent(30));
    s.host.resend(1, 6, gvcp::kToEnd, extended);
    CHECK(s.receive(1).order == std::vector<uint32_t>{6});
    const SimStats stats = s.camera->stats();
    CHECK(stats.lost_chosen == 3);
    CHECK(stats.packets_sent == 4);
    CHECK(stats.resend_requests == 4);
    CHECK(stats.packets_resent == 3);
    CHECK(stats.resend_lost == 1);
    CHECK(stats.resend_refused == 0);
    check_sums(stats);
  }
}

TEST_CASE("stream: refusals name their reason, strangers get nothing") {
  SimOptions options = small_camera();
  options.resend_history_blocks = 2;
  Stream s(options);
  s.start_triggered();
  for (int i = 0; i < 4; ++i) {
    s.trigger();
    CHECK(s.receive(7, 5).order.size() == 7);
  }
  const auto statuses = [&](uint64_t block, uint32_t first, uint32_t last, size_t expected) {
    s.host.resend(block, first, last);
    std::vector<uint16_t> all;
    for (const auto& [id, packet] : s.receive(expected, 30).packets) {
      all.push_back(packet.header.status);
      if ((packet.header.status & 0x8000) != 0) {
        CHECK(packet.body.empty());
        CHECK(packet.header.block_id == block);
      }
    }
    return all;
  };
  using Codes = std::vector<uint16_t>;
  CHECK(statuses(4, 1, 2, 2) == Codes{0x0100, 0x0100});
  CHECK(statuses(3, 1, 1, 1) == Codes{0x0100});
  CHECK(statuses(2, 1, 3, 3) == Codes{0x8011, 0x8011, 0x8011});
  CHECK(statuses(5, 1, 1, 1) == Codes{0x8010});
  CHECK(statuses(4, 7, 9, 1) == Codes{0x800C});  // the block ends at 6
  CHECK(statuses(4, 5, 900, 2) == Codes{0x0100, 0x0100});
  CHECK(statuses(2, 0, gvcp::kToEnd, 1) == Codes{0x8011});
  s.host.resend(2, 0, 0xFFFFFE);  // a range is not a promise
  size_t answers = 0;
  while (s.host.receive_packet(answers == 0 ? kPatience : 50)) ++answers;
  CHECK(answers <= 1024);
  CHECK(answers > 0);

  const uint64_t before = s.camera->stats().resend_ignored;
  Host stranger(s.camera->control_endpoint());
  stranger.resend(4, 1, 1);
  CHECK(s.host.stream_is_silent(30));
  CHECK(s.camera->stats().resend_ignored == before + 1);
  uint8_t bytes[gvcp::kMaxResendSize];  // Aravis asks from the stream's socket
  const size_t size = gvcp::write_resend(bytes, {0, 4, 1, 1, false}, 1);
  REQUIRE(s.host.stream().send_raw(ConstBytes(bytes, size), s.camera->control_endpoint()) == 0);
  CHECK(s.receive(1).order == std::vector<uint32_t>{1});
}

TEST_CASE("stream: resend faults") {
  const auto answer = [](ResendFault fault) {
    SimOptions options = small_camera();
    options.faults.resend = fault;
    Stream s(options);
    s.start_triggered();
    s.trigger();
    CHECK(s.receive(7).order.size() == 7);
    std::vector<uint16_t> statuses;
    for (int i = 0; i < 2; ++i) {
      s.host.resend(1, 2, 2);
      while (const auto packet = s.host.receive_packet(30)) statuses.push_back(packet->header.status);
    }
    return statuses;
  };
  using Codes = std::vector<uint16_t>;
  CHECK(answer(ResendFault::kNone) == Codes{0x0100, 0x0100});
  CHECK(answer(ResendFault::kSilent) == Codes{});
  CHECK(answer(ResendFault::kUnavailable) == Codes{0x800C, 0x800C});
  CHECK(answer(ResendFault::kNotYetFirst) == Codes{0x8010, 0x0100});
  CHECK(answer(ResendFault::kRemovedPrevious) == Codes{0x8011, 0x8011});
  CHECK(answer(ResendFault::kPlainStatus) == Codes{0, 0});
}

TEST_CASE("stream: each packet fault shows on the wire and in its own counter") {
  const auto run = [](const std::function<void(FaultPlan&)>& plan, SimStats& stats) {
    SimOptions options = small_camera();
    plan(options.faults);
    Stream s(options);
    s.start_triggered();
    s.trigger();
    auto got = s.receive_sent(7);
    s.camera->stop();
    stats = s.camera->stats();
    check_sums(stats);
    return got;
  };
  SimStats stats;
  auto got = run([](FaultPlan& f) { f.duplicate = 1; }, stats);
  CHECK(got.order == std::vector<uint32_t>{0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6});
  CHECK(stats.duplicates == 7);
  CHECK(stats.packets_sent == 7);

  got = run(
      [](FaultPlan& f) {
        f.reorder = 0.3;
        f.reorder_distance = 2;
      },
      stats);
  CHECK(stats.reordered > 0);
  CHECK(got.times.size() == 7);
  CHECK_FALSE(std::is_sorted(got.order.begin(), got.order.end()));

  got = run(
      [](FaultPlan& f) {
        f.delay = 0.3;
        f.delay_us = 20'000;
      },
      stats);
  CHECK(stats.delayed > 0);
  CHECK(got.times.size() == 7);
  CHECK_FALSE(std::is_sorted(got.order.begin(), got.order.end()));

  got = run([](FaultPlan& f) { f.truncate = 1; }, stats);
  CHECK(stats.truncated == 5);
  CHECK(got.packets.at(1).body.size() == 732);
  CHECK(got.packets.at(0).body.size() == 36);

  got = run([](FaultPlan& f) { f.wrong_id = 1; }, stats);
  CHECK(stats.wrong_ids == 7);
  for (const auto& [id, packet] : got.packets) CHECK(packet.header.block_id == 0x5A01);

  got = run([](FaultPlan& f) { f.corrupt_header = 1; }, stats);
  CHECK(stats.corrupted == 7);
  for (const auto& [id, packet] : got.packets) CHECK((packet.header.format == 0x0F || id >= 0xEE0000));

  got = run([](FaultPlan& f) { f.foreign_packets = 1; }, stats);
  CHECK(stats.foreign == 7);
  CHECK(stats.packets_sent == 7);
  for (const auto& [id, n] : got.times) CHECK(n == 2);

  got = run(
      [](FaultPlan& f) {
        f.lose_block = 1;
        f.lose_leader = 1;
      },
      stats);
  CHECK(got.order.empty());
  CHECK(stats.blocks_lost == 1);
  CHECK(stats.blocks_sent == 0);
  CHECK(stats.lost_block == 7);
  CHECK(stats.lost_leader == 0);

  got = run([](FaultPlan& f) { f.lose_tail = 1; }, stats);
  CHECK(got.order == std::vector<uint32_t>{0, 1, 2, 3});
  CHECK(stats.lost_tail == 3);

  got = run([](FaultPlan& f) { f.path_mtu = 1400; }, stats);
  CHECK(got.order == std::vector<uint32_t>{0, 5, 6});
  CHECK(stats.lost_path_mtu == 4);
}

TEST_CASE("stream: random loss is the same again with the same seed") {
  const auto run = [](uint64_t seed) {
    SimOptions options = small_camera();
    options.seed = seed;
    options.faults.loss = 0.3;
    Stream s(options);
    s.start_triggered();
    std::set<std::pair<uint64_t, uint32_t>> arrived;
    for (uint64_t i = 1; i <= 10; ++i) {
      s.trigger();
      for (const auto& [id, packet] : s.receive_sent(7 * i).packets)
        arrived.emplace(packet.header.block_id, id);
    }
    const SimStats stats = s.camera->stats();
    CHECK(stats.lost_random + arrived.size() == 70);
    CHECK(stats.lost_random > 0);
    return arrived;
  };
  const auto first = run(5);
  CHECK(first == run(5));
  CHECK(first != run(6));
}

TEST_CASE("stream: a crash is silence, a reboot is silence and a fresh start") {
  SimOptions options = small_camera();
  options.faults.reboot_after_blocks = 2;
  options.faults.reboot_ms = 50;
  Stream s(options);
  s.start_triggered();
  for (int i = 0; i < 2; ++i) s.trigger();
  CHECK(s.receive(14).order.size() == 14);
  CHECK(eventually([&] { return s.camera->stats().reboots == 1; }));
  CHECK(s.host.read(reg::kControlPrivilege) == 0);
  CHECK(s.host.read(reg::stream(0, reg::kScp)) == 0);
  s.host.take_control();
  s.host.open_channel();
  s.start_triggered();
  s.trigger();
  CHECK(s.receive(7).packets.at(0).header.block_id == 1);
  CHECK(s.camera->crash().ok());
  CHECK(eventually([&] { return s.camera->stats().silent; }));
  s.host.send_raw(Host::message(gvcp::kDiscoveryCmd, {}, 1));
  CHECK_FALSE(s.host.receive_ack(50));
  s.camera->stop();
  CHECK(s.camera->crash().code == Errc::kClosed);
}

TEST_CASE("stream: stopping a camera at full speed frees its ports") {
  for (int i = 0; i < 5; ++i) {
    SimOptions options = small_camera();
    options.width = 640;
    options.height = 480;
    options.faults.reorder = options.faults.delay = options.faults.duplicate = 0.01;
    Stream s(options);
    const Endpoint control = s.camera->control_endpoint();
    REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
    CHECK(eventually([&] { return s.camera->stats().blocks_sent > 10; }));
    const uint16_t source = s.camera->stats().source_port;
    s.camera->stop();
    check_sums(s.camera->stats());
    Result<UdpSocket> socket = UdpSocket::open(), other = UdpSocket::open();
    REQUIRE(socket.ok());
    REQUIRE(other.ok());
    CHECK(socket->bind(control).ok());
    CHECK(other->bind({control.address, source}).ok());
  }
}
