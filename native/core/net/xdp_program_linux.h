// The XDP program of a stream, and its maps, by bpf() alone. Purpose: this stream's packets go to our
// sockets, everything else goes on as if the program were not there: other traffic, but also fragments, IP
// options and tagged frames of the stream, which reach the stream's UDP socket by way of the IP stack; so do
// packets of a queue that has no socket of ours. Thread: any, one at a time. Owner: the source. Its link is a
// descriptor: the program leaves the interface with it, also when the process is killed.
#pragma once

#include <cstdint>

#include "base/status.h"
#include "net/descriptor.h"
#include "net/socket.h"

namespace gw {

class XdpProgram {
 public:
  XdpProgram() = default;
  ~XdpProgram();
  XdpProgram(const XdpProgram&) = delete;
  XdpProgram& operator=(const XdpProgram&) = delete;

  // queues: receive queues of the interface.
  Status load(uint32_t camera_address, const Endpoint& local, uint32_t queues);
  Status set_socket(uint32_t queue, int xdp_socket);
  // In the driver where it can, else above it ("generic").
  Status attach(int interface_index);
  bool native() const { return native_; }
  // First fragments of the stream's datagrams that went by.
  uint64_t fragments() const;

 private:
  Descriptor sockets_;
  Descriptor counter_;
  Descriptor program_;
  Descriptor link_;
  void* count_ = nullptr;
  bool native_ = false;
};

// Puts a datagram into the interface's receive path, behind all XDP programs, as if it had come in from the
// wire. frame: Ethernet. False: this kernel cannot (before Linux 5.18). The IP stack is done with it when
// this returns, unless it steers packets to other processors.
bool inject_frame(int interface_index, const uint8_t* frame, uint32_t size);

}  // namespace gw
