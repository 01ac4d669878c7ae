// Huge pages under memory that somebody else made. Purpose: the frames of a stream in few entries of the
// processor's page tables; and an honest count of what became of the wish. Thread: any, before the memory is
// used. Owner: stateless.
#pragma once

#include <cstddef>

namespace gw {

struct HugePages {
  size_t possible = 0;  // bytes of the range that whole huge pages can cover
  size_t granted = 0;   // bytes of it that are in huge pages; 0 where that is unknown
  int error = 0;        // errno of the first thing that was refused
  bool counted = true;  // false: asked for, but the system does not tell what came of it
};

// Before the memory is touched for the first time: its pages may be huge ones from the beginning.
int ask_for_huge_pages(void* begin, size_t bytes);  // 0, or an errno
// Afterwards: gathers what lies in small pages into huge ones where the kernel can, and counts (Linux 6.1).
HugePages settle_huge_pages(void* begin, size_t bytes);

}  // namespace gw
