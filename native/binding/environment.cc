#include "binding/environment.h"

#include "binding/errors.h"
#include "binding/wake_hub.h"

namespace gw::binding {

Environment::Environment(Napi::Env env) {
  // The order matters: hooks run last-in first-out, so ours runs before the thread-safe function's own
  // clean-up.
  wakeup_ = Wakeup::New(env, "gigewire", 1, 1, this);
  wakeup_.Unref(env);
  env.AddCleanupHook([this] { close(); });
}

Environment::~Environment() { close(); }

void Environment::close() {
  close_all();
  for (const auto& [stream, holder] : std::exchange(holders_, {})) {
    if (const auto hub = stream.lock()) hub->release_leases_of(holder);
  }
  std::vector<Task> dropped;  // destroyed without the lock: they may hold what has threads
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    dropped.swap(tasks_);
  }
  wakeup_.Abort();
}

void Environment::close_all() {
  while (!objects_.empty()) {
    Closable* object = objects_.back();
    objects_.pop_back();
    object->close_now();
  }
}

void Environment::hold(const std::shared_ptr<WakeHub>& hub, uint32_t holder) {
  std::erase_if(holders_, [](const auto& entry) { return entry.first.expired(); });
  holders_.emplace_back(hub, holder);
}

void Environment::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (closed_) return;
  tasks_.push_back(std::move(task));
  // Queue of one, non-blocking: "full" means that a wake-up is under way, and it will find this task.
  wakeup_.NonBlockingCall();
}

void Environment::call_js(Napi::Env env, Napi::Function, Environment* self, void*) {
  if (env != nullptr) self->run_tasks(env);
}

void Environment::run_tasks(Napi::Env env) {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const Task& task : tasks) {
    Napi::HandleScope scope(env);
    run_unattended(env, [&] { task(env); });
  }
}

void Environment::begin_operation(Napi::Env env) {
  if (operations_++ == 0) wakeup_.Ref(env);
}

void Environment::end_operation(Napi::Env env) {
  if (--operations_ == 0) wakeup_.Unref(env);
}

}  // namespace gw::binding
