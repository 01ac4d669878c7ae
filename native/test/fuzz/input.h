// A fuzzer's bytes, read as a program: numbers and byte strings as long as there are any. Purpose: what the
// targets share. Thread: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace gw::fuzz {

using Bytes = std::vector<uint8_t>;

inline void require(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

struct Input {
  const uint8_t* at;
  const uint8_t* end;
  bool empty() const { return at == end; }
  uint8_t byte() { return at == end ? 0 : *at++; }
  uint64_t number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value = value << 8 | byte();
    return value;
  }
  Bytes bytes(size_t count) {
    count = std::min(count, static_cast<size_t>(end - at));
    Bytes out(at, at + count);
    at += count;
    return out;
  }
};

}  // namespace gw::fuzz
