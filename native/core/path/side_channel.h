// What the receive thread says to the camera. Purpose: lets the packet path ask for packets and hold
// firewalls open without knowing sockets. Thread: receive thread; an implementation must not block, lock or
// allocate.
#pragma once

#include <cstdint>

#include "wire/gvcp.h"

namespace gw {

class SideChannel {
 public:
  virtual ~SideChannel() = default;
  virtual void request_resend(const gvcp::Resend& resend) = 0;
  virtual void keep_alive() = 0;  // one datagram from the stream socket to the camera's stream port
  virtual void stream_alive(uint64_t now_ns) = 0;  // packets of the camera came
};

}  // namespace gw
