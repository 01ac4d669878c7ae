// GVCP on the wire: commands byte by byte, retries, pending and stale acknowledges, errors. Vectors:
// reference page "GigE Vision on the wire", section 1.13.
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <memory>
#include <thread>

#include "control_test.h"

using namespace gw;
using namespace gw::test;

TEST_CASE("READREG and WRITEREG are what the vectors say") {
  FakeCamera camera;
  auto channel = open_to(camera);
  CHECK(to_hex(without_id(camera.log(0x0080).front().bytes)) == "42 01 00 80 00 04 00 00 00 00 00 00");
  REQUIRE(channel->read_register(0x0A00).ok());
  CHECK(to_hex(without_id(camera.log().back().bytes)) == "42 01 00 80 00 04 00 00 00 00 0a 00");
  REQUIRE(channel->take_control(Access::kControl).ok());
  CHECK(to_hex(without_id(camera.log(0x0082).front().bytes)) ==
        "42 01 00 82 00 08 00 00 00 00 0a 00 00 00 00 02");
  REQUIRE(channel->release().ok());
  CHECK(to_hex(without_id(camera.log().back().bytes)) == "42 01 00 82 00 08 00 00 00 00 0a 00 00 00 00 00");
  for (const auto& d : camera.log()) CHECK(id_of(d.bytes) != 0);
}

TEST_CASE("each new command has a new id, and the id never is 0") {
  FakeCamera camera;
  auto channel = open_to(camera);
  for (int i = 0; i < 20; ++i) REQUIRE(channel->read_register(0x0A00).ok());
  const auto log = camera.log();
  for (size_t i = 1; i < log.size(); ++i) CHECK(id_of(log[i].bytes) == id_of(log[i - 1].bytes) + 1);
}

TEST_CASE("capabilities are read, and missing registers are 0") {
  FakeCamera camera;
  camera.set(0x093C, 1);
  camera.set(0x0940, 0x10);
  camera.set(0x0958, 150);
  camera.set(0x0934, 0x80000007);
  auto channel = open_to(camera);
  const Capabilities& found = channel->capabilities();
  CHECK(found.spec_major == 2);
  CHECK(found.spec_minor == 0);
  CHECK(found.device_mode == 0x80000001);
  CHECK(found.gvcp == 0x80000007);
  CHECK(found.gvsp == 0);
  CHECK(found.pending_timeout_ms == 150);
  CHECK(found.heartbeat_timeout_ms == 3000);
  CHECK(found.tick_frequency == 0x100000010);
  CHECK(found.stream_channels == 1);
}

TEST_CASE("a lost command is repeated with the same id, and counted") {
  FakeCamera camera;
  auto channel = open_to(camera);
  std::atomic<int> dropped{0};
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0A00) || dropped >= 2) return std::nullopt;
    ++dropped;
    return silence();
  });
  const size_t before = camera.log().size();
  REQUIRE(channel->read_register(0x0A00).ok());
  const auto log = camera.log();
  REQUIRE(log.size() == before + 3);
  CHECK(log[before].bytes == log[before + 1].bytes);
  CHECK(log[before].bytes == log[before + 2].bytes);
  CHECK(log[before + 1].at_ns - log[before].at_ns >= 39 * kMs);
  CHECK(channel->stats().retries == 2);
  CHECK(channel->stats().timeouts == 0);
}

TEST_CASE("a silent camera costs tries x timeout, and no more") {
  FakeCamera camera;
  auto channel = open_to(camera, 30, 4);
  camera.mute(true);
  const uint64_t begin = now_ns();
  const auto value = channel->read_register(0x0A00);
  const uint64_t took = now_ns() - begin;
  CHECK(value.status().code == Errc::kTimeout);
  CHECK(took >= 120 * kMs);
  CHECK(took < 400 * kMs);
  CHECK(channel->stats().timeouts == 1);
  CHECK(channel->stats().retries == 3);
}

TEST_CASE("nobody at the port: refused at once, with the reason") {
  Endpoint nobody;
  {
    nobody = FakeCamera().endpoint();
  }
  ControlOptions options;
  options.camera = nobody;
  const uint64_t begin = now_ns();
  const auto channel = ControlChannel::open(options);
  CHECK(channel.status().code == Errc::kNetwork);
  CHECK(channel.status().sys_errno == ECONNREFUSED);
  CHECK(now_ns() - begin < 900 * kMs);
}

