#include "path/block_assembler.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace gw {

BlockAssembler::BlockAssembler(const StreamConfig& config, SlotPool& pool, SideChannel& camera)
    : config_(config),
      limits_{pool.layout().slot_capacity, config.payload_size, config.packet_size},
      pool_(pool),
      resend_(config_, limits_, camera, counters_),
      size_trusted_(config.packet_size_confirmed),
      camera_port_(config.camera_port) {
  window_ = kMaxWindow;
  while (window_ > kMinWindow && uint64_t{2} * window_ * pool.layout().map_stride > kMaxWindowBytes)
    window_ /= 2;
  stray_.bytes.resize(65536);
  foreseen_.resize(kMaxForeseen);
  blocks_.reserve(window_);
  for (uint32_t i = 0; i < window_; ++i) {
    blocks_.push_back(std::make_unique<OpenBlock>(pool.layout().map_bits));
  }
}

void BlockAssembler::on_packet(const PacketView& packet, uint64_t now_ns) {
  ++counters_.datagrams;
  counters_.bytes += packet.size;
  const ConstBytes datagram(packet.data, packet.size);
  const auto header = gvsp::parse_header(datagram);
  if (is_foreign(packet, header.has_value())) {
    ++counters_.foreign;
    return;
  }
  if (!header || packet.truncated) {
    ++counters_.malformed;
    return;
  }
  if (header->block_id == 0) {
    ++counters_.test;
    return;
  }
  const ConstBytes body = packet.landed != nullptr ? ConstBytes(packet.landed, packet.size - packet.head)
                                                   : datagram.subspan(header->size);
  // An error status says that there is no data. Only leaders and trailers may carry one as a warning.
  const bool frame_packet = header->format == gvsp::kLeader || header->format == gvsp::kTrailer;
  if (gvcp::is_error(header->status) && (body.empty() || !frame_packet)) {
    refuse(*header);
    return;
  }
  if (body.empty() || header->format < gvsp::kLeader || header->format > gvsp::kGenDc) {
    ++counters_.malformed;
    return;
  }
  OpenBlock* target = find(*header, packet, now_ns);
  if (target != nullptr) store(*target, *header, body, packet.landed != nullptr, now_ns);
}

bool BlockAssembler::is_foreign(const PacketView& packet, bool readable) {
  if (config_.camera_address != 0 && packet.source_address != config_.camera_address) return true;
  if (packet.source_port == camera_port_) {
    other_packets_ = 0;
    return false;
  }
  // What is no stream packet says nothing about where the stream comes from.
  if (!readable) return camera_port_ != 0;
  // A register that names the wrong port, or a first packet that was not the camera's, must not lock the
  // camera out: who sends alone for long enough is the camera.
  other_packets_ = packet.source_port == other_port_ ? other_packets_ + 1 : 1;
  other_port_ = packet.source_port;
  if (camera_port_ != 0 && (config_.camera_port_proven || other_packets_ < kPortWitnesses)) return true;
  camera_port_ = packet.source_port;
  return false;
}

// The open block a packet belongs to. nullptr: the packet was counted already.
OpenBlock* BlockAssembler::find(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns) {
  if (!order_.started()) begin(header, now_ns);
  if (is_strange(header, packet, now_ns)) {
    if (!bears_out_stray(header, now_ns)) {
      hold(header, packet, now_ns);
      return nullptr;
    }
    begin_at_stray(header, now_ns);
  }
  return locate(header, now_ns);
}

// Where the stream begins. In a new channel a low id says that the blocks before it were lost whole; a high
// one, that this camera counts otherwise.
void BlockAssembler::begin(const gvsp::Header& header, uint64_t now_ns) {
  const bool counted = config_.channel_is_new && header.block_id <= static_cast<uint64_t>(max_jump());
  order_.restart(counted ? 1 : header.block_id, header.extended, BlockOrder::kStart);
  head_ = next_ = BlockOrder::kStart;
  open_up_to(BlockOrder::kStart, now_ns);
}

