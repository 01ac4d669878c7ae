// Blocks cut into packets. Purpose: which bytes packet n of a block has, as pure functions, so that a packet
// can be made again whenever somebody asks for it. Thread: any; in the camera the stream thread. Owner:
// StreamSender.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.h"
#include "sim/options.h"
#include "wire/gvsp.h"

namespace gw::sim {

// Chunk mode appends to the image: its descriptor, then block id and timestamp (64 bits each) with theirs.
constexpr uint32_t kImageChunkId = 0x47570001;
constexpr uint32_t kBlockIdChunkId = 0x47570002;
constexpr uint32_t kTimestampChunkId = 0x47570003;
constexpr uint32_t kChunkTailBytes = 8 + 16 + 16;

// What does not change within an acquisition.
struct StreamFormat {
  uint16_t payload_type = gvsp::kImage;  // as in leader and trailer, chunk bit included
  uint32_t pixel_format = 0;
  uint32_t width = 0, height = 0, offset_x = 0, offset_y = 0;
  uint16_t padding_x = 0;
  uint32_t packet_size = 1500;  // IP and UDP headers included
  bool extended_ids = false;
  bool all_in = false;
  bool variable_height = false;
  bool extended_status = false;  // resent packets say so
};

struct Block {
  std::shared_ptr<const StreamFormat> format;
  uint64_t id = 0;
  uint64_t ordinal = 0;  // since the start of the acquisition
  uint64_t timestamp = 0;
  TestPattern pattern = TestPattern::kCheckable;
  uint32_t height = 0;  // lines of this block
  uint64_t image_bytes = 0;
  uint64_t payload_bytes = 0;  // with chunks
  uint32_t data_size = 0;      // bytes of a full packet
  uint32_t data_packets = 0;
  bool all_in = false;
  std::array<uint8_t, kChunkTailBytes> tail{};

  uint32_t packet_count() const { return all_in ? 1 : data_packets + 2; }  // leader and trailer included
};

Block make_block(std::shared_ptr<const StreamFormat> format, uint64_t id, uint64_t ordinal,
                 uint64_t timestamp, uint32_t height);

// One packet as the pieces that sendmsg takes. The body points into the image and into the block's tail.
struct Packet {
  std::array<uint8_t, 80> head;
  uint32_t head_size = 0;
  ConstBytes body[2];
  uint32_t size() const { return head_size + static_cast<uint32_t>(body[0].size() + body[1].size()); }
};

// image = the block's image bytes; id < packet_count().
void make_packet(const Block& block, uint32_t id, ConstBytes image, bool resent, Packet& out);
// The bare header that answers for a packet which cannot be sent.
size_t make_error_packet(MutableBytes out, uint16_t status, bool extended_ids, uint64_t block_id,
                         uint32_t packet_id);
// udp_size bytes with block id 0.
void make_test_packet(MutableBytes out, bool extended_ids);

// The id after this one: 16-bit ids skip 0.
constexpr uint64_t next_block_id(uint64_t id, bool extended_ids) {
  return extended_ids ? (id + 1 == 0 ? 1 : id + 1) : (id & 0xFFFF) % 0xFFFF + 1;
}

}  // namespace gw::sim
