// Block ids -> order. Purpose: 16-bit ids that wrap past 0 and 64-bit ids become one sequence that only
// grows, and ids that make no sense are told from a camera that began anew. Thread: receive thread only.
// Owner: BlockAssembler.
#pragma once

#include <cstdint>

namespace gw {

class BlockOrder {
 public:
  static constexpr uint64_t kStart = 1ULL << 40;  // room for blocks older than the first one seen

  void restart(uint64_t block_id, bool extended, uint64_t sequence) {
    id_ = block_id;
    extended_ = extended;
    sequence_ = sequence;
    started_ = true;
  }
  bool started() const { return started_; }
  bool same_layout(bool extended) const { return extended == extended_; }

  // Signed distance of an id from the newest one, in blocks. 16-bit ids live on a ring of 65535: 0 is never
  // used.
  int64_t distance(uint64_t block_id) const {
    if (extended_) return static_cast<int64_t>(block_id - id_);
    const auto forward = static_cast<int64_t>((block_id + 65535 - id_) % 65535);
    return forward > 32767 ? forward - 65535 : forward;
  }
  uint64_t newest() const { return sequence_; }
  void advance(uint64_t block_id, uint64_t by) {
    id_ = block_id;
    sequence_ += by;
  }
  // The id of an older or newer sequence number.
  uint64_t id_of(uint64_t sequence) const {
    const auto delta = static_cast<int64_t>(sequence - sequence_);
    if (extended_) return id_ + static_cast<uint64_t>(delta);
    const int64_t index = (static_cast<int64_t>(id_) - 1 + delta) % 65535;
    return static_cast<uint64_t>(index < 0 ? index + 65535 : index) + 1;
  }
  bool extended() const { return extended_; }

 private:
  uint64_t id_ = 0;
  uint64_t sequence_ = kStart;
  bool extended_ = false;
  bool started_ = false;
};

}  // namespace gw
