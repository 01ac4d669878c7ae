// The third part of BlockAssembler: where the next packets belong, and how far the newest block is. Purpose:
// the kernel's own copy puts data straight into its slot. Thread and owner as there.
//
// Only places of which no packet is here yet are given away, so that a wrong guess destroys nothing: what
// lands there is brought home before any packet of the batch is stored, and the place stays "missing".
#include <algorithm>

#include "path/block_assembler.h"

namespace gw {

LandingPlan BlockAssembler::plan(std::span<Landing> landings) {
  foreseen_count_ = 0;
  // A stray may end the block that is being received: nothing can be foreseen then.
  if (!size_trusted_ || !order_.started() || stray_.present) return {};
  foreseen_data_ = gvsp::data_size(limits_.packet_size, order_.extended());
  if (foreseen_data_ == 0) return {};
  landings = landings.first(std::min(landings.size(), kMaxForeseen));
  const uint64_t sequence = order_.newest();
  uint32_t packets = static_cast<uint32_t>((limits_.payload_size + foreseen_data_ - 1) / foreseen_data_) + 2;
  const bool open = sequence >= head_ && block(sequence).stage == OpenBlock::Stage::kOpen;
  if (open) {
    const OpenBlock& newest = block(sequence);
    packets = newest.expected_packets(limits_);
    const bool regular = newest.slot >= 0 && !newest.explicit_offsets && !newest.all_in &&
                         (newest.data_size == 0 || newest.data_size == foreseen_data_);
    if (!newest.has_trailer) {
      const uint32_t from = std::max(newest.high, 1U);
      if (!regular) return {};
      foresee(newest.block_id, static_cast<uint32_t>(newest.slot), from, packets, landings);
    }
  }
  if (foreseen_count_ < landings.size()) {
    // Never by taking a frame back that nobody has seen yet: that is decided when the block comes.
    if (spare_slot_ < 0) {
      const auto slot = pool_.acquire();
      if (slot) spare_slot_ = static_cast<int32_t>(*slot);
    }
    if (spare_slot_ >= 0) {
      foresee(order_.id_of(sequence + 1), static_cast<uint32_t>(spare_slot_), 0, packets, landings);
    }
  }
  const auto head = static_cast<uint32_t>(order_.extended() ? gvsp::kExtendedHeader : gvsp::kStandardHeader);
  return {landings.first(foreseen_count_), head};
}

// Packets [from, to) of a block; leader and trailer have no place in the slot.
void BlockAssembler::foresee(uint64_t block_id, uint32_t slot, uint32_t from, uint32_t to,
                             std::span<Landing> landings) {
  uint8_t* data = pool_.data(slot);
  for (uint32_t id = from; id < to && foreseen_count_ < landings.size(); ++id) {
    Landing& landing = landings[foreseen_count_];
    const uint64_t offset = static_cast<uint64_t>(id == 0 ? 0 : id - 1) * foreseen_data_;
    landing = {};
    if (id != 0 && id + 1 < to && offset < limits_.capacity) {
      landing = {data + offset,
                 static_cast<uint32_t>(std::min<uint64_t>(foreseen_data_, limits_.capacity - offset))};
    }
    foreseen_[foreseen_count_++] = {block_id, id};
  }
}

void BlockAssembler::settle(std::span<PacketView> batch) {
  bool quiet = true;
  for (size_t i = 0; i < batch.size(); ++i) {
    PacketView& packet = batch[i];
    if (packet.landed == nullptr) {
      quiet = quiet && (packet.size == 0 || changes_nothing(packet));
    } else if (!quiet || !as_foreseen(packet, foreseen_[i])) {
      packet.bring_home();
      quiet = quiet && changes_nothing(packet);
    }
  }
}

bool BlockAssembler::as_foreseen(const PacketView& packet, const Foreseen& foreseen) const {
  const auto header = gvsp::parse_header(ConstBytes(packet.data, packet.head));
  return header && !packet.truncated && packet.size == packet.head + packet.landed_size &&
         header->size == packet.head && header->format == gvsp::kPayload && !gvcp::is_error(header->status) &&
         header->extended == order_.extended() && header->block_id == foreseen.block_id &&
         header->packet_id == foreseen.packet_id;
}

// Whether the blocks that packets have landed in will surely stay as they are when this one is taken in: it
// is not one that may start the stream anew.
bool BlockAssembler::changes_nothing(const PacketView& packet) const {
  const auto header = gvsp::parse_header(ConstBytes(packet.data, packet.size));
  if (!header) return true;
  if (header->block_id == 0) return true;
  if (is_far(*header)) return false;
  const int64_t distance = order_.distance(header->block_id);
  if (distance > 1) return false;
  // It would take the slot that was taken ahead for the next block.
  const uint64_t sequence = order_.newest() - static_cast<uint64_t>(distance > 0 ? 0 : -distance);
  if (distance <= 0 && sequence >= head_ && block(sequence).slot < 0) return false;
  const bool begins = header->format == gvsp::kLeader || header->format == gvsp::kAllIn;
  return distance == 1 || !begins || gvcp::is_error(header->status);
}

BlockProgress BlockAssembler::progress() const {
  if (!order_.started()) return {};
  const OpenBlock& newest = block(order_.newest());
  BlockProgress progress;
  progress.block_id = order_.newest();
  progress.ended = newest_ended();
  progress.received = newest.received.count();
  progress.expected = newest.expected_packets(limits_);
  progress.first_time = newest.first_time;
  return progress;
}

}  // namespace gw
