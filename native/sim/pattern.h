// The checkable test pattern. Purpose: every image byte is a function of (seed, block id, byte offset) that
// can be generated, sent and checked at full rate. Thread: any (pure; a table is immutable once reserved).
// Owner: the caller.
//
//   word(i) : h = (i * 0x9E3779B1) ^ (s * 0x85EBCA77)           all mod 2^32, s = low ^ high half of the seed
//             h = (h ^ h >> 15) * 0x2C1B3C6D;  h = (h ^ h >> 12) * 0x297A2D39;  h = h ^ h >> 15
//   T       : the words 0, 1, 2, ... as little-endian bytes
//   image   : byte at offset o of block b  =  T[o + 67 * (b mod 4093)]
//
// word() is a bijection, so no two aligned words of T are equal: a packet at another packet's place is wrong
// in every aligned word. Blocks are windows into one table, 67 bytes apart (a prime, so that no packet size
// makes a packet of one block equal a neighbour's), hence sending needs no generation at all and checking is
// one memcmp. A stale image would pass unnoticed only exactly 4093 blocks later.
#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace gw::sim {

constexpr uint64_t kPatternStep = 67;
constexpr uint64_t kPatternBlocks = 4093;
constexpr uint64_t kNoWrongByte = ~uint64_t{0};

constexpr uint64_t pattern_shift(uint64_t block_id) { return block_id % kPatternBlocks * kPatternStep; }

constexpr uint32_t pattern_word(uint64_t seed, uint32_t index) {
  const uint32_t s = static_cast<uint32_t>(seed) ^ static_cast<uint32_t>(seed >> 32);
  uint32_t h = (index * 0x9E3779B1U) ^ (s * 0x85EBCA77U);
  h = (h ^ (h >> 15)) * 0x2C1B3C6DU;
  h = (h ^ (h >> 12)) * 0x297A2D39U;
  return h ^ (h >> 15);
}

// The bytes of block_id from offset on. For single packets and tests; a PatternTable is far faster for whole
// images.
void fill_pattern(MutableBytes out, uint64_t block_id, uint64_t seed, uint64_t offset = 0);

// Position within image of the first byte that is not the pattern's, kNoWrongByte when all are right; image
// begins at byte `offset` of the block.
uint64_t first_wrong_byte(ConstBytes image, uint64_t block_id, uint64_t seed, uint64_t offset = 0);

// T, made once. image() and first_wrong_byte() need reserve() for the largest image before.
class PatternTable {
 public:
  explicit PatternTable(uint64_t seed) : seed_(seed) {}
  void reserve(uint64_t image_bytes);  // invalidates earlier image() spans when it grows
  uint64_t image_capacity() const;
  ConstBytes image(uint64_t block_id, uint64_t size) const {
    return ConstBytes(table_).subspan(pattern_shift(block_id), size);
  }
  uint64_t first_wrong_byte(ConstBytes image, uint64_t block_id, uint64_t offset = 0) const;

 private:
  uint64_t seed_;
  std::vector<uint8_t> table_;
};

}  // namespace gw::sim
