// A set of packet ids. Purpose: which packets of a block are here, and where the gaps are.
// Thread: receive thread only. Owner: OpenBlock. Memory is allocated once, when the stream is made.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>

namespace gw {

class PacketBitmap {
 public:
  explicit PacketBitmap(uint32_t bits)
      : bits_(bits), words_(std::make_unique<uint64_t[]>((bits + 63) / 64)) {}

  uint32_t capacity() const { return bits_; }
  // Forgets all ids; only as many words as were used are touched.
  void clear() {
    std::memset(words_.get(), 0, sizeof(uint64_t) * ((used_ + 63) / 64));
    used_ = 0;
    count_ = 0;
  }
  bool test(uint32_t id) const { return id < bits_ && (words_[id / 64] >> (id % 64) & 1) != 0; }
  void set(uint32_t id) {  // id < capacity()
    words_[id / 64] |= uint64_t{1} << (id % 64);
    if (id >= used_) used_ = id + 1;
    ++count_;
  }
  void unset(uint32_t id) {
    words_[id / 64] &= ~(uint64_t{1} << (id % 64));
    --count_;
  }
  uint32_t count() const { return count_; }
  uint32_t end() const { return used_; }  // one above the highest id ever set

  // First id >= from that is (not) in the set; `limit` when there is none below it. 64 ids per step.
  uint32_t next_clear(uint32_t from, uint32_t limit) const { return next(from, limit, ~uint64_t{0}); }
  uint32_t next_set(uint32_t from, uint32_t limit) const { return next(from, limit, 0); }

  // Ids below bit count `bits` as bytes, id 0 in the lowest bit of byte 0.
  void copy_to(uint8_t* out, size_t bytes) const {
    const size_t own = static_cast<size_t>((bits_ + 63) / 64) * sizeof(uint64_t);
    for (size_t i = 0; i < bytes; ++i) {
      out[i] = i < own ? static_cast<uint8_t>(words_[i / 8] >> (i % 8 * 8)) : uint8_t{0};
    }
  }

 private:
  uint32_t next(uint32_t from, uint32_t limit, uint64_t flip) const {
    if (limit > bits_) limit = bits_;
    while (from < limit) {
      const uint64_t word = (words_[from / 64] ^ flip) >> (from % 64);
      if (word != 0) {
        const uint32_t found = from + static_cast<uint32_t>(std::countr_zero(word));
        return found < limit ? found : limit;
      }
      from = (from / 64 + 1) * 64;
    }
    return limit;
  }

  uint32_t bits_;
  uint32_t used_ = 0;
  uint32_t count_ = 0;
  std::unique_ptr<uint64_t[]> words_;
};

}  // namespace gw
