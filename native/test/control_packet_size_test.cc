// Packet-size negotiation against cameras with all kinds of manners. Fragments and real MTUs: the network
// namespace suite.
#include <algorithm>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "control/packet_size.h"
#include "control_test.h"

using namespace gw;
using namespace gw::test;

namespace {

constexpr uint32_t kFire = 0x80000000;
constexpr uint32_t kDf = 0x40000000;
constexpr uint32_t kOld = 0x20000000 | 1400;  // as the last user left it, with big-endian pixels

struct Rig {
  FakeCamera camera;
  std::unique_ptr<ControlChannel> channel;
  UdpSocket stream;
  NegotiationOptions options;

  explicit Rig(const TestPacketManners& manners = {}) {
    camera.manners(manners);
    camera.set(0x0D04, kOld);
    channel = open_to(camera, 500, 3);
    REQUIRE(channel->take_control(Access::kControl).ok());
    stream = std::move(*UdpSocket::open());
    REQUIRE(stream.bind({loopback(1), 0}).ok());
    options.interface_mtu = 9000;
    options.timeout_ms = 200;
  }
  PacketSizeResult run(const CancelToken* cancel = nullptr) {
    PacketSizeResult result = negotiate_packet_size(*channel, stream, options, cancel);
    CHECK((camera.get(0x0D04) & kFire) == 0);
    for (const uint32_t value : written(0x0D04)) {
      CHECK((value & 0x20000000) != 0);  // endianness untouched
      if ((value & kFire) != 0) CHECK((value & kDf) != 0);
      if ((value & kFire) != 0) CHECK((value & 0xFFFF) <= options.interface_mtu);
    }
    return result;
  }
  std::vector<uint32_t> written(uint32_t address) const {
    std::vector<uint32_t> values;
    for (const auto& d : camera.log(0x0082)) {
      if (concerns(d, 0x0082, address)) values.push_back(load_be32(&d.bytes[12]));
    }
    return values;
  }
  uint16_t port() const { return stream.local_endpoint()->port; }
};

bool tried(const PacketSizeResult& result, uint32_t size, bool arrived) {
  return std::any_of(result.tried.begin(), result.tried.end(), [&](const PacketSizeAttempt& attempt) {
    return attempt.size == size && attempt.arrived == arrived;
  });
}

}  // namespace

TEST_CASE("a healthy link: 576 first, then the MTU, and done in well under a second") {
  Rig rig;
  const PacketSizeResult result = rig.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 9000);
  CHECK(result.previous == 1400);
  CHECK(result.limited_by == PacketSizeLimit::kInterfaceMtu);
  REQUIRE(result.tried.size() == 2);
  CHECK(result.tried[0].size == 576);
  CHECK(result.tried[0].arrived);
  CHECK(result.tried[0].actual == 576);
  CHECK(result.tried[1].size == 9000);
  CHECK(result.ms < 500);
  CHECK(result.punched);
  CHECK(result.opened_channel);
  CHECK(result.dont_fragment_kept);
  CHECK(result.source.address == rig.camera.endpoint().address);
  CHECK(result.source.port == result.scsp);
  CHECK(rig.camera.get(0x0D04) == (0x20000000 | kDf | 9000));
  CHECK(rig.camera.get(0x0D18) == loopback(1));
  CHECK(rig.camera.get(0x0D00) == rig.port());
  CHECK(rig.camera.wait_for([&] { return rig.camera.punches() >= 1; }));
  // SCDA goes before SCP: the channel opens with the second.
  std::vector<uint32_t> order;
  for (const auto& d : rig.camera.log(0x0082)) order.push_back(load_be32(&d.bytes[8]));
  const auto scda = std::find(order.begin(), order.end(), 0x0D18U);
  const auto scp = std::find(order.begin(), order.end(), 0x0D00U);
  CHECK(scda < scp);
}

