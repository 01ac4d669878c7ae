// Packets from a UDP socket. Purpose: the receive engine on a kernel socket; one implementation per system:
//   Linux    recvmmsg, UDP_GRO, SO_RXQ_OVFL
//   Windows  registered I/O, else WSARecvMsg, with receive coalescing; the system counts no drops of a socket
//   macOS    recvmsg_x, else recvmsg; the system counts no drops of a socket
// Thread: read() on the receive thread; interrupt() any. Owner: the stream; the socket is borrowed, must stay
// open, and nobody else may wait for it.
#pragma once

#include <memory>
#include <optional>

#include "base/status.h"
#include "net/packet_source.h"
#include "net/socket.h"

namespace gw {

struct UdpSourceOptions {
  uint32_t batch = 64;           // datagrams per system call
  uint32_t max_datagram = 9216;  // bytes of UDP payload that fit; longer ones come back truncated
  // As given; nullopt: aggregated where the kernel does that, else scattered where packets are large enough
  // for it to save something, else copied.
  std::optional<Manner> manner = std::nullopt;
  uint32_t packet_bytes = 0;  // UDP payload of the stream's full packets; 0: unknown
  uint32_t busy_poll_us = 0;  // to ask the socket again and again before sleeping; interrupt() waits as long
};

Result<std::unique_ptr<PacketSource>> make_udp_source(UdpSocket& socket, const UdpSourceOptions& options);

}  // namespace gw
