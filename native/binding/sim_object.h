// JS class NativeSimulator: a simulated camera inside this process, with threads of its own. Thread: JS
// thread. Owner: garbage collector; stop() or the end of the environment joins its threads.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/environment.h"
#include "sim/camera.h"

namespace gw::binding {

class SimObject : public Napi::ObjectWrap<SimObject>, public Closable {
 public:
  static Napi::Function define(Napi::Env env);
  explicit SimObject(const Napi::CallbackInfo& info);
  ~SimObject() override;
  void close_now() override;

 private:
  void stop(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value send_times(const Napi::CallbackInfo& info);
  void set_faults(const Napi::CallbackInfo& info);
  void inject(const Napi::CallbackInfo&
                  info);  // inject('crash' | 'reboot' | 'stall' | 'loseControl' | 'trigger', ms?)

  std::unique_ptr<sim::SimulatedCamera> camera_;
};

// firstWrongByte(image, blockId, seed) => offset, or -1: checks an image of the simulator's checkable
// pattern.
Napi::Value first_wrong_byte_value(const Napi::CallbackInfo& info);

}  // namespace gw::binding
