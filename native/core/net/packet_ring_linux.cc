#include "net/packet_ring_linux.h"

#include <linux/if_packet.h>

#include <algorithm>
#include <atomic>
#include <cstring>

namespace gw {

namespace {

constexpr uint32_t kBlock = 64 * 1024;
constexpr uint32_t kFewestSlots = 1024;
// In front of the IP header, as the kernel lays it out: its own header, the address, room for the link's
// header, and the offload.
constexpr uint32_t kHead = TPACKET_ALIGN(TPACKET2_HDRLEN + 16) + kOffloadBytes;
constexpr uint8_t kNeedsChecksum = 1;
constexpr uint8_t kDataValid = 2;
constexpr uint8_t kSegmentationBits = 0x7F;  // without that for congestion

}  // namespace

RingGeometry ring_geometry(uint32_t packet_size, uint64_t queue_bytes) {
  RingGeometry geometry;
  geometry.slot_bytes = TPACKET_ALIGN(kHead + std::clamp<uint32_t>(packet_size, 64, 65535));
  geometry.block_bytes = kBlock;
  while (geometry.block_bytes / geometry.slot_bytes == 0) geometry.block_bytes *= 2;
  geometry.slots_per_block = geometry.block_bytes / geometry.slot_bytes;
  const uint64_t fewest = (kFewestSlots + geometry.slots_per_block - 1) / geometry.slots_per_block;
  constexpr uint64_t kMostBytes = 1ULL << 30;
  geometry.blocks =
      static_cast<uint32_t>(std::max(fewest, std::min(queue_bytes, kMostBytes) / geometry.block_bytes));
  return geometry;
}

Offload parse_offload(const uint8_t* header) {
  Offload offload;
  offload.checksum_done = (header[0] & (kNeedsChecksum | kDataValid)) != 0;
  uint16_t segment;  // in the machine's order
  std::memcpy(&segment, header + 4, sizeof segment);
  if ((header[1] & kSegmentationBits) != 0) offload.segment = segment;
  return offload;
}

std::optional<RingSlot> RingWalk::next() {
  if (held_ == geometry_.slots()) return std::nullopt;
  uint8_t* const at = slot((first_ + held_) % geometry_.slots());
  auto* const header = reinterpret_cast<tpacket2_hdr*>(at);
  const uint32_t status = std::atomic_ref<uint32_t>(header->tp_status).load(std::memory_order_acquire);
  if ((status & TP_STATUS_USER) == 0) return std::nullopt;
  ++held_;
  RingSlot found;
  found.queued = (status & TP_STATUS_COPY) != 0;
  found.losing = (status & TP_STATUS_LOSING) != 0;
  const uint32_t begin = header->tp_mac;
  const uint32_t size = header->tp_snaplen;
  if (begin < sizeof(tpacket2_hdr) + kOffloadBytes || begin > geometry_.slot_bytes ||
      size > geometry_.slot_bytes - begin) {
    return found;
  }
  found.data = at + begin;
  found.size = size;
  found.length = std::max<uint32_t>(header->tp_len, size);
  found.offload = parse_offload(at + begin - kOffloadBytes);
  return found;
}

void RingWalk::release(uint32_t keep) {
  for (; held_ > keep; --held_) {
    auto* const header = reinterpret_cast<tpacket2_hdr*>(slot(first_));
    std::atomic_ref<uint32_t>(header->tp_status).store(TP_STATUS_KERNEL, std::memory_order_release);
    first_ = (first_ + 1) % geometry_.slots();
  }
}

}  // namespace gw
