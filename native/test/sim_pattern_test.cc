// The checkable pattern: it is what its header says, and nothing misplaced or stale passes.
#include <algorithm>
#include <vector>

#include "doctest/doctest.h"
#include "sim/pattern.h"

using namespace gw;
using namespace gw::sim;

namespace {

// The header's five lines, written again.
uint8_t byte_by_definition(uint64_t seed, uint64_t block, uint64_t offset) {
  const uint64_t x = offset + 67 * (block % 4093);
  const auto s = static_cast<uint32_t>(seed ^ (seed >> 32));
  uint64_t h = ((x / 4 * 0x9E3779B1) ^ (s * uint64_t{0x85EBCA77})) & 0xFFFFFFFF;
  h = ((h ^ h >> 15) * 0x2C1B3C6D) & 0xFFFFFFFF;
  h = ((h ^ h >> 12) * 0x297A2D39) & 0xFFFFFFFF;
  h ^= h >> 15;
  return static_cast<uint8_t>(h >> (8 * (x % 4)));
}

constexpr uint64_t kSeed = 0x1234567890ABCDEF;

}  // namespace

TEST_CASE("pattern: generator, table and definition agree at every offset") {
  PatternTable table(kSeed);
  table.reserve(10'000);
  for (const uint64_t block : {1ULL, 2ULL, 4092ULL, 4093ULL, 65535ULL, 0x123456789ABCULL}) {
    std::vector<uint8_t> whole(10'000);
    fill_pattern(whole, block, kSeed);
    for (size_t i = 0; i < whole.size(); ++i) REQUIRE(whole[i] == byte_by_definition(kSeed, block, i));
    const ConstBytes image = table.image(block, whole.size());
    CHECK(std::equal(image.begin(), image.end(), whole.begin()));
    std::vector<uint8_t> part(777);
    fill_pattern(part, block, kSeed, 1465);
    CHECK(std::equal(part.begin(), part.end(), whole.begin() + 1465));
  }
}

TEST_CASE("pattern: known bytes, for other implementations") {
  uint8_t bytes[8];
  fill_pattern(bytes, 1, 1);
  const uint8_t expected[8] = {0x45, 0x2C, 0x9E, 0xD8, 0x75, 0x0E, 0x69, 0xEA};
  CHECK(std::equal(bytes, bytes + 8, expected));
}

TEST_CASE("pattern: the first wrong byte is found where it is") {
  PatternTable table(kSeed);
  table.reserve(100'000);
  std::vector<uint8_t> image(100'000);
  fill_pattern(image, 7, kSeed);
  CHECK(table.first_wrong_byte(image, 7) == kNoWrongByte);
  CHECK(first_wrong_byte(image, 7, kSeed) == kNoWrongByte);
  for (const size_t at : {size_t{0}, size_t{1}, size_t{4095}, size_t{4096}, size_t{99'999}}) {
    image[at] ^= 1;
    CHECK(table.first_wrong_byte(image, 7) == at);
    CHECK(first_wrong_byte(image, 7, kSeed) == at);
    CHECK(first_wrong_byte(ConstBytes(image).subspan(at), 7, kSeed, at) == 0);
    image[at] ^= 1;
  }
  PatternTable empty(kSeed);  // without reserve it is slow, not wrong
  CHECK(empty.first_wrong_byte(image, 7) == kNoWrongByte);
  image.back() ^= 0x80;
  CHECK(empty.first_wrong_byte(image, 7) == 99'999);
}

TEST_CASE("pattern: a packet in another packet's place is wrong in every aligned word") {
  constexpr size_t kImage = 200'000;
  PatternTable table(kSeed);
  table.reserve(kImage);
  const ConstBytes image = table.image(1234, kImage);
  for (const size_t packet : {size_t{528}, size_t{1452}, size_t{1464}, size_t{8952}, size_t{8964}}) {
    for (size_t other = packet; other + packet <= kImage; other += packet) {
      CHECK(table.first_wrong_byte(image.subspan(other, packet), 1234, 0) < 4);
      size_t equal = 0;
      for (size_t i = 0; i < packet; ++i) equal += image[i] == image[other + i] ? 1 : 0;
      CHECK(equal < packet / 16);
    }
  }
}

TEST_CASE("pattern: data of another block is wrong, packet by packet, at the same and at the next place") {
  PatternTable table(kSeed);
  table.reserve(20'000);
  for (uint64_t back = 1; back < kPatternBlocks; ++back) {
    const ConstBytes stale = table.image(10'000 - back, 1464);
    CHECK(table.first_wrong_byte(stale, 10'000, 0) < 16);
    CHECK(table.first_wrong_byte(stale, 10'000, 1464) < 16);
  }
}

TEST_CASE("pattern: another seed is another pattern") {
  std::vector<uint8_t> image(1464);
  fill_pattern(image, 5, kSeed);
  CHECK(first_wrong_byte(image, 5, kSeed + 1) < 4);
  CHECK(first_wrong_byte(image, 5, kSeed + (uint64_t{1} << 32)) < 4);
}
