// Stream headers, leaders and trailers as hand-written bytes, after reference page "GigE Vision on the wire",
// section 4.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "wire/gvsp.h"

using namespace gw;
using namespace gw::gvsp;

namespace {

using Bytes = std::vector<uint8_t>;

// Each prefix of the bytes on its own piece of memory, so that a sanitizer sees what is read behind it.
template <typename Parse>
void check_prefixes(const Bytes& bytes, size_t needed, Parse parse) {
  for (size_t size = 0; size <= bytes.size(); ++size) {
    CAPTURE(size);
    const std::unique_ptr<uint8_t[]> copy(new uint8_t[size]);
    std::copy_n(bytes.begin(), size, copy.get());
    CHECK(parse(ConstBytes(copy.get(), size)) == (size >= needed));
  }
}

const Bytes kImageLeaderBytes{
    0x12, 0x34, 0x00, 0x01, 0, 0, 0,    1,    2, 3,    4,    5,      // flags, type, timestamp
    0x01, 0x0c, 0x00, 0x47, 0, 0, 0x0a, 0x20, 0, 0,    0x07, 0x98,   // format, x, y
    0,    0,    0,    0x10, 0, 0, 0,    0x20, 0, 0x03, 0,    0x04};  // offsets, paddings

}  // namespace

TEST_CASE("standard header") {
  const Bytes bytes{0x01, 0x00, 0x12, 0x34, 0x03, 0xAB, 0xCD, 0xEF};
  const auto header = parse_header(bytes);
  REQUIRE(header.has_value());
  CHECK(header->status == 0x0100);
  CHECK(header->block_id == 0x1234);
  CHECK(header->format == kPayload);
  CHECK(header->packet_id == 0xABCDEF);
  CHECK_FALSE(header->extended);
  CHECK(header->size == 8);
  Bytes out(8, 0xAA);
  CHECK(write_header(out, *header) == 8);
  CHECK(out == bytes);
  check_prefixes(bytes, 8, [](ConstBytes b) { return parse_header(b).has_value(); });
  // Reserved bits are no part of the format.
  CHECK(parse_header(Bytes{0, 0, 0, 1, 0x71, 0, 0, 0})->format == kLeader);
}

TEST_CASE("extended header") {
  const Bytes bytes{0x00, 0x00, 0x00, 0x01, 0x82, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xFE, 0xDC, 0xBA, 0x98};
  const auto header = parse_header(bytes);
  REQUIRE(header.has_value());
  CHECK(header->extended);
  CHECK(header->flags == kFlagResend);
  CHECK(header->format == kTrailer);
  CHECK(header->block_id == 0x0102030405060708);
  CHECK(header->packet_id == 0xFEDCBA98);
  CHECK(header->size == 20);
  Bytes out(20, 0xAA);
  CHECK(write_header(out, *header) == 20);
  CHECK(out == bytes);
  check_prefixes(bytes, 20, [](ConstBytes b) { return parse_header(b).has_value(); });
  CHECK(parse_header(Bytes{0, 0, 0, 0, 0xF7, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2})->format ==
        kMultiPart);
}

TEST_CASE("image leader, with a first word that is not zero") {
  const auto leader = parse_leader(kImageLeaderBytes);
  REQUIRE(leader.has_value());
  CHECK(leader->payload_type == kImage);
  CHECK(leader->timestamp == 0x0000000102030405);
  CHECK(leader->pixel_format == 0x010C0047);
  CHECK(leader->width == 2592);
  CHECK(leader->height == 1944);
  CHECK(leader->offset_x == 16);
  CHECK(leader->offset_y == 32);
  CHECK(leader->padding_x == 3);
  CHECK(leader->padding_y == 4);
  CHECK(leader->payload_size == 0);
  check_prefixes(kImageLeaderBytes, 36, [](ConstBytes b) { return parse_leader(b).has_value(); });
  Bytes out(64, 0xAA);
  REQUIRE(write_leader(out, *leader) == 36);
  Bytes expected = kImageLeaderBytes;
  expected[0] = expected[1] = 0;
  CHECK(Bytes(out.begin(), out.begin() + 36) == expected);
}

