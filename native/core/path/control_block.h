// THE shared-memory layout: header, statistics, events, slots, ready ring, missing-packet maps, frame data.
// Purpose: one block of memory through which the receive thread and any consumer (JavaScript, a worker, later
// another process) hand frames to and fro. Mirrored in lib/layout.ts; a test compares the two. Threads: each
// word names its writer. Words marked "atomic" are only touched through std::atomic_ref here and Atomics in
// JavaScript. Nothing in it is trusted by the receive thread: it keeps its own copy of every size and offset.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gw {

constexpr uint32_t kControlMagic = 0x42435747;  // "GWCB" in memory
constexpr uint32_t kControlVersion = 2;
constexpr uint64_t kPage = 4096;

enum SlotState : uint32_t { kSlotFree = 0, kSlotFilling = 1, kSlotReady = 2, kSlotLeased = 3 };
constexpr uint32_t kSlotStateMask = 0x3;
constexpr uint32_t kSlotGenerationStep = 0x4;  // state word = generation << 2 | state

enum StreamState : uint32_t { kStreamIdle = 0, kStreamRunning = 1, kStreamEnded = 2, kStreamFailed = 3 };

struct ControlHeader {
  uint32_t magic;
  uint32_t version;
  uint32_t slot_count;
  uint32_t ring_capacity;  // power of two, >= slot_count
  uint64_t slot_capacity;  // payload bytes a slot can hold
  uint64_t slot_stride;    // bytes from slot to slot, a multiple of the page size
  uint64_t data_offset;    // all offsets from the start of the block
  uint64_t total_size;
  uint32_t stats_offset;
  uint32_t events_offset;
  uint32_t slots_offset;
  uint32_t ring_offset;
  uint32_t maps_offset;
  uint32_t map_stride;  // bytes of one slot's packet map
  uint32_t map_bits;    // packet ids a map can hold, leader and trailer included
  uint32_t reserved0[13];
  // Written by the receive thread.
  uint32_t ring_head;     // atomic; entries ever pushed
  uint32_t stream_state;  // atomic; StreamState
  uint32_t fail_errno;
  uint32_t event_head;  // atomic; events ever pushed
  uint32_t reserved1[12];
  // Written by consumers (and by the receive thread where the policy reclaims the oldest frame).
  uint32_t ring_tail;     // atomic; entries ever taken
  uint32_t frames_taken;  // atomic; taken by consumers only
  uint32_t event_tail;    // atomic; one consumer: the stream's owner
  uint32_t reserved2[13];
};
static_assert(offsetof(ControlHeader, ring_head) == 128);
static_assert(offsetof(ControlHeader, ring_tail) == 192);
static_assert(sizeof(ControlHeader) == 256);

enum SlotFlags : uint32_t { kFrameComplete = 1, kFrameExtendedIds = 2, kFrameExplicitOffsets = 4 };

// Written by the receive thread while FILLING, read by the consumer while LEASED.
struct SlotHeader {
  uint32_t state;  // atomic
  uint32_t flags;
  uint64_t block_id;
  uint64_t timestamp;  // camera ticks
  uint64_t
      host_time_ns;  // monotonic; arrival of the leader (of the first packet, where the leader came later)
  uint64_t ready_time_ns;
  uint64_t payload_bytes;  // valid bytes from the start of the slot
  uint32_t payload_type;
  uint32_t pixel_format;
  uint32_t width;
  uint32_t height;
  uint32_t offset_x;
  uint32_t offset_y;
  uint32_t padding_x;
  uint32_t padding_y;
  uint32_t packets_expected;  // leader and trailer included
  uint32_t packets_received;
  uint32_t packets_resent;
  uint32_t data_size;  // payload bytes of a full packet: packet id i starts at (i - 1) * data_size
  uint32_t chunk_length;
  uint32_t chunk_layout;
  uint32_t sequence;  // counts frames handed over by this stream
  uint32_t trailer_status;
  // atomic; whose READY frame it is. With the top bit: nobody's yet, and the rest is the generation. Whoever
  // puts its number here has the frame (0: the stream's owner, and the receive thread where it reclaims).
  uint32_t holder;
  uint32_t reserved[3];
};
constexpr uint32_t kUnclaimed = 0x80000000;
static_assert(offsetof(SlotHeader, payload_type) == 48);
static_assert(offsetof(SlotHeader, trailer_status) == 108);
static_assert(sizeof(SlotHeader) == 128);

enum StreamEvent : uint32_t {
  kEventIncomplete = 1,  // block dropped: a = packets missing, b = packets expected
  kEventStarved = 2,     // block dropped: no free slot
  kEventMissed = 3,      // a = blocks of which no packet arrived, block_id = the first of them
  // Once each, about the way the packets come: net/packet_source.h.
  kEventFragments = 4,
  kEventFirewallBypassed = 5,
};
constexpr uint32_t kEventCapacity = 64;
struct EventEntry {
  uint32_t kind;
  uint32_t a;
  uint32_t b;
  uint32_t reserved;
  uint64_t block_id;
  uint64_t time_ns;
};
static_assert(sizeof(EventEntry) == 32);

// Sizes and offsets of one block for given needs. Pure arithmetic, checked for overflow: 0 slots = does not
// fit.
struct ControlLayout {
  uint32_t slot_count = 0;
  uint32_t ring_capacity = 0;
  uint64_t slot_capacity = 0;
  uint64_t slot_stride = 0;
  uint32_t stats_offset = 0;
  uint32_t events_offset = 0;
  uint32_t slots_offset = 0;
  uint32_t ring_offset = 0;
  uint32_t maps_offset = 0;
  uint32_t map_stride = 0;
  uint32_t map_bits = 0;
  uint64_t data_offset = 0;
  uint64_t total_size = 0;
};
constexpr uint32_t kMaxSlots = 4096;
constexpr uint64_t kMaxPayload = 1ULL << 31;
ControlLayout control_layout(uint32_t slots, uint64_t payload_bytes, uint32_t packet_data_size);

}  // namespace gw
