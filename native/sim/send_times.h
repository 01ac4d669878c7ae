// When the last packet of each block was given to the system, on the host's monotonic clock. Purpose: how
// long a frame takes from there to its reader can be measured without a mark in the picture. Thread: noted by
// the stream thread, read by any. Owner: StreamSender.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace gw::sim {

class SendTimes {
 public:
  struct Entry {
    uint64_t block_id;
    uint64_t time_ns;
  };

  // Remembers so many blocks, the newest; 0: none, and nothing is spent.
  explicit SendTimes(size_t capacity) : capacity_(capacity) {
    entries_.reserve(capacity);
    ended_.reserve(capacity != 0 ? kEndedReserve : 0);
  }

  bool wanted() const { return capacity_ != 0; }

  // Stream thread. The last packet of this block is in the batch.
  void block_ended(uint64_t block_id) { ended_.push_back(block_id); }
  // Stream thread. The batch is about to be sent.
  bool due() const { return !ended_.empty(); }
  void sending(uint64_t now_ns) {
    const std::lock_guard lock(mutex_);
    for (const uint64_t id : ended_) {
      if (entries_.size() < capacity_) {
        entries_.push_back({id, now_ns});
      } else {
        entries_[next_] = {id, now_ns};
        next_ = (next_ + 1) % capacity_;
      }
    }
    ended_.clear();
  }

  std::vector<Entry> copy() const {  // in no order
    const std::lock_guard lock(mutex_);
    return entries_;
  }

 private:
  static constexpr size_t kEndedReserve = 256;  // blocks that share one batch

  const size_t capacity_;
  std::vector<uint64_t> ended_;  // the stream thread's own
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;  // under mutex_, as next_
  size_t next_ = 0;
};

}  // namespace gw::sim
