// Waiting for several packet sources at once. Purpose: poll() with a deadline in nanoseconds and a way to be
// interrupted. Thread: the one that serves the sources. Owner: stateless.
#pragma once

#include <cstdint>
#include <span>

#include "base/waker.h"

namespace gw {

struct Readiness {
  int fd = -1;  // negative: not waited for
  bool ready = false;
};

constexpr size_t kMostWaitedFor = 64;

// Until one of them is ready (or broken: reading it tells how), the waker was woken, which clears it, or the
// time `until_ns` (SteadyClock) has come; a time that is over: looks only.
void wait_ready(std::span<Readiness> sources, Waker& waker, uint64_t now_ns, uint64_t until_ns);

}  // namespace gw
