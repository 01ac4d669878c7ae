// The memory of a packet ring (TPACKET_V2 with a virtio-net header in front of each packet), without the
// socket. Purpose: the walk along the slots that the kernel fills and we give back, on any memory, so that it
// can be tested without privileges. Whatever a slot says about itself is checked. Thread: receive thread
// only. Owner: the source.
#pragma once

#include <cstdint>
#include <optional>

namespace gw {

struct RingGeometry {
  uint32_t slot_bytes = 0;
  uint32_t slots_per_block = 0;
  uint32_t block_bytes = 0;
  uint32_t blocks = 0;

  uint32_t slots() const { return slots_per_block * blocks; }
  uint64_t bytes() const { return uint64_t{block_bytes} * blocks; }
};

// Slots for IP packets of so many bytes, in at most queue_bytes, but never fewer than one read may hold.
RingGeometry ring_geometry(uint32_t packet_size, uint64_t queue_bytes);

// From the virtio-net header.
struct Offload {
  bool checksum_done = false;  // verified below, or not filled in because the packet never was on a wire
  uint32_t segment = 0;        // not 0: several datagrams in one, each of so many bytes but the last
};
constexpr uint32_t kOffloadBytes = 10;
Offload parse_offload(const uint8_t* header);

struct RingSlot {
  uint8_t* data = nullptr;  // the frame, from its Ethernet header on
  uint32_t size = 0;        // bytes that are here; 0 also where the slot makes no sense
  uint32_t length = 0;      // bytes that there were
  bool queued = false;      // too long for a slot: all of it is the next message of the socket
  bool losing = false;      // packets were dropped since the count was asked for
  Offload offload;
};

class RingWalk {
 public:
  RingWalk(uint8_t* memory, const RingGeometry& geometry) : memory_(memory), geometry_(geometry) {}

  // The next slot that the kernel has filled; it is ours until release().
  std::optional<RingSlot> next();
  // Gives slots back to the kernel, but for the last `keep` of them.
  void release(uint32_t keep);
  uint32_t held() const { return held_; }

 private:
  uint8_t* slot(uint32_t index) const {
    return memory_ + size_t{index / geometry_.slots_per_block} * geometry_.block_bytes +
           size_t{index % geometry_.slots_per_block} * geometry_.slot_bytes;
  }

  uint8_t* const memory_;
  const RingGeometry geometry_;
  uint32_t first_ = 0;  // oldest slot that is ours
  uint32_t held_ = 0;
};

}  // namespace gw
