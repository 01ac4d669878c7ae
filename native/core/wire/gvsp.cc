#include "wire/gvsp.h"

#include <algorithm>

namespace gw::gvsp {

namespace {

// Leader fields behind payload type and timestamp, by type. Returns the bytes used, 0 when body is too short.
size_t parse_leader_fields(ConstBytes body, Leader& leader) {
  if (body.size() < 12) return 0;
  leader.payload_type = load_be16(&body[2]);
  leader.timestamp = load_be64(&body[4]);
  switch (base_type(leader.payload_type)) {
    case kImage:
    case kExtendedChunk:
      if (body.size() < kImageLeader) return 0;
      leader.pixel_format = load_be32(&body[12]);
      leader.width = load_be32(&body[16]);
      leader.height = load_be32(&body[20]);
      leader.offset_x = load_be32(&body[24]);
      leader.offset_y = load_be32(&body[28]);
      leader.padding_x = load_be16(&body[32]);
      leader.padding_y = load_be16(&body[34]);
      return kImageLeader;
    case kRawData:
    case kFile:
      if (body.size() < 20) return 0;
      leader.payload_size = load_be64(&body[12]);
      return 20;
    case kJpeg:
    case kJpeg2000:
      if (body.size() < 32) return 0;
      leader.payload_size = load_be64(&body[12]);
      return 32;
    case kH264Stream:  // carries its size where others carry the timestamp
      if (body.size() < 32) return 0;
      leader.payload_size = leader.timestamp;
      leader.timestamp = 0;
      return 32;
    case kMultiZoneImage:
      if (body.size() < 40) return 0;
      leader.pixel_format = load_be32(&body[16]);
      leader.width = load_be32(&body[20]);
      leader.height = load_be32(&body[24]);
      leader.offset_x = load_be32(&body[28]);
      leader.offset_y = load_be32(&body[32]);
      leader.padding_x = load_be16(&body[36]);
      leader.padding_y = load_be16(&body[38]);
      return 40;
    case kGenDcContainer:
      if (body.size() < 28) return 0;
      leader.payload_size = load_be64(&body[12]);
      return 28;
    default:
      return 12;
  }
}

size_t parse_trailer_fields(ConstBytes body, Trailer& trailer) {
  if (body.size() < 4) return 0;
  trailer.payload_type = load_be16(&body[2]);
  size_t at = 4;
  const auto next = [&](std::optional<uint32_t>& field) {
    if (body.size() < at + 4) return;  // short trailers exist: the rest is optional
    field = load_be32(&body[at]);
    at += 4;
  };
  const bool extended_chunks = has_chunks(trailer.payload_type);
  switch (base_type(trailer.payload_type)) {
    case kImage:
    case kMultiZoneImage:
      next(trailer.size_y);
      break;
    case kChunkData:
      next(trailer.chunk_length);
      return at;
    case kExtendedChunk:
      next(trailer.chunk_length);
      next(trailer.size_y);
      next(trailer.chunk_layout);
      return at;
    default:
      break;
  }
  if (extended_chunks) {
    next(trailer.chunk_length);
    next(trailer.chunk_layout);
  }
  return at;
}

}  // namespace

std::optional<Header> parse_header(ConstBytes datagram) {
  if (datagram.size() < kStandardHeader) return std::nullopt;
  Header header;
  const uint8_t* p = datagram.data();
  header.status = load_be16(p);
  header.format = p[4] & 0x0F;
  header.extended = (p[4] & 0x80) != 0;
  if (header.extended) {
    if (datagram.size() < kExtendedHeader) return std::nullopt;
    header.size = kExtendedHeader;
    header.flags = load_be16(p + 2);
    header.block_id = load_be64(p + 8);
    header.packet_id = load_be32(p + 16);
  } else {
    header.block_id = load_be16(p + 2);
    header.packet_id = load_be32(p + 4) & kMaxPacketId24;
  }
  return header;
}

size_t write_header(MutableBytes out, const Header& header) {
  uint8_t* p = out.data();
  store_be16(p, header.status);
  if (header.extended) {
    store_be16(p + 2, header.flags);
    store_be32(p + 4, static_cast<uint32_t>(0x80 | (header.format & 0x0F)) << 24);
    store_be64(p + 8, header.block_id);
    store_be32(p + 16, header.packet_id);
    return kExtendedHeader;
  }
  store_be16(p + 2, static_cast<uint16_t>(header.block_id));
  store_be32(p + 4, static_cast<uint32_t>(header.format & 0x0F) << 24 | (header.packet_id & kMaxPacketId24));
  return kStandardHeader;
}

std::optional<Leader> parse_leader(ConstBytes body) {
  Leader leader;
  if (parse_leader_fields(body, leader) == 0) return std::nullopt;
  return leader;
}

size_t write_leader(MutableBytes out, const Leader& leader) {
  uint8_t* p = out.data();
  store_be16(p, 0);
  store_be16(p + 2, leader.payload_type);
  store_be64(p + 4, leader.timestamp);
  if (has_image_leader(leader.payload_type)) {
    store_be32(p + 12, leader.pixel_format);
    store_be32(p + 16, leader.width);
    store_be32(p + 20, leader.height);
    store_be32(p + 24, leader.offset_x);
    store_be32(p + 28, leader.offset_y);
    store_be16(p + 32, leader.padding_x);
    store_be16(p + 34, leader.padding_y);
    return kImageLeader;
  }
  switch (base_type(leader.payload_type)) {
    case kRawData:
    case kFile:
      store_be64(p + 12, leader.payload_size);
      return 20;
    case kJpeg:
    case kJpeg2000:
      store_be64(p + 12, leader.payload_size);
      store_be64(p + 20, 0);
      store_be32(p + 28, 0);
      return 32;
    default:
      return 12;
  }
}

std::optional<Trailer> parse_trailer(ConstBytes body) {
  Trailer trailer;
  if (parse_trailer_fields(body, trailer) == 0) return std::nullopt;
  return trailer;
}

size_t write_trailer(MutableBytes out, const Trailer& trailer) {
  uint8_t* p = out.data();
  store_be16(p, 0);
  store_be16(p + 2, trailer.payload_type);
  size_t at = 4;
  const auto put = [&](const std::optional<uint32_t>& field) {
    store_be32(p + at, field.value_or(0));
    at += 4;
  };
  const uint16_t type = base_type(trailer.payload_type);
  if (type == kChunkData) {
    put(trailer.chunk_length);
  } else if (type == kExtendedChunk) {
    put(trailer.chunk_length);
    put(trailer.size_y);
    put(trailer.chunk_layout);
  } else {
    if (type == kImage || type == kMultiZoneImage) put(trailer.size_y);
    if (has_chunks(trailer.payload_type)) {
      put(trailer.chunk_length);
      put(trailer.chunk_layout);
    }
  }
  return at;
}

std::optional<AllIn> parse_all_in(ConstBytes body) {
  AllIn all;
  size_t leader_size = parse_leader_fields(body, all.leader);
  if (leader_size == 0) return std::nullopt;
  if (base_type(all.leader.payload_type) == kFile) {  // its name follows, as long as it is
    const auto end =
        std::find(body.begin() + static_cast<std::ptrdiff_t>(leader_size), body.end(), uint8_t{0});
    if (end == body.end()) return std::nullopt;
    leader_size = static_cast<size_t>(end - body.begin()) + 1;
  }
  const size_t trailer_size = parse_trailer_fields(body.subspan(leader_size), all.trailer);
  if (trailer_size == 0 || all.trailer.payload_type != all.leader.payload_type) return std::nullopt;
  all.data_offset = leader_size + trailer_size;
  return all;
}

}  // namespace gw::gvsp
