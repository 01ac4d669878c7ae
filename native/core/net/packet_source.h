// Where packets come from. Purpose: the seam between sockets and the packet path: a source hands over batches
// of datagrams, from the kernel, from memory, later from a packet ring. Thread: read() on the receive thread
// only; interrupt() and manner() from any. Owner: the Receiver's creator.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <span>

namespace gw {

// Where the data of a packet that has not come yet is wanted. A source may put it there at once, and so save
// a copy; what comes may be another packet than the foreseen one.
struct Landing {
  uint8_t* to = nullptr;  // nullptr: anywhere
  uint32_t room = 0;
};
struct LandingPlan {
  std::span<const Landing> landings = {};  // of the next packets in their order
  uint32_t head = 0;                       // bytes in front of the data: the GVSP header
};

struct PacketView {
  uint8_t* data = nullptr;      // the datagram; valid until the next read()
  uint32_t size = 0;            // bytes of it
  uint32_t source_address = 0;  // host order
  uint16_t source_port = 0;
  bool truncated = false;     // the datagram was larger than the buffer
  uint8_t* landed = nullptr;  // where bytes [head, head + landed_size) of it are instead of at data + head
  uint32_t landed_size = 0;
  uint32_t head = 0;

  // Makes the datagram whole at `data`, which has the room.
  void bring_home() {
    if (landed == nullptr) return;
    std::memcpy(data + head, landed, landed_size);
    landed = nullptr;
  }
};

struct ReadRequest {
  // Monotonic time until which to wait for a packet; 0: no waiting.
  uint64_t deadline_ns = 0;
  // Before that: the packets are left to gather for so long.
  uint64_t rest_ns = 0;
  LandingPlan plan = {};
};

struct ReadResult {
  size_t count = 0;
  bool more = false;    // the batch was full: there may be more waiting
  bool failed = false;  // the source is unusable; error is an errno
  int error = 0;
};

// How packets are taken from the kernel at the moment. kRegistered: from memory that the kernel writes to by
// itself (Windows). Of the manners of a UDP socket a system falls back to kCopy from what it has not.
enum class Manner : uint8_t { kCopy, kScatter, kAggregate, kPacketRing, kXdp, kRegistered };

// What a source below the IP stack has found out about the way its packets come. Bits.
enum SourceNotice : uint32_t {
  kNoticeFragments = 1,         // the camera's packets come in IP fragments
  kNoticeFirewallBypassed = 2,  // they would not have reached a socket
};

class PacketSource {
 public:
  virtual ~PacketSource() = default;
  // Waits until a packet is there, interrupt() was called, or the deadline has come. Never allocates and
  // never throws. count == 0 and !failed: time came, or interrupted.
  virtual ReadResult read(std::span<PacketView> batch, const ReadRequest& request) = 0;
  virtual void interrupt() = 0;
  // Datagrams which the kernel dropped since the source was opened because the receive queue was full. 0
  // where the system has no such count: on Windows and macOS.
  virtual uint64_t kernel_drops() const = 0;
  // Asks for that number now, where it otherwise comes with the packets: none may follow the last drop.
  virtual void refresh_kernel_drops() {}
  virtual Manner manner() const { return Manner::kCopy; }
  // A descriptor that poll() finds readable while packets wait, so that one thread can serve several sources;
  // -1: there is none, and the source needs a thread that waits in read().
  virtual int readable_fd() const { return -1; }
  // Which kind of it the system granted, where there are several; as lib/types.ts has it.
  virtual const char* mode() const { return ""; }
  // Room for packets that wait to be read; 0: the socket's own.
  virtual uint64_t queue_bytes() const { return 0; }
  // Datagrams that came in IP fragments, which this source does not put together: lost. Receive thread.
  virtual uint64_t fragments() const { return 0; }
  // SourceNotice bits; what is set stays set. Receive thread.
  virtual uint32_t notices() const { return 0; }
};

// What a source that scatters does for one datagram: the head to `view.data`, as much as fits to the landing,
// and the rest behind the gap that is left for it. Sources in memory and tests use it.
inline void land(PacketView& view, std::span<const uint8_t> datagram, const Landing& landing, uint32_t head) {
  const auto at = [&](uint8_t* to, size_t from, size_t size) {
    if (size != 0) std::memcpy(to, datagram.data() + from, size);
  };
  if (landing.to == nullptr || datagram.size() <= head) return at(view.data, 0, datagram.size());
  const size_t fits = std::min<size_t>(datagram.size() - head, landing.room);
  at(view.data, 0, head);
  at(landing.to, head, fits);
  at(view.data + head + fits, head + fits, datagram.size() - head - fits);
  view.landed = landing.to;
  view.landed_size = static_cast<uint32_t>(fits);
  view.head = head;
}

}  // namespace gw
