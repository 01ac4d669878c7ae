// The control channel over loopback: answers, access, heartbeat, discovery, moving.
#include "sim/register_map.h"
#include "sim_test_host.h"

using namespace gw;
using namespace gw::sim;
using namespace gw::sim::test;

namespace {

std::vector<uint8_t> words(std::initializer_list<uint32_t> values) {
  std::vector<uint8_t> out(values.size() * 4);
  size_t at = 0;
  for (const uint32_t value : values) {
    store_be32(&out[at], value);
    at += 4;
  }
  return out;
}

}  // namespace

TEST_CASE("control: byte vectors of the reference page") {
  const auto camera = started(small_camera());
  Host host(camera->control_endpoint());
  const auto exchange = [&](std::vector<uint8_t> request) {
    host.send_raw(request);
    std::vector<uint8_t> buffer(1024);
    const Result<size_t> size =
        host.control().receive(buffer, static_cast<ReceiveInfo*>(nullptr), in_ms(kPatience));
    REQUIRE(size.ok());
    buffer.resize(*size);
    return buffer;
  };
  using Bytes = std::vector<uint8_t>;
  CHECK(exchange({0x42, 1, 0, 0x80, 0, 4, 0, 2, 0, 0, 0x0A, 0}) ==
        Bytes{0, 0, 0, 0x81, 0, 4, 0, 2, 0, 0, 0, 0});
  CHECK(exchange({0x42, 1, 0, 0x82, 0, 8, 0, 3, 0, 0, 0x0A, 0, 0, 0, 0, 2}) ==
        Bytes{0, 0, 0, 0x83, 0, 4, 0, 3, 0, 0, 0, 1});
  const Bytes memory = exchange({0x42, 1, 0, 0x84, 0, 8, 0, 4, 0, 0, 2, 0, 0, 0, 2, 0});
  CHECK(Bytes(memory.begin(), memory.begin() + 12) == Bytes{0, 0, 0, 0x85, 2, 4, 0, 4, 0, 0, 2, 0});
  CHECK(memory.size() == 8 + 4 + 512);
  const Bytes discovery = exchange({0x42, 1, 0, 2, 0, 0, 0, 1});
  CHECK(Bytes(discovery.begin(), discovery.begin() + 8) == Bytes{0, 0, 0, 3, 0, 0xF8, 0, 1});
  CHECK(discovery.size() == 256);
}

TEST_CASE("control: several registers at once, first failure ends the message") {
  const auto camera = started(small_camera());
  Host host(camera->control_endpoint());
  host.take_control();
  Ack ack = host.request(gvcp::kReadRegCmd, words({reg::kVersion, reg::kControlPrivilege, feature::kWidth}));
  CHECK(ack.payload == words({0x00020000, 2, 96}));
  ack = host.request(gvcp::kWriteRegCmd,
                     words({feature::kTestPattern, 1, feature::kWidth, 3, feature::kFrameCount, 9}));
  CHECK(ack.header.status == gvcp::kInvalidParameter);
  CHECK(ack.payload == words({1}));
  CHECK(host.read(feature::kTestPattern) == 1);
  CHECK(host.read(feature::kFrameCount) == 1);
  std::vector<uint8_t> memory = words({feature::kTestPattern, 0, 2});
  ack = host.request(gvcp::kWriteMemCmd, memory);
  CHECK(ack.header.status == gvcp::kSuccess);
  CHECK(ack.payload == words({8}));
  CHECK(host.read(feature::kAcquisitionMode) == 2);
  CHECK(host.request(gvcp::kReadRegCmd, words({1})).header.status == gvcp::kBadAlignment);
  CHECK(host.read_memory(0, 6).header.status == gvcp::kBadAlignment);
  CHECK(host.read_memory(0, 540).header.status == gvcp::kInvalidParameter);
  CHECK(host.read_memory(0, 536).header.status == gvcp::kSuccess);
  CHECK(host.read_memory(0xFFFFFF00, 256).header.status == gvcp::kInvalidAddress);
}

