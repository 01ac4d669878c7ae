// Whether packets that an engine below the IP stack sees would have reached a socket. Purpose: a firewall
// that drops the stream, and would let any other receiver on this machine starve, is noticed although the
// stream runs. The stream's UDP socket is the witness: it counts each packet that comes through to it. Pure:
// counts and time come from outside. Thread: receive thread only. Owner: the source.
#pragma once

#include <cstdint>

namespace gw {

class FirewallWitness {
 public:
  // seen: packets the engine saw so far. True: worth asking how many reached the socket.
  bool due(uint64_t seen, uint64_t now_ns) const {
    return !bypassed_ && seen - seen_ >= kFewest && now_ns - since_ >= kPause;
  }
  // reached: as the kernel counts it; wraps. What the engine has just seen may not have reached the socket
  // yet: only when it still has not while more came, it never will.
  void note(uint64_t seen, uint32_t reached, uint64_t now_ns) {
    const bool none = started_ && reached == reached_;
    bypassed_ = none && suspected_;
    suspected_ = none;
    started_ = true;
    seen_ = seen;
    reached_ = reached;
    since_ = now_ns;
  }
  bool bypassed() const { return bypassed_; }

 private:
  static constexpr uint64_t kFewest = 16;         // packets
  static constexpr uint64_t kPause = 50'000'000;  // ns

  bool started_ = false;
  bool suspected_ = false;
  bool bypassed_ = false;  // for good: it is told once
  uint64_t seen_ = 0;
  uint32_t reached_ = 0;
  uint64_t since_ = 0;
};

}  // namespace gw
