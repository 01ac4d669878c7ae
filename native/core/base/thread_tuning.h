// When and where a thread runs. Purpose: real-time priority, niceness and CPU affinity, each with what the
// system said to it, so that nothing is refused in silence. Thread: the thread that is tuned, before its
// work. Owner: plain values.
#pragma once

#include <bitset>
#include <cstdint>

namespace gw {

constexpr size_t kMaxCpus = 1024;
using CpuSet = std::bitset<kMaxCpus>;

struct ThreadTuning {
  int priority = 0;  // 1 to 99: real time, first in first out; -20 to -1: niceness; 0: as it is
  CpuSet cpus;       // none: wherever the system likes
  bool any() const { return priority != 0 || cpus.any(); }
};

struct ThreadGrants {
  int priority_error = 0;       // errno; 0: granted, or not asked for
  uint64_t priority_limit = 0;  // what RLIMIT_RTPRIO, or for a niceness RLIMIT_NICE, lets this process have
  int cpu_error = 0;
  CpuSet cpus;  // where the thread may run now; none: unknown
};

ThreadGrants tune_current_thread(const ThreadTuning& tuning);

}  // namespace gw