OpenBlock* BlockAssembler::locate(const gvsp::Header& header, uint64_t now_ns) {
  const int64_t distance = order_.distance(header.block_id);
  if (distance > 0) {
    order_.advance(header.block_id, static_cast<uint64_t>(distance));
    open_up_to(order_.newest(), now_ns);
    // The real block begins with its first packets; one that got its id wrongly may be any.
    if (bears_out_stray(header, now_ns)) store_stray(stray_.header.packet_id < header.packet_id);
    // What the order has reached is strange no more.
    if (stray_.header.extended == header.extended && order_.distance(stray_.header.block_id) <= 0) {
      stray_.present = false;
    }
  }
  const uint64_t sequence = order_.newest() - static_cast<uint64_t>(distance > 0 ? 0 : -distance);
  const OpenBlock::Stage stage = sequence < head_ ? OpenBlock::Stage::kGivenUp : block(sequence).stage;
  if (stage == OpenBlock::Stage::kOpen) {
    // The stream goes on where it was: what was far from it was a wrong id, not a camera that began anew.
    if (stray_.present && is_far(stray_.header) && !block(sequence).received.test(header.packet_id)) {
      stray_.present = false;
    }
    return &block(sequence);
  }
  ++(stage == OpenBlock::Stage::kComplete ? counters_.duplicate : counters_.late);
  return nullptr;
}

// Whether a packet needs a second one before it is believed: since a wrong block id would end the block that
// is being received and open others that never come.
bool BlockAssembler::is_strange(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns) const {
  if (is_far(header)) return true;
  const int64_t distance = order_.distance(header.block_id);
  if (distance == 1 && newest_ended()) return false;
  // An all-in packet is a whole block: no second one with its id will come.
  if (distance > 0) return header.format != gvsp::kAllIn || !newer_leader(header, packet);
  const uint64_t sequence = order_.newest() - static_cast<uint64_t>(-distance);
  const bool wanted = sequence >= head_ && block(sequence).stage == OpenBlock::Stage::kOpen &&
                      !block(sequence).received.test(header.packet_id);
  // Also when a younger leader with this very id is held: the camera began anew.
  if (wanted) return bears_out_stray(header, now_ns);
  // Late, or a copy; unless the camera began anew within the ids of a moment ago.
  return newer_leader(header, packet) || bears_out_stray(header, now_ns);
}

bool BlockAssembler::is_far(const gvsp::Header& header) const {
  if (!order_.same_layout(header.extended)) return true;
  const int64_t distance = order_.distance(header.block_id);
  return distance > max_jump() || distance < -static_cast<int64_t>(window_);
}

bool BlockAssembler::newest_ended() const {
  const OpenBlock& newest = block(order_.newest());
  return order_.newest() < head_ || newest.stage != OpenBlock::Stage::kOpen || newest.ended;
}

// A camera whose ids begin anew sends leaders that are younger than any seen; a late copy is older.
bool BlockAssembler::newer_leader(const gvsp::Header& header, const PacketView& packet) const {
  const bool all_in = header.format == gvsp::kAllIn;
  if ((header.format != gvsp::kLeader && !all_in) || gvcp::is_error(header.status)) return false;
  const ConstBytes body = ConstBytes(packet.data, packet.size).subspan(header.size);
  if (all_in && !gvsp::parse_all_in(body)) return false;
  const auto leader = gvsp::parse_leader(body);
  return leader && leader->timestamp > newest_timestamp_;
}

bool BlockAssembler::bears_out_stray(const gvsp::Header& header, uint64_t now_ns) const {
  const gvsp::Header& first = stray_.header;
  if (!stray_.present || first.extended != header.extended) return false;
  if (now_ns - stray_.time_ns > config_.frame_timeout_ns) return false;
  if (first.block_id == header.block_id) return first.packet_id != header.packet_id;
  return first.format == gvsp::kAllIn && header.format == gvsp::kAllIn &&
         header.block_id == first.block_id + 1;
}

void BlockAssembler::hold(const gvsp::Header& header, const PacketView& packet, uint64_t now_ns) {
  if (stray_.present && stray_.header.block_id == header.block_id &&
      stray_.header.extended == header.extended && stray_.header.packet_id == header.packet_id) {
    ++counters_.duplicate;
    return;
  }
  ++counters_.malformed;
  stray_.present = packet.size <= stray_.bytes.size();
  if (!stray_.present) return;
  stray_.header = header;
  stray_.time_ns = now_ns;
  stray_.size = packet.size;
  std::memcpy(stray_.bytes.data(), packet.data, packet.size);
  if (packet.landed != nullptr) {
    std::memcpy(stray_.bytes.data() + packet.head, packet.landed, packet.landed_size);
  }
}

