// StreamSender, packet by packet: first sends with their faults, resends with their answers, test packets.
// Thread: gev-sim-snd. Owner: SimulatedCamera.
#include <algorithm>

#include "base/clock.h"
#include "sim/stream_sender.h"

namespace gw::sim {

namespace {

constexpr uint32_t kMaxRefusals =
    1024;  // per request: a range is the host's word, not a promise to answer 2^32 times
constexpr size_t kMaxHeldPackets = 4096;
constexpr uint64_t kLongestReorderUs = 20'000;

}  // namespace

void StreamSender::count_loss(LossCause cause) {
  count(counters_.packets_planned);
  count(counters_.packets_lost);
  switch (cause) {
    case LossCause::kChosen:
      count(counters_.lost_chosen);
      break;
    case LossCause::kBlock:
      count(counters_.lost_block);
      break;
    case LossCause::kLeader:
      count(counters_.lost_leader);
      break;
    case LossCause::kTrailer:
      count(counters_.lost_trailer);
      break;
    case LossCause::kTail:
      count(counters_.lost_tail);
      break;
    case LossCause::kRandom:
      count(counters_.lost_random);
      break;
    case LossCause::kBurst:
      count(counters_.lost_burst);
      break;
    case LossCause::kNone:
      break;
  }
}

bool StreamSender::too_big(const Packet& packet) const {
  const uint32_t mtu = faults_.plan().path_mtu;
  return mtu != 0 && packet.size() + gvsp::kIpUdpHeaders > mtu;
}

void StreamSender::send_first(ResendHistory::Entry& entry, uint32_t packet, const PacketFate& fate) {
  ++packets_passed_;
  if (fate.lost != LossCause::kNone) {
    count_loss(fate.lost);
  } else if ((fate.flags & (kFateReorder | kFateDelay)) != 0 && held_.size() < kMaxHeldPackets) {
    const bool reorder = (fate.flags & kFateReorder) != 0;
    count(reorder ? counters_.reordered : counters_.delayed);
    // Where no further packets come, a reordered one must still arrive.
    const uint64_t wait_us = reorder ? kLongestReorderUs : faults_.plan().delay_us;
    const uint64_t due_count =
        reorder ? packets_passed_ + std::max<uint32_t>(faults_.plan().reorder_distance, 1) : kNever;
    held_.push_back(
        {entry.block.id, packet, fate.flags, due_count, SteadyClock::instance().now_ns() + wait_us * 1000});
    next_held_count_ = std::min(next_held_count_, due_count);
  } else {
    emit(entry, packet, fate.flags);
  }
  // Reordering is by packet count, so what is due goes right behind this one.
  if (packets_passed_ >= next_held_count_) release_held(SteadyClock::instance().now_ns());
}

void StreamSender::emit(ResendHistory::Entry& entry, uint32_t packet, uint8_t flags) {
  const ConstBytes image = image_of(entry.block, false);
  make_room();
  Packet& out = batch_.slot();
  make_packet(entry.block, packet, image, false, out);
  if (too_big(out)) {
    count(counters_.packets_planned);
    count(counters_.packets_lost);
    count(counters_.lost_path_mtu);
    return;
  }
  count(counters_.packets_planned);
  if (flags == 0) {
    batch_.commit(SendKind::kFirst);
    return;
  }
  if ((flags & kFateForeign) != 0) send_foreign(out);
  if ((flags & kFateTruncate) != 0 && !out.body[0].empty()) {
    out.body[0] = out.body[0].first(out.body[0].size() / 2);
    out.body[1] = {};
    count(counters_.truncated);
  }
  if ((flags & kFateWrongId) != 0) {
    const bool extended = entry.block.format->extended_ids;
    uint8_t* id = out.head.data() + (extended ? 8 : 2);
    id[0] ^= 0x5A;  // the high byte: far off, whatever it was
    count(counters_.wrong_ids);
  }
  if ((flags & kFateCorrupt) != 0) {
    // either a format that does not exist or a packet id beyond any block
    uint8_t& format = out.head[4];
    if ((packet & 1) != 0) {
      format = static_cast<uint8_t>((format & 0xF0) | 0x0F);
    } else {
      uint8_t* id = out.head.data() + (entry.block.format->extended_ids ? 16 : 5);
      id[0] = 0xEE;
    }
    count(counters_.corrupted);
  }
  batch_.commit(SendKind::kFirst);
  if ((flags & kFateDuplicate) == 0) return;
  make_room();
  make_packet(entry.block, packet, image, false, batch_.slot());
  batch_.commit(SendKind::kDuplicate);
}

void StreamSender::send_foreign(const Packet& packet) {
  if (!foreign_socket_.valid()) {
    Result<CameraSocket> socket = CameraSocket::bind({socket_->local().address, 0}, {});
    if (!socket.ok()) return;
    foreign_socket_ = std::move(*socket);
  }
  // Right in every header field and wrong in every payload byte: whoever takes it has a wrong image.
  std::vector<uint8_t> bytes(packet.head.begin(), packet.head.begin() + packet.head_size);
  for (const ConstBytes body : packet.body) {
    for (const uint8_t byte : body) bytes.push_back(static_cast<uint8_t>(~byte));
  }
  if (foreign_socket_.send(bytes, destination_) == 0) count(counters_.foreign);
}

uint64_t StreamSender::fire_tests(uint64_t now) {
  while (!tests_.empty() && tests_.front().due_ns <= now) {
    send_test(tests_.front());
    tests_.pop_front();
  }
  return tests_.empty() ? kNever : tests_.front().due_ns;
}

void StreamSender::send_test(const PendingTest& test) {
  const uint32_t header = test.extended_ids ? gvsp::kExtendedHeader : gvsp::kStandardHeader;
  if (silent_ || destination_.port == 0 || test.packet_size < gvsp::kIpUdpHeaders + header) return;
  const uint32_t mtu = faults_.plan().path_mtu;
  if (mtu != 0 && test.packet_size > mtu) return;
  flush();
  apply_dont_fragment(test.dont_fragment && faults_.plan().packet_size != PacketSizeFault::kIgnoreDf);
  test_packet_.resize(test.packet_size - gvsp::kIpUdpHeaders);
  make_test_packet(test_packet_, test.extended_ids);
  if (const int error = socket_->send(test_packet_, destination_); error == 0) {
    count(counters_.test_packets);
  } else {
    count(counters_.send_errors);
    counters_.last_send_errno.store(error, std::memory_order_relaxed);
  }
}

uint64_t StreamSender::serve_resends(uint64_t now) {
  while (!resends_.empty() && resends_.front().due_ns <= now) {
    const gvcp::Resend request = resends_.front().request;
    resends_.pop_front();
    answer(request);
    flush();
  }
  return resends_.empty() ? kNever : resends_.front().due_ns;
}

void StreamSender::answer(const gvcp::Resend& request) {
  const ResendFault fault = faults_.plan().resend;
  ResendHistory::Entry* newest = history_.newest();
  if (newest == nullptr || request.channel != 0 || fault == ResendFault::kSilent ||
      request.extended != newest->block.format->extended_ids) {
    count(counters_.resend_ignored);
    return;
  }
  const bool told = newest->block.format->extended_status;  // the host asked for the finer codes
  ResendHistory::Entry* entry = history_.find_answerable(request.block_id);
  if (entry == nullptr) {
    const uint32_t last = request.last_packet == gvcp::kToEnd ? request.first_packet : request.last_packet;
    const uint64_t ahead = request.extended ? request.block_id - newest->block.id
                                            : (request.block_id + 0xFFFF - newest->block.id) % 0xFFFF;
    const bool future = request.extended ? request.block_id > newest->block.id : ahead < 0x8000;
    const uint16_t status = !told    ? gvcp::kPacketUnavailable
                            : future ? gvcp::kPacketNotYetAvailable
                                     : gvcp::kPacketAndPreviousRemoved;
    for (uint32_t i = 0; i < kMaxRefusals && uint64_t{request.first_packet} + i <= last; ++i) {
      count(counters_.resend_packets_requested);
      refuse(request, request.first_packet + i, status);
    }
    return;
  }
  const uint32_t end = entry->block.packet_count() - 1;
  if (request.first_packet > end || request.last_packet < request.first_packet) {
    refuse(request, request.first_packet, gvcp::kPacketUnavailable);
    return;
  }
  const bool unfinished = entry == newest && in_block_;
  for (uint32_t packet = request.first_packet; packet <= std::min(request.last_packet, end); ++packet) {
    count(counters_.resend_packets_requested);
    if (fault == ResendFault::kUnavailable) {
      refuse(request, packet, gvcp::kPacketUnavailable);
    } else if (fault == ResendFault::kRemovedPrevious) {
      refuse(request, packet, gvcp::kPacketAndPreviousRemoved);
    } else if (unfinished && packet >= entry->next_packet) {
      // A request to the end of a block under way means what is missing so far: the rest comes by itself.
      if (request.last_packet == gvcp::kToEnd && packet != request.first_packet) break;
      refuse(request, packet, told ? gvcp::kPacketNotYetAvailable : gvcp::kPacketUnavailable);
    } else if (fault == ResendFault::kNotYetFirst && entry->attempts[packet]++ == 0) {
      refuse(request, packet, gvcp::kPacketNotYetAvailable);
    } else {
      answer_packet(*entry, packet);
    }
  }
}

void StreamSender::answer_packet(ResendHistory::Entry& entry, uint32_t packet) {
  const uint32_t attempt = ++entry.attempts[packet];
  const Block& block = entry.block;
  if (faults_.resend_fate(block.ordinal, packet, block.packet_count(), attempt) != LossCause::kNone) {
    count(counters_.resend_lost);
    return;
  }
  const ConstBytes image = image_of(block, true);
  make_room();
  Packet& out = batch_.slot();
  make_packet(block, packet, image, faults_.plan().resend != ResendFault::kPlainStatus, out);
  if (too_big(out)) {
    count(counters_.resend_lost);
    return;
  }
  batch_.commit(SendKind::kResend);
}

void StreamSender::refuse(const gvcp::Resend& request, uint32_t packet, uint16_t status) {
  make_room();
  Packet& out = batch_.slot();
  out.head_size =
      static_cast<uint32_t>(make_error_packet(out.head, status, request.extended, request.block_id, packet));
  out.body[0] = out.body[1] = {};
  batch_.commit(SendKind::kRefusal);
}

}  // namespace gw::sim
