#include "base/thread_tuning.h"

#include <cerrno>

#ifdef __linux__
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace gw {

#ifdef __linux__

namespace {

static_assert(kMaxCpus <= CPU_SETSIZE);

uint64_t limit_of(int resource) {
  rlimit limit{};
  return ::getrlimit(static_cast<__rlimit_resource_t>(resource), &limit) == 0 ? limit.rlim_cur : 0;
}

int set_priority(int priority) {
  if (priority > 0) {
    // A child of this thread, should there ever be one, is an ordinary one.
    const sched_param parameter{.sched_priority = priority};
    return ::sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &parameter) == 0 ? 0 : errno;
  }
  // On Linux niceness is a thread's own, whatever POSIX says.
  const auto self = static_cast<id_t>(::syscall(SYS_gettid));
  return ::setpriority(PRIO_PROCESS, self, priority) == 0 ? 0 : errno;
}

int set_cpus(const CpuSet& cpus) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (size_t cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (cpus.test(cpu)) CPU_SET(cpu, &set);
  }
  return ::sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : errno;
}

CpuSet cpus_of_current_thread() {
  CpuSet cpus;
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return cpus;
  for (size_t cpu = 0; cpu < kMaxCpus; ++cpu) cpus.set(cpu, CPU_ISSET(cpu, &set));
  return cpus;
}

}  // namespace

ThreadGrants tune_current_thread(const ThreadTuning& tuning) {
  ThreadGrants grants;
  if (tuning.priority != 0) {
    grants.priority_limit = limit_of(tuning.priority > 0 ? RLIMIT_RTPRIO : RLIMIT_NICE);
    grants.priority_error = set_priority(tuning.priority);
  }
  if (tuning.cpus.any()) {
    grants.cpu_error = set_cpus(tuning.cpus);
    grants.cpus = cpus_of_current_thread();
  }
  return grants;
}

#else

ThreadGrants tune_current_thread(const ThreadTuning& tuning) {
  ThreadGrants grants;
  if (tuning.priority != 0) grants.priority_error = ENOTSUP;
  if (tuning.cpus.any()) grants.cpu_error = ENOTSUP;
  return grants;
}

#endif

}  // namespace gw