// Two witnesses: the stream goes on at the block of the first of them.
void BlockAssembler::begin_at_stray(const gvsp::Header& header, uint64_t now_ns) {
  const gvsp::Header& first = stray_.header;
  const bool same_layout = order_.same_layout(first.extended);
  const int64_t distance = same_layout ? order_.distance(first.block_id) : 0;
  if (distance > 0 && distance <= max_jump()) {  // blocks of which nothing came, so far
    order_.advance(first.block_id, static_cast<uint64_t>(distance));
    open_up_to(order_.newest(), stray_.time_ns);
  } else {
    // What is open belongs to the time before.
    ++counters_.resyncs;
    while (head_ < next_) {
      give_up(block(head_));
      advance(now_ns);
    }
    order_.restart(first.block_id, first.extended, next_);
    newest_timestamp_ = 0;
    open_up_to(next_, stray_.time_ns);
    // Low ids are those of a camera that began anew; others were reached by way of the ids between.
    const bool leap = distance > 0 && distance <= kMaxLeap && first.block_id > kMaxWindow;
    if (leap) count_leap(block(order_.newest()), static_cast<uint64_t>(distance - 1), now_ns);
  }
  // Of two witnesses shortly after each other either may be the first; of an old one only its own order
  // tells.
  store_stray(first.block_id != header.block_id || first.packet_id < header.packet_id ||
              now_ns - stray_.time_ns <= config_.reorder_grace_ns);
}

// Into the newest block, which is the stray's own.
void BlockAssembler::store_stray(bool believed) {
  stray_.present = false;
  if (!believed) return;
  --counters_.malformed;
  const ConstBytes datagram(stray_.bytes.data(), stray_.size);
  store(block(order_.newest()), stray_.header, datagram.subspan(stray_.header.size), false, stray_.time_ns);
}

void BlockAssembler::open_up_to(uint64_t sequence, uint64_t now_ns) {
  while (next_ <= sequence) {
    if (next_ - head_ >= window_) {
      give_up(block(head_));
      advance(now_ns);
    }
    if (next_ > head_) {
      OpenBlock& before = block(next_ - 1);
      if (before.stage == OpenBlock::Stage::kOpen) end_block(before, now_ns);
    }
    block(next_).open(next_, order_.id_of(next_), order_.extended(), now_ns);
    ++next_;
  }
}

uint64_t BlockAssembler::open_packets() const {
  uint64_t packets = 0;
  for (uint64_t at = head_; at < next_; ++at) packets += block(at).received.count();
  return packets;
}

void BlockAssembler::end_block(OpenBlock& ended, uint64_t now_ns) {
  if (!ended.ended) {
    ended.ended = true;
    ended.ended_time = now_ns;
  }
  resend_.on_ended(ended, now_ns);
  next_deadline_ = 0;
}

void BlockAssembler::take_slot(OpenBlock& taker, uint64_t now_ns) {
  if (spare_slot_ >= 0) {
    taker.slot = std::exchange(spare_slot_, -1);
    return;
  }
  auto slot = pool_.acquire();
  if (!slot && config_.handling != BufferHandling::kOldestFirst && pool_.reclaim_oldest()) {
    ++counters_.frames_overwritten;
    slot = pool_.acquire();
  }
  if (slot) {
    taker.slot = static_cast<int32_t>(*slot);
    return;
  }
  taker.no_slot = true;
  tell(kEventStarved, taker.block_id, 0, 0, now_ns);
}

void BlockAssembler::store(OpenBlock& target, const gvsp::Header& header, ConstBytes body, bool landed,
                           uint64_t now_ns) {
  if (target.slot < 0 && !target.no_slot) take_slot(target, now_ns);
  uint8_t* data = target.slot < 0 ? nullptr : pool_.data(static_cast<uint32_t>(target.slot));
  const uint32_t high = target.high;
  OpenBlock::Stored stored = OpenBlock::Stored::kMalformed;
  switch (header.format) {
    case gvsp::kLeader:
      if (header.packet_id == 0) stored = target.store_leader(body, now_ns);
      // No slot holds it: asking for its packets would be asking in vain.
      if (target.too_large(limits_)) target.resend.hopeless = true;
      break;
    case gvsp::kTrailer:
      stored = target.store_trailer(header.packet_id, header.status, body);
      break;
    case gvsp::kAllIn:
      if (header.packet_id == 0) stored = target.store_all_in(body, limits_, data, now_ns);
      break;
    case gvsp::kPayload:
    case gvsp::kH264:
    case gvsp::kMultiZone:
    case gvsp::kMultiPart:
    case gvsp::kGenDc:
      stored = target.store_data(header, body, limits_, size_trusted_, data, landed);
      break;
    default:
      break;
  }
  if (stored != OpenBlock::Stored::kNew) {
    ++(stored == OpenBlock::Stored::kDuplicate ? counters_.duplicate : counters_.malformed);
    count_taken_back(target, now_ns);
    return;
  }
  ++counters_.accepted;
  if (landed) ++counters_.in_place;
  if (target.has_leader) newest_timestamp_ = std::max(newest_timestamp_, target.leader.timestamp);
  const uint64_t pause = now_ns - target.last_time;
  target.last_time = now_ns;
  // Should nothing more come, somebody has to notice.
  next_deadline_ =
      std::min(next_deadline_, now_ns + std::min(config_.resend.idle_delay_ns, config_.frame_timeout_ns));
  resend_.on_stored(target, header, header.packet_id == high, pause, now_ns);
  if (header.packet_id > high) {
    resend_.on_gap(target, now_ns);
    if (target.resend.due != 0) next_deadline_ = std::min(next_deadline_, target.resend.due);
  }
  if (header.format == gvsp::kTrailer) end_block(target, now_ns);
  const bool complete = target.check_complete(limits_);
  count_taken_back(target, now_ns);
  if (!complete) {
    // This may have been the last packet that was still to be hoped for.
    if (target.ended && target.abandoned.count() != 0) next_deadline_ = 0;
    return;
  }
  target.stage = OpenBlock::Stage::kComplete;
  if (!size_trusted_ && !target.explicit_offsets && target.trailer_id > 2) {
    size_trusted_ = true;
    limits_.packet_size = target.packet_size();
  }
  if (target.sequence == head_) advance(now_ns);
}