TEST_CASE("control: malformed and unknown requests") {
  const auto camera = started(small_camera());
  Host host(camera->control_endpoint());
  host.send_raw(std::vector<uint8_t>{0x43, 1, 0, 0x80, 0, 0, 0, 1});  // wrong key: no answer
  host.send_raw(std::vector<uint8_t>{0x42, 1, 0});                    // too short: no answer
  host.send_raw(std::vector<uint8_t>{});
  host.send_raw(
      std::vector<uint8_t>{0x42, 1, 0, 0x80, 0, 8, 0, 7, 0, 0, 0, 0});  // announces more than it has
  std::optional<Ack> ack = host.receive_ack();
  REQUIRE(ack);
  CHECK(ack->header.status == gvcp::kInvalidHeader);
  CHECK(ack->header.command == gvcp::kReadRegAck);
  CHECK(ack->header.ack_id == 7);
  CHECK(host.request(0x0100, {}).header.status == gvcp::kNotImplemented);
  CHECK(host.request(gvcp::kReadRegCmd, {}).header.status == gvcp::kInvalidHeader);
  CHECK(host.request(gvcp::kWriteRegCmd, words({0})).header.status == gvcp::kInvalidHeader);
  CHECK(host.request(gvcp::kWriteMemCmd, words({0})).header.status == gvcp::kInvalidHeader);
  std::vector<uint8_t> many(136 * 4);
  CHECK(host.request(gvcp::kReadRegCmd, many).header.status == gvcp::kInvalidHeader);
  CHECK(eventually([&] { return camera->stats().malformed == 4; }));
  CHECK(camera->stats().unknown_commands == 1);
}

TEST_CASE("control: the second host is told no, until the first is silent for too long") {
  SimOptions options = small_camera();
  options.heartbeat_timeout_ms = 500;
  const auto camera = started(options);
  Host first(camera->control_endpoint()), second(camera->control_endpoint());
  first.take_control();
  first.open_channel();
  CHECK(second.write(reg::kControlPrivilege, reg::kCcpControl) == gvcp::kAccessDenied);
  CHECK(second.read(reg::kPrimaryPort) == first.control().local_endpoint()->port);
  CHECK(first.write(reg::kControlPrivilege, reg::kCcpExclusive) == gvcp::kSuccess);
  CHECK(second.try_read(reg::kVersion).header.status == gvcp::kAccessDenied);
  CHECK(camera->stats().access_denied == 2);
  const uint64_t begin = in_ms(0);
  CHECK(eventually([&] { return camera->stats().controller == Endpoint{}; }));
  CHECK(in_ms(0) - begin > 400'000'000);
  CHECK(camera->stats().heartbeat_expired == 1);
  CHECK(second.read(reg::stream(0, reg::kScp)) == 0);
  CHECK(second.write(reg::kControlPrivilege, reg::kCcpControl) == gvcp::kSuccess);
}

TEST_CASE("control: any request of the controller is a heartbeat, those of others are not") {
  SimOptions options = small_camera();
  options.heartbeat_timeout_ms = 500;
  const auto camera = started(options);
  Host first(camera->control_endpoint()), second(camera->control_endpoint());
  first.take_control();
  const uint64_t begin = in_ms(0);
  while (in_ms(0) - begin < 800'000'000) {
    CHECK(first.read(reg::kVersion) == 0x00020000);
    (void)first.receive_ack(50);  // nothing comes: a pause
  }
  CHECK(camera->stats().heartbeat_expired == 0);
  CHECK(eventually([&] { return second.read(reg::kControlPrivilege) == 0; }));
  CHECK(camera->stats().heartbeat_expired == 1);
  first.take_control();
  CHECK(first.write(reg::kGvcpConfiguration, reg::kCfgHeartbeatDisable) == 0);
  CHECK_FALSE(eventually([&] { return second.read(reg::kControlPrivilege) == 0; }, 700));
}