TEST_CASE("the first test packet is asked for byte by byte as the registers want it") {
  Rig rig;
  rig.run();
  const auto writes = rig.camera.log(0x0082);
  const auto first = std::find_if(writes.begin(), writes.end(), [](const auto& d) {
    return concerns(d, 0x0082, 0x0D04) && (d.bytes[12] & 0x80) != 0;
  });
  REQUIRE(first != writes.end());
  CHECK(to_hex(without_id(first->bytes)) == "42 01 00 82 00 08 00 00 00 00 0d 04 e0 00 02 40");
}

TEST_CASE("never above what the NIC takes, nor beyond 65535, nor off the grid") {
  Rig rig;
  rig.options.interface_mtu = 1502;
  CHECK(rig.run().packet_size == 1500);
  Rig large;
  large.options.interface_mtu = 65536;
  CHECK(large.run().packet_size == 65532);
  Rig grid;
  grid.options.camera_min = 574;
  grid.options.increment = 100;
  grid.options.interface_mtu = 1500;
  const PacketSizeResult result = grid.run();
  CHECK(result.packet_size == 1474);
  CHECK(result.tried[0].size == 674);
}

TEST_CASE("what limits: the option, the camera's own maximum") {
  Rig option;
  option.options.max = 4000;
  PacketSizeResult result = option.run();
  CHECK(result.packet_size == 4000);
  CHECK(result.limited_by == PacketSizeLimit::kOption);
  Rig camera;
  camera.options.camera_max = 8228;
  result = camera.run();
  CHECK(result.packet_size == 8228);
  CHECK(result.limited_by == PacketSizeLimit::kCamera);
}

TEST_CASE("a path narrower than the NIC") {
  for (const uint32_t limit : {1500U, 3000U, 8996U, 576U, 580U, 7777U}) {
    CAPTURE(limit);
    Rig rig({.path_limit = limit});
    const PacketSizeResult result = rig.run();
    REQUIRE_MESSAGE(result.status.ok(), result.status.message);
    CHECK(result.packet_size == limit - limit % 4);
    CHECK(result.limited_by == PacketSizeLimit::kPath);
    CHECK(tried(result, 9000, false));
    CHECK(rig.camera.get(0x0D04) == (0x20000000 | kDf | result.packet_size));
  }
}

TEST_CASE("a path of 1500 costs less than a second") {
  Rig rig({.path_limit = 1500});
  rig.options.timeout_ms = 500;
  const PacketSizeResult result = rig.run();
  CHECK(result.packet_size == 1500);
  CHECK(result.ms < 1000);
}

TEST_CASE("a camera that clamps, whether its register admits it or not") {
  for (const bool lies : {false, true}) {
    CAPTURE(lies);
    Rig rig({.clamp = 3072, .register_lies = lies});
    const PacketSizeResult result = rig.run();
    REQUIRE_MESSAGE(result.status.ok(), result.status.message);
    CHECK(result.packet_size == 3072);
    CHECK(result.limited_by == PacketSizeLimit::kCamera);
    CHECK((rig.camera.get(0x0D04) & 0xFFFF) == 3072);
  }
}

TEST_CASE("a camera that rounds down, whether its register admits it or not") {
  for (const bool lies : {false, true}) {
    CAPTURE(lies);
    Rig rig({.round_down = 16, .register_lies = lies});
    rig.options.interface_mtu = 1500;
    const PacketSizeResult result = rig.run();
    REQUIRE_MESSAGE(result.status.ok(), result.status.message);
    CHECK(result.packet_size == 1488);
    CHECK(result.limited_by == PacketSizeLimit::kInterfaceMtu);
    CHECK((rig.camera.get(0x0D04) & 0xFFFF) == 1488);
  }
}

TEST_CASE("a camera that rounds down, on a narrow path") {
  Rig rig({.round_down = 16, .register_lies = true, .path_limit = 4000});
  const PacketSizeResult result = rig.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 4000);
}

TEST_CASE("a camera that ignores the size altogether") {
  for (const bool lies : {false, true}) {
    CAPTURE(lies);
    Rig rig({.fixed = 1400, .register_lies = lies});
    const PacketSizeResult result = rig.run();
    REQUIRE_MESSAGE(result.status.ok(), result.status.message);
    CHECK(result.packet_size == 1400);
    CHECK(result.limited_by == PacketSizeLimit::kCamera);
  }
  Rig above({.fixed = 8228});
  above.options.interface_mtu = 1500;
  const PacketSizeResult result = above.run();
  CHECK(result.status.code == Errc::kNegotiation);
  CHECK(result.status.message.find("1500") != std::string::npos);
}

