#include "sim/fault_plan.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iterator>
#include <string>

namespace gw::sim {

namespace {

enum Purpose : uint32_t {
  kLoss = 1,
  kBurstStart,
  kLeaderLoss,
  kTrailerLoss,
  kTailLoss,
  kBlockLoss,
  kDuplicate,
  kReorder,
  kDelay,
  kTruncate,
  kWrongId,
  kCorrupt,
  kForeign,
};

constexpr uint64_t mix(uint64_t z) {  // splitmix64's finaliser
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

struct Rate {
  const char* name;
  double FaultPlan::* field;
};
constexpr Rate kRates[] = {
    {"loss", &FaultPlan::loss},
    {"burst_loss", &FaultPlan::burst_loss},
    {"lose_leader", &FaultPlan::lose_leader},
    {"lose_trailer", &FaultPlan::lose_trailer},
    {"lose_tail", &FaultPlan::lose_tail},
    {"lose_block", &FaultPlan::lose_block},
    {"duplicate", &FaultPlan::duplicate},
    {"reorder", &FaultPlan::reorder},
    {"delay", &FaultPlan::delay},
    {"truncate", &FaultPlan::truncate},
    {"wrong_id", &FaultPlan::wrong_id},
    {"corrupt_header", &FaultPlan::corrupt_header},
    {"foreign_packets", &FaultPlan::foreign_packets},
    {"control_loss", &FaultPlan::control_loss},
    {"control_request_loss", &FaultPlan::control_request_loss},
    {"control_duplicate", &FaultPlan::control_duplicate},
    {"control_stale_acks", &FaultPlan::control_stale_acks},
};

struct Number {
  const char* name;
  uint32_t FaultPlan::* field;
};
constexpr Number kNumbers[] = {
    {"burst_length", &FaultPlan::burst_length},
    {"tail_length", &FaultPlan::tail_length},
    {"reorder_distance", &FaultPlan::reorder_distance},
    {"delay_us", &FaultPlan::delay_us},
    {"path_mtu", &FaultPlan::path_mtu},
    {"clamp_size", &FaultPlan::clamp_size},
    {"round_to", &FaultPlan::round_to},
    {"resend_delay_us", &FaultPlan::resend_delay_us},
    {"test_packet_delay_ms", &FaultPlan::test_packet_delay_ms},
    {"control_stall_ms", &FaultPlan::control_stall_ms},
    {"control_stall_after", &FaultPlan::control_stall_after},
    {"pending_ack_ms", &FaultPlan::pending_ack_ms},
    {"pending_ack_count", &FaultPlan::pending_ack_count},
    {"reboot_ms", &FaultPlan::reboot_ms},
};

struct Switch {
  const char* name;
  bool FaultPlan::* field;
};
constexpr Switch kSwitches[] = {
    {"faults_on_resend", &FaultPlan::faults_on_resend},
    {"control_stall_drops", &FaultPlan::control_stall_drops},
    {"no_scsp", &FaultPlan::no_scsp},
    {"no_discovery", &FaultPlan::no_discovery},
    {"short_readmem_ack", &FaultPlan::short_readmem_ack},
};

constexpr std::string_view kSizeFaults[] = {"none",      "clamp",          "round",
                                            "ignore",    "no_test_packet", "fire_once",
                                            "ignore_df", "silent_clamp",   "unaligned"};
constexpr std::string_view kResendFaults[] = {"none",          "silent",           "unavailable",
                                              "not_yet_first", "removed_previous", "plain_status"};

template <typename T>
bool parse_number(std::string_view text, T& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool parse_rate(std::string_view text, double& out) {
  const std::string copy(text);  // from_chars for double is not everywhere yet
  char* end = nullptr;
  out = std::strtod(copy.c_str(), &end);
  return !copy.empty() && *end == '\0';
}

bool parse_chosen(std::string_view text, ChosenPacket& out) {
  std::string_view fields[3] = {"", "", "1"};
  for (size_t i = 0; i < 3; ++i) {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      fields[i] = text;
      if (i == 0) return false;
      break;
    }
    if (i == 2) return false;
    fields[i] = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (fields[0] != "*" && !parse_number(fields[0], out.block)) return false;
  if (fields[1] == "trailer") {
    out.packet = kTrailerPacket;
  } else if (!parse_number(fields[1], out.packet)) {
    return false;
  }
  return parse_number(fields[2], out.count);
}

Status bad_fault(std::string_view key, std::string_view value) {
  return Status::error(Errc::kInvalidArgument, "fault " + std::string(key) + "=" + std::string(value) +
                                                   ": unknown name or impossible value");
}

}  // namespace

uint64_t fault_hash(uint64_t seed, uint32_t purpose, uint64_t block, uint32_t packet, uint32_t attempt) {
  uint64_t h = mix(seed + 0x9E3779B97F4A7C15U * (purpose + 1));
  h = mix(h ^ (block + 0x632BE59BD9B4E019U));
  return mix(h ^ (static_cast<uint64_t>(attempt) << 32 | packet));
}

FaultPlanner::FaultPlanner(FaultPlan plan, uint64_t seed) : plan_(std::move(plan)), seed_(seed) {
  touches_packets_ = plan_.loss > 0 || plan_.burst_loss > 0 || !plan_.drop_packets.empty() ||
                     plan_.lose_leader > 0 || plan_.lose_trailer > 0 || plan_.lose_tail > 0 ||
                     plan_.lose_block > 0 || plan_.duplicate > 0 || plan_.reorder > 0 || plan_.delay > 0 ||
                     plan_.truncate > 0 || plan_.wrong_id > 0 || plan_.corrupt_header > 0 ||
                     plan_.foreign_packets > 0;
}

bool FaultPlanner::hits(double probability, uint32_t purpose, uint64_t block, uint32_t packet,
                        uint32_t attempt) const {
  if (probability <= 0) return false;
  // 53 bits: exactly what a double holds, so that 1.0 always hits and 0 never does
  const double drawn =
      static_cast<double>(fault_hash(seed_, purpose, block, packet, attempt) >> 11) * 0x1p-53;
  return drawn < probability;
}

bool FaultPlanner::chosen(uint64_t ordinal, uint32_t packet, uint32_t packets, uint32_t attempt) const {
  return std::any_of(plan_.drop_packets.begin(), plan_.drop_packets.end(), [&](const ChosenPacket& c) {
    const uint32_t wanted = c.packet == kTrailerPacket ? packets - 1 : c.packet;
    return (c.block == kEveryBlock || c.block == ordinal) && wanted == packet && attempt < c.count;
  });
}

uint8_t FaultPlanner::flags_of(uint64_t ordinal, uint32_t packet, uint32_t packets) const {
  uint8_t flags = 0;
  if (hits(plan_.duplicate, kDuplicate, ordinal, packet)) flags |= kFateDuplicate;
  if (hits(plan_.reorder, kReorder, ordinal, packet)) flags |= kFateReorder;
  if (hits(plan_.delay, kDelay, ordinal, packet)) flags |= kFateDelay;
  const bool data = packet != 0 && packet + 1 != packets;
  if (data && hits(plan_.truncate, kTruncate, ordinal, packet)) flags |= kFateTruncate;
  if (hits(plan_.wrong_id, kWrongId, ordinal, packet)) flags |= kFateWrongId;
  if (hits(plan_.corrupt_header, kCorrupt, ordinal, packet)) flags |= kFateCorrupt;
  if (hits(plan_.foreign_packets, kForeign, ordinal, packet)) flags |= kFateForeign;
  return flags;
}

void FaultPlanner::start() { burst_left_ = 0; }

void FaultPlanner::plan_block(uint64_t ordinal, uint32_t packets, std::vector<PacketFate>& out) {
  out.assign(packets, PacketFate{});
  const bool block = hits(plan_.lose_block, kBlockLoss, ordinal, 0);
  const bool leader = hits(plan_.lose_leader, kLeaderLoss, ordinal, 0);
  const bool trailer = packets > 1 && hits(plan_.lose_trailer, kTrailerLoss, ordinal, 0);
  const uint32_t tail_length = hits(plan_.lose_tail, kTailLoss, ordinal, 0) ? plan_.tail_length : 0;
  for (uint32_t id = 0; id < packets; ++id) {
    PacketFate& fate = out[id];
    // A burst passes whether or not its packets are lost for another cause as well.
    const bool in_burst = burst_left_ > 0;
    if (in_burst) {
      --burst_left_;
    } else if (plan_.burst_length > 0 && hits(plan_.burst_loss, kBurstStart, ordinal, id)) {
      burst_left_ = plan_.burst_length - 1;
      fate.lost = LossCause::kBurst;
    }
    if (in_burst) fate.lost = LossCause::kBurst;
    if (chosen(ordinal, id, packets, 0)) {
      fate.lost = LossCause::kChosen;
    } else if (block) {
      fate.lost = LossCause::kBlock;
    } else if (leader && id == 0) {
      fate.lost = LossCause::kLeader;
    } else if (trailer && id + 1 == packets) {
      fate.lost = LossCause::kTrailer;
    } else if (packets - id <= tail_length) {
      fate.lost = LossCause::kTail;
    } else if (fate.lost == LossCause::kNone && hits(plan_.loss, kLoss, ordinal, id)) {
      fate.lost = LossCause::kRandom;
    }
    if (fate.lost == LossCause::kNone) fate.flags = flags_of(ordinal, id, packets);
  }
}

LossCause FaultPlanner::resend_fate(uint64_t ordinal, uint32_t packet, uint32_t packets,
                                    uint32_t attempt) const {
  if (chosen(ordinal, packet, packets, attempt)) return LossCause::kChosen;
  if (!plan_.faults_on_resend) return LossCause::kNone;
  if (hits(plan_.loss, kLoss, ordinal, packet, attempt)) return LossCause::kRandom;
  // resends do not travel side by side: a burst's share of them is lost one by one
  const double burst_share = std::min(1.0, plan_.burst_loss * plan_.burst_length);
  if (hits(burst_share, kBurstStart, ordinal, packet, attempt)) return LossCause::kBurst;
  return LossCause::kNone;
}

Status set_fault(FaultPlan& plan, std::string_view key, std::string_view value) {
  FaultPlan changed = plan;
  bool known = false;
  for (const Rate& r : kRates) known |= key == r.name && parse_rate(value, changed.*r.field);
  for (const Number& n : kNumbers) known |= key == n.name && parse_number(value, changed.*n.field);
  for (const Switch& s : kSwitches) {
    if (key != s.name) continue;
    known = value == "1" || value == "0" || value == "true" || value == "false";
    changed.*s.field = value == "1" || value == "true";
  }
  if (key == "crash_after_blocks") known = parse_number(value, changed.crash_after_blocks);
  if (key == "reboot_after_blocks") known = parse_number(value, changed.reboot_after_blocks);
  if (key == "drop_packets") {
    ChosenPacket packet;
    known = parse_chosen(value, packet);
    changed.drop_packets.push_back(packet);
  }
  if (key == "packet_size") {
    const auto* found = std::find(std::begin(kSizeFaults), std::end(kSizeFaults), value);
    known = found != std::end(kSizeFaults);
    changed.packet_size = static_cast<PacketSizeFault>(found - std::begin(kSizeFaults));
  }
  if (key == "resend") {
    const auto* found = std::find(std::begin(kResendFaults), std::end(kResendFaults), value);
    known = found != std::end(kResendFaults);
    changed.resend = static_cast<ResendFault>(found - std::begin(kResendFaults));
  }
  if (!known) return bad_fault(key, value);
  if (Status checked = check_faults(changed); !checked.ok()) return checked;
  plan = std::move(changed);
  return {};
}

Status check_faults(const FaultPlan& plan) {
  for (const Rate& r : kRates) {
    if (!(plan.*r.field >= 0 && plan.*r.field <= 1)) {  // also catches NaN
      return Status::error(Errc::kInvalidArgument, std::string("fault ") + r.name + " must be within 0..1");
    }
  }
  if (plan.packet_size == PacketSizeFault::kRound && plan.round_to == 0) {
    return Status::error(Errc::kInvalidArgument, "fault round_to must not be 0");
  }
  if (plan.packet_size == PacketSizeFault::kUnaligned && plan.round_to == 0) {
    return Status::error(Errc::kInvalidArgument, "fault round_to must not be 0");
  }
  return {};
}

}  // namespace gw::sim