TEST_CASE("pinning to a NIC does not lose a camera on this machine") {
  FakeCamera camera;
  ControlOptions options;
  options.camera = camera.endpoint();
  options.ack_timeout_ms = 50;
  for (const std::string device : {"lo", "no-such-nic"}) {
    options.device = device;
    const auto channel = ControlChannel::open(options);
    REQUIRE_MESSAGE(channel.ok(), channel.status().message);
    CHECK((*channel)->local_endpoint().address == loopback(1));
  }
}

TEST_CASE("stale, duplicate, foreign and malformed datagrams are dropped and counted apart") {
  FakeCamera camera;
  auto channel = open_to(camera);
  const Bytes right = hex("00 00 00 81 00 04 00 00 11 22 33 44");
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0A00)) return std::nullopt;
    const uint16_t id = id_of(d.bytes);
    const Bytes stale = hex("00 00 00 81 00 04 00 00 de ad be ef");
    return std::vector<FakeCamera::Reply>{
        {with_id(stale, static_cast<uint16_t>(id - 1))},            // of an earlier command
        {with_id(hex("00 00 00 83 00 04 00 00 00 00 00 01"), id)},  // of another kind
        {with_id(hex("00 00 00 81 00 40 00 00 de ad be ef"), id)},  // announces more than it carries
        {hex("00 00 00")},                                          // shorter than a header
        {with_id(hex("42 01 00 80 00 04 00 00 00 00 0a 00"), id)},  // a command
        {with_id(right, id)},
        {with_id(stale, id)},  // a second answer: the next command's problem
    };
  });
  UdpSocket stranger = std::move(*UdpSocket::open());
  REQUIRE(stranger.bind({loopback(66), 0}).ok());
  REQUIRE(
      stranger.send_to(with_id(hex("00 00 00 81 00 04 00 00 de ad be ef"), 0xFFFF), channel->local_endpoint())
          .ok());
  CHECK(*channel->read_register(0x0A00) == 0x11223344);
  CHECK(*channel->read_register(0x0A00) == 0x11223344);
  const ControlStats stats = channel->stats();
  CHECK(stats.stale_acks == 5);  // two each, and the second answer to the first
  CHECK(stats.malformed == 6);
  CHECK(stats.foreign == 1);
  CHECK(stats.retries == 0);
}

TEST_CASE("a stranger who guesses everything but the address gets nowhere") {
  FakeCamera camera;
  auto channel = open_to(camera, 30, 2);
  UdpSocket stranger = std::move(*UdpSocket::open());
  REQUIRE(stranger.bind({loopback(66), 0}).ok());
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    (void)stranger.send_to(with_id(hex("00 00 00 81 00 04 00 00 de ad be ef"), id_of(d.bytes)), d.from);
    return silence();
  });
  CHECK(channel->read_register(0x0A00).status().code == Errc::kTimeout);
  CHECK(channel->stats().foreign == 2);
}

TEST_CASE("PENDING_ACK is waited out without repeating the command") {
  FakeCamera camera;
  auto channel = open_to(camera, 40, 3);
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0A00)) return std::nullopt;
    const uint16_t id = id_of(d.bytes);
    const Bytes pending = with_id(hex("00 00 00 89 00 04 00 00 00 00 00 64"), id);  // 100 ms
    return std::vector<FakeCamera::Reply>{
        {pending, 0}, {pending, 90}, {with_id(hex("00 00 00 81 00 04 00 00 00 00 00 07"), id), 210}};
  });
  const size_t before = camera.log().size();
  CHECK(*channel->read_register(0x0A00) == 7);
  CHECK(camera.log().size() == before + 1);
  CHECK(channel->stats().pending_acks == 2);
  CHECK(channel->stats().retries == 0);
}

TEST_CASE("PENDING_ACK of another command, or without its time, delays nothing") {
  FakeCamera camera;
  auto channel = open_to(camera, 30, 2);
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    const uint16_t id = id_of(d.bytes);
    return std::vector<FakeCamera::Reply>{
        {with_id(hex("00 00 00 89 00 04 00 00 00 00 ff ff"), static_cast<uint16_t>(id + 1)), 0},
        {with_id(hex("00 00 00 89 00 00 00 00"), id), 0}};
  });
  const uint64_t begin = now_ns();
  CHECK(channel->read_register(0x0A00).status().code == Errc::kTimeout);
  CHECK(now_ns() - begin < 400 * kMs);
}

