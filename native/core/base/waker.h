// Wakes a thread that waits in poll(), or on Windows for kernel objects. Purpose: eventfd on Linux, a pipe on
// other POSIX systems, an event object on Windows, behind one name; and a cancel token made of it. Thread:
// wake() and cancel() from any, signal handlers included; clear() on the waiting thread. Owner: whoever
// waits.
#pragma once

#include <atomic>

namespace gw {

class Waker {
 public:
  Waker();
  ~Waker();
  Waker(const Waker&) = delete;
  Waker& operator=(const Waker&) = delete;

  void wake() noexcept;  // stays signalled until clear()
  void clear() noexcept;
#ifdef _WIN32
  void* handle() const noexcept { return event_; }
  bool valid() const noexcept { return event_ != nullptr; }

 private:
  void* event_;
#else
  int fd() const noexcept { return read_fd_; }
  bool valid() const noexcept { return read_fd_ >= 0; }  // false: no descriptors were left

 private:
  int read_fd_ = -1;
  int write_fd_ = -1;  // the same as read_fd_ where it is an eventfd
#endif
};

// Ends a long call of another thread. Once cancelled it stays so: make a new one for the next call.
class CancelToken {
 public:
  void cancel() noexcept {
    canceled_.store(true, std::memory_order_release);
    waker_.wake();
  }
  bool canceled() const noexcept { return canceled_.load(std::memory_order_acquire); }
  const Waker& waker() const noexcept { return waker_; }

 private:
  std::atomic<bool> canceled_{false};
  Waker waker_;
};

}  // namespace gw
