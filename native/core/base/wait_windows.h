// Waiting on Windows: for kernel objects, until a monotonic time. Purpose: the time-outs of the system's own
// wait functions are as coarse as its clock tick, up to 16 ms; a timer that is waited for beside the objects
// is not. Thread: one, the owner, which waits.
#pragma once

#include <cstdint>
#include <span>

namespace gw {

class TimedWait {
 public:
  static constexpr int kTimeCame = -1;
  static constexpr int kFailed = -2;

  TimedWait();
  ~TimedWait();
  TimedWait(const TimedWait&) = delete;
  TimedWait& operator=(const TimedWait&) = delete;

  // Which of at most 8 handles is signalled, the first one where there are several. deadline_ns of the past:
  // does not wait; UINT64_MAX: waits for ever. Never returns kTimeCame before the time.
  int wait(std::span<void* const> handles, uint64_t deadline_ns) const;
  // Lets the time pass, unless the system's timers have come too late for it of late.
  void rest(uint64_t ns);

 private:
  void* timer_;  // nullptr: the system gives none
  int late_rests_ = 0;
};

}  // namespace gw
