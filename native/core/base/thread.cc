#include "base/thread.h"

#include <pthread.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <csignal>
#include <string>
#include <utility>

namespace gw {

namespace {

// The host program's handlers expect its own threads. What tells of a fault in this very thread stays
// deliverable, and so does a profiler's clock.
void block_signals_of_the_process() {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int kept : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGPROF}) {
    sigdelset(&blocked, kept);
  }
  pthread_sigmask(SIG_BLOCK, &blocked, nullptr);
}

}  // namespace

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

NamedThread::NamedThread(std::string_view name, std::function<void()> body) { start(name, std::move(body)); }

void NamedThread::start(std::string_view name, std::function<void()> body) {
  join();
  thread_ = std::thread([name = std::string(name), body = std::move(body)] {
    block_signals_of_the_process();
    set_current_thread_name(name);
    body();
  });
}

void NamedThread::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace gw
