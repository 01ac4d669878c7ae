// The stream over loopback, byte by byte. Blocks are triggered one at a time, so that a slow test machine
// loses nothing of its own.
#include <map>
#include <set>

#include "sim/packetizer.h"
#include "sim/pattern.h"
#include "sim/register_map.h"
#include "sim_test_host.h"

using namespace gw;
using namespace gw::sim;
using namespace gw::sim::test;

TEST_CASE("stream: every byte of every block, in order, across the wrap of 16-bit ids") {
  for (const bool gso : {true, false}) {
    for (const bool checksum : {true, false}) {
      SimOptions options = small_camera();
      options.gso = gso;
      options.udp_checksum = checksum;
      options.first_block_id = 65533;
      Stream s(options);
      s.start_triggered();
      uint64_t last_timestamp = 0;
      for (const uint64_t id : {65533ULL, 65534ULL, 65535ULL, 1ULL, 2ULL}) {
        s.trigger();
        const auto got = s.receive(7, 5);
        CHECK(got.order == std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6});
        for (const auto& [packet_id, packet] : got.packets) {
          CHECK(packet.header.block_id == id);
          CHECK_FALSE(packet.header.extended);
          CHECK(packet.from.port == s.host.read(reg::stream(0, reg::kScsp)));
        }
        CHECK(s.image(got).size() == kFrame);
        CHECK(first_wrong_byte(s.image(got), id, s.seed) == kNoWrongByte);
        const auto leader = gvsp::parse_leader(got.packets.at(0).body);
        REQUIRE(leader);
        CHECK(leader->timestamp > last_timestamp);
        last_timestamp = leader->timestamp;
        CHECK(gvsp::parse_trailer(got.packets.at(6).body)->size_y == 64);
      }
      const SimStats stats = s.camera->stats();
      CHECK(stats.blocks_sent == 5);
      CHECK(stats.packets_sent == 35);
      CHECK(stats.packets_lost == 0);
      CHECK(stats.bytes_sent == 5 * (kFrame + 7 * 36 + 36 + 8));
      check_sums(stats);
    }
  }
}

TEST_CASE("stream: 64-bit ids, from power-up and when the host asks") {
  for (const bool from_power_up : {true, false}) {
    SimOptions options = small_camera();
    options.extended_ids = from_power_up;
    options.first_block_id = 0x1'0000'0001;
    Stream s(options, 1500, from_power_up ? ~0U : reg::kGvspCfgExtendedIds);
    s.start_triggered();
    s.trigger();
    const auto got = s.receive(7);
    CHECK(got.order == std::vector<uint32_t>{0, 1, 2, 3, 4, 5, 6});
    CHECK(got.packets.at(1).header.extended);
    CHECK(got.packets.at(1).header.block_id == 0x1'0000'0001);
    CHECK(got.packets.at(1).udp_size == 1472);
    CHECK(got.packets.at(1).body.size() == 1452);
    CHECK(first_wrong_byte(s.image(got), 0x1'0000'0001, s.seed) == kNoWrongByte);
  }
}

