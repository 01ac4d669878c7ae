// Blocks to packets and back: sizes, ids, bytes.
#include <algorithm>
#include <vector>

#include "doctest/doctest.h"
#include "sim/packetizer.h"
#include "sim/pattern.h"
#include "sim/picture.h"
#include "sim/resend_history.h"
#include "wire/gvcp.h"

using namespace gw;
using namespace gw::sim;

namespace {

StreamFormat format_of(uint32_t packet_size, bool extended) {
  StreamFormat format;
  format.pixel_format = pfnc::kMono8;
  format.width = 640;
  format.height = 480;
  format.packet_size = packet_size;
  format.extended_ids = extended;
  return format;
}

Block block_of(const StreamFormat& format, uint64_t id = 9) {
  return make_block(std::make_shared<const StreamFormat>(format), id, 3, 0x1122334455667788, format.height);
}

std::vector<uint8_t> image_of(const Block& block) {
  std::vector<uint8_t> image(block.image_bytes);
  fill_pattern(image, block.id, 1);
  return image;
}

std::vector<uint8_t> bytes_of(const Packet& packet) {
  std::vector<uint8_t> bytes(packet.head.begin(), packet.head.begin() + packet.head_size);
  for (const ConstBytes body : packet.body) bytes.insert(bytes.end(), body.begin(), body.end());
  return bytes;
}

std::vector<uint8_t> packet_bytes(const Block& block, uint32_t id, const std::vector<uint8_t>& image,
                                  bool resent = false) {
  Packet packet;
  make_packet(block, id, image, resent, packet);
  CHECK(bytes_of(packet).size() == packet.size());
  return bytes_of(packet);
}

}  // namespace

TEST_CASE("packetizer: data bytes per packet are those of the reference table") {
  CHECK(block_of(format_of(1500, false)).data_size == 1464);
  CHECK(block_of(format_of(1500, true)).data_size == 1452);
  CHECK(block_of(format_of(9000, false)).data_size == 8964);
  CHECK(block_of(format_of(9000, true)).data_size == 8952);
  CHECK(block_of(format_of(1500, false)).data_packets == 210);  // 307200 / 1464 = 209.8
  CHECK(block_of(format_of(1500, false)).packet_count() == 212);
}

TEST_CASE(
    "packetizer: every packet has the size asked for, the last the rest, and together they are the image") {
  for (const bool extended : {false, true}) {
    for (const uint32_t size : {220U, 576U, 1500U, 9000U}) {
      const Block block = block_of(format_of(size, extended));
      const std::vector<uint8_t> image = image_of(block);
      std::vector<uint8_t> collected;
      for (uint32_t id = 0; id < block.packet_count(); ++id) {
        const std::vector<uint8_t> bytes = packet_bytes(block, id, image);
        const auto header = gvsp::parse_header(bytes);
        REQUIRE(header);
        CHECK(header->extended == extended);
        CHECK(header->status == 0);
        CHECK(header->block_id == 9);
        CHECK(header->packet_id == id);
        const bool leader = id == 0, trailer = id + 1 == block.packet_count();
        CHECK(header->format == (leader ? gvsp::kLeader : trailer ? gvsp::kTrailer : gvsp::kPayload));
        if (leader || trailer) continue;
        if (id < block.data_packets) CHECK(bytes.size() + gvsp::kIpUdpHeaders == size);
        collected.insert(collected.end(), bytes.begin() + header->size, bytes.end());
      }
      CHECK(collected == image);
    }
  }
}

TEST_CASE("packetizer: leader and trailer say what the block is") {
  StreamFormat format = format_of(1500, false);
  format.offset_x = 16;
  format.offset_y = 32;
  const Block block = block_of(format);
  const std::vector<uint8_t> image = image_of(block);
  const std::vector<uint8_t> leader = packet_bytes(block, 0, image);
  // by hand: header, payload type 1, timestamp, Mono8, 640 x 480 at (16, 32), no padding
  const std::vector<uint8_t> expected = {0,    0,    0,    9,    1,    0,    0,    0,    0,    0,    0,
                                         1,    0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x01, 0x08,
                                         0x00, 0x01, 0,    0,    2,    0x80, 0,    0,    1,    0xE0, 0,
                                         0,    0,    16,   0,    0,    0,    32,   0,    0,    0,    0};
  CHECK(leader == expected);
  const std::vector<uint8_t> trailer = packet_bytes(block, block.packet_count() - 1, image);
  const std::vector<uint8_t> expected_trailer = {0, 0, 0, 9, 2, 0, 0, 211, 0, 0, 0, 1, 0, 0, 1, 0xE0};
  CHECK(trailer == expected_trailer);
}

