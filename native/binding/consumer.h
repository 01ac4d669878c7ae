// One environment's ear for a stream's knocks. Purpose: a thread-safe function registered with a WakeHub, and
// its orderly removal. Thread: JS thread of its environment. Owner: ReceiverObject or ConsumerObject.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/errors.h"
#include "binding/wake_hub.h"

namespace gw::binding {

class Consumer {
 public:
  Consumer() = default;
  ~Consumer() { close(); }
  Consumer(const Consumer&) = delete;
  Consumer& operator=(const Consumer&) = delete;

  // False when the hub has no room.
  bool open(Napi::Env env, const Napi::Function& on_wake, std::shared_ptr<WakeHub> hub) {
    env_ = env;
    hub_ = std::move(hub);
    function_ = Knock::New(env, on_wake, "gigewire stream", 1, 1);
    // After the function's own: hooks run last-in first-out, and nobody may knock once that one has run.
    napi_add_env_cleanup_hook(env, on_env_end, this);
    open_ = true;
    function_.Unref(env);  // a stream nobody waits for does not keep the process alive
    index_ = hub_->attach(function_);
    if (index_ >= 0) return true;
    close();
    return false;
  }
  void close() {
    if (!open_) return;
    open_ = false;
    napi_remove_env_cleanup_hook(env_, on_env_end, this);
    hub_->detach(index_);
    hub_.reset();
    function_.Abort();
  }
  void ref(Napi::Env env, bool on) {
    if (!open_) return;
    if (on) {
      function_.Ref(env);
    } else {
      function_.Unref(env);
    }
  }

 private:
  static void call_js(Napi::Env env, Napi::Function on_wake, std::nullptr_t*, void*) {
    if (env == nullptr || on_wake.IsEmpty()) return;  // the environment is going
    run_unattended(env, [&] { on_wake.Call({}); });
  }
  static void on_env_end(void* self) { static_cast<Consumer*>(self)->close(); }
  using Knock = Napi::TypedThreadSafeFunction<std::nullptr_t, void, &Consumer::call_js>;

  napi_env env_ = nullptr;
  std::shared_ptr<WakeHub> hub_;
  Knock function_;
  int index_ = -1;
  bool open_ = false;
};

}  // namespace gw::binding
