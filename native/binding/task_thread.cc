#include "binding/task_thread.h"

namespace gw::binding {

bool TaskThread::post(std::function<void()> task) {
  const std::lock_guard lock(mutex_);
  if (ending_) return false;
  if (!started_)
    thread_.start(name_, [this] { loop(); });  // waits for the lock; throws where there is none left
  started_ = true;
  tasks_.push_back(std::move(task));
  changed_.notify_one();
  return true;
}

void TaskThread::join() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_one();
  }
  thread_.join();
}

void TaskThread::loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const auto task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    lock.lock();
  }
}

}  // namespace gw::binding
