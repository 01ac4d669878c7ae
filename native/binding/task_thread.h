// One worker thread with a queue. Purpose: blocking work of one object (a camera, a discovery), off the JS
// thread and off libuv's pool, which belongs to the application. Thread: post() and the destructor on the JS
// thread; tasks on the worker. Owner: the object whose work it does.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

#include "base/thread.h"

namespace gw::binding {

class TaskThread {
 public:
  explicit TaskThread(std::string name) : name_(std::move(name)) {}
  ~TaskThread() { join(); }

  // Starts the thread with the first task; false after join(). Throws std::system_error where the system
  // gives no thread: the task is dropped.
  bool post(std::function<void()> task);
  void join();  // runs what is queued, then ends; idempotent

 private:
  void loop();

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  bool started_ = false;
  NamedThread thread_;
};

}  // namespace gw::binding