TEST_CASE("control: a retransmitted write is answered again and carried out once") {
  const auto camera = started(small_camera());
  Host host(camera->control_endpoint());
  host.take_control();
  host.open_channel();
  const auto fire = Host::message(
      gvcp::kWriteRegCmd,
      words({reg::stream(0, reg::kScps), reg::kScpsFireTest | reg::kScpsDontFragment | 1000}), 900);
  for (int i = 0; i < 3; ++i) {
    host.send_raw(fire);
    const std::optional<Ack> ack = host.receive_ack();
    REQUIRE(ack);
    CHECK(ack->header.ack_id == 900);
    CHECK(ack->header.status == gvcp::kSuccess);
  }
  const auto packet = host.receive_packet();
  REQUIRE(packet);
  CHECK(packet->udp_size == 972);
  CHECK(packet->header.block_id == 0);
  CHECK(host.stream_is_silent(50));
  CHECK(camera->stats().test_packets == 1);
  CHECK(camera->stats().retransmissions == 2);
}

TEST_CASE("control: no acknowledge where none was asked for") {
  const auto camera = started(small_camera());
  Host host(camera->control_endpoint());
  host.take_control();
  host.send_raw(Host::message(gvcp::kWriteRegCmd, words({feature::kTestPattern, 2}), 77, 0));
  CHECK(host.read(feature::kTestPattern) == 2);  // request() checks that this is the answer to the read
}

TEST_CASE("control: slow registers answer PENDING_ACK first") {
  SimOptions options = small_camera();
  options.faults.pending_ack_ms = 60;
  options.faults.pending_ack_count = 2;
  const auto camera = started(options);
  Host host(camera->control_endpoint());
  host.take_control();
  CHECK(host.write(reg::kGvcpConfiguration, reg::kCfgPendingAck) == 0);
  const auto slow = Host::message(gvcp::kWriteRegCmd, words({feature::kSlowRegister, 5}), 500);
  const uint64_t begin = in_ms(0);
  host.send_raw(slow);
  host.send_raw(slow);  // an impatient host: not done twice
  for (int i = 0; i < 2; ++i) {
    const std::optional<Ack> pending = host.receive_ack();
    REQUIRE(pending);
    CHECK(pending->header.command == gvcp::kPendingAck);
    CHECK(pending->header.ack_id == 500);
    REQUIRE(pending->payload.size() == 4);
    CHECK(load_be16(&pending->payload[2]) >= 30);
  }
  const std::optional<Ack> done = host.receive_ack();
  REQUIRE(done);
  CHECK(done->header.command == gvcp::kWriteRegAck);
  CHECK(done->header.status == gvcp::kSuccess);
  CHECK(in_ms(0) - begin >= 60'000'000);
  CHECK(host.read(feature::kSlowRegister) == 5);
  CHECK_FALSE(host.receive_ack(50));
  CHECK(camera->stats().pending_acks == 2);
  // without the host's consent it is only slow
  CHECK(host.write(reg::kGvcpConfiguration, 0) == 0);
  CHECK(host.write(feature::kSlowRegister, 6) == 0);
  CHECK(camera->stats().pending_acks == 2);
}

TEST_CASE("control: lost, doubled and stale acknowledges; a stall answers late") {
  SimOptions options = small_camera();
  const auto camera = started(options);
  Host host(camera->control_endpoint());
  host.take_control();
  FaultPlan faults;
  faults.control_loss = 1;
  camera->set_faults(faults);
  REQUIRE(eventually([&] {
    host.send_raw(Host::message(gvcp::kWriteRegCmd, words({feature::kTestPattern, 1}), host.next_id()));
    return !host.receive_ack(20) && camera->stats().acks_lost > 0;
  }));
  faults = {};
  faults.control_duplicate = faults.control_stale_acks = 1;
  camera->set_faults(faults);
  REQUIRE(eventually([&] {
    host.send_raw(Host::message(gvcp::kReadRegCmd, words({feature::kTestPattern}), 300));
    return host.receive_ack(50).has_value();
  }));
  // whichever request met the new plan first: three acks, the first with another id
  std::optional<Ack> ack = host.receive_ack(50), last = host.receive_ack(50);
  REQUIRE(ack);
  REQUIRE(last);
  CHECK(ack->header.ack_id == 300);
  CHECK(ack->payload == words({1}));
  CHECK(last->payload == words({1}));
  camera->set_faults({});
  REQUIRE(eventually([&] {
    host.send_raw(Host::message(gvcp::kReadRegCmd, words({reg::kVersion}), 301));
    return host.receive_ack(50).has_value() && !host.receive_ack(20);
  }));
  CHECK(camera->stall_control(150).ok());
  REQUIRE(eventually([&] {
    host.send_raw(Host::message(gvcp::kReadRegCmd, words({reg::kVersion}), 400));
    return !host.receive_ack(30);
  }));
  CHECK(host.receive_ack());  // late, but there
}

