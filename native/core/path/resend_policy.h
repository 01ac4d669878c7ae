// When to ask the camera for what did not arrive, how often, and when to stop. Purpose: turns the gaps of a
// block into PACKETRESEND commands within a traffic budget. Work per packet is constant: a packet only moves
// a frontier or plans a time; gaps are looked for 64 packet ids at a step when that time comes, and each id
// is looked at once per round. Thread: receive thread. Owner: BlockAssembler.
#pragma once

#include <cstdint>

#include "path/open_block.h"
#include "path/side_channel.h"
#include "path/stream_config.h"
#include "path/stream_stats.h"

namespace gw {

class ResendPolicy {
 public:
  // limits are borrowed: the packet size in them may be learned later.
  ResendPolicy(const StreamConfig& config, const BlockLimits& limits, SideChannel& camera,
               StreamCounters& counters);

  bool enabled() const { return config_.enabled; }
  bool can_help(const OpenBlock& block) const {
    return config_.enabled && !block.no_slot && !block.resend.hopeless;
  }

  // A packet was stored: earns budget, and tells whether it came because it was asked for.
  // next: it follows the highest one before it, and came `pause` after the last one of its block.
  void on_stored(OpenBlock& block, const gvsp::Header& header, bool next, uint64_t pause, uint64_t now_ns);
  // Packet ids below the block's highest were skipped.
  void on_gap(OpenBlock& block, uint64_t now_ns);
  // The block is over: whatever is missing is missing.
  void on_ended(OpenBlock& block, uint64_t now_ns);
  // The camera refused a packet (GVSP status 0x8xxx).
  void on_refused(OpenBlock& block, uint32_t packet_id, uint16_t status);

  // Sends what is due. Returns when it wants to be called again (kNever when it has nothing to do).
  static constexpr uint64_t kNever = ~uint64_t{0};
  uint64_t run(OpenBlock& block, uint64_t now_ns);
  // True when nothing more is to be hoped for from the camera. For blocks that are over, after run().
  bool exhausted(const OpenBlock& block, uint64_t now_ns) const;
  static bool asked_for(const OpenBlock& block, uint32_t packet_id) {
    return packet_id < block.resend.frontier || packet_id >= block.resend.tail_from;
  }

 private:
  // From the third repeat on each waits twice as long: all of them together outlast a camera that is deaf for
  // a while.
  uint64_t response_timeout(uint32_t repeats) const;
  // A gap of so many packets, or as much of it as the budget allows: returns how many were asked for.
  uint32_t request(OpenBlock& block, uint32_t first, uint32_t packets, bool to_end, uint64_t now_ns);
  // Asks for what is missing from..to (exclusive) and was not refused. Returns where the budget ended, or to.
  uint32_t request_missing(OpenBlock& block, uint32_t from, uint32_t to, uint64_t now_ns);
  static bool any_missing(const OpenBlock& block, uint32_t from, uint32_t to);
  void begin_round(OpenBlock& block) const;
  bool run_gaps(OpenBlock& block, bool all, uint64_t now_ns);
  bool run_tail(OpenBlock& block, uint64_t now_ns);
  uint64_t tail_due(const OpenBlock& block) const;

  const ResendConfig config_;
  const uint32_t max_tries_;
  const uint16_t channel_;
  const bool deliver_incomplete_;
  const BlockLimits& limits_;
  SideChannel& camera_;
  StreamCounters& counters_;
  uint64_t response_timeout_ns_;
  uint64_t smoothed_rtt_ns_ = 0;
  // Whether the camera says which packets it sends again: some do not.
  enum class Answers : uint8_t { kUnknown, kMarked, kPlain } answers_ = Answers::kUnknown;
  const uint64_t longest_quiet_ns_;
  uint64_t
      quiet_ns_;     // how long a block may pause before its tail counts as lost; grows with the pauses seen
  uint64_t budget_;  // in hundredths of a packet
};

}  // namespace gw
