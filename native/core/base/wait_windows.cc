#include "base/wait_windows.h"

#include <windows.h>

#include <algorithm>
#include <array>

#include "base/clock.h"

#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION
#define CREATE_WAITABLE_TIMER_HIGH_RESOLUTION 0x2  // Windows 10, version 1803
#endif

namespace gw {

namespace {

constexpr size_t kMostHandles = 8;
constexpr uint64_t kTick = 100;  // ns: what timers count in
constexpr DWORD kTimerAccess = SYNCHRONIZE | TIMER_MODIFY_STATE;

DWORD milliseconds(uint64_t ns) {
  return static_cast<DWORD>(std::min<uint64_t>((ns + kNsPerMs - 1) / kNsPerMs, INFINITE - 1));
}

}  // namespace

TimedWait::TimedWait()
    : timer_(
          ::CreateWaitableTimerExW(nullptr, nullptr, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, kTimerAccess)) {
  if (timer_ == nullptr) timer_ = ::CreateWaitableTimerExW(nullptr, nullptr, 0, kTimerAccess);
}

TimedWait::~TimedWait() {
  if (timer_ != nullptr) ::CloseHandle(timer_);
}

int TimedWait::wait(std::span<void* const> handles, uint64_t deadline_ns) const {
  std::array<HANDLE, kMostHandles + 1> all;
  const size_t count = std::min(handles.size(), kMostHandles);
  std::copy_n(handles.begin(), count, all.begin());
  for (;;) {
    const uint64_t now = SteadyClock::instance().now_ns();
    const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    DWORD timeout = deadline_ns == UINT64_MAX ? INFINITE : milliseconds(left);
    DWORD waited_for = static_cast<DWORD>(count);
    if (timer_ != nullptr && left != 0 && deadline_ns != UINT64_MAX) {
      LARGE_INTEGER due;
      due.QuadPart = -static_cast<LONGLONG>((left + kTick - 1) / kTick);  // negative: from now on
      if (::SetWaitableTimer(timer_, &due, 0, nullptr, nullptr, FALSE) != 0) {
        all[waited_for++] = timer_;
        timeout = INFINITE;
      }
    }
    if (waited_for == 0) {
      ::Sleep(timeout);
      return kTimeCame;
    }
    const DWORD got = ::WaitForMultipleObjects(waited_for, all.data(), FALSE, timeout);
    if (got < WAIT_OBJECT_0 + count) return static_cast<int>(got - WAIT_OBJECT_0);
    if (got == WAIT_FAILED) return kFailed;
    if (SteadyClock::instance().now_ns() >= deadline_ns) return kTimeCame;
  }
}

void TimedWait::rest(uint64_t ns) {
  constexpr uint64_t kLate = 500'000;  // ns
  constexpr int kLateInARow = 3;
  if (late_rests_ >= kLateInARow) return;
  const uint64_t end = SteadyClock::instance().now_ns() + ns;
  wait({}, end);
  late_rests_ = SteadyClock::instance().now_ns() > end + kLate ? late_rests_ + 1 : 0;
}

}  // namespace gw
