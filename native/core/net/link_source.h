// Packets from below the IP stack. Purpose: the engines that need privileges: they spare the kernel its work
// for each packet, and see what the firewall would have dropped. The stream's UDP socket stays bound, so that
// the port is taken and the camera gets no "port unreachable". Thread: made on any; then as PacketSource
// says. Owner: the stream; the socket is borrowed and must stay open.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/status.h"
#include "net/packet_source.h"
#include "net/socket.h"

namespace gw {

struct LinkSourceOptions {
  UdpSocket& socket;            // bound to `local`
  std::string device;           // NIC that the stream comes in by; empty: the loopback
  uint32_t camera_address = 0;  // host order; nothing else is taken
  uint16_t camera_port = 0;     // its stream port; 0: unknown
  Endpoint local;               // where the stream goes: an address of this machine, or a multicast group
  uint32_t packet_size = 1500;  // bytes of an IP packet
  uint64_t queue_bytes = 4 << 20;
};

// Linux: PACKET_MMAP. Needs CAP_NET_RAW. IP fragments are counted, and lost.
Result<std::unique_ptr<PacketSource>> make_packet_ring_source(const LinkSourceOptions& options);
// Linux 5.9: AF_XDP. Needs CAP_NET_RAW, CAP_NET_ADMIN and CAP_BPF. Not on the loopback.
Result<std::unique_ptr<PacketSource>> make_xdp_source(const LinkSourceOptions& options);

}  // namespace gw
