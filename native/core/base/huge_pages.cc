#include "base/huge_pages.h"

#include <cerrno>
#include <cstdint>

#ifdef __linux__
#include <sys/mman.h>
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#endif

namespace gw {

#ifdef __linux__

namespace {

// Where the kernel's huge pages are larger (arm64 with pages of 64 KiB), it refuses parts of them: none
// counted.
constexpr size_t kHuge = size_t{2} << 20;

struct Range {
  char* begin;
  size_t bytes;
};

// The huge pages that lie wholly inside.
Range inside(void* begin, size_t bytes) {
  auto* first = static_cast<char*>(begin);
  const size_t skip = (kHuge - reinterpret_cast<uintptr_t>(first) % kHuge) % kHuge;
  if (bytes < skip + kHuge) return {first, 0};
  return {first + skip, (bytes - skip) / kHuge * kHuge};
}

}  // namespace

int ask_for_huge_pages(void* begin, size_t bytes) {
  const Range range = inside(begin, bytes);
  if (range.bytes == 0) return 0;
  return ::madvise(range.begin, range.bytes, MADV_HUGEPAGE) == 0 ? 0 : errno;
}

HugePages settle_huge_pages(void* begin, size_t bytes) {
  const Range range = inside(begin, bytes);
  HugePages result;
  result.possible = range.bytes;
  for (size_t at = 0; at < range.bytes; at += kHuge) {
    if (::madvise(range.begin + at, kHuge, MADV_COLLAPSE) == 0) {
      result.granted += kHuge;
      continue;
    }
    if (result.error == 0) result.error = errno;
    if (at == 0 && errno == EINVAL) {
      result.counted = false;
      break;
    }
  }
  return result;
}

#else

int ask_for_huge_pages(void*, size_t) { return ENOTSUP; }
HugePages settle_huge_pages(void*, size_t) { return {.error = ENOTSUP}; }

#endif

}  // namespace gw