TEST_CASE("the camera's own pending timeout lengthens the wait") {
  FakeCamera camera;
  camera.set(0x0958, 300);
  auto channel = open_to(camera, 30, 2);
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    return answer(d, "00 00 00 81 00 04 00 00 00 00 00 09", 150);
  });
  CHECK(*channel->read_register(0x0A00) == 9);
  CHECK(channel->stats().retries == 0);
}

TEST_CASE("BUSY is asked again, as a new command") {
  FakeCamera camera;
  auto channel = open_to(camera, 100, 5);
  std::atomic<int> busy{0};
  camera.script([&](const FakeCamera::Datagram& d) -> Replies {
    if (busy >= 2) return std::nullopt;
    ++busy;
    return answer(d, "80 07 00 81 00 00 00 00");
  });
  const size_t before = camera.log().size();
  const uint64_t errors = channel->stats().error_acks;
  CHECK(channel->read_register(0x0A00).ok());
  const auto log = camera.log();
  REQUIRE(log.size() == before + 3);
  CHECK(id_of(log[before].bytes) != id_of(log[before + 1].bytes));
  CHECK(channel->stats().busy_acks == 2);
  CHECK(channel->stats().error_acks == errors);
  camera.script(
      [](const FakeCamera::Datagram& d) -> Replies { return answer(d, "80 07 00 81 00 00 00 00"); });
  const Status status = channel->read_register(0x0A00).status();
  CHECK(status.code == Errc::kGvcpStatus);
  CHECK(status.gvcp_status == 0x8007);
  CHECK(channel->stats().error_acks == errors + 1);
}

TEST_CASE("errors are final, with and without payload, and name what was asked") {
  FakeCamera camera;
  auto channel = open_to(camera);
  const size_t before = camera.log().size();
  Status status = channel->read_register(0x12344).status();
  CHECK(status.code == Errc::kGvcpStatus);
  CHECK(status.gvcp_status == 0x8003);
  CHECK(status.message.find("INVALID_ADDRESS") != std::string::npos);
  CHECK(status.message.find("0x12344") != std::string::npos);
  CHECK(camera.log().size() == before + 1);

  status = channel->write_register(0x0938, 1);  // we do not control it; the fake's error carries an index
  CHECK(status.code == Errc::kAccessDenied);
  camera.script(
      [](const FakeCamera::Datagram& d) -> Replies { return answer(d, "80 06 00 83 00 00 00 00"); });
  status = channel->write_register(0x0938, 1);
  CHECK(status.code == Errc::kAccessDenied);
  CHECK(status.gvcp_status == 0x8006);
}

TEST_CASE("an answer that is too short is a protocol error, not a value") {
  FakeCamera camera;
  auto channel = open_to(camera);
  camera.script(
      [](const FakeCamera::Datagram& d) -> Replies { return answer(d, "00 00 00 81 00 02 00 00 12 34"); });
  CHECK(channel->read_register(0x0A00).status().code == Errc::kProtocol);
}

TEST_CASE("several registers: one message where the camera can, else one each") {
  const uint32_t addresses[] = {0x0000, 0x0938, 0x0D04};
  for (const bool can : {true, false}) {
    CAPTURE(can);
    FakeCamera camera;
    camera.set(0x0934, can ? 1 : 0);
    auto channel = open_to(camera);
    const size_t before = camera.log().size();
    const auto values = channel->read_registers(addresses);
    REQUIRE(values.ok());
    CHECK(*values == std::vector<uint32_t>{0x00020000, 3000, 1400});
    const auto log = camera.log();
    REQUIRE(log.size() == before + (can ? 1 : 3));
    if (can) {
      CHECK(to_hex(without_id(log.back().bytes)) ==
            "42 01 00 80 00 0c 00 00 00 00 00 00 00 00 09 38 00 00 0d 04");
    }
  }
}

TEST_CASE("a missing register among several is named by its own error") {
  FakeCamera camera;
  camera.set(0x0934, 1);
  auto channel = open_to(camera);
  const uint32_t addresses[] = {0x0000, 0x5554, 0x0D04};
  const Status status = channel->read_registers(addresses).status();
  CHECK(status.gvcp_status == 0x8003);
  CHECK(status.message.find("0x5554") != std::string::npos);
}

