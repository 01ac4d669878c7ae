#include "sim/packetizer.h"

#include <algorithm>

#include "wire/gvcp.h"
#include "wire/pixel_format.h"

namespace gw::sim {

namespace {

gvsp::Leader leader_of(const Block& block) {
  const StreamFormat& format = *block.format;
  gvsp::Leader leader;
  leader.payload_type = format.payload_type;
  leader.timestamp = block.timestamp;
  leader.pixel_format = format.pixel_format;
  leader.width = format.width;
  leader.height = format.height;  // the nominal one: how many lines there are, the trailer tells
  leader.offset_x = format.offset_x;
  leader.offset_y = format.offset_y;
  leader.padding_x = format.padding_x;
  leader.payload_size = block.payload_bytes;
  return leader;
}

gvsp::Trailer trailer_of(const Block& block) {
  gvsp::Trailer trailer;
  trailer.payload_type = block.format->payload_type;
  trailer.size_y = block.height;
  trailer.chunk_length = static_cast<uint32_t>(block.payload_bytes);
  trailer.chunk_layout = 1;
  return trailer;
}

void put_descriptor(uint8_t* p, uint32_t id, uint32_t length) {
  store_be32(p, id);
  store_be32(p + 4, length);
}

// Bytes [offset, offset + size) of the payload: image first, chunk tail behind it.
void put_body(const Block& block, uint64_t offset, uint64_t size, ConstBytes image, Packet& out) {
  out.body[0] = {};
  out.body[1] = {};
  const uint64_t end = offset + size;
  if (offset < block.image_bytes) {
    out.body[0] = image.subspan(offset, std::min(end, block.image_bytes) - offset);
  }
  if (end > block.image_bytes) {
    const uint64_t begin = std::max(offset, block.image_bytes);
    out.body[1] = ConstBytes(block.tail).subspan(begin - block.image_bytes, end - begin);
  }
}

}  // namespace

Block make_block(std::shared_ptr<const StreamFormat> format, uint64_t id, uint64_t ordinal,
                 uint64_t timestamp, uint32_t height) {
  Block block;
  block.id = id;
  block.ordinal = ordinal;
  block.timestamp = timestamp;
  block.height = height;
  block.image_bytes = pfnc::image_bytes(format->pixel_format, format->width, height, format->padding_x, 0);
  block.payload_bytes = block.image_bytes;
  if (gvsp::has_chunks(format->payload_type)) {
    uint8_t* p = block.tail.data();
    put_descriptor(p, kImageChunkId, static_cast<uint32_t>(block.image_bytes));
    store_be64(p + 8, id);
    put_descriptor(p + 16, kBlockIdChunkId, 8);
    store_be64(p + 24, timestamp);
    put_descriptor(p + 32, kTimestampChunkId, 8);
    block.payload_bytes += kChunkTailBytes;
  }
  block.data_size = std::max<uint32_t>(gvsp::data_size(format->packet_size, format->extended_ids), 1);
  block.data_packets = static_cast<uint32_t>((block.payload_bytes + block.data_size - 1) / block.data_size);
  block.format = std::move(format);
  if (block.format->all_in) {
    std::array<uint8_t, 80> scratch;
    const size_t fields =
        gvsp::write_leader(scratch, leader_of(block)) + gvsp::write_trailer(scratch, trailer_of(block));
    block.all_in = fields + block.payload_bytes <= block.data_size;
  }
  return block;
}

void make_packet(const Block& block, uint32_t id, ConstBytes image, bool resent, Packet& out) {
  gvsp::Header header;
  header.extended = block.format->extended_ids;
  header.block_id = block.id;
  header.packet_id = id;
  if (resent && block.format->extended_status) {
    header.status = gvcp::kPacketResend;
    header.flags = gvsp::kFlagResend;
  }
  const MutableBytes head(out.head);
  if (id != 0 && id <= block.data_packets) {
    header.format = gvsp::kPayload;
    out.head_size = static_cast<uint32_t>(gvsp::write_header(head, header));
    const uint64_t offset = uint64_t{id - 1} * block.data_size;
    put_body(block, offset, std::min<uint64_t>(block.data_size, block.payload_bytes - offset), image, out);
    return;
  }
  out.body[0] = {};
  out.body[1] = {};
  header.format = block.all_in ? gvsp::kAllIn : id == 0 ? gvsp::kLeader : gvsp::kTrailer;
  size_t size = gvsp::write_header(head, header);
  if (id == 0) size += gvsp::write_leader(head.subspan(size), leader_of(block));
  if (id != 0 || block.all_in) size += gvsp::write_trailer(head.subspan(size), trailer_of(block));
  if (block.all_in) put_body(block, 0, block.payload_bytes, image, out);
  out.head_size = static_cast<uint32_t>(size);
}

size_t make_error_packet(MutableBytes out, uint16_t status, bool extended_ids, uint64_t block_id,
                         uint32_t packet_id) {
  gvsp::Header header;
  header.status = status;
  header.extended = extended_ids;
  header.format = gvsp::kPayload;
  header.block_id = block_id;
  header.packet_id = packet_id;
  return gvsp::write_header(out, header);
}

void make_test_packet(MutableBytes out, bool extended_ids) {
  gvsp::Header header;
  header.extended = extended_ids;
  header.format = gvsp::kPayload;
  const size_t begin = gvsp::write_header(out, header);
  for (size_t i = begin; i < out.size(); ++i) out[i] = static_cast<uint8_t>(i);
}

}  // namespace gw::sim
