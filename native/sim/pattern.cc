#include "sim/pattern.h"

#include <algorithm>
#include <cstring>

namespace gw::sim {

namespace {

constexpr uint64_t kMaxShift = (kPatternBlocks - 1) * kPatternStep;

// T[position ...] into out.
void fill_table(MutableBytes out, uint64_t seed, uint64_t position) {
  size_t at = 0;
  while (at < out.size()) {
    const uint32_t word = pattern_word(seed, static_cast<uint32_t>((position + at) / 4));
    const uint8_t bytes[4] = {static_cast<uint8_t>(word), static_cast<uint8_t>(word >> 8),
                              static_cast<uint8_t>(word >> 16), static_cast<uint8_t>(word >> 24)};
    const size_t skip = (position + at) % 4;
    const size_t n = std::min<size_t>(4 - skip, out.size() - at);
    std::memcpy(&out[at], bytes + skip, n);
    at += n;
  }
}

uint64_t first_difference(ConstBytes a, const uint8_t* b) {
  if (a.empty() || std::memcmp(a.data(), b, a.size()) == 0) return kNoWrongByte;
  return static_cast<uint64_t>(std::mismatch(a.begin(), a.end(), b).first - a.begin());
}

}  // namespace

void fill_pattern(MutableBytes out, uint64_t block_id, uint64_t seed, uint64_t offset) {
  fill_table(out, seed, offset + pattern_shift(block_id));
}

uint64_t first_wrong_byte(ConstBytes image, uint64_t block_id, uint64_t seed, uint64_t offset) {
  uint8_t expected[4096];
  for (size_t at = 0; at < image.size();) {
    const size_t n = std::min(sizeof expected, image.size() - at);
    fill_pattern(MutableBytes(expected, n), block_id, seed, offset + at);
    const uint64_t wrong = first_difference(image.subspan(at, n), expected);
    if (wrong != kNoWrongByte) return at + wrong;
    at += n;
  }
  return kNoWrongByte;
}

void PatternTable::reserve(uint64_t image_bytes) {
  const size_t old_size = table_.size();
  const size_t size = (image_bytes + kMaxShift + 3) / 4 * 4;
  if (size <= old_size) return;
  table_.resize(size);
  fill_table(MutableBytes(table_).subspan(old_size), seed_, old_size);
}

uint64_t PatternTable::image_capacity() const {
  return table_.size() < kMaxShift ? 0 : table_.size() - kMaxShift;
}

uint64_t PatternTable::first_wrong_byte(ConstBytes image, uint64_t block_id, uint64_t offset) const {
  const uint64_t begin = pattern_shift(block_id) + offset;
  const uint64_t known = begin < table_.size() ? std::min<uint64_t>(image.size(), table_.size() - begin) : 0;
  if (known > 0) {
    const uint64_t wrong = first_difference(image.first(known), table_.data() + begin);
    if (wrong != kNoWrongByte) return wrong;
  }
  if (known == image.size()) return kNoWrongByte;
  const uint64_t wrong = sim::first_wrong_byte(image.subspan(known), block_id, seed_, offset + known);
  return wrong == kNoWrongByte ? wrong : known + wrong;
}

}  // namespace gw::sim