TEST_CASE("image leaders of types with chunks") {
  for (const uint16_t type : {0x4001, 0x0005}) {
    Bytes bytes = kImageLeaderBytes;
    bytes[2] = static_cast<uint8_t>(type >> 8);
    bytes[3] = static_cast<uint8_t>(type);
    const auto leader = parse_leader(bytes);
    REQUIRE(leader.has_value());
    CHECK(leader->payload_type == type);
    CHECK(leader->width == 2592);
    CHECK(has_chunks(leader->payload_type));
  }
}

TEST_CASE("leaders that carry a size: raw, file, JPEG, H.264, GenDC") {
  Bytes bytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2};
  bytes.resize(32, 0x11);
  const struct {
    uint16_t type;
    size_t needed;
  } kinds[] = {{2, 20}, {3, 20}, {6, 32}, {7, 32}, {0x0B, 28}, {0x4002, 20}, {0x4006, 32}};
  for (const auto& kind : kinds) {
    CAPTURE(kind.type);
    bytes[2] = static_cast<uint8_t>(kind.type >> 8);
    bytes[3] = static_cast<uint8_t>(kind.type);
    const auto leader = parse_leader(bytes);
    REQUIRE(leader.has_value());
    CHECK(leader->timestamp == 9);
    CHECK(leader->payload_size == 0x0000000100000002);
    CHECK(leader->width == 0);
    check_prefixes(bytes, kind.needed, [](ConstBytes b) { return parse_leader(b).has_value(); });
  }
  bytes[2] = 0;
  bytes[3] = 8;  // H.264 has its size where others have the time
  const auto leader = parse_leader(bytes);
  REQUIRE(leader.has_value());
  CHECK(leader->timestamp == 0);
  CHECK(leader->payload_size == 9);
}

TEST_CASE("chunk leader: 12 bytes, no geometry") {
  const Bytes bytes{0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1, 0};
  const auto leader = parse_leader(bytes);
  REQUIRE(leader.has_value());
  CHECK(leader->payload_type == kChunkData);
  CHECK(leader->timestamp == 256);
  CHECK(leader->width == 0);
  check_prefixes(bytes, 12, [](ConstBytes b) { return parse_leader(b).has_value(); });
}

TEST_CASE("multi-zone leader") {
  Bytes bytes(40, 0);
  bytes[3] = 9;
  bytes[11] = 5;
  bytes[16] = 0x01, bytes[17] = 0x08, bytes[19] = 0x01;
  bytes[23] = 64;
  bytes[27] = 48;
  bytes[37] = 2;
  const auto leader = parse_leader(bytes);
  REQUIRE(leader.has_value());
  CHECK(leader->pixel_format == 0x01080001);
  CHECK(leader->width == 64);
  CHECK(leader->height == 48);
  CHECK(leader->padding_x == 2);
  check_prefixes(bytes, 40, [](ConstBytes b) { return parse_leader(b).has_value(); });
}

TEST_CASE("types of the makers' own are not taken for standard ones") {
  CHECK(base_type(0x4001) == kImage);
  CHECK(base_type(0x8001) == 0x8001);
  CHECK(base_type(0xC001) == 0xC001);
  CHECK_FALSE(has_chunks(0xC001));
  CHECK_FALSE(has_chunks(0x8004));
  CHECK_FALSE(has_image_leader(0x8001));
  CHECK(has_chunks(0x4002));
  CHECK(has_chunks(4));
  CHECK(has_chunks(5));
  CHECK_FALSE(has_chunks(1));
  Bytes bytes(12, 0);
  bytes[2] = 0x80, bytes[3] = 0x01;
  CHECK(parse_leader(bytes).has_value());
}