TEST_CASE("more registers than fit into one message") {
  FakeCamera camera;
  camera.set(0x0934, 1);
  std::vector<uint32_t> addresses;
  for (uint32_t i = 0; i < 300; ++i) {
    addresses.push_back(0x10000 + 4 * i);
    camera.set(addresses.back(), i * 3);
  }
  auto channel = open_to(camera);
  const size_t before = camera.log().size();
  const auto values = channel->read_registers(addresses);
  REQUIRE(values.ok());
  for (uint32_t i = 0; i < 300; ++i) CHECK((*values)[i] == i * 3);
  CHECK(camera.log().size() == before + 3);
  for (const auto& d : camera.log()) CHECK(d.bytes.size() <= 548);
}

TEST_CASE("cancel ends a waiting call at once, and every later one; release still works") {
  FakeCamera camera;
  auto channel = open_to(camera, 5000, 5);
  REQUIRE(channel->take_control(Access::kControl).ok());
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0D04)) return std::nullopt;
    return silence();
  });
  Status waited;
  Status queued;
  const size_t before = camera.log().size();
  std::thread waiter([&] { waited = channel->read_register(0x0D04).status(); });
  REQUIRE(camera.wait_for([&] { return camera.log().size() > before; }));
  std::thread second([&] { queued = channel->read_register(0x0D04).status(); });
  const uint64_t begin = now_ns();
  channel->cancel();
  waiter.join();
  second.join();
  CHECK(now_ns() - begin < 500 * kMs);
  CHECK(waited.code == Errc::kCanceled);
  CHECK(queued.code == Errc::kCanceled);
  CHECK(channel->read_register(0x0000).status().code == Errc::kCanceled);
  CHECK(channel->release().ok());
  CHECK(camera.controller() == Endpoint{});
}

TEST_CASE("resend requests are what the vectors say, go out of the controller's port, and wait for nobody") {
  FakeCamera camera;
  auto channel = open_to(camera, 5000, 1);
  camera.script([](const FakeCamera::Datagram& d) -> Replies {
    if (!concerns(d, 0x0080, 0x0D04)) return std::nullopt;
    return silence();
  });
  const size_t before = camera.log().size();
  std::thread waiter([&] { (void)channel->read_register(0x0D04); });
  REQUIRE(camera.wait_for([&] { return camera.log().size() > before; }));
  channel->send_resend({0, 66, 5, 7, false});
  channel->send_resend({0, 66, 5, 7, true});
  channel->send_resend({0, 66, 5, gvcp::kToEnd, false});
  REQUIRE(camera.wait_for([&] { return camera.count(0x0040) == 3; }));
  const auto log = camera.log(0x0040);
  CHECK(to_hex(without_id(log[0].bytes)) == "42 00 00 40 00 0c 00 00 00 00 00 42 00 00 00 05 00 00 00 07");
  CHECK(to_hex(without_id(log[1].bytes)) ==
        "42 10 00 40 00 14 00 00 00 00 00 00 00 00 00 05 00 00 00 07 00 00 00 00 00 00 00 42");
  CHECK(to_hex(without_id(log[2].bytes)) == "42 00 00 40 00 0c 00 00 00 00 00 42 00 00 00 05 00 ff ff ff");
  CHECK(log[0].from == channel->local_endpoint());
  CHECK(channel->stats().resends_sent == 3);
  channel->cancel();
  waiter.join();
}

TEST_CASE("resend requests to a camera that has gone do not upset the control channel") {
  auto camera = std::make_unique<FakeCamera>();
  auto channel = open_to(*camera, 30, 3);
  camera.reset();
  for (uint32_t i = 0; i < 10; ++i) channel->send_resend({0, 66, i, i, false});
  const uint64_t begin = now_ns();
  CHECK_FALSE(channel->read_register(0x0A00).ok());
  CHECK(now_ns() - begin < 500 * kMs);
  CHECK(channel->stats().resends_failed > 0);
  CHECK(channel->stats().resends_sent > 0);
}

TEST_CASE("many threads share one channel, one command at a time") {
  FakeCamera camera;
  auto channel = open_to(camera, 500, 3);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint32_t t = 0; t < 4; ++t) {
    camera.set(0x20000 + 4 * t, 0xAB00 + t);
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const auto value = channel->read_register(0x20000 + 4 * t);
        if (!value.ok() || *value != 0xAB00 + t) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == 0);
  CHECK(channel->stats().stale_acks == 0);
}
