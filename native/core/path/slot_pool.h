// The pool of frame slots over the caller's memory. Purpose: slot states, and the ring of finished frames.
// Slot life: FREE -> FILLING -> READY -> LEASED -> FREE, one atomic word each, with a generation that changes
// every time a slot is filled anew, so that a stale lease can never release or read somebody else's frame.
// Threads: acquire, ready and reclaim on the receive thread; take and release on any consumer. No locks
// anywhere. Owner: whoever owns the memory; it must outlive the pool.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "path/control_block.h"
#include "path/stream_stats.h"

namespace gw {

class SlotPool {
 public:
  // Writes the header and clears states; touches every page of the frame data, since a first page fault in
  // the middle of a frame costs packets. memory must be layout.total_size bytes, 64-byte aligned.
  SlotPool(uint8_t* memory, const ControlLayout& layout);

  const ControlLayout& layout() const { return layout_; }
  ControlHeader& header() const { return *header_; }
  StatsPage& stats() const { return *stats_; }

  // Receive thread. FREE -> FILLING; nullopt when no slot is free.
  std::optional<uint32_t> acquire();
  SlotHeader& slot(uint32_t index) const { return slots_[index]; }
  uint8_t* data(uint32_t index) const { return data_ + layout_.slot_stride * index; }
  uint8_t* packet_map(uint32_t index) const {
    return maps_ + static_cast<size_t>(layout_.map_stride) * index;
  }
  void make_ready(uint32_t index);  // FILLING -> READY, and into the ring
  void give_back(uint32_t index);   // FILLING -> FREE
  // READY -> FREE: takes the oldest frame that nobody has taken yet back from the ring. false when there is
  // none.
  bool reclaim_oldest();
  void push_event(StreamEvent kind, uint64_t block_id, uint32_t a, uint32_t b, uint64_t now_ns,
                  uint64_t& lost);
  void set_state(StreamState state, int error = 0);

  // Consumers. READY -> LEASED; the state word taken is the lease.
  struct Lease {
    uint32_t slot;
    uint32_t word;
  };
  std::optional<Lease> take();
  bool release(const Lease& lease);  // false: not leased (any more) under that word
  // LEASED -> FREE for all that a consumer held which is gone for good, also where it was ended in a take.
  void release_all_of(uint32_t holder);

 private:
  std::optional<uint32_t> pop_ring(uint32_t holder);
  void drop_stale_entry(uint32_t index);
  void set_slot_state(uint32_t index, SlotState state);

  const ControlLayout layout_;
  ControlHeader* header_;
  StatsPage* stats_;
  EventEntry* events_;
  SlotHeader* slots_;
  uint32_t* ring_;
  uint8_t* maps_;
  uint8_t* data_;
  uint32_t next_free_ = 0;  // receive thread: where to look first
};

}  // namespace gw