TEST_CASE("packetizer: resent packets say so where the host asked for it") {
  StreamFormat format = format_of(1500, true);
  const Block plain = block_of(format);
  const std::vector<uint8_t> image = image_of(plain);
  CHECK(packet_bytes(plain, 5, image, true) == packet_bytes(plain, 5, image));
  format.extended_status = true;
  const auto header = gvsp::parse_header(packet_bytes(block_of(format), 5, image, true));
  REQUIRE(header);
  CHECK(header->status == gvcp::kPacketResend);
  CHECK(header->flags == gvsp::kFlagResend);
}

TEST_CASE("packetizer: fewer lines, fewer packets, told by the trailer") {
  const auto format = std::make_shared<const StreamFormat>(format_of(1500, false));
  const Block block = make_block(format, 1, 0, 0, 10);
  CHECK(block.image_bytes == 6400);
  CHECK(block.data_packets == 5);
  const std::vector<uint8_t> image = image_of(block);
  const auto leader = gvsp::parse_leader(ConstBytes(packet_bytes(block, 0, image)).subspan(8));
  const auto trailer = gvsp::parse_trailer(ConstBytes(packet_bytes(block, 6, image)).subspan(8));
  REQUIRE(leader);
  REQUIRE(trailer);
  CHECK(leader->height == 480);
  CHECK(trailer->size_y == 10);
}

TEST_CASE("packetizer: chunks follow the image and can be walked from the end") {
  StreamFormat format = format_of(1500, false);
  format.payload_type = gvsp::kImage | gvsp::kChunkBit;
  format.width = 1464;  // the image fills its packets: the tail has one of its own
  format.height = 2;
  for (const uint32_t width : {1464U, 1460U, 100U}) {
    format.width = width;
    const Block block = block_of(format);
    const std::vector<uint8_t> image = image_of(block);
    std::vector<uint8_t> payload;
    for (uint32_t id = 1; id <= block.data_packets; ++id) {
      const std::vector<uint8_t> bytes = packet_bytes(block, id, image);
      payload.insert(payload.end(), bytes.begin() + 8, bytes.end());
    }
    REQUIRE(payload.size() == image.size() + kChunkTailBytes);
    size_t end = payload.size();
    std::vector<uint32_t> ids;
    while (end > 0) {
      ids.push_back(load_be32(&payload[end - 8]));
      const uint32_t length = load_be32(&payload[end - 4]);
      REQUIRE(length + 8 <= end);
      end -= length + 8;
      if (ids.back() == kBlockIdChunkId) CHECK(load_be64(&payload[end]) == 9);
      if (ids.back() == kTimestampChunkId) CHECK(load_be64(&payload[end]) == 0x1122334455667788);
      if (ids.back() == kImageChunkId) CHECK(std::equal(image.begin(), image.end(), &payload[end]));
    }
    CHECK(ids == std::vector<uint32_t>{kTimestampChunkId, kBlockIdChunkId, kImageChunkId});
    const auto trailer =
        gvsp::parse_trailer(ConstBytes(packet_bytes(block, block.packet_count() - 1, image)).subspan(8));
    REQUIRE(trailer);
    CHECK(trailer->chunk_length == payload.size());
  }
}

TEST_CASE("packetizer: all-in only when everything fits into one packet") {
  StreamFormat format = format_of(1500, false);
  format.all_in = true;
  format.height = 1;
  const uint32_t fits = 1464 - 36 - 8;
  format.width = fits;
  const Block block = block_of(format);
  CHECK(block.all_in);
  CHECK(block.packet_count() == 1);
  const std::vector<uint8_t> image = image_of(block);
  const std::vector<uint8_t> bytes = packet_bytes(block, 0, image);
  CHECK(bytes.size() + gvsp::kIpUdpHeaders == 1500);
  CHECK(gvsp::parse_header(bytes)->format == gvsp::kAllIn);
  const auto all = gvsp::parse_all_in(ConstBytes(bytes).subspan(8));
  REQUIRE(all);
  CHECK(all->leader.width == fits);
  CHECK(all->trailer.size_y == 1);
  CHECK(std::equal(image.begin(), image.end(), bytes.begin() + 8 + static_cast<long>(all->data_offset)));
  format.width = fits + 1;
  CHECK_FALSE(block_of(format).all_in);
}

TEST_CASE("packetizer: block ids skip 0") {
  CHECK(next_block_id(1, false) == 2);
  CHECK(next_block_id(65534, false) == 65535);
  CHECK(next_block_id(65535, false) == 1);
  CHECK(next_block_id(65535, true) == 65536);
  CHECK(next_block_id(~uint64_t{0}, true) == 1);
}

