// The system's part of base/thread.h, for Linux and other POSIX systems.
#include <pthread.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <csignal>
#include <string>

#include "base/thread.h"

namespace gw {

// What tells of a fault in this very thread stays deliverable, and so does a profiler's clock.
void leave_signals_to_the_process() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF}) {
    sigdelset(&blocked, kept);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

void set_current_thread_name(std::string_view name) {
  constexpr size_t kLongest = 15;
  const std::string cut(name.substr(0, kLongest));
#ifdef __APPLE__
  pthread_setname_np(cut.c_str());
#else
  pthread_setname_np(pthread_self(), cut.c_str());
#endif
}

void set_precise_sleep() {
#ifdef __linux__
  prctl(PR_SET_TIMERSLACK, 1UL);
#endif
}

}  // namespace gw