TEST_CASE("a camera that refuses: sizes off its grid, sizes above its maximum") {
  Rig grid({.refuse_unless = 16});
  PacketSizeResult result = grid.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 8992);
  CHECK(result.limited_by == PacketSizeLimit::kInterfaceMtu);
  CHECK(std::any_of(result.tried.begin(), result.tried.end(),
                    [](const auto& a) { return a.gvcp_status == 0x8005; }));
  Rig above({.refuse_above = 4000});
  result = above.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 4000);
  CHECK(result.limited_by == PacketSizeLimit::kCamera);
}

TEST_CASE("no test packets: an error with all that was tried, and everything put back") {
  Rig rig({.fires = 0});
  const PacketSizeResult result = rig.run();
  CHECK(result.status.code == Errc::kNegotiation);
  CHECK(result.packet_size == 0);
  CHECK(result.previous == 1400);
  CHECK(result.tried.size() == 3);  // 576, the former size, 1500
  CHECK(tried(result, 1400, false));
  CHECK(result.tried[0].fired == 3);
  CHECK(result.punched);
  CHECK(result.scsp != 0);
  CHECK(result.source.port == 0);
  CHECK_FALSE(result.opened_channel);
  CHECK(rig.camera.get(0x0D04) == kOld);
  CHECK(rig.camera.get(0x0D00) == 0);
  CHECK(rig.camera.get(0x0D18) == 0);
}

TEST_CASE("a channel that the caller has opened stays open, also on failure") {
  Rig rig({.fires = 0});
  const auto opened = open_stream_channel(*rig.channel, 0, {loopback(1), rig.port()});
  REQUIRE(opened.ok());
  CHECK(opened->source_port != 0);
  CHECK(opened->scsp_supported);
  CHECK(rig.run().status.code == Errc::kNegotiation);
  CHECK(rig.camera.get(0x0D00) == rig.port());
  CHECK(rig.camera.get(0x0D18) == loopback(1));
  CHECK(rig.camera.get(0x0D04) == kOld);
  rig.camera.manners({});
  const PacketSizeResult result = rig.run();
  CHECK(result.packet_size == 9000);
  CHECK_FALSE(result.opened_channel);
  REQUIRE(close_stream_channel(*rig.channel, 0).ok());
  CHECK(rig.camera.get(0x0D00) == 0);
}

TEST_CASE("a firewall that opens only from the inside: the punch, or the typed error") {
  Rig open({.needs_punch = true});
  CHECK(open.run().packet_size == 9000);
  Rig closed({.needs_punch = true, .has_scsp = false});
  PacketSizeResult result = closed.run();
  CHECK(result.status.code == Errc::kNegotiation);
  CHECK_FALSE(result.punched);
  CHECK(result.scsp == 0);
  Rig unasked({.needs_punch = true});
  unasked.options.send_punch = false;
  CHECK(unasked.run().status.code == Errc::kNegotiation);
  CHECK(unasked.camera.punches() == 0);
}

TEST_CASE("cameras that fire once: after an edge, after the channel was opened anew, or never again") {
  Rig edge({.needs_edge = true});
  CHECK(edge.run().packet_size == 9000);
  Rig reopened({.fires_per_open = 1});
  PacketSizeResult result = reopened.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 9000);
  CHECK_FALSE(result.fires_once);
  Rig never({.fires = 1});
  result = never.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.fires_once);
  CHECK(result.packet_size == 576);
  CHECK(result.limited_by == PacketSizeLimit::kCamera);
}

TEST_CASE("lost test packets do not make the size smaller") {
  Rig rig({.lose_first = 2});
  PacketSizeResult result = rig.run();
  CHECK(result.packet_size == 9000);
  CHECK(result.tried[0].fired == 3);
}

