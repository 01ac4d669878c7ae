#include "path/open_block.h"

#include <algorithm>
#include <cstring>

#include "wire/pixel_format.h"

namespace gw {

namespace {

// Bytes in front of the data, by packet format, and where the packet's own offset stands among them.
struct Prefix {
  uint32_t size = 0;
  bool explicit_offset = false;
};

Prefix prefix_of(uint8_t format) {
  switch (format) {
    case gvsp::kH264:
      return {8, false};
    case gvsp::kMultiZone:
    case gvsp::kMultiPart:
      return {8, true};
    case gvsp::kGenDc:
      return {16, true};
    default:
      return {0, false};
  }
}

uint64_t offset_of(uint8_t format, const uint8_t* prefix) {
  if (format == gvsp::kGenDc) return load_be64(prefix + 4);
  return static_cast<uint64_t>(load_be16(prefix + 2)) << 32 | load_be32(prefix + 4);
}

uint64_t divide_up(uint64_t value, uint64_t by) {
  return by == 0 ? 0 : value / by + (value % by != 0 ? 1 : 0);
}

}  // namespace

void OpenBlock::open(uint64_t new_sequence, uint64_t id, bool is_extended, uint64_t now_ns) {
  received.clear();
  abandoned.clear();
  stage = Stage::kOpen;
  sequence = new_sequence;
  block_id = id;
  extended = is_extended;
  has_leader = has_trailer = all_in = ended = explicit_offsets = no_slot = false;
  leader = {};
  trailer = {};
  trailer_status = 0;
  trailer_id = data_size = high = 0;
  slot = -1;
  first_time = last_time = now_ns;
  ended_time = host_time = 0;
  resend = {};
  resent = 0;
  data_format_ = 0;
  size_settled_ = false;
  lone_id_ = lone_size_ = short_id_ = short_size_ = all_in_lines_ = taken_back_ = 0;
  bytes_end_ = 0;
}

void OpenBlock::mark(uint32_t packet_id) {
  received.set(packet_id);
  high = std::max(high, packet_id + 1);
}

bool OpenBlock::take_back(uint32_t packet_id) {
  if (!received.test(packet_id)) return false;
  received.unset(packet_id);
  ++taken_back_;
  if (packet_id == short_id_) short_id_ = 0;
  return true;
}

OpenBlock::Stored OpenBlock::store_leader(ConstBytes body, uint64_t now_ns) {
  if (has_leader) return Stored::kDuplicate;
  const auto parsed = gvsp::parse_leader(body);
  if (!parsed) return Stored::kMalformed;
  leader = *parsed;
  has_leader = true;
  host_time = now_ns;
  mark(0);
  return Stored::kNew;
}

OpenBlock::Stored OpenBlock::store_trailer(uint32_t packet_id, uint16_t status, ConstBytes body) {
  if (has_trailer) return packet_id == trailer_id ? Stored::kDuplicate : Stored::kMalformed;
  const auto parsed = gvsp::parse_trailer(body);
  if (!parsed || packet_id == 0 || packet_id >= received.capacity()) return Stored::kMalformed;
  if (high > packet_id) return Stored::kMalformed;  // data beyond its own trailer
  trailer = *parsed;
  has_trailer = true;
  trailer_id = packet_id;
  trailer_status = status;
  mark(packet_id);
  if (size_settled_ && short_id_ != 0 && short_id_ != packet_id - 1) take_back(short_id_);
  return Stored::kNew;
}

// The second data packet of a block whose packet size nothing vouches for: full packets are as large as the
// larger of the two. False: the new packet is the one that was cut on its way.
bool OpenBlock::settle_size(uint32_t id, uint32_t size, const BlockLimits& limits, uint8_t* data) {
  const uint64_t old_offset = static_cast<uint64_t>(lone_id_ - 1) * data_size;
  data_size = std::max(lone_size_, size);
  size_settled_ = true;
  short_id_ = 0;
  bytes_end_ = 0;
  const uint64_t offset = static_cast<uint64_t>(lone_id_ - 1) * data_size;
  const bool may_be_last = lone_id_ > id && (!has_trailer || lone_id_ + 1 == trailer_id);
  if ((lone_size_ < data_size && !may_be_last) || offset + lone_size_ > limits.capacity) {
    take_back(lone_id_);
  } else {
    if (data != nullptr) std::memmove(data + offset, data + old_offset, lone_size_);
    bytes_end_ = offset + lone_size_;
    if (lone_size_ < data_size) {
      short_id_ = lone_id_;
      short_size_ = lone_size_;
    }
  }
  return size == data_size || id > lone_id_;
}

OpenBlock::Stored OpenBlock::store_data(const gvsp::Header& header, ConstBytes body,
                                        const BlockLimits& limits, bool size_trusted, uint8_t* data,
                                        bool landed) {
  const uint32_t id = header.packet_id;
  if (id == 0 || id >= received.capacity() || (has_trailer && id >= trailer_id)) return Stored::kMalformed;
  const Prefix prefix = prefix_of(header.format);
  if (received.test(id)) return Stored::kDuplicate;
  if (body.size() <= prefix.size || (data_format_ != 0 && data_format_ != header.format))
    return Stored::kMalformed;
  const auto size = static_cast<uint32_t>(body.size() - prefix.size);

  uint64_t offset;
  if (prefix.explicit_offset) {
    // GenDC says how much it carries: less is a packet that was cut on its way.
    if (header.format == gvsp::kGenDc && size < load_be32(body.data())) return Stored::kMalformed;
    offset = offset_of(header.format, body.data());
  } else {
    if (data_size == 0 || (!size_settled_ && !received.test(lone_id_))) {
      const uint32_t configured = gvsp::data_size(limits.packet_size, extended);
      data_size = configured > prefix.size ? configured - prefix.size : 0;
      size_settled_ = data_size != 0 && (size_trusted || size == data_size);
      if (!size_settled_) {
        lone_id_ = id;
        lone_size_ = size;
        const uint64_t end = static_cast<uint64_t>(id - 1) * data_size + size;
        if (id == 1 || size > data_size || end > limits.capacity) data_size = size;
      }
    } else if (!size_settled_ && !settle_size(id, size, limits, data)) {
      return Stored::kMalformed;
    }
    if (size > data_size) return Stored::kMalformed;
    if (size < data_size && size_settled_) {
      // Only the last packet is short. A second one, or one with something behind it, was cut on its way.
      const bool may_be_last = has_trailer ? id + 1 == trailer_id : id + 1 >= high;
      if (!may_be_last) return Stored::kMalformed;
    }
    offset = static_cast<uint64_t>(id - 1) * data_size;
  }
  if (offset > limits.capacity || size > limits.capacity - offset) return Stored::kMalformed;
  const uint8_t* from = body.data() + prefix.size;
  // In the slot already, but not where it belongs: others may have been written over it since.
  if (landed && from != data + offset) return Stored::kMalformed;

  data_format_ = header.format;
  explicit_offsets = prefix.explicit_offset;
  if (!explicit_offsets && short_id_ != 0 && id > short_id_) take_back(short_id_);
  if (!explicit_offsets && size < data_size) {
    short_id_ = id;
    short_size_ = size;
  }
  if (data != nullptr) {
    // Parts may be shorter than the room kept for them: what lies between must not be a former frame. Each
    // byte is zeroed once at most.
    if (explicit_offsets && offset > bytes_end_) std::memset(data + bytes_end_, 0, offset - bytes_end_);
    if (!landed) std::memcpy(data + offset, from, size);
  }
  bytes_end_ = std::max(bytes_end_, offset + size);
  mark(id);
  return Stored::kNew;
}

OpenBlock::Stored OpenBlock::store_all_in(ConstBytes body, const BlockLimits& limits, uint8_t* data,
                                          uint64_t now_ns) {
  if (received.count() != 0) return all_in ? Stored::kDuplicate : Stored::kMalformed;
  const auto parsed = gvsp::parse_all_in(body);
  if (!parsed) return Stored::kMalformed;
  const ConstBytes payload = body.subspan(parsed->data_offset);
  if (payload.empty() || payload.size() > limits.capacity) return Stored::kMalformed;
  leader = parsed->leader;
  trailer = parsed->trailer;
  all_in_lines_ = leader.height;
  if (gvsp::has_chunks(leader.payload_type)) {
    all_in_lines_ = lines_before_chunks();
  } else if (leader.height == 0 || payload.size() < expected_bytes(leader.height)) {
    all_in_lines_ = trailer.size_y.value_or(leader.height);
  }
  if (payload.size() < expected_bytes(all_in_lines_)) return Stored::kMalformed;
  if (data != nullptr) std::memcpy(data, payload.data(), payload.size());
  all_in = has_leader = has_trailer = true;
  host_time = now_ns;
  bytes_end_ = payload.size();
  data_size = static_cast<uint32_t>(payload.size());
  mark(0);
  return Stored::kNew;
}

uint64_t OpenBlock::expected_bytes(uint32_t lines) const {
  if (gvsp::has_chunks(leader.payload_type)) return trailer.chunk_length.value_or(0);
  if (gvsp::base_type(leader.payload_type) == gvsp::kImage) {
    return pfnc::image_bytes(leader.pixel_format, leader.width, lines, leader.padding_x, leader.padding_y);
  }
  return leader.payload_size;
}

uint64_t OpenBlock::stored_bytes() const {
  if (trailer_id < 2) return 0;
  const uint32_t last = trailer_id - 1;
  return static_cast<uint64_t>(last - 1) * data_size + (short_id_ == last ? short_size_ : data_size);
}

// Whether an image of so many lines needs just the packets that the trailer announced.
bool OpenBlock::fits(uint32_t lines) const {
  const uint64_t bytes = expected_bytes(lines);
  const uint32_t packets = trailer_id - 1;
  if (divide_up(bytes, data_size) != packets) return false;
  return packets == 0 ? bytes == 0 : !received.test(packets) || bytes <= stored_bytes();
}

uint32_t OpenBlock::lines() const {
  if (all_in) return all_in_lines_;
  if (!has_trailer || explicit_offsets || !trailer.size_y || !gvsp::has_image_leader(leader.payload_type)) {
    return leader.height;
  }
  if (gvsp::has_chunks(leader.payload_type)) return lines_before_chunks();
  return !fits(leader.height) && fits(*trailer.size_y) ? *trailer.size_y : leader.height;
}

// Chunks hide how long the image is; but it cannot be longer than all of them.
uint32_t OpenBlock::lines_before_chunks() const {
  if (!trailer.size_y || !gvsp::has_image_leader(leader.payload_type)) return leader.height;
  const auto image = [&](uint32_t lines) {
    return pfnc::image_bytes(leader.pixel_format, leader.width, lines, leader.padding_x, leader.padding_y);
  };
  const uint64_t room = trailer.chunk_length.value_or(0);
  const bool nominal = leader.height != 0 && image(leader.height) <= room;
  return !nominal && image(*trailer.size_y) <= room ? *trailer.size_y : leader.height;
}

bool OpenBlock::check_complete(const BlockLimits& limits) {
  if (all_in) return true;
  if (!has_leader || !has_trailer || received.count() != trailer_id + 1) return false;
  if (explicit_offsets) return true;
  if (reaches_end(stored_bytes(), limits)) return true;
  if (trailer_id > 1) take_back(trailer_id - 1);
  return false;
}

bool OpenBlock::reaches_end(uint64_t bytes, const BlockLimits& limits) const {
  return bytes >= expected_bytes(lines()) || (bytes != 0 && bytes == limits.payload_size);
}

void OpenBlock::check_end(const BlockLimits& limits) {
  if (!has_leader || all_in || explicit_offsets || short_id_ == 0) return;
  const uint64_t last = has_trailer ? trailer_id - 1 : divide_up(expected_bytes(leader.height), data_size);
  const uint64_t bytes = static_cast<uint64_t>(short_id_ - 1) * data_size + short_size_;
  // Not the last one, or not long enough for it: it was cut.
  if (last != 0 && (short_id_ != last || !reaches_end(bytes, limits))) take_back(short_id_);
}

uint32_t OpenBlock::expected_packets(const BlockLimits& limits) const {
  if (all_in) return 1;
  if (has_trailer) return trailer_id + 1;
  uint64_t bytes = has_leader ? expected_bytes(leader.height) : 0;
  if (bytes == 0 || gvsp::has_chunks(leader.payload_type)) bytes = limits.payload_size;
  const uint64_t size = data_size != 0 ? data_size : gvsp::data_size(limits.packet_size, extended);
  const uint64_t guess = std::min<uint64_t>(divide_up(bytes, size) + 2, received.capacity());
  return std::max(static_cast<uint32_t>(guess), high + 1);  // at least the trailer is missing
}

uint64_t OpenBlock::payload_bytes(const BlockLimits& limits) const {
  if (explicit_offsets || all_in) {
    if (stage == Stage::kComplete || !has_leader) return bytes_end_;
    return std::min(std::max(expected_bytes(leader.height), bytes_end_), limits.capacity);
  }
  if (stage == Stage::kComplete) return stored_bytes();
  uint64_t bytes = has_leader ? expected_bytes(lines()) : 0;
  if (bytes == 0) bytes = limits.payload_size;
  bytes = std::max(bytes, bytes_end_);
  if (has_trailer) {
    const uint64_t size = data_size != 0 ? data_size : gvsp::data_size(limits.packet_size, extended);
    bytes = std::min(bytes, (trailer_id - 1) * size);
  }
  return std::min(bytes, limits.capacity);
}

bool OpenBlock::too_large(const BlockLimits& limits) const {
  return has_leader && expected_bytes(leader.height) > limits.capacity;
}

uint32_t OpenBlock::packet_size() const {
  return gvsp::kIpUdpHeaders +
         static_cast<uint32_t>(extended ? gvsp::kExtendedHeader : gvsp::kStandardHeader) +
         prefix_of(data_format_).size + data_size;
}

void OpenBlock::zero_missing(uint8_t* data, const BlockLimits& limits) const {
  const uint64_t end = payload_bytes(limits);
  if (explicit_offsets || data_size == 0) {  // what lies below bytes_end_ was zeroed as packets came
    if (bytes_end_ < end) std::memset(data + bytes_end_, 0, end - bytes_end_);
    return;
  }
  const uint64_t size = data_size;
  const uint32_t limit =
      static_cast<uint32_t>(std::min<uint64_t>(divide_up(end, size) + 1, received.capacity()));
  for (uint32_t from = received.next_clear(1, limit); from < limit;) {
    const uint32_t to = received.next_set(from, limit);
    const uint64_t begin = (from - 1) * size;
    std::memset(data + begin, 0, std::min((to - 1) * size, end) - begin);
    from = received.next_clear(to, limit);
  }
  if ((limit - 1) * size < end) std::memset(data + (limit - 1) * size, 0, end - (limit - 1) * size);
  // A packet that came short leaves room behind it.
  if (short_id_ != 0) {
    const uint64_t begin = (short_id_ - 1) * size + short_size_;
    const uint64_t until = std::min(end, short_id_ * size);
    if (begin < until) std::memset(data + begin, 0, until - begin);
  }
}

}  // namespace gw
