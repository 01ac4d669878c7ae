// Packets in, finished blocks out. Purpose: keeps the open blocks in order, gives each a slot, hands over
// complete ones in order, gives up on hopeless ones, and counts everything once. Never opens a socket, locks,
// allocates or logs. Thread: receive thread only (constructor and finish() too, before it starts and after it
// ended). Owner: Receiver. Three files: this one's .cc takes packets in, block_closing.cc ends blocks,
// prediction.cc says where the next packets belong.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "net/packet_source.h"
#include "path/block_order.h"
#include "path/open_block.h"
#include "path/resend_policy.h"
#include "path/slot_pool.h"
#include "path/stream_config.h"
#include "path/stream_stats.h"
#include "path/wake_pacing.h"

namespace gw {

class BlockAssembler {
 public:
  BlockAssembler(const StreamConfig& config, SlotPool& pool, SideChannel& camera);

  // Where the data of the next packets belongs, as far as it can be foreseen; up to landings.size() of them,
  // which must stay until settle(). Call before a read that can land packets.
  LandingPlan plan(std::span<Landing> landings);
  // After that read: packets that landed at another packet's place are brought home. Then on_packet() for
  // each, in order.
  void settle(std::span<PacketView> batch);
  void on_packet(const PacketView& packet, uint64_t now_ns);
  // How far the newest block is.
  BlockProgress progress() const;
  // Resends, time-outs, hand-over. Call after each batch and when next_deadline() has come.
  void on_time(uint64_t now_ns);
  uint64_t next_deadline() const { return next_deadline_; }
  // The stream ends: blocks still open were cut, which is no loss.
  void finish(uint64_t now_ns);

  StreamCounters& counters() { return counters_; }
  uint64_t open_packets() const;  // accepted ones of blocks that are not closed yet
  // True when frames or events came up since the last call.
  bool take_wake() { return std::exchange(wake_, false); }

 private:
  static constexpr uint32_t kMaxWindow = 256;               // open blocks; fewer where blocks are huge
  static constexpr uint64_t kMaxWindowBytes = 16ULL << 20;  // of packet bitmaps
  static constexpr uint32_t kMinWindow = 4;
  static constexpr int64_t kMaxLeap = 65535;  // blocks lost in a row that are still believed and counted
  static constexpr uint32_t kPortWitnesses = 32;
  static constexpr size_t kMaxForeseen = 256;  // packets

  // What a landing was made for.
  struct Foreseen {
    uint64_t block_id = 0;
    uint32_t packet_id = 0;
  };

  // A packet whose block id does not follow. One such packet opens and closes nothing: it is held (and
  // counted as malformed) until a second one with that id bears it out.
  struct Stray {
    bool present = false;
    gvsp::Header header;
    uint64_t time_ns = 0;
    size_t size = 0;
    std::vector<uint8_t> bytes;  // allocated once, for the largest datagram there is
  };

  OpenBlock& block(uint64_t sequence) const { return *blocks_[sequence & (window_ - 1)]; }
  // Further ahead than this, it is another beginning and not a loss of blocks.
  int64_t max_jump() const { return window_ / 2; }
  bool is_foreign(const PacketView& packet, bool readable);
  OpenBlock* find(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns);
  void begin(const gvsp::Header& header, uint64_t now_ns);
  OpenBlock* locate(const gvsp::Header& header, uint64_t now_ns);
  bool is_strange(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns) const;
  bool is_far(const gvsp::Header& header) const;
  bool newest_ended() const;
  bool bears_out_stray(const gvsp::Header& header, uint64_t now_ns) const;
  void hold(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns);
  void begin_at_stray(const gvsp::Header& header, uint64_t now_ns);
  void store_stray(bool believed);
  bool newer_leader(const gvsp::Header& header, const PacketView& packet) const;
  void open_up_to(uint64_t sequence, uint64_t now_ns);
  void end_block(OpenBlock& block, uint64_t now_ns);
  void take_slot(OpenBlock& block, uint64_t now_ns);
  void foresee(uint64_t block_id, uint32_t slot, uint32_t from, uint32_t to, std::span<Landing> landings);
  bool as_foreseen(const PacketView& packet, const Foreseen& foreseen) const;
  bool changes_nothing(const PacketView& packet) const;
  void store(OpenBlock& block, const gvsp::Header& header, ConstBytes body, bool landed, uint64_t now_ns);
  void count_taken_back(OpenBlock& block, uint64_t now_ns);
  void refuse(const gvsp::Header& header);

  uint64_t service(OpenBlock& block, uint64_t now_ns);  // returns its next deadline
  void give_up(OpenBlock& block);
  void advance(uint64_t now_ns);  // hands over or drops whatever is finished at the head
  void hand_over(OpenBlock& block, uint64_t now_ns);
  void close_complete(OpenBlock& block, uint64_t now_ns);
  void close_incomplete(OpenBlock& block, uint64_t now_ns);
  void fill_header(const OpenBlock& block, uint32_t expected, uint64_t now_ns);
  void queue(const OpenBlock& block);
  void tell(StreamEvent kind, uint64_t block_id, uint32_t a, uint32_t b, uint64_t now_ns);
  void count_missing(const OpenBlock& block, uint32_t expected);
  void count_leap(const OpenBlock& next, uint64_t blocks, uint64_t now_ns);

  const StreamConfig config_;
  BlockLimits limits_;  // the packet size in it is learned where nothing vouched for it
  SlotPool& pool_;
  StreamCounters counters_;
  ResendPolicy resend_;
  uint32_t window_;  // a power of two
  std::vector<std::unique_ptr<OpenBlock>> blocks_;
  BlockOrder order_;
  uint64_t head_ = 0;  // oldest open sequence number
  uint64_t next_ = 0;  // one above the newest
  Stray stray_;
  bool size_trusted_;
  uint16_t camera_port_;
  uint16_t other_port_ = 0;  // who else sends from the camera's address, and how many packets in a row
  uint32_t other_packets_ = 0;
  uint64_t newest_timestamp_ = 0;
  uint32_t sequence_ = 0;
  // Prediction: what the landings of the last plan() were made for, and a slot taken ahead for the next
  // block.
  std::vector<Foreseen> foreseen_;
  size_t foreseen_count_ = 0;
  uint32_t foreseen_data_ = 0;  // bytes of data in a full packet
  int32_t spare_slot_ = -1;
  bool wake_ = false;
  uint64_t next_deadline_ = ResendPolicy::kNever;
};

}  // namespace gw
