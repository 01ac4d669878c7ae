// Sockets on this machine and a source on one of them. Purpose: what the tests of sockets and of the receive
// engine share. Thread: one, but for interrupt().
#pragma once

#include <doctest/doctest.h>

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/socket.h"
#include "net/udp_source.h"

namespace gw::test {

constexpr uint64_t kMs = 1'000'000;

inline UdpSocket bound(uint32_t address) {
  Result<UdpSocket> socket = UdpSocket::open();
  REQUIRE(socket.ok());
  REQUIRE(socket->bind({address, 0}).ok());
  return std::move(*socket);
}

inline uint64_t now() { return SteadyClock::instance().now_ns(); }

// A receiving and a sending socket on 127.0.0.1.
class Pair {
 public:
  explicit Pair(size_t receive_buffer = 0) : receive(bound(0x7F000001)), sender(bound(0x7F000001)) {
    if (receive_buffer != 0) REQUIRE(receive.set_receive_buffer(receive_buffer).ok());
    REQUIRE(sender.connect(*receive.local_endpoint()).ok());
  }
  uint16_t sender_port() const { return sender.local_endpoint()->port; }
  void send(const std::vector<uint8_t>& bytes) { REQUIRE(sender.send(bytes).ok()); }

  UdpSocket receive;
  UdpSocket sender;
};

inline std::unique_ptr<PacketSource> source_for(Pair& pair, const UdpSourceOptions& options = {}) {
  auto source = make_udp_source(pair.receive, options);
  REQUIRE(source.ok());
  return std::move(*source);
}

inline std::vector<uint8_t> numbered(uint32_t number, size_t size) {
  std::vector<uint8_t> bytes(size, static_cast<uint8_t>(number * 7));
  std::memcpy(bytes.data(), &number, sizeof number);
  return bytes;
}

}  // namespace gw::test
