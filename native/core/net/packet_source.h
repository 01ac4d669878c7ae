// Where packets come from. Purpose: the seam between sockets and the packet path: a source hands over batches
// of datagrams, from the kernel, from memory, later from a packet ring. Thread: read() on the receive thread
// only; interrupt() from any. Owner: the Receiver's creator.
#pragma once

#include <cstdint>
#include <span>

namespace gw {

struct PacketView {
  const uint8_t* data = nullptr;  // valid until the next read()
  uint32_t size = 0;              // bytes in data
  uint32_t source_address = 0;    // host order
  uint16_t source_port = 0;
  bool truncated = false;  // the datagram was larger than the buffer
};

struct ReadResult {
  size_t count = 0;
  bool more = false;    // the batch was full: there may be more waiting
  bool failed = false;  // the source is unusable; error is an errno
  int error = 0;
};

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  // Waits until a packet is there, interrupt() was called, or the monotonic time deadline_ns has come (0: no
  // waiting). Never allocates and never throws. count == 0 and !failed: time came, or interrupted.
  virtual ReadResult read(std::span<PacketView> batch, uint64_t deadline_ns) = 0;
  virtual void interrupt() = 0;
  // Datagrams which the kernel dropped since the source was opened because the receive queue was full.
  virtual uint64_t kernel_drops() const = 0;
  // Asks for that number now, where it otherwise comes with the packets: none may follow the last drop.
  virtual void refresh_kernel_drops() {}
};

}  // namespace gw