TEST_CASE(
    "control: broadcast discovery reaches every camera on loopback, each answers from its own address") {
  SimOptions options = small_camera();
  options.address = 0x7F000101;
  uint16_t port = 0;
  {  // any free port will do, but all must listen on the same one
    const auto probe = started(options);
    port = probe->control_endpoint().port;
  }
  std::vector<std::unique_ptr<SimulatedCamera>> cameras;
  options.control_port = port;
  for (uint32_t i = 0; i < 3; ++i) {
    options.address = 0x7F000101 + i;
    options.serial = "C" + std::to_string(i);
    cameras.push_back(started(options));
  }
  CHECK_FALSE(SimulatedCamera::start(options).ok());  // the address is taken
  for (const uint32_t target : {0x7FFFFFFFU, 0xFFFFFFFFU}) {
    UdpSocket socket = bound_socket();
    REQUIRE(socket.set_broadcast(true).ok());
    REQUIRE(socket.send_raw(Host::message(gvcp::kDiscoveryCmd, {}, 1), {target, port}) == 0);
    std::vector<std::pair<uint32_t, std::string>> answers;
    std::vector<uint8_t> buffer(1024);
    ReceiveInfo info;
    while (answers.size() < 3) {
      const Result<size_t> size = socket.receive(buffer, &info, in_ms(kPatience));
      REQUIRE(size.ok());
      CHECK(info.from.port == port);
      const auto device = gvcp::parse_discovery(ConstBytes(buffer).first(*size).subspan(gvcp::kHeaderSize));
      REQUIRE(device);
      CHECK(device->address == info.from.address);
      answers.emplace_back(info.from.address, device->serial);
    }
    CHECK_FALSE(socket.receive(buffer, &info, in_ms(30)).ok());  // nobody answers twice
    std::sort(answers.begin(), answers.end());
    for (uint32_t i = 0; i < 3; ++i) CHECK(answers[i] == std::pair(0x7F000101 + i, "C" + std::to_string(i)));
  }
}

TEST_CASE("control: FORCEIP moves the camera, by MAC, unless somebody controls it") {
  SimOptions options = small_camera();
  options.address = 0x7F000201;
  options.mac = {2, 9, 9, 9, 9, 9};
  const auto camera = started(options);
  const Endpoint before = camera->control_endpoint();
  const auto force = [](std::array<uint8_t, 6> mac, uint32_t address) {
    std::vector<uint8_t> payload(gvcp::kForceIpSize);
    gvcp::write_force_ip(payload, {mac, address, 0xFF000000, 0});
    return payload;
  };
  Host host(before);
  host.send_raw(Host::message(gvcp::kForceIpCmd, force({2, 9, 9, 9, 9, 8}, 0x7F000202), 5));
  host.take_control();
  host.send_raw(Host::message(gvcp::kForceIpCmd, force(options.mac, 0x7F000202), 6));
  CHECK(host.write(reg::kControlPrivilege, 0) == 0);
  CHECK(camera->control_endpoint() == before);
  host.send_raw(
      Host::message(gvcp::kForceIpCmd, force(options.mac, 0x08080808), 7));  // not an address of ours
  std::optional<Ack> ack = host.receive_ack();
  REQUIRE(ack);
  CHECK(ack->header.status == gvcp::kInvalidParameter);
  host.send_raw(Host::message(gvcp::kForceIpCmd, force(options.mac, 0x7F000202), 8));
  ack = host.receive_ack();
  REQUIRE(ack);
  CHECK(ack->header.status == gvcp::kSuccess);
  const Endpoint after{0x7F000202, before.port};
  CHECK(eventually([&] { return camera->control_endpoint() == after; }));
  Host again(after);
  CHECK(again.read(reg::kCurrentIp) == after.address);
  again.take_control();
  again.open_channel();
  CHECK(again.write(reg::stream(0, reg::kScps), reg::kScpsFireTest | 600) == 0);
  const auto packet = again.receive_packet();
  REQUIRE(packet);
  CHECK(packet->from.address == after.address);
}

