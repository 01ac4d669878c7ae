// An event that datagrams set. Purpose: waiting for sockets and other kernel objects at once. Thread: one,
// the owner, which waits. While it lives, no other one may wait for the same sockets.
#pragma once

#include <vector>

#include "net/native_socket.h"

namespace gw {

class ReadEvent {
 public:
  ReadEvent();
  ~ReadEvent();
  ReadEvent(const ReadEvent&) = delete;
  ReadEvent& operator=(const ReadEvent&) = delete;

  bool valid() const noexcept { return event_ != nullptr; }
  // One more socket. What waits in it already sets the event at once; a wait that the event has ended resets
  // it. It is set again by what comes after the next receive, or is left over by it.
  bool select(NativeSocket socket);
  void* handle() const noexcept { return event_; }

 private:
  void* event_;
  std::vector<NativeSocket> sockets_;
};

}  // namespace gw
