// One AF_XDP socket: the packets of one receive queue of an interface, in memory of ours (its "UMEM") that
// the kernel or the NIC fills. Purpose: chunks go to the kernel through the fill ring and come back with
// packets through the receive ring; a packet larger than a chunk comes in several. Whatever the rings say is
// checked. Thread: receive thread only. Owner: the source.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "net/descriptor.h"

struct xdp_desc;

namespace gw {

struct XdpSocketOptions {
  int interface_index = 0;
  uint32_t queue = 0;
  uint32_t frame_bytes = 1514;  // of the largest frame
  uint64_t memory_bytes = 4 << 20;
  bool zero_copy = false;  // ask for it; refused by drivers that cannot
};

// Bytes of a frame that one chunk holds, at most: larger ones need Linux 6.6.
constexpr uint32_t kXdpLargestChunk = 4096 - 256;

class XdpSocket {
 public:
  struct Piece {
    uint8_t* data = nullptr;
    uint32_t size = 0;
    bool more = false;  // the packet goes on in the next piece
  };

  XdpSocket() = default;
  ~XdpSocket();
  XdpSocket(const XdpSocket&) = delete;
  XdpSocket& operator=(const XdpSocket&) = delete;

  Status open(const XdpSocketOptions& options);
  int fd() const { return fd_.get(); }
  uint64_t memory_bytes() const { return memory_bytes_; }

  // Pieces that are there and were not taken yet.
  uint32_t available();
  // The next of them; its memory is ours until release().
  Piece next();
  // Gives back everything that was taken.
  void release();
  uint64_t drops() const;

 private:
  struct Ring {
    uint32_t* producer = nullptr;
    uint32_t* consumer = nullptr;
    void* entries = nullptr;
    void* mapping = nullptr;
    size_t mapped = 0;
  };
  Status map(Ring& ring, uint64_t which, size_t entry_bytes, uint64_t producer, uint64_t consumer,
             uint64_t entries);
  Status map_rings();

  Descriptor fd_;
  uint8_t* memory_ = nullptr;
  uint64_t memory_bytes_ = 0;
  uint32_t chunk_bytes_ = 0;
  uint32_t chunks_ = 0;  // a power of two; so are the rings
  Ring receive_, fill_;
  uint32_t taken_ = 0;          // receive ring: entries ever taken
  uint32_t filled_ = 0;         // fill ring: entries ever put
  std::vector<uint64_t> held_;  // chunks that are ours; never more than there are
};

}  // namespace gw