TEST_CASE("control: options that make no sense are refused, with a reason") {
  const auto refused = [](const std::function<void(SimOptions&)>& change) {
    SimOptions options = small_camera();
    change(options);
    const auto camera = SimulatedCamera::start(options);
    return !camera.ok() && !camera.status().message.empty();
  };
  CHECK(refused([](SimOptions& o) { o.width = 0; }));
  CHECK(refused([](SimOptions& o) { o.sensor_width = 10; }));
  CHECK(refused([](SimOptions& o) { o.sensor_width = o.sensor_height = 65536; }));
  CHECK(refused([](SimOptions& o) { o.pixel_format = 7; }));
  CHECK(refused([](SimOptions& o) { o.frame_rate = -1; }));
  CHECK(refused([](SimOptions& o) { o.packet_size = 10; }));
  CHECK(refused([](SimOptions& o) { o.faults.loss = 2; }));
  CHECK(refused([](SimOptions& o) { o.address = 0x08080808; }));
}

TEST_CASE("control: garbage does not stop it, and from strangers changes nothing") {
  constexpr uint16_t kCommands[] = {0x0002, 0x0004, 0x0040, 0x0080, 0x0082,
                                    0x0084, 0x0086, 0x00C0, 0x0100, 0x8004};
  for (const bool controlled : {false, true}) {
    const auto camera = started(small_camera());
    Host host(camera->control_endpoint());
    if (controlled) {
      host.take_control();
      host.open_channel();
    }
    uint64_t state = controlled ? 1 : 2;
    const auto random = [&] {
      return state = state * 6364136223846793005ULL + 1442695040888963407ULL, state >> 33;
    };
    const auto answers = [&] {
      host.send_raw(Host::message(gvcp::kReadRegCmd, words({reg::kVersion}), 0xBEEF));
      std::optional<Ack> ack;
      while ((ack = host.receive_ack(100))) {
        if (ack->header.ack_id == 0xBEEF && ack->payload == words({0x00020000})) return true;
      }
      return false;
    };
    for (int i = 0; i < 4000; ++i) {
      std::vector<uint8_t> payload(4 + random() % 64 * (random() % 8 == 0 ? 8 : 1));
      for (uint8_t& byte : payload) byte = static_cast<uint8_t>(random() % 4 == 0 ? random() : 0);
      if (random() % 2 == 0)
        store_be32(payload.data(), static_cast<uint32_t>(random() % (feature::kEnd / 4 + 8) * 4));
      if (random() % 2 == 0)
        store_be32(payload.data(), static_cast<uint32_t>(feature::kSensorWidth + random() % 40 * 4));
      std::vector<uint8_t> bytes = Host::message(
          kCommands[random() % 10], payload, static_cast<uint16_t>(random()), static_cast<uint8_t>(random()));
      if (random() % 8 == 0) bytes[random() % bytes.size()] ^= static_cast<uint8_t>(1U << random() % 8);
      if (random() % 16 == 0) bytes.resize(random() % (bytes.size() + 1));
      host.send_raw(bytes);
      // Keeps both queues short. The controller may have reset the camera: then it takes a while.
      if (i % 32 == 31) REQUIRE(eventually(answers));
    }
    CHECK(camera->stats().control_errors > 100);
    if (controlled) continue;
    Host other(camera->control_endpoint());
    other.take_control();
    CHECK(other.read(feature::kWidth) == 96);
    CHECK(other.read(feature::kTestPattern) == 0);
  }
}
