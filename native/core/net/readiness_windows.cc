// net/readiness.h for Windows, where no source has a descriptor to be waited for: each stream has a thread of
// its own, and nothing but the waker and the time ends the wait.
#include <array>

#include "base/wait_windows.h"
#include "net/readiness.h"

namespace gw {

void wait_ready(std::span<Readiness> sources, Waker& waker, uint64_t /*now_ns*/, uint64_t until_ns) {
  for (Readiness& source : sources) source.ready = false;
  const TimedWait timed;
  const std::array<void*, 1> handles{waker.handle()};
  if (timed.wait(handles, until_ns) == 0) waker.clear();
}

}  // namespace gw
