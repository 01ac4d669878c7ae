#include "path/slot_pool.h"

#include <atomic>
#include <bit>
#include <cstring>

namespace gw {

namespace {

constexpr uint64_t round_up(uint64_t value, uint64_t step) { return (value + step - 1) / step * step; }

std::atomic_ref<uint32_t> atomic(uint32_t& word) { return std::atomic_ref<uint32_t>(word); }

}  // namespace

ControlLayout control_layout(uint32_t slots, uint64_t payload_bytes, uint32_t packet_data_size) {
  if (slots == 0 || slots > kMaxSlots || payload_bytes == 0 || payload_bytes > kMaxPayload) return {};
  ControlLayout l;
  l.slot_count = slots;
  l.ring_capacity = std::bit_ceil(slots);
  l.slot_capacity = payload_bytes;
  l.slot_stride = round_up(payload_bytes, kPage);
  // Cameras may use smaller packets than they were asked to; below 512 bytes of data nothing sensible
  // remains.
  const uint64_t smallest = packet_data_size != 0 && packet_data_size < 512 ? packet_data_size : 512;
  const uint64_t bits = payload_bytes / smallest + 3;
  l.map_bits = static_cast<uint32_t>(bits);
  l.map_stride = static_cast<uint32_t>(round_up((bits + 7) / 8, 64));
  uint64_t at = sizeof(ControlHeader);
  l.stats_offset = static_cast<uint32_t>(at);
  at += kStatsPageSize;
  l.events_offset = static_cast<uint32_t>(at);
  at += sizeof(EventEntry) * kEventCapacity;
  l.slots_offset = static_cast<uint32_t>(at);
  at += sizeof(SlotHeader) * static_cast<uint64_t>(slots);
  l.ring_offset = static_cast<uint32_t>(at);
  at = round_up(at + sizeof(uint32_t) * static_cast<uint64_t>(l.ring_capacity), 64);
  const uint64_t maps = at;
  at += static_cast<uint64_t>(l.map_stride) * slots;
  if (at > UINT32_MAX) return {};
  l.maps_offset = static_cast<uint32_t>(maps);
  l.data_offset = round_up(at, kPage);
  l.total_size = l.data_offset + l.slot_stride * slots;
  return l;
}

SlotPool::SlotPool(uint8_t* memory, const ControlLayout& layout)
    : layout_(layout),
      header_(reinterpret_cast<ControlHeader*>(memory)),
      stats_(reinterpret_cast<StatsPage*>(memory + layout.stats_offset)),
      events_(reinterpret_cast<EventEntry*>(memory + layout.events_offset)),
      slots_(reinterpret_cast<SlotHeader*>(memory + layout.slots_offset)),
      ring_(reinterpret_cast<uint32_t*>(memory + layout.ring_offset)),
      maps_(memory + layout.maps_offset),
      data_(memory + layout.data_offset) {
  std::memset(memory, 0, layout.total_size);
  header_->version = kControlVersion;
  header_->slot_count = layout.slot_count;
  header_->ring_capacity = layout.ring_capacity;
  header_->slot_capacity = layout.slot_capacity;
  header_->slot_stride = layout.slot_stride;
  header_->data_offset = layout.data_offset;
  header_->total_size = layout.total_size;
  header_->stats_offset = layout.stats_offset;
  header_->events_offset = layout.events_offset;
  header_->slots_offset = layout.slots_offset;
  header_->ring_offset = layout.ring_offset;
  header_->maps_offset = layout.maps_offset;
  header_->map_stride = layout.map_stride;
  header_->map_bits = layout.map_bits;
  stats_->count = kCounterCount;
  header_->magic = kControlMagic;
}

std::optional<uint32_t> SlotPool::acquire() {
  for (uint32_t tried = 0; tried < layout_.slot_count; ++tried) {
    const uint32_t index = next_free_;
    next_free_ = next_free_ + 1 == layout_.slot_count ? 0 : next_free_ + 1;
    const uint32_t word = atomic(slots_[index].state).load(std::memory_order_acquire);
    if ((word & kSlotStateMask) != kSlotFree) continue;
    drop_stale_entry(index);
    atomic(slots_[index].state)
        .store(((word & ~kSlotStateMask) + kSlotGenerationStep) | kSlotFilling, std::memory_order_relaxed);
    atomic(slots_[index].holder).store(0, std::memory_order_relaxed);
    return index;
  }
  return std::nullopt;
}

void SlotPool::set_slot_state(uint32_t index, SlotState state) {
  auto word = atomic(slots_[index].state);
  word.store((word.load(std::memory_order_relaxed) & ~kSlotStateMask) | state, std::memory_order_release);
}

void SlotPool::make_ready(uint32_t index) {
  const uint32_t word = atomic(slots_[index].state).load(std::memory_order_relaxed);
  // Release: who sees the claim sees the frame, and that its former entry has left the ring.
  atomic(slots_[index].holder).store(kUnclaimed | word >> 2, std::memory_order_release);
  set_slot_state(index, kSlotReady);
  auto head = atomic(header_->ring_head);
  const uint32_t at = head.load(std::memory_order_relaxed);
  // Never full: only READY slots are in the ring, and it has room for all of them.
  atomic(ring_[at & (layout_.ring_capacity - 1)]).store(index, std::memory_order_relaxed);
  head.store(at + 1, std::memory_order_release);
}

void SlotPool::give_back(uint32_t index) { set_slot_state(index, kSlotFree); }

// Any thread may end at any point in here, since workers are terminated. So the claim on the slot decides, in
// one step, who has the frame and who is known to have it; the tail only follows, moved on by whoever comes
// next.
std::optional<uint32_t> SlotPool::pop_ring(uint32_t holder) {
  auto tail = atomic(header_->ring_tail);
  uint32_t at = tail.load(std::memory_order_acquire);
  for (;;) {
    const uint32_t waiting = atomic(header_->ring_head).load(std::memory_order_acquire) - at;
    if (waiting == 0) return std::nullopt;
    if (waiting > layout_.ring_capacity) {
      // The tail went on since it was read; or somebody wrote nonsense into it, and walking through that
      // would take for ever.
      const uint32_t again = tail.load(std::memory_order_acquire);
      if (again == at) return std::nullopt;
      at = again;
      continue;
    }
    const uint32_t index = atomic(ring_[at & (layout_.ring_capacity - 1)]).load(std::memory_order_relaxed);
    const bool sane = index < layout_.slot_count;
    uint32_t claim = sane ? atomic(slots_[index].holder).load(std::memory_order_acquire) : 0;
    // While the tail stands, the entry and the claim belong together: no slot is filled anew before it has
    // left the ring.
    if (const uint32_t now = tail.load(std::memory_order_acquire); now != at) {
      at = now;
      continue;
    }
    const bool mine =
        (claim & kUnclaimed) != 0 &&
        atomic(slots_[index].holder)
            .compare_exchange_strong(claim, holder, std::memory_order_acq_rel, std::memory_order_acquire);
    if (tail.compare_exchange_strong(at, at + 1, std::memory_order_acq_rel, std::memory_order_acquire)) ++at;
    if (mine) return index;
    if (!sane) return std::nullopt;
  }
}

// Whoever took this slot was ended before it moved the tail.
void SlotPool::drop_stale_entry(uint32_t index) {
  auto tail = atomic(header_->ring_tail);
  uint32_t at = tail.load(std::memory_order_acquire);
  if (atomic(header_->ring_head).load(std::memory_order_relaxed) == at) return;
  if (atomic(ring_[at & (layout_.ring_capacity - 1)]).load(std::memory_order_relaxed) != index) return;
  tail.compare_exchange_strong(at, at + 1, std::memory_order_acq_rel, std::memory_order_relaxed);
}

bool SlotPool::reclaim_oldest() {
  const auto index = pop_ring(0);
  if (index) set_slot_state(*index, kSlotFree);
  return index.has_value();
}

std::optional<SlotPool::Lease> SlotPool::take() {
  const auto index = pop_ring(0);
  if (!index) return std::nullopt;
  set_slot_state(*index, kSlotLeased);
  atomic(header_->frames_taken).fetch_add(1, std::memory_order_relaxed);
  return Lease{*index, atomic(slots_[*index].state).load(std::memory_order_relaxed)};
}

bool SlotPool::release(const Lease& lease) {
  if (lease.slot >= layout_.slot_count) return false;
  uint32_t expected = lease.word;
  return (lease.word & kSlotStateMask) == kSlotLeased &&
         atomic(slots_[lease.slot].state)
             .compare_exchange_strong(expected, (lease.word & ~kSlotStateMask) | kSlotFree,
                                      std::memory_order_acq_rel, std::memory_order_relaxed);
}

void SlotPool::release_all_of(uint32_t holder) {
  for (uint32_t index = 0; index < layout_.slot_count; ++index) {
    const uint32_t word = atomic(slots_[index].state).load(std::memory_order_acquire);
    const bool theirs = atomic(slots_[index].holder).load(std::memory_order_relaxed) == holder;
    if (!theirs) continue;
    // The word is compared again: a slot that went on meanwhile is left alone.
    uint32_t expected = word;
    const uint32_t state = word & kSlotStateMask;
    if (state == kSlotLeased || state == kSlotReady) {
      const bool freed = atomic(slots_[index].state)
                             .compare_exchange_strong(expected, (word & ~kSlotStateMask) | kSlotFree,
                                                      std::memory_order_acq_rel, std::memory_order_relaxed);
      // Claimed, and ended before it was counted.
      if (freed && state == kSlotReady) atomic(header_->frames_taken).fetch_add(1, std::memory_order_relaxed);
    }
  }
}

void SlotPool::push_event(StreamEvent kind, uint64_t block_id, uint32_t a, uint32_t b, uint64_t now_ns,
                          uint64_t& lost) {
  auto head = atomic(header_->event_head);
  const uint32_t at = head.load(std::memory_order_relaxed);
  if (at - atomic(header_->event_tail).load(std::memory_order_acquire) >= kEventCapacity) {
    ++lost;
    return;
  }
  events_[at % kEventCapacity] = {kind, a, b, 0, block_id, now_ns};
  head.store(at + 1, std::memory_order_release);
}

void SlotPool::set_state(StreamState state, int error) {
  header_->fail_errno = static_cast<uint32_t>(error);
  atomic(header_->stream_state).store(state, std::memory_order_release);
}

}  // namespace gw
