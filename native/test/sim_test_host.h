// A small host for the simulator's tests: GVCP requests and raw stream packets, written against the wire
// alone. Purpose: to see every byte that the camera sends. Thread: the test's. Owner: the test.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "doctest/doctest.h"
#include "net/socket.h"
#include "sim/camera.h"
#include "sim/register_map.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"
#include "wire/gvsp.h"

namespace gw::sim::test {

constexpr int kPatience = 2000;  // ms; only waited when something is wrong

inline uint64_t in_ms(int ms) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()) +
         static_cast<uint64_t>(ms) * 1'000'000;
}

inline bool eventually(const std::function<bool()>& condition, int patience_ms = kPatience) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(patience_ms);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

inline UdpSocket bound_socket(uint32_t address = 0x7F000001) {
  Result<UdpSocket> socket = UdpSocket::open();
  REQUIRE(socket.ok());
  REQUIRE(socket->bind({address, 0}).ok());
  (void)socket->set_receive_buffer(4 << 20);
  return std::move(*socket);
}

struct Ack {
  gvcp::AckHeader header;
  std::vector<uint8_t> payload;
};

class Host {
 public:
  explicit Host(const Endpoint& camera)
      : camera_(camera), control_(bound_socket()), stream_(bound_socket()) {}

  void send_raw(ConstBytes datagram) { REQUIRE(control_.send_raw(datagram, camera_) == 0); }

  static std::vector<uint8_t> message(uint16_t command, ConstBytes payload, uint16_t id, uint8_t flags = 1) {
    std::vector<uint8_t> out(gvcp::kHeaderSize + payload.size());
    gvcp::write_command(out, {flags, command, static_cast<uint16_t>(payload.size()), id});
    std::copy(payload.begin(), payload.end(), out.begin() + gvcp::kHeaderSize);
    return out;
  }

  std::optional<Ack> receive_ack(int patience_ms = kPatience) {
    std::vector<uint8_t> buffer(2048);
    const Result<size_t> size =
        control_.receive(buffer, static_cast<ReceiveInfo*>(nullptr), in_ms(patience_ms));
    if (!size.ok()) return std::nullopt;
    buffer.resize(*size);
    const auto header = gvcp::parse_ack(buffer);
    REQUIRE(header);
    return Ack{*header, {buffer.begin() + gvcp::kHeaderSize, buffer.end()}};
  }

  Ack request(uint16_t command, ConstBytes payload) {
    const uint16_t id = next_id();
    send_raw(message(command, payload, id));
    const std::optional<Ack> ack = receive_ack();
    REQUIRE(ack);
    CHECK(ack->header.ack_id == id);
    CHECK(ack->header.length == ack->payload.size());
    return *ack;
  }

  uint16_t write(uint32_t address, uint32_t value) {
    uint8_t payload[8];
    store_be32(payload, address);
    store_be32(payload + 4, value);
    return request(gvcp::kWriteRegCmd, payload).header.status;
  }

  uint32_t read(uint32_t address) {
    const Ack ack = try_read(address);
    REQUIRE(ack.header.status == gvcp::kSuccess);
    REQUIRE(ack.payload.size() == 4);
    return load_be32(ack.payload.data());
  }

  Ack try_read(uint32_t address) {
    uint8_t payload[4];
    store_be32(payload, address);
    return request(gvcp::kReadRegCmd, payload);
  }

  Ack read_memory(uint32_t address, uint16_t size) {
    uint8_t payload[8] = {};
    store_be32(payload, address);
    store_be16(payload + 6, size);
    return request(gvcp::kReadMemCmd, payload);
  }

  void take_control() { REQUIRE(write(reg::kControlPrivilege, reg::kCcpControl) == 0); }

  void open_channel() {
    REQUIRE(write(reg::stream(0, reg::kScda), 0x7F000001) == 0);
    REQUIRE(write(reg::stream(0, reg::kScp), stream_.local_endpoint()->port) == 0);
  }

  void resend(uint64_t block, uint32_t first, uint32_t last, bool extended = false) {
    uint8_t bytes[gvcp::kMaxResendSize];
    const size_t size = gvcp::write_resend(bytes, {0, block, first, last, extended}, next_id());
    send_raw(ConstBytes(bytes, size));
  }