TEST_CASE("stream: single frame, several frames, stop; reopening the channel restarts the ids") {
  Stream s(small_camera());
  REQUIRE(s.host.write(feature::kAcquisitionMode, 2) == 0);
  REQUIRE(s.host.write(feature::kFrameCount, 3) == 0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  CHECK(s.receive(21).order.size() == 21);
  CHECK(eventually([&] { return s.host.read(feature::kAcquisitionStatus) == 0; }));
  REQUIRE(s.host.write(feature::kAcquisitionMode, 1) == 0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  auto got = s.receive(7);
  CHECK(got.order.size() == 7);
  CHECK(got.packets.at(0).header.block_id == 4);  // the channel stayed open
  s.host.open_channel();
  CHECK(eventually([&] { return s.host.read(feature::kAcquisitionStatus) == 0; }));
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  got = s.receive(7);
  CHECK(got.packets.at(0).header.block_id == 1);
  CHECK(first_wrong_byte(s.image(got), 1, s.seed) == kNoWrongByte);
  CHECK(s.camera->stats().blocks_sent == 5);
  s.host.resend(4, 1, 1);  // was sent before the channel was opened anew
  const auto refused = s.host.receive_packet();
  REQUIRE(refused);
  CHECK(refused->header.status == gvcp::kPacketNotYetAvailable);
}

TEST_CASE("stream: nothing before the channel is open, nothing after it is closed") {
  Stream s(small_camera());
  REQUIRE(s.host.write(reg::stream(0, reg::kScp), 0) == 0);
  s.start_triggered();
  s.trigger();
  CHECK(s.host.stream_is_silent(30));
  REQUIRE(s.host.write(feature::kAcquisitionStop, 1) == 0);
  s.host.open_channel();
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  s.trigger();
  CHECK(s.receive(7).order.size() == 7);
  REQUIRE(s.host.write(reg::stream(0, reg::kScp), 0) == 0);
  CHECK(eventually([&] { return !s.camera->stats().streaming; }));
  s.trigger();
  CHECK(s.host.stream_is_silent(30));
}

TEST_CASE("stream: a frame rate is kept") {
  SimOptions options = small_camera();
  options.frame_rate = 200;
  Stream s(options);
  REQUIRE(s.host.write(feature::kAcquisitionMode, 2) == 0);
  REQUIRE(s.host.write(feature::kFrameCount, 5) == 0);
  const uint64_t begin = in_ms(0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  std::vector<uint64_t> timestamps;
  for (int i = 0; i < 35; ++i) {
    const auto packet = s.host.receive_packet();
    REQUIRE(packet);
    if (packet->header.format == gvsp::kLeader)
      timestamps.push_back(gvsp::parse_leader(packet->body)->timestamp);
  }
  CHECK(in_ms(0) - begin >= 20'000'000);
  REQUIRE(timestamps.size() == 5);
  // Each frame has its place in the schedule, which moves only, and is said to, where a frame is more than a
  // period late.
  uint64_t late = 0;
  for (size_t i = 1; i < 5; ++i) {
    const uint64_t interval = timestamps[i] - timestamps[i - 1];
    if (interval == 5'000'000) continue;
    ++late;
    CHECK(interval > 10'000'000);
  }
  CHECK(late == s.camera->stats().frames_late);
}

TEST_CASE("stream: packets are not sent faster than the line's rate") {
  SimOptions options = small_camera();
  options.line_rate_bps = 1500 * 8 * 500;  // a packet of 1500 bytes takes 2 ms
  Stream s(options);
  REQUIRE(s.host.write(feature::kAcquisitionMode, 1) == 0);
  const uint64_t begin = in_ms(0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  for (uint64_t i = 0; i < 7; ++i) {
    REQUIRE(s.host.receive_packet());
    CHECK(in_ms(0) - begin >= i * 2'000'000);
  }
}

TEST_CASE("stream: bursts keep the line's rate, from block to block, too") {
  SimOptions options = small_camera();
  options.frame_rate = 0;
  options.line_rate_bps = 1500 * 8 * 500;  // a packet of 1500 bytes takes 2 ms, a block 14 ms
  options.burst_packets = 4;
  options.send_times = 2;
  Stream s(options);
  const uint64_t begin = in_ms(0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  for (uint64_t block = 0; block < 3; ++block) {
    for (uint64_t i = 0; i < 7; ++i) {
      REQUIRE(s.host.receive_packet());
      CHECK(in_ms(0) - begin >= (block * 7 + i / 4 * 4) * 2'000'000);
    }
  }
  const uint64_t end = in_ms(0);
  REQUIRE(s.host.write(feature::kAcquisitionStop, 1) == 0);
  const std::vector<SendTimes::Entry> times = s.camera->send_times();
  REQUIRE(times.size() == 2);  // the newest
  for (const SendTimes::Entry& entry : times) {
    CHECK(entry.block_id >= 2);
    if (entry.block_id <= 3) CHECK(entry.time_ns >= begin + (entry.block_id - 1) * 14'000'000 + 8'000'000);
    if (entry.block_id <= 3) CHECK(entry.time_ns <= end);
  }
}

TEST_CASE("stream: the gap between packets is kept") {
  Stream s(small_camera());
  REQUIRE(s.host.write(feature::kAcquisitionMode, 1) == 0);
  REQUIRE(s.host.write(reg::stream(0, reg::kScpd), 2'000'000) == 0);
  const uint64_t begin = in_ms(0);
  REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
  for (int i = 0; i < 7; ++i) REQUIRE(s.host.receive_packet());
  CHECK(in_ms(0) - begin >= 12'000'000);  // six gaps of 2 ms
}

TEST_CASE("stream: chunk mode, variable height and all-in reach the wire") {
  SimOptions options = small_camera();
  options.chunk_mode = true;
  options.variable_height = true;
  Stream s(options);
  s.start_triggered();
  std::set<uint32_t> heights;
  for (uint64_t id = 1; id <= 5; ++id) {
    s.trigger();
    const auto got = s.receive(3, 30);
    const auto trailer = gvsp::parse_trailer(got.packets.rbegin()->second.body);
    REQUIRE(trailer);
    REQUIRE(trailer->size_y);
    heights.insert(*trailer->size_y);
    CHECK(trailer->payload_type == 0x4001);
    const std::vector<uint8_t> payload = s.image(got);
    REQUIRE(payload.size() == *trailer->size_y * 96 + kChunkTailBytes);
    CHECK(trailer->chunk_length == payload.size());
    CHECK(first_wrong_byte(ConstBytes(payload).first(*trailer->size_y * 96), id, s.seed) == kNoWrongByte);
  }
  CHECK(heights.size() > 1);

  options = small_camera();
  options.all_in = true;
  options.height = 8;
  Stream all(options);
  all.start_triggered();
  all.trigger();
  const auto got = all.receive(1);
  REQUIRE(got.order == std::vector<uint32_t>{0});
  CHECK(got.packets.at(0).header.format == gvsp::kAllIn);
  const auto parsed = gvsp::parse_all_in(got.packets.at(0).body);
  REQUIRE(parsed);
  CHECK(first_wrong_byte(ConstBytes(got.packets.at(0).body).subspan(parsed->data_offset), 1, all.seed) ==
        kNoWrongByte);
}

TEST_CASE("stream: every pixel format has its size, pictures are pictures") {
  for (const uint32_t pattern : {0U, 1U, 2U, 3U, 4U}) {
    for (const uint32_t format :
         {0x01080001U, 0x010A0046U, 0x010C0047U, 0x010C0006U, 0x01100007U, 0x01080009U, 0x01080008U,
          0x0108000AU, 0x0108000BU, 0x010C0059U, 0x02180014U}) {
      Stream s(small_camera(), 9000);
      REQUIRE(s.host.write(feature::kPixelFormat, format) == 0);
      REQUIRE(s.host.write(feature::kTestPattern, pattern) == 0);
      REQUIRE(s.host.write(feature::kAcquisitionMode, 1) == 0);
      REQUIRE(s.host.write(feature::kAcquisitionStart, 1) == 0);
      const size_t size = kFrame * pfnc::bits_per_pixel(format) / 8;
      const auto got = s.receive((size + 8963) / 8964 + 2, 2);
      const std::vector<uint8_t> image = s.image(got);
      REQUIRE(image.size() == size);
      CHECK(s.host.read(feature::kPayloadSize) == size);
      const std::set<uint8_t> levels(image.begin(), image.end());
      if (pattern == 0) CHECK(first_wrong_byte(image, 1, s.seed) == kNoWrongByte);
      if (pattern == 1 || pattern == 2) CHECK(levels.size() > 20);
      if (pattern == 3) CHECK(levels == std::set<uint8_t>{0});
      if (pattern == 4) CHECK(levels == std::set<uint8_t>{255});
      s.host.resend(1, 1, 1);  // pictures can be made again as well
      const auto again = s.receive(1, 2);
      REQUIRE(again.packets.count(1) == 1);
      CHECK(again.packets.at(1).body == got.packets.at(1).body);
    }
  }
}

TEST_CASE("stream: losing control ends the stream, a punch is counted and ignored") {
  Stream s(small_camera());
  const Endpoint source{0x7F000001, static_cast<uint16_t>(s.host.read(reg::stream(0, reg::kScsp)))};
  REQUIRE(source.port != 0);
  const uint8_t punch[1] = {0};
  REQUIRE(s.host.stream().send_raw(punch, source) == 0);
  CHECK(eventually([&] { return s.camera->stats().punches == 1; }));
  s.start_triggered();
  CHECK(eventually([&] { return s.camera->stats().streaming; }));
  CHECK(s.camera->lose_control_privilege().ok());
  CHECK(eventually([&] { return !s.camera->stats().streaming; }));
  CHECK(s.camera->trigger().ok());
  CHECK(s.host.stream_is_silent(30));
  CHECK(s.host.read(reg::kControlPrivilege) == 0);
}
