// What one Node environment (the main thread, or one worker) has of us. Purpose: a way from any thread back
// to its JS thread, and an orderly end: every thread that could call back is joined before the way back is
// torn down. Thread: JS thread, except post(). Owner: the environment, as instance data. Destruction order is
// written in close().
#pragma once

#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace gw::binding {

class WakeHub;

// Something with threads, that must be shut down before its environment goes.
class Closable {
 public:
  virtual ~Closable() = default;
  virtual void close_now() = 0;  // JS thread; blocks until its threads are joined; idempotent
};

class Environment {
 public:
  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Any thread: runs on the JS thread later; dropped when the environment is going.
  void post(std::function<void(Napi::Env)> task);
  // JS thread: keeps the process alive while at least one operation is under way.
  void begin_operation(Napi::Env env);
  void end_operation(Napi::Env env);

  void add(Closable* object) { objects_.push_back(object); }
  void remove(Closable* object) { std::erase(objects_, object); }
  // Closes every object, the newest first: a stream before its camera, a camera before a simulator that must
  // answer it. Also called by process.on('exit').
  void close_all();

  // Frames that this environment takes from a stream as `holder` are given back when it ends.
  void hold(const std::shared_ptr<WakeHub>& hub, uint32_t holder);

  Napi::FunctionReference error_factory;  // (code, message, details) => Error

 private:
  using Task = std::function<void(Napi::Env)>;
  static void call_js(Napi::Env env, Napi::Function, Environment* self, void*);
  using Wakeup = Napi::TypedThreadSafeFunction<Environment, void, &Environment::call_js>;
  void run_tasks(Napi::Env env);
  void close();

  std::vector<Closable*> objects_;  // oldest first
  std::vector<std::pair<std::weak_ptr<WakeHub>, uint32_t>> holders_;
  std::mutex mutex_;
  std::vector<Task> tasks_;
  bool closed_ = false;
  uint32_t operations_ = 0;
  Wakeup wakeup_;
};

}  // namespace gw::binding