TEST_CASE("packetizer: refusals are bare headers, test packets have block id 0 and the exact size") {
  std::vector<uint8_t> refusal(64);
  refusal.resize(make_error_packet(refusal, gvcp::kPacketUnavailable, false, 9, 5));
  CHECK(refusal == std::vector<uint8_t>{0x80, 0x0C, 0, 9, 3, 0, 0, 5});
  std::vector<uint8_t> test(1472, 0xFF);
  make_test_packet(test, false);
  CHECK(gvsp::parse_header(test)->block_id == 0);
  make_test_packet(test, true);
  CHECK(gvsp::parse_header(test)->block_id == 0);
  CHECK(gvsp::parse_header(test)->extended);
}

TEST_CASE("resend history: keeps as many blocks as promised, finds the newest of an id") {
  const auto format = std::make_shared<const StreamFormat>(format_of(1500, false));
  ResendHistory history(3);
  CHECK(history.newest() == nullptr);
  for (uint64_t id = 1; id <= 10; ++id) history.push(make_block(format, id, id - 1, 0, 480)).attempts[4] = 1;
  CHECK(history.newest()->block.id == 10);
  CHECK(history.find_answerable(8) != nullptr);
  CHECK(history.find_answerable(7) == nullptr);
  CHECK(history.find(7) != nullptr);  // still there for delayed packets
  CHECK(history.find(11) == nullptr);
  history.push(make_block(format, 9, 77, 0, 480));  // the id came round again
  CHECK(history.find_answerable(9)->block.ordinal == 77);
  CHECK(history.find_answerable(9)->attempts.empty());
  for (uint64_t id = 100; id < 100 + ResendHistory::kMinimum; ++id)
    history.push(make_block(format, id, id, 0, 480));
  CHECK(history.find(10) == nullptr);
  history.clear();
  CHECK(history.find(100) == nullptr);
  CHECK(ResendHistory(0).find_answerable(1) == nullptr);
}

TEST_CASE("picture: what is drawn block by block is what a fresh start would draw") {
  for (const uint32_t pixel_format :
       {pfnc::kMono8, pfnc::kMono10p, pfnc::kMono12Packed, pfnc::kMono16, pfnc::kRgb8, 0x010C0059U}) {
    for (const uint32_t width : {200U, 203U}) {
      for (const uint16_t padding : {0, 5}) {
        StreamFormat format = format_of(1500, false);
        format.pixel_format = pixel_format;
        format.width = width;
        format.height = 150;
        format.padding_x = padding;
        const auto shared = std::make_shared<const StreamFormat>(format);
        PictureMaker kept;
        std::vector<uint8_t> previous;
        for (uint64_t id = 1; id < 240; id += 17) {
          Block block = make_block(shared, id, id, 0, 150);
          block.pattern = TestPattern::kTestCard;
          std::vector<uint8_t> image(block.image_bytes), fresh(block.image_bytes);
          kept.render(block, image);
          PictureMaker().render(block, fresh);
          CHECK(image == fresh);
          CHECK(image != previous);
          previous = image;
        }
      }
    }
  }
}

TEST_CASE("picture: the card's corners have their colours in RGB and behind a Bayer filter") {
  StreamFormat format = format_of(1500, false);
  const auto render = [&](uint32_t pixel_format) {
    format.pixel_format = pixel_format;
    Block block = block_of(format);
    block.pattern = TestPattern::kTestCard;
    std::vector<uint8_t> image(block.image_bytes);
    PictureMaker().render(block, image);
    return image;
  };
  const std::vector<uint8_t> rgb = render(pfnc::kRgb8);
  const size_t red_bar = 640 * 11 / 16;  // the sixth of eight bars, line 0
  CHECK(std::vector<uint8_t>(&rgb[red_bar * 3], &rgb[red_bar * 3] + 3) == std::vector<uint8_t>{205, 70, 60});
  const std::vector<uint8_t> bayer = render(0x01080009);
  CHECK(bayer[red_bar] == 205);           // R
  CHECK(bayer[red_bar + 1] == 70);        // G
  CHECK(bayer[red_bar + 640] == 70);      // G
  CHECK(bayer[red_bar + 640 + 1] == 60);  // B
  const std::vector<uint8_t> packed = render(pfnc::kMono12p);
  const uint32_t grey = (205 * 77 + 70 * 150 + 60 * 29) >> 8;
  const uint32_t first = packed[red_bar / 2 * 3] | (packed[red_bar / 2 * 3 + 1] & 15) << 8;
  CHECK(first == (grey << 4 | grey >> 4));
}
