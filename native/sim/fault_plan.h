// What happens to which packet. Purpose: turns a FaultPlan and a seed into decisions, packet by packet,
// reproducibly. Thread: the stream thread for FaultPlanner; set_fault any. Owner: StreamSender.
#pragma once

#include <string_view>
#include <vector>

#include "base/status.h"
#include "sim/options.h"

namespace gw::sim {

enum class LossCause : uint8_t { kNone, kChosen, kBlock, kLeader, kTrailer, kTail, kRandom, kBurst };

enum FateFlags : uint8_t {
  kFateDuplicate = 0x01,
  kFateReorder = 0x02,
  kFateDelay = 0x04,
  kFateTruncate = 0x08,
  kFateWrongId = 0x10,
  kFateCorrupt = 0x20,
  kFateForeign = 0x40,
};

struct PacketFate {
  LossCause lost = LossCause::kNone;
  uint8_t flags = 0;
  bool clean() const { return lost == LossCause::kNone && flags == 0; }
};

// 0..2^64-1, evenly spread, a function of its arguments alone.
uint64_t fault_hash(uint64_t seed, uint32_t purpose, uint64_t block, uint32_t packet, uint32_t attempt);

class FaultPlanner {
 public:
  FaultPlanner(FaultPlan plan, uint64_t seed);
  const FaultPlan& plan() const { return plan_; }
  bool touches_packets() const {
    return touches_packets_;
  }  // false: plan_block would find every packet clean

  void start();  // a new acquisition: a burst does not reach over from the last one
  // Once per block, in sending order: bursts run on across blocks. packets counts leader and trailer.
  void plan_block(uint64_t ordinal, uint32_t packets, std::vector<PacketFate>& out);
  // attempt 1 = first time that this packet is resent
  LossCause resend_fate(uint64_t ordinal, uint32_t packet, uint32_t packets, uint32_t attempt) const;

 private:
  bool hits(double probability, uint32_t purpose, uint64_t block, uint32_t packet,
            uint32_t attempt = 0) const;
  bool chosen(uint64_t ordinal, uint32_t packet, uint32_t packets, uint32_t attempt) const;
  uint8_t flags_of(uint64_t ordinal, uint32_t packet, uint32_t packets) const;

  FaultPlan plan_;
  uint64_t seed_;
  bool touches_packets_;
  uint32_t burst_left_ = 0;
};

// key=value as on the command line; keys are the fields of FaultPlan in snake_case. drop_packets takes
// block:packet[:count] with * for every block and "trailer" as packet, and adds to the list.
Status set_fault(FaultPlan& plan, std::string_view key, std::string_view value);
// Probabilities within 0..1, lengths not absurd.
Status check_faults(const FaultPlan& plan);

}  // namespace gw::sim
