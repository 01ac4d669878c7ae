// JS class Discovery: one search for cameras. Also forceIp and listInterfaces. Purpose: promises and a
// callback for each camera found around gw::discover. Thread: JS thread; the search runs on a thread of its
// own. Owner: garbage collector.
#pragma once

#include <napi.h>

#include <memory>

#include "base/waker.h"
#include "binding/environment.h"
#include "binding/task_thread.h"

namespace gw::binding {

class DiscoveryObject : public Napi::ObjectWrap<DiscoveryObject>, public Closable {
 public:
  static Napi::Function define(Napi::Env env);
  explicit DiscoveryObject(const Napi::CallbackInfo& info);
  ~DiscoveryObject() override;
  void close_now() override;

 private:
  Napi::Value run(const Napi::CallbackInfo& info);       // run(options, onFound) => Promise<report>
  Napi::Value force_ip(const Napi::CallbackInfo& info);  // forceIp(options) => Promise<camera | undefined>
  void stop(const Napi::CallbackInfo& info);             // enough: run() resolves with what there is

  std::shared_ptr<CancelToken> cancel_;
  TaskThread worker_{"gw-discovery"};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // JS thread
};

Napi::Value list_interfaces_value(const Napi::CallbackInfo& info);
Napi::Value driver_counters_value(const Napi::CallbackInfo& info);

}  // namespace gw::binding
