// Asks whether a datagram of the camera would reach the stream's UDP socket. Purpose: XDP takes the stream
// away in front of the firewall, so that nothing of it tells; a test packet of our own, put into the receive
// path behind the XDP programs, does. Thread: any; blocks for 50 ms at most. The socket must be read by
// nobody meanwhile; what is in its queue is thrown away.
#pragma once

#include <array>
#include <cstdint>

#include "net/socket.h"

namespace gw {

enum class Reach : uint8_t {
  kReached,
  kDropped,
  kUnknown,  // the kernel puts nothing there for us
};

struct ReachQuestion {
  int socket = -1;  // bound to `local`
  int interface_index = 0;
  std::array<uint8_t, 6> hardware_address{};  // of the interface
  Endpoint camera;
  Endpoint local;
};

Reach ask_reach(const ReachQuestion& question);

}  // namespace gw
