#include "sim/resend_history.h"

#include <algorithm>

namespace gw::sim {

ResendHistory::ResendHistory(uint32_t answerable) : answerable_(answerable) {
  ring_.resize(std::max<size_t>(answerable, kMinimum));
}

ResendHistory::Entry& ResendHistory::push(Block block) {
  Entry& entry = ring_[next_];
  next_ = (next_ + 1) % ring_.size();
  count_ = std::min(count_ + 1, ring_.size());
  entry.block = std::move(block);
  entry.next_packet = 0;
  entry.attempts.clear();
  return entry;
}

ResendHistory::Entry* ResendHistory::find_within(uint64_t block_id, size_t newest_n) {
  // Requests are nearly always for the newest or the one before it, so walking back is short.
  for (size_t back = 1; back <= std::min(newest_n, count_); ++back) {
    Entry& entry = ring_[(next_ + ring_.size() - back) % ring_.size()];
    if (entry.block.id == block_id) return &entry;
  }
  return nullptr;
}

ResendHistory::Entry* ResendHistory::find(uint64_t block_id) { return find_within(block_id, count_); }
ResendHistory::Entry* ResendHistory::find_answerable(uint64_t block_id) {
  return find_within(block_id, answerable_);
}

ResendHistory::Entry* ResendHistory::newest() {
  return count_ == 0 ? nullptr : &ring_[(next_ + ring_.size() - 1) % ring_.size()];
}

void ResendHistory::clear() {
  count_ = 0;
  next_ = 0;
}

}  // namespace gw::sim
