// Two sockets on 127.0.0.1 and a source on one of them. Purpose: what the tests of the receive engine share.
// Thread: one, but for interrupt().
#pragma once

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "net/udp_source.h"

namespace gw::test {

inline uint64_t now() { return SteadyClock::instance().now_ns(); }

// A receiving and a sending socket on 127.0.0.1.
class Pair {
 public:
  explicit Pair(int receive_buffer = 0)
      : receive(::socket(AF_INET, SOCK_DGRAM, 0)), send_(::socket(AF_INET, SOCK_DGRAM, 0)) {
    REQUIRE(receive >= 0);
    REQUIRE(send_ >= 0);
    if (receive_buffer != 0) {
      REQUIRE(::setsockopt(receive, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer) == 0);
    }
    bind(receive);
    bind(send_);
    REQUIRE(::connect(send_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) == 0);
  }
  ~Pair() {
    ::close(receive);
    ::close(send_);
  }
  uint16_t sender_port() const { return port_of(send_); }
  void send(const std::vector<uint8_t>& bytes) const {
    REQUIRE(::send(send_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  }
  // Several packets in one call, as a NIC hands them over: UDP_SEGMENT.
  void send_together(const std::vector<uint8_t>& bytes, uint16_t segment) const {
    iovec part{const_cast<uint8_t*>(bytes.data()), bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof segment)] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_UDP;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof segment);
    std::memcpy(CMSG_DATA(header), &segment, sizeof segment);
    REQUIRE(::sendmsg(send_, &message, 0) == static_cast<ssize_t>(bytes.size()));
  }
  const int receive;

 private:
  void bind(int fd) {
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd, reinterpret_cast<sockaddr*>(&local), sizeof local) == 0);
    if (fd != receive) return;
    address_ = local;
    address_.sin_port = htons(port_of(fd));
  }
  static uint16_t port_of(int fd) {
    sockaddr_in name{};
    socklen_t size = sizeof name;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) == 0);
    return ntohs(name.sin_port);
  }
  const int send_;
  sockaddr_in address_{};
};

inline std::unique_ptr<PacketSource> source_for(const Pair& pair, const UdpSourceOptions& options = {}) {
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