void BlockAssembler::count_taken_back(OpenBlock& target, uint64_t now_ns) {
  const uint32_t wrong = target.take_taken_back();
  if (wrong == 0) return;
  counters_.accepted -= wrong;
  counters_.malformed += wrong;
  if (target.ended) end_block(target, now_ns);
}

void BlockAssembler::refuse(const gvsp::Header& header) {
  ++counters_.refused;
  if (!order_.started() || !order_.same_layout(header.extended)) return;
  const int64_t distance = order_.distance(header.block_id);
  if (distance > 0 || distance < -static_cast<int64_t>(window_)) return;
  const uint64_t sequence = order_.newest() - static_cast<uint64_t>(-distance);
  if (sequence < head_ || block(sequence).stage != OpenBlock::Stage::kOpen) return;
  resend_.on_refused(block(sequence), header.packet_id, header.status);
  next_deadline_ = 0;
}

uint64_t BlockAssembler::service(OpenBlock& open, uint64_t now_ns) {
  if (open.stage != OpenBlock::Stage::kOpen) return ResendPolicy::kNever;
  uint64_t deadline = resend_.run(open, now_ns);
  if (!open.ended) {
    // A leader may come long before its data (the camera waits for light): only data that stopped is
    // suspicious.
    if (open.received.count() <= (open.has_leader ? 1U : 0U)) return deadline;
    const uint64_t quiet_until = open.last_time + config_.frame_timeout_ns;
    if (now_ns < quiet_until) return std::min(deadline, quiet_until);
    give_up(open);
    return 0;
  }
  if (resend_.can_help(open)) {
    if (!resend_.exhausted(open, now_ns)) {
      return std::min(deadline, open.ended_time + config_.resend.block_timeout_ns);
    }
  } else if (!open.resend.hopeless) {
    const uint64_t grace = open.ended_time + config_.reorder_grace_ns;
    if (now_ns < grace) return grace;
  }
  give_up(open);
  return 0;
}

void BlockAssembler::on_time(uint64_t now_ns) {
  if (now_ns < next_deadline_) return;
  uint64_t deadline = ResendPolicy::kNever;
  for (uint64_t at = head_; at < next_; ++at) deadline = std::min(deadline, service(block(at), now_ns));
  advance(now_ns);
  next_deadline_ = head_ == next_ ? ResendPolicy::kNever : deadline;
}

void BlockAssembler::finish(uint64_t now_ns) {
  advance(now_ns);
  if (spare_slot_ >= 0) pool_.give_back(static_cast<uint32_t>(std::exchange(spare_slot_, -1)));
  for (; head_ < next_; ++head_) {
    OpenBlock& cut = block(head_);
    if (cut.stage == OpenBlock::Stage::kOpen) {
      ++counters_.blocks_cut;
      counters_.packets_cut += cut.received.count();
      if (cut.slot >= 0) pool_.give_back(static_cast<uint32_t>(cut.slot));
      cut.stage = OpenBlock::Stage::kUnused;
    } else {
      hand_over(cut, now_ns);
    }
  }
  next_deadline_ = ResendPolicy::kNever;
}

}  // namespace gw
