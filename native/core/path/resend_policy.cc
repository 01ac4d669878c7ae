#include "path/resend_policy.h"

#include <algorithm>

namespace gw {

namespace {

constexpr uint64_t kUnit = 100;  // budget units per packet
constexpr uint64_t kMinResponse = 3 * kNsPerMs;
constexpr uint64_t kMaxResponse = 50 * kNsPerMs;
constexpr uint64_t kLongestQuiet = 500 * kNsPerMs;
constexpr uint32_t kMissedBlockTries = 3;  // for a block of which nothing was ever seen

}  // namespace

ResendPolicy::ResendPolicy(const StreamConfig& config, const BlockLimits& limits, SideChannel& camera,
                           StreamCounters& counters)
    : config_(config.resend),
      max_tries_(std::clamp<uint32_t>(config.resend.max_tries, 1, OpenBlock::kMaxTries)),
      channel_(config.channel),
      deliver_incomplete_(config.deliver_incomplete),
      limits_(limits),
      camera_(camera),
      counters_(counters),
      response_timeout_ns_(config.resend.response_timeout_ns),
      longest_quiet_ns_(std::min(kLongestQuiet, config.frame_timeout_ns / 2)),
      quiet_ns_(config.resend.idle_delay_ns),
      budget_(config.resend.budget_burst * kUnit) {}

void ResendPolicy::on_stored(OpenBlock& block, const gvsp::Header& header, bool next, uint64_t pause,
                             uint64_t now_ns) {
  budget_ = std::min<uint64_t>(budget_ + config_.budget_percent, config_.budget_burst * kUnit);
  auto& state = block.resend;
  if (next && !block.ended) state.longest_pause = std::max(state.longest_pause, pause);
  if (!asked_for(block, header.packet_id)) return;
  const bool marked = gvsp::is_resent(header);
  // Once it marked one it marks all; an unmarked one may be an original that was late.
  if (marked) answers_ = Answers::kMarked;
  if (header.packet_id < state.frontier && answers_ == Answers::kUnknown) answers_ = Answers::kPlain;
  if (next && !block.ended && header.packet_id >= state.tail_from && !marked) state.tail_dead = false;
  if (next && !block.ended && header.packet_id >= state.tail_from && !marked && answers_ != Answers::kPlain) {
    // The camera had merely paused: what was asked for did not exist yet, and all that comes now is new.
    state.tail_from = OpenBlock::kNoTail;
    state.tail_tries = 0;
    quiet_ns_ = std::max(quiet_ns_, std::min(2 * pause, longest_quiet_ns_));
    return;
  }
  ++block.resent;
  state.silent_rounds = 0;  // the camera answers: other gaps of a long block need not wait longer
  // How long the camera takes, from the last request for this block: an upper bound where requests overlap.
  const uint64_t sample = std::min(now_ns - state.last_request, kMaxResponse);
  smoothed_rtt_ns_ = smoothed_rtt_ns_ == 0 ? sample : (smoothed_rtt_ns_ * 7 + sample) / 8;
  response_timeout_ns_ = std::clamp(3 * smoothed_rtt_ns_ + kNsPerMs, kMinResponse, kMaxResponse);
}

uint64_t ResendPolicy::response_timeout(uint32_t repeats) const {
  constexpr uint32_t kSteadyRepeats = 2;
  const uint32_t doublings = repeats > kSteadyRepeats ? std::min(repeats - kSteadyRepeats, 8U) : 0;
  return std::max(std::min(response_timeout_ns_ << doublings, kMaxResponse), response_timeout_ns_);
}

void ResendPolicy::on_gap(OpenBlock& block, uint64_t now_ns) {
  if (!can_help(block)) return;
  auto& state = block.resend;
  if (state.due != 0) {  // its own delay begins when that of the earlier ones is over
    state.more = true;
    return;
  }
  state.due = now_ns + config_.initial_delay_ns;
  state.planned = block.high;
}

void ResendPolicy::on_ended(OpenBlock& block, uint64_t now_ns) {
  if (!can_help(block)) return;
  block.resend.due = now_ns;
  if (block.resend.end_noted) return;
  block.resend.end_noted = true;
  // What was learned of pauses is forgotten as blocks come without.
  const uint64_t needed = std::max(config_.idle_delay_ns, 2 * block.resend.longest_pause);
  quiet_ns_ = std::max(std::min(needed, quiet_ns_), quiet_ns_ - quiet_ns_ / 8);
  // What was asked for while the block merely went quiet may not have existed yet.
  block.resend.tail_tries = 0;
  block.resend.tail_dead = false;
}

void ResendPolicy::on_refused(OpenBlock& block, uint32_t packet_id, uint16_t status) {
  if (status == gvcp::kPacketNotYetAvailable || status == gvcp::kPacketTemporarilyUnavailable) return;
  // An answer to no question, or about a packet that the block does not have.
  if (!asked_for(block, packet_id) || packet_id >= block.expected_packets(limits_)) return;
  auto& state = block.resend;
  if (!block.ended && packet_id >= state.tail_from) {  // it may not exist yet, whatever the camera calls that
    state.tail_dead = true;
    return;
  }
  uint32_t first = packet_id;
  const uint32_t limit = std::min(packet_id, block.abandoned.capacity() - 1) + 1;
  if (status == gvcp::kPacketAndPreviousRemoved) {
    first = std::min(state.removed_below, limit);  // each id is looked at once, however often this is said
    state.removed_below = std::max(state.removed_below, limit);
  }
  for (uint32_t id = block.received.next_clear(first, limit); id < limit;
       id = block.received.next_clear(id + 1, limit)) {
    if (!block.abandoned.test(id)) block.abandoned.set(id);
    // Without this packet the block is lost; asking for the others only pays where incomplete frames are
    // wanted.
    if (!deliver_incomplete_) state.hopeless = true;
  }
}

uint32_t ResendPolicy::request(OpenBlock& block, uint32_t first, uint32_t packets, bool to_end,
                               uint64_t now_ns) {
  const auto affordable = static_cast<uint32_t>(std::min<uint64_t>(packets, budget_ / kUnit));
  if (affordable == 0) return 0;
  budget_ -= affordable * kUnit;
  const uint32_t last = to_end && affordable == packets ? gvcp::kToEnd : first + affordable - 1;
  camera_.request_resend({channel_, block.block_id, first, last, block.extended});
  ++counters_.resend_requests;
  counters_.resend_requested += affordable;
  block.resend.last_request = now_ns;
  return affordable;
}

uint32_t ResendPolicy::request_missing(OpenBlock& block, uint32_t from, uint32_t to, uint64_t now_ns) {
  for (uint32_t at = block.received.next_clear(from, to); at < to; at = block.received.next_clear(at, to)) {
    const uint32_t end = block.received.next_set(at, to);
    for (at = block.abandoned.next_clear(at, end); at < end; at = block.abandoned.next_clear(at, end)) {
      const uint32_t packets = block.abandoned.next_set(at, end) - at;
      const uint32_t asked = request(block, at, packets, false, now_ns);
      at += asked;
      if (asked < packets) return at;
    }
  }
  return to;
}

bool ResendPolicy::any_missing(const OpenBlock& block, uint32_t from, uint32_t to) {
  for (uint32_t at = block.received.next_clear(from, to); at < to; at = block.received.next_clear(at, to)) {
    if (!block.abandoned.test(at)) return true;
    at = block.abandoned.next_clear(at, to);
  }
  return false;
}

// Each round of repeats asks again for all ids below its repeat_frontier, and these only grow. So an id was
// asked for once, and once more in each round whose frontier is above it: those below the frontier of
// max_tries - 1 rounds ago had all their tries, and this is the moment to note it, as a response time has
// passed since the last one.
void ResendPolicy::begin_round(OpenBlock& block) const {
  auto& state = block.resend;
  const uint32_t back = max_tries_ - 1;
  if (back == 0) {
    state.dead = state.repeat_frontier;
  } else if (state.round_count >= back) {
    state.dead = state.rounds[(state.round_count - back) % OpenBlock::kMaxTries];
  }
}

// False: no budget left.
bool ResendPolicy::run_gaps(OpenBlock& block, bool all, uint64_t now_ns) {
  auto& state = block.resend;
  // Repeats first: they have waited longest.
  if (state.repeat_frontier != 0 && now_ns >= state.repeat_time + response_timeout(state.silent_rounds)) {
    if (state.resume == 0) begin_round(block);
    const uint32_t from = std::max(state.dead, state.resume);
    if (from < state.repeat_frontier) {
      state.resume = request_missing(block, from, state.repeat_frontier, now_ns);
      if (state.resume < state.repeat_frontier) return false;
    }
    state.rounds[state.round_count++ % OpenBlock::kMaxTries] = state.repeat_frontier;
    ++state.silent_rounds;
    state.repeat_frontier = state.resume = 0;
  }
  const bool due = state.due != 0 && now_ns >= state.due;
  const uint32_t known = block.has_trailer ? block.trailer_id + 1 : block.high;
  const uint32_t target = all ? known : due ? std::min(state.planned, known) : 0;
  if (state.frontier < target) {
    state.frontier = request_missing(block, state.frontier, target, now_ns);
    if (state.frontier < target) return false;
  }
  if (all) {
    state.due = 0;
    state.more = false;
  } else if (due) {
    state.due = state.more ? now_ns + config_.initial_delay_ns : 0;
    state.planned = block.high;
    state.more = false;
  }
  if (state.repeat_frontier == 0 && any_missing(block, state.dead, state.frontier)) {
    state.repeat_frontier = state.frontier;
    state.repeat_time = now_ns;
  }
  return true;
}

uint64_t ResendPolicy::tail_due(const OpenBlock& block) const {
  const auto& state = block.resend;
  return state.tail_tries == 0
             ? 0
             : std::max(state.tail_time, block.last_time) + response_timeout(state.tail_tries - 1);
}

// Nobody knows where the tail ends before the trailer is here: some cameras answer a range that ends exactly
// at the trailer wrongly, so they are asked "to the end". False: no budget left.
bool ResendPolicy::run_tail(OpenBlock& block, uint64_t now_ns) {
  auto& state = block.resend;
  if (state.tail_dead || now_ns < tail_due(block)) return true;
  const uint32_t allowed = block.received.count() == 0 ? std::min(kMissedBlockTries, max_tries_) : max_tries_;
  if (state.tail_tries >= allowed || block.abandoned.test(block.high)) {
    state.tail_dead = true;
    return true;
  }
  const uint32_t packets = block.expected_packets(limits_) - block.high;  // never 0: the trailer at least
  if (request(block, block.high, packets, true, now_ns) == 0) return false;
  state.tail_from = std::min(state.tail_from, block.high);
  ++state.tail_tries;
  state.tail_time = now_ns;
  return true;
}

uint64_t ResendPolicy::run(OpenBlock& block, uint64_t now_ns) {
  auto& state = block.resend;
  if (!can_help(block)) return kNever;
  const bool something_came = block.received.count() > (block.has_leader ? 1U : 0U);
  const uint64_t quiet_from = block.last_time + quiet_ns_;
  const bool quiet = !block.ended && something_came && now_ns >= quiet_from;
  const bool tail_missing = !block.has_trailer && (block.ended || quiet);

  if (!run_gaps(block, block.ended || quiet, now_ns) || (tail_missing && !run_tail(block, now_ns))) {
    return now_ns + response_timeout(0);  // the budget grows with what arrives
  }
  uint64_t next = kNever;
  if (something_came && !block.ended && !quiet) next = quiet_from;
  if (tail_missing && !state.tail_dead) next = std::min(next, tail_due(block));
  if (state.due != 0) next = std::min(next, state.due);
  if (state.repeat_frontier != 0)
    next = std::min(next, state.repeat_time + response_timeout(state.silent_rounds));
  return std::max(next, now_ns + 1);
}

bool ResendPolicy::exhausted(const OpenBlock& block, uint64_t now_ns) const {
  if (!can_help(block) || now_ns >= block.ended_time + config_.block_timeout_ns) return true;
  const auto& state = block.resend;
  const uint32_t known = block.has_trailer ? block.trailer_id + 1 : block.high;
  const bool tail_open = !block.has_trailer && !state.tail_dead;
  if (!deliver_incomplete_) {  // one packet that will not come is enough
    if (any_missing(block, 0, std::min(state.dead, known)) || (!block.has_trailer && state.tail_dead))
      return true;
  }
  return !tail_open && !any_missing(block, state.dead, known);
}

}  // namespace gw