TEST_CASE("a slow camera gets its time") {
  Rig rig({.delay_ms = 300});
  rig.options.timeout_ms = 500;
  const PacketSizeResult result = rig.run();
  CHECK(result.packet_size == 9000);
  CHECK(result.tried.size() == 2);
}

TEST_CASE("late copies of an earlier size prove nothing about a later one") {
  Rig rig({.path_limit = 3000, .delay_ms = 5, .copy_after_ms = 15});
  const PacketSizeResult result = rig.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 3000);
}

TEST_CASE("packets that only slowed down are not taken for lost") {
  Rig rig(
      {.later_delay_ms = 120});  // the first is quick, the others slower than a quick camera would be allowed
  rig.options.timeout_ms = 500;
  const PacketSizeResult result = rig.run();
  REQUIRE_MESSAGE(result.status.ok(), result.status.message);
  CHECK(result.packet_size == 9000);
  for (const PacketSizeAttempt& attempt : result.tried) {
    CAPTURE(attempt.size);
    if (attempt.arrived) CHECK(attempt.actual == attempt.size);
  }
}

TEST_CASE("strangers and stream data on the socket prove nothing") {
  Rig rig({.fires = 0});
  UdpSocket stranger = std::move(*UdpSocket::open());
  REQUIRE(stranger.bind({loopback(66), 0}).ok());
  rig.camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0D04) || (d.bytes[12] & 0x80) == 0) return std::nullopt;
    const Endpoint to{loopback(1), rig.port()};
    const size_t length = load_be16(&d.bytes[14]) - 28U;
    Bytes packet(length, 0);
    (void)stranger.send_to(packet, to);  // the right length, the wrong address
    packet[3] = 7;                       // block 7: left over from a stream
    rig.camera.send_stream(packet, to);
    return std::nullopt;
  });
  const PacketSizeResult result = rig.run();
  CHECK(result.status.code == Errc::kNegotiation);
  CHECK(result.foreign >= 3);
}

TEST_CASE("sizes that cannot be") {
  Rig rig;
  rig.options.min = 4000;
  rig.options.max = 3000;
  PacketSizeResult result = rig.run();
  CHECK(result.status.code == Errc::kInvalidArgument);
  CHECK(rig.written(0x0D04).empty());
  rig.options.max = 8000;
  result = rig.run();
  CHECK(result.packet_size == 8000);
  CHECK(result.tried[0].size == 4000);
}

TEST_CASE("cancelled: everything is put back") {
  Rig rig({.fires = 0});
  rig.options.timeout_ms = 5000;
  CancelToken token;
  std::thread other([&] {
    CHECK(rig.camera.wait_for([&] { return rig.written(0x0D04).size() >= 2; }));
    token.cancel();
  });
  const uint64_t begin = now_ns();
  const PacketSizeResult result = rig.run(&token);
  other.join();
  CHECK(result.status.code == Errc::kCanceled);
  CHECK(now_ns() - begin < 2000 * kMs);
  CHECK(rig.camera.get(0x0D04) == kOld);
  CHECK(rig.camera.get(0x0D00) == 0);
}

TEST_CASE("a camera that does not let its size be written says so itself") {
  Rig rig;
  rig.camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0082, 0x0D04)) return std::nullopt;
    return answer(d, "80 04 00 83 00 00 00 00");  // WRITE_PROTECT: acquisition is running
  });
  const PacketSizeResult result = rig.run();
  CHECK(result.status.code == Errc::kGvcpStatus);
  CHECK(result.status.gvcp_status == 0x8004);
}

TEST_CASE("limits have the names the API promises") {
  CHECK(std::string(packet_size_limit_name(PacketSizeLimit::kInterfaceMtu)) == "interface-mtu");
  CHECK(std::string(packet_size_limit_name(PacketSizeLimit::kPath)) == "path");
  CHECK(std::string(packet_size_limit_name(PacketSizeLimit::kCamera)) == "camera");
  CHECK(std::string(packet_size_limit_name(PacketSizeLimit::kOption)) == "option");
}
