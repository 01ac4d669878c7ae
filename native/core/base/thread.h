// A thread with a name. Purpose: every thread of this project can be told apart in top, gdb and perf, and
// none of them takes the signals that belong to the host program. Thread: the object is owned by one thread.
#pragma once

#include <functional>
#include <string_view>
#include <thread>

namespace gw {

void set_current_thread_name(std::string_view name);  // on Linux cut to the kernel's 15 characters

// The host program's handlers expect its own threads; for the calling thread, which is none of them.
void leave_signals_to_the_process();

// Short sleeps of the calling thread end when they should, not up to 50 us later. No effect where unknown.
void set_precise_sleep();

class NamedThread {
 public:
  NamedThread() = default;
  NamedThread(std::string_view name, std::function<void()> body);
  ~NamedThread() { join(); }
  NamedThread(NamedThread&&) noexcept = default;
  NamedThread& operator=(NamedThread&&) = delete;

  bool joinable() const { return thread_.joinable(); }
  bool is_current() const { return thread_.get_id() == std::this_thread::get_id(); }
  void join();  // no effect when there is nothing to join; must not be called by the thread itself
  void start(std::string_view name, std::function<void()> body);  // joins a finished predecessor first

 private:
  std::thread thread_;
};

}  // namespace gw
