// How long the receive thread leaves the socket alone. Purpose: many packets for each time it wakes up, where
// each of them alone would wake it; waking costs more than receiving. What it adds to a frame's latency is
// bounded, and is less where the end of the block can be foreseen. Pure: time and progress come from outside.
// Thread: receive thread only. Owner: Receiver. Figures: reference page "performance", section 3.2.
#pragma once

#include <algorithm>
#include <cstdint>

namespace gw {

// How far the newest block is.
struct BlockProgress {
  uint64_t block_id = 0;
  bool ended = true;        // nothing more is expected of it
  uint32_t received = 0;    // packets
  uint32_t expected = 0;    // packets
  uint64_t first_time = 0;  // of its first packet
};

class WakePacing {
 public:
  // longest_ns: most that a packet may be kept waiting, 0: never. queue_bytes: room of the socket's queue.
  WakePacing(uint64_t longest_ns, uint64_t queue_bytes) : longest_(longest_ns), queue_bytes_(queue_bytes) {}

  // After a read that brought `bytes` in `packets` (0: nothing came): how long to rest before the next one.
  // company: streams whose packets wake the same thread, this one included.
  uint64_t rest(const BlockProgress& progress, uint64_t packets, uint64_t bytes, bool more, uint64_t now_ns,
                uint32_t company = 1) {
    if (longest_ == 0) return 0;
    note_block(progress);
    note_progress(progress, now_ns);
    charged_ += bytes * kTruesizePerByte + packets * kTruesizePerPacket;
    // Nothing came while it rested, or more is there already: the socket itself says when to go on.
    if (packets == 0 || more) return 0;
    note_pace(now_ns);
    const uint64_t most = std::min(longest_, fill_time_);
    // Blocks that follow each other within the time that is granted: none of them is worth its own wake-up.
    if (period_ != 0 && period_ * kWakesPerRest <= longest_ * company) return worth(most, period_ / company);
    if (progress.ended) return between_blocks(progress, most, now_ns, company);
    const uint64_t each = pace(progress, now_ns);
    if (each == 0 || progress.received >= progress.expected) return 0;
    return worth(std::min(most, each * (progress.expected - progress.received)), each / company);
  }

 private:
  static constexpr uint32_t kFewest = 4;  // packets before the camera's pace is known
  // A timer's wake-up costs several times what one by a packet does (bench/tuning.mjs): fewer are no gain.
  static constexpr uint64_t kWakesPerRest = 8;
  static constexpr uint64_t kWorthwhile = 40'000;  // ns; shorter rests cost as much as they save
  static constexpr uint64_t kTruesizePerByte = 2;  // what the kernel charges for small packets, at most
  static constexpr uint64_t kTruesizePerPacket = 1024;
  static constexpr uint64_t kSecond = 1'000'000'000;

  // each: ns between what would wake the thread otherwise.
  static uint64_t worth(uint64_t rest, uint64_t each) {
    return rest >= kWorthwhile && rest >= each * kWakesPerRest ? rest : 0;
  }

  // Where the next block follows at once, its packets may gather like those of the same one.
  uint64_t between_blocks(const BlockProgress& progress, uint64_t most, uint64_t now_ns,
                          uint32_t company) const {
    if (period_ == 0 || each_ == 0) return 0;
    const uint64_t next = first_time_ + period_;
    const uint64_t gap = next > now_ns ? next - now_ns : 0;
    const uint64_t rest = std::min(most, gap + each_ * progress.expected);
    return rest > gap && worth(rest - gap, each_ / company) != 0 ? rest : 0;
  }

  // ns from one packet of a block to the next; 0: not known yet.
  uint64_t pace(const BlockProgress& progress, uint64_t now_ns) const {
    if (each_ != 0) return each_;
    return progress.received < kFewest ? 0 : (now_ns - progress.first_time) / progress.received;
  }

  // Time between the beginnings of blocks, as a moving average.
  void note_block(const BlockProgress& progress) {
    if (progress.first_time == 0 || progress.block_id == block_id_) return;
    const uint64_t blocks = progress.block_id - block_id_;
    if (first_time_ != 0 && progress.first_time > first_time_ && blocks < 1000) {
      const uint64_t period = (progress.first_time - first_time_) / blocks;
      period_ = period_ == 0 ? period : (7 * period_ + period) / 8;
    }
    if (block_each_ != 0) each_ = each_ == 0 ? block_each_ : (3 * each_ + block_each_) / 4;
    block_id_ = progress.block_id;
    first_time_ = progress.first_time;
    first_read_ = 0;
    block_each_ = 0;
  }

  // The pace of a block, from its first read to its last one: packets come in bursts, so that a part of it
  // would say little. What was complete when it was read may have been so for a while: it can only be less.
  void note_progress(const BlockProgress& progress, uint64_t now_ns) {
    if (progress.first_time == 0 || progress.block_id != block_id_) return;
    if (first_read_ == 0) {
      first_read_ = now_ns;
      first_received_ = last_received_ = progress.received;
      return;
    }
    if (progress.received == last_received_ || progress.received < first_received_ + kFewest) return;
    last_received_ = progress.received;
    const uint64_t each = (now_ns - first_read_) / (progress.received - first_received_);
    const bool whole = progress.ended || progress.received >= progress.expected;
    if (!whole)
      block_each_ = each;
    else if (each_ != 0)
      block_each_ = std::min(each, block_each_ != 0 ? block_each_ : each_);
  }

  // How long a quarter of the queue lasts. By the quickest pace of late: one packet after a gap says little.
  void note_pace(uint64_t now_ns) {
    if (last_read_ != 0 && now_ns > last_read_) {
      const uint64_t elapsed = std::min(now_ns - last_read_, kSecond);
      const uint64_t now_lasts = elapsed * (queue_bytes_ / 4) / std::max<uint64_t>(charged_, 1);
      fill_time_ = std::min(now_lasts, fill_time_ + fill_time_ / 8);
    }
    last_read_ = now_ns;
    charged_ = 0;
  }

  const uint64_t longest_;
  const uint64_t queue_bytes_;
  uint64_t charged_ = 0;  // by the kernel, since last_read_
  uint64_t fill_time_ = kSecond;
  uint64_t last_read_ = 0;
  uint64_t block_id_ = 0;
  uint64_t first_time_ = 0;
  uint64_t period_ = 0;
  uint64_t each_ = 0;  // ns a packet, over blocks
  // Of the newest block:
  uint64_t first_read_ = 0;
  uint32_t first_received_ = 0;
  uint32_t last_received_ = 0;
  uint64_t block_each_ = 0;
};

}  // namespace gw
