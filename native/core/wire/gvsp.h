// GVSP: bytes <-> structs. Purpose: stream packet headers, leaders and trailers, in both id layouts, as pure
// functions shared by the receiver and the simulator. Thread: any; parse_header and parse_leader run on the
// receive thread and neither allocate nor throw. Source: reference page "GigE Vision on the wire", sections 4
// and 5.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace gw::gvsp {

constexpr size_t kStandardHeader = 8;
constexpr size_t kExtendedHeader = 20;
constexpr uint32_t kIpUdpHeaders = 28;
constexpr uint32_t kMaxPacketId24 = 0x00FFFFFF;

enum Format : uint8_t {
  kLeader = 1,
  kTrailer = 2,
  kPayload = 3,
  kAllIn = 4,
  kH264 = 5,
  kMultiZone = 6,
  kMultiPart = 7,
  kGenDc = 8,
};

enum PayloadType : uint16_t {
  kImage = 0x0001,
  kRawData = 0x0002,
  kFile = 0x0003,
  kChunkData = 0x0004,
  kExtendedChunk = 0x0005,
  kJpeg = 0x0006,
  kJpeg2000 = 0x0007,
  kH264Stream = 0x0008,
  kMultiZoneImage = 0x0009,
  kMultiPartData = 0x000A,
  kGenDcContainer = 0x000B,
  kChunkBit = 0x4000,
};
// Types from 0x8000 on are the makers' own: nothing is known about them.
constexpr uint16_t base_type(uint16_t type) { return type >= 0x8000 ? type : type & 0x3FFF; }
constexpr bool has_chunks(uint16_t type) {
  return (type < 0x8000 && (type & kChunkBit) != 0) || base_type(type) == kChunkData ||
         base_type(type) == kExtendedChunk;
}
constexpr bool has_image_leader(uint16_t type) {
  return base_type(type) == kImage || base_type(type) == kExtendedChunk;
}

enum HeaderFlags : uint16_t { kFlagResendRangeError = 0x4, kFlagPreviousDropped = 0x2, kFlagResend = 0x1 };

struct Header {
  uint16_t status = 0;
  uint16_t flags = 0;  // extended layout only
  bool extended = false;
  uint8_t format = 0;
  uint8_t size = kStandardHeader;  // bytes of this header: 8 or 20
  uint64_t block_id = 0;           // 0 = test packet
  uint32_t packet_id = 0;
};

// Whether the camera says that it sends this packet again, in either layout: 0x0100, and a flag.
constexpr uint16_t kStatusResent = 0x0100;
constexpr bool is_resent(const Header& header) {
  return header.status == kStatusResent || (header.extended && (header.flags & kFlagResend) != 0);
}

// nullopt when shorter than the layout its EI bit names.
std::optional<Header> parse_header(ConstBytes datagram);
size_t write_header(MutableBytes out, const Header& header);  // returns 8 or 20

struct Leader {
  uint16_t payload_type = 0;
  uint64_t timestamp = 0;     // ticks
  uint32_t pixel_format = 0;  // 0 where the payload type has none
  uint32_t width = 0, height = 0, offset_x = 0, offset_y = 0;
  uint16_t padding_x = 0, padding_y = 0;
  uint64_t payload_size = 0;  // raw data, file, JPEG: bytes; else 0
};
constexpr size_t kImageLeader = 36;
std::optional<Leader> parse_leader(ConstBytes body);          // body = datagram without the GVSP header
size_t write_leader(MutableBytes out, const Leader& leader);  // image, raw, file, chunk, JPEG; returns bytes

struct Trailer {
  uint16_t payload_type = 0;
  std::optional<uint32_t> size_y;        // image kinds, where the camera sends it
  std::optional<uint32_t> chunk_length;  // all data of the block, chunk descriptors included
  std::optional<uint32_t> chunk_layout;
};
std::optional<Trailer> parse_trailer(ConstBytes body);
size_t write_trailer(MutableBytes out, const Trailer& trailer);

// All-in packet (format 4): leader fields, trailer fields, data. Gives the sizes so that body can be cut.
struct AllIn {
  Leader leader;
  Trailer trailer;
  size_t data_offset = 0;  // within body
};
std::optional<AllIn> parse_all_in(ConstBytes body);

// Data bytes of a full packet at a given SCPS packet size (IP and UDP headers included); 0 when none would
// fit.
constexpr uint32_t data_size(uint32_t scps, bool extended) {
  const uint32_t overhead =
      kIpUdpHeaders + static_cast<uint32_t>(extended ? kExtendedHeader : kStandardHeader);
  return scps > overhead ? scps - overhead : 0;
}

}  // namespace gw::gvsp
