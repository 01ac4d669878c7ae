// Monotonic time as an interface, so that tests decide what time it is.
// Thread: any.
#pragma once

#include <chrono>
#include <cstdint>

namespace gw {

constexpr uint64_t kNsPerMs = 1'000'000;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual uint64_t now_ns() const = 0;  // monotonic; the same scale as process.hrtime.bigint() on Linux
};

class SteadyClock final : public Clock {
 public:
  uint64_t now_ns() const override {
    return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                     std::chrono::steady_clock::now().time_since_epoch())
                                     .count());
  }
  static const SteadyClock& instance() {
    static const SteadyClock clock;
    return clock;
  }
};

}  // namespace gw
