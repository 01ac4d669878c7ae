// The blocks that can still be asked for. Purpose: a ring of recent blocks; they hold no pixels, since those
// are a function of the block. Thread: the stream thread. Owner: StreamSender.
#pragma once

#include <unordered_map>
#include <vector>

#include "sim/packetizer.h"

namespace gw::sim {

class ResendHistory {
 public:
  struct Entry {
    Block block;
    uint32_t next_packet = 0;                         // ids below it were sent (or lost) already
    std::unordered_map<uint32_t, uint32_t> attempts;  // by packet id: how often it was resent
  };

  // Keeps `answerable` blocks for resends. The ring itself never holds less than kMinimum: packets that wait
  // to be sent (delayed, batched) live in it too.
  explicit ResendHistory(uint32_t answerable);

  Entry& push(Block block);        // forgets the oldest; references to the kMinimum newest stay valid
  Entry* find(uint64_t block_id);  // the newest with that id, among all that the ring holds
  Entry* find_answerable(uint64_t block_id);
  Entry* newest();
  void clear();

  static constexpr size_t kMinimum = 512;

 private:
  Entry* find_within(uint64_t block_id, size_t newest_n);

  std::vector<Entry> ring_;
  size_t next_ = 0, count_ = 0;
  uint32_t answerable_;
};

}  // namespace gw::sim