TEST_CASE("trailers, of every length that cameras send") {
  const struct {
    Bytes bytes;
    std::optional<uint32_t> size_y, chunk_length, chunk_layout;
  } vectors[] = {
      {{0, 0, 0, 1, 0, 0, 4, 0}, 1024, {}, {}},
      {{0, 0, 0, 1}, {}, {}, {}},  // the size is optional
      {{0, 0, 0, 1, 0, 0, 4}, {}, {}, {}},
      {{0, 0, 0, 1, 0, 0, 4, 0, 9, 9, 9, 9}, 1024, {}, {}},
      {{0, 0, 0, 2}, {}, {}, {}},
      {{0, 0, 0, 4, 0, 1, 0, 0}, {}, 65536, {}},
      {{0, 0, 0, 5, 0, 1, 0, 0, 0, 0, 0, 7, 0, 0, 0, 8}, 7, 65536, 8},
      {{0, 0, 0x40, 1, 0, 0, 0, 7, 0, 1, 0, 0, 0, 0, 0, 8}, 7, 65536, 8},
      {{0, 0, 0x40, 2, 0, 1, 0, 0, 0, 0, 0, 8}, {}, 65536, 8},
      {{0, 0, 0x40, 1, 0, 0, 0, 7}, 7, {}, {}},
      {{0, 0, 0, 9, 0, 0, 0, 7}, 7, {}, {}},
      {{0, 0, 0, 0x0A, 0, 1, 0, 0, 0, 0, 1, 0}, {}, {}, {}},
      {{0, 0, 0x80, 1, 0, 0, 0, 7}, {}, {}, {}},
  };
  for (const auto& v : vectors) {
    const auto parsed = parse_trailer(v.bytes);
    REQUIRE(parsed.has_value());
    CHECK(parsed->payload_type == load_be16(&v.bytes[2]));
    CHECK(parsed->size_y == v.size_y);
    CHECK(parsed->chunk_length == v.chunk_length);
    CHECK(parsed->chunk_layout == v.chunk_layout);
    check_prefixes(v.bytes, 4, [](ConstBytes b) { return parse_trailer(b).has_value(); });
  }
  for (const size_t index : {0U, 5U, 6U, 7U, 8U}) {
    Bytes out(32, 0xAA);
    const size_t size = write_trailer(out, *parse_trailer(vectors[index].bytes));
    CHECK(Bytes(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(size)) == vectors[index].bytes);
  }
}

TEST_CASE("all-in: leader, trailer, data") {
  Bytes bytes = kImageLeaderBytes;
  for (const uint8_t b : {0, 0, 0, 1, 0, 0, 4, 0, 0xD0, 0xD1}) bytes.push_back(b);
  const auto all = parse_all_in(bytes);
  REQUIRE(all.has_value());
  CHECK(all->data_offset == 44);
  CHECK(all->leader.width == 2592);
  CHECK(all->trailer.size_y == 1024);
  check_prefixes(bytes, 40, [](ConstBytes b) {
    const auto parsed = parse_all_in(b);
    if (parsed) CHECK(parsed->data_offset <= b.size());
    return parsed.has_value();
  });
}

TEST_CASE("all-in: a file's name is none of its data; leader and trailer are of one type") {
  Bytes bytes{0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2};
  for (const char c : {'a', '.', 'b', '\0'}) bytes.push_back(static_cast<uint8_t>(c));
  const Bytes unending(bytes.begin(), bytes.end() - 1);
  CHECK_FALSE(parse_all_in(unending).has_value());
  for (const uint8_t b : {0, 0, 0, 3, 0xD0, 0xD1}) bytes.push_back(b);
  const auto all = parse_all_in(bytes);
  REQUIRE(all.has_value());
  CHECK(all->data_offset == 28);
  CHECK(all->leader.payload_size == 2);
  bytes[27] = 1;
  CHECK_FALSE(parse_all_in(bytes).has_value());
}

TEST_CASE("data bytes of a full packet") {
  CHECK(data_size(1500, false) == 1464);
  CHECK(data_size(1500, true) == 1452);
  CHECK(data_size(9000, false) == 8964);
  CHECK(data_size(9000, true) == 8952);
  CHECK(data_size(36, false) == 0);
  CHECK(data_size(0, true) == 0);
}