  struct StreamPacket {
    gvsp::Header header;
    std::vector<uint8_t> body;
    Endpoint from;
    size_t udp_size = 0;
  };
  std::optional<StreamPacket> receive_packet(int patience_ms = kPatience) {
    std::vector<uint8_t> buffer(65536);
    ReceiveInfo info;
    const Result<size_t> size = stream_.receive(buffer, &info, in_ms(patience_ms));
    if (!size.ok()) return std::nullopt;
    const auto header = gvsp::parse_header(ConstBytes(buffer).first(*size));
    REQUIRE(header);
    return StreamPacket{*header,
                        {buffer.begin() + header->size, buffer.begin() + static_cast<long>(*size)},
                        info.from,
                        *size};
  }
  bool stream_is_silent(int ms) { return !receive_packet(ms); }

  uint16_t next_id() { return id_ = static_cast<uint16_t>(id_ % 0xFFFF + 1); }
  UdpSocket& control() { return control_; }
  UdpSocket& stream() { return stream_; }

 private:
  Endpoint camera_;
  UdpSocket control_, stream_;
  uint16_t id_ = 0;
};

inline SimOptions small_camera() {
  SimOptions options;
  options.control_port = 0;
  options.width = 96;
  options.height = 64;  // 6144 bytes: 5 data packets at 1500
  options.frame_rate = 0;
  options.seed = 42;
  return options;
}

inline std::unique_ptr<SimulatedCamera> started(const SimOptions& options) {
  Result<std::unique_ptr<SimulatedCamera>> camera = SimulatedCamera::start(options);
  REQUIRE_MESSAGE(camera.ok(), camera.status().message);
  return std::move(*camera);
}

constexpr uint32_t kFrame = 96 * 64;

struct Stream {
  explicit Stream(SimOptions options, uint32_t packet_size = 1500, uint32_t gvsp_configuration = ~0U)
      : camera(started(options)), host(camera->control_endpoint()), seed(options.seed) {
    host.take_control();
    if (gvsp_configuration != ~0U) REQUIRE(host.write(reg::kGvspConfiguration, gvsp_configuration) == 0);
    REQUIRE(host.write(reg::kGvcpConfiguration, reg::kCfgExtendedStatus11) == 0);
    host.open_channel();
    REQUIRE(host.write(reg::stream(0, reg::kScps), packet_size) == 0);
  }
  void start_triggered() {
    REQUIRE(host.write(feature::kTriggerMode, 1) == 0);
    REQUIRE(host.write(feature::kAcquisitionStart, 1) == 0);
  }
  void trigger() { REQUIRE(host.write(feature::kTriggerSoftware, 1) == 0); }

  // Packets until none comes for a while, by (block id, packet id); counts how often each came.
  struct Got {
    std::map<uint32_t, Host::StreamPacket> packets;
    std::map<uint32_t, int> times;
    std::vector<uint32_t> order;
  };
  Got receive(size_t at_least, int quiet_ms = 50) {
    Got got;
    size_t n = 0;
    while (auto packet = host.receive_packet(n < at_least ? kPatience : quiet_ms)) {
      ++n;
      const uint32_t id = packet->header.packet_id;
      got.order.push_back(id);
      ++got.times[id];
      got.packets.emplace(id, std::move(*packet));
    }
    return got;
  }

  // Everything of the first n packets and what goes with them: on loopback it is here once the camera has
  // sent it.
  Got receive_sent(uint64_t n) {
    CHECK(eventually([&] {
      const SimStats stats = camera->stats();
      return stats.packets_sent + stats.packets_lost >= n;
    }));
    return receive(0, 0);
  }

  std::vector<uint8_t> image(const Got& got) {
    std::vector<uint8_t> bytes;
    for (const auto& [id, packet] : got.packets) {
      if (packet.header.format == gvsp::kPayload)
        bytes.insert(bytes.end(), packet.body.begin(), packet.body.end());
    }
    return bytes;
  }

  std::unique_ptr<SimulatedCamera> camera;
  Host host;
  uint64_t seed;
};

inline void check_sums(const SimStats& s) {
  CHECK(s.packets_planned == s.packets_sent + s.packets_lost + s.send_errors_stream);
  CHECK(s.packets_lost == s.lost_random + s.lost_burst + s.lost_chosen + s.lost_leader + s.lost_trailer +
                              s.lost_tail + s.lost_block + s.lost_path_mtu);
}

}  // namespace gw::sim::test
