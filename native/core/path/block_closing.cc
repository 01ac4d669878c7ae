// The second half of BlockAssembler: what happens to a block when it is over. Thread and owner as there.
#include <algorithm>

#include "path/block_assembler.h"

namespace gw {

void BlockAssembler::give_up(OpenBlock& lost) {
  if (lost.stage == OpenBlock::Stage::kOpen) lost.stage = OpenBlock::Stage::kGivenUp;
}

void BlockAssembler::advance(uint64_t now_ns) {
  while (head_ < next_ && block(head_).stage != OpenBlock::Stage::kOpen) {
    hand_over(block(head_), now_ns);
    ++head_;
  }
}

void BlockAssembler::hand_over(OpenBlock& done, uint64_t now_ns) {
  if (done.stage == OpenBlock::Stage::kComplete) {
    close_complete(done, now_ns);
  } else {
    close_incomplete(done, now_ns);
  }
  counters_.last_block_id = done.block_id;
  done.stage = OpenBlock::Stage::kUnused;
}

void BlockAssembler::close_complete(OpenBlock& done, uint64_t now_ns) {
  const uint32_t packets = done.received.count();
  ++counters_.blocks_expected;
  counters_.packets_expected += packets;
  counters_.packets_received += packets;
  counters_.packets_resent += done.resent;
  if (done.no_slot) {
    ++counters_.blocks_no_slot;
    return;
  }
  ++counters_.blocks_complete;
  fill_header(done, packets, now_ns);
  queue(done);
}

void BlockAssembler::close_incomplete(OpenBlock& lost, uint64_t now_ns) {
  lost.check_end(limits_);
  const uint32_t wrong = lost.take_taken_back();
  counters_.accepted -= wrong;
  counters_.malformed += wrong;
  const uint32_t expected = std::max(lost.expected_packets(limits_), lost.received.count());
  ++counters_.blocks_expected;
  counters_.packets_expected += expected;
  counters_.packets_received += lost.received.count();
  counters_.packets_resent += lost.resent;
  count_missing(lost, expected);
  if (lost.received.count() == 0) {
    ++counters_.blocks_missed;
    tell(kEventMissed, lost.block_id, 1, expected, now_ns);
  } else if (lost.no_slot) {
    ++counters_.blocks_no_slot;
    return;
  } else {
    ++counters_.blocks_incomplete;
    tell(kEventIncomplete, lost.block_id, expected - lost.received.count(), expected, now_ns);
  }
  if (lost.slot < 0) return;
  const auto slot = static_cast<uint32_t>(lost.slot);
  if (!config_.deliver_incomplete || !lost.has_leader || lost.received.count() == 0) {
    pool_.give_back(slot);
    return;
  }
  lost.zero_missing(pool_.data(slot), limits_);
  lost.received.copy_to(pool_.packet_map(slot), pool_.layout().map_stride);
  fill_header(lost, expected, now_ns);
  queue(lost);
}

void BlockAssembler::tell(StreamEvent kind, uint64_t block_id, uint32_t a, uint32_t b, uint64_t now_ns) {
  pool_.push_event(kind, block_id, a, b, now_ns, counters_.events_lost);
  wake_ = true;
}

void BlockAssembler::count_missing(const OpenBlock& lost, uint32_t expected) {
  const uint32_t missing = expected - lost.received.count();
  const uint32_t limit = std::min(expected, lost.received.capacity());
  uint32_t asked = 0;
  uint32_t refused = 0;
  for (uint32_t id = lost.received.next_clear(0, limit); id < limit;
       id = lost.received.next_clear(id + 1, limit)) {
    if (!ResendPolicy::asked_for(lost, id)) continue;
    ++asked;
    refused += lost.abandoned.test(id) ? 1 : 0;
  }
  counters_.packets_missing += missing;
  counters_.missing_refused += refused;
  counters_.missing_exhausted += asked - refused;
  counters_.missing_not_requested += missing - asked;
}

// Blocks before the newest one of which nothing came, too many to open each of them.
void BlockAssembler::count_leap(const OpenBlock& next, uint64_t blocks, uint64_t now_ns) {
  const uint64_t packets = blocks * next.expected_packets(limits_);
  counters_.blocks_expected += blocks;
  counters_.blocks_missed += blocks;
  counters_.packets_expected += packets;
  counters_.packets_missing += packets;
  counters_.missing_not_requested += packets;
  tell(kEventMissed, order_.id_of(order_.newest() - blocks), static_cast<uint32_t>(blocks), 0, now_ns);
}

void BlockAssembler::fill_header(const OpenBlock& done, uint32_t expected, uint64_t now_ns) {
  SlotHeader& header = pool_.slot(static_cast<uint32_t>(done.slot));
  header.flags = (done.stage == OpenBlock::Stage::kComplete ? kFrameComplete : 0U) |
                 (done.extended ? kFrameExtendedIds : 0U) |
                 (done.explicit_offsets ? kFrameExplicitOffsets : 0U);
  header.block_id = done.block_id;
  header.timestamp = done.leader.timestamp;
  header.host_time_ns = done.host_time != 0 ? done.host_time : done.first_time;
  header.ready_time_ns = now_ns;
  header.payload_bytes = done.payload_bytes(limits_);
  header.payload_type = done.leader.payload_type;
  header.pixel_format = done.leader.pixel_format;
  header.width = done.leader.width;
  header.height = done.lines();
  header.offset_x = done.leader.offset_x;
  header.offset_y = done.leader.offset_y;
  header.padding_x = done.leader.padding_x;
  header.padding_y = done.leader.padding_y;
  header.packets_expected = expected;
  header.packets_received = done.received.count();
  header.packets_resent = done.resent;
  header.data_size = done.data_size;
  header.chunk_length = done.trailer.chunk_length.value_or(0);
  header.chunk_layout = done.trailer.chunk_layout.value_or(0);
  header.sequence = sequence_++;
  header.trailer_status = done.trailer_status;
}

void BlockAssembler::queue(const OpenBlock& done) {
  if (config_.handling == BufferHandling::kNewestOnly) {
    while (pool_.reclaim_oldest()) ++counters_.frames_overwritten;
  }
  pool_.make_ready(static_cast<uint32_t>(done.slot));
  ++counters_.frames_queued;
  wake_ = true;
}

}  // namespace gw
