// The module: what the binary exports. Purpose: one Environment per Node environment, and the classes. The
// contract with lib/ is binding.d.ts. Thread: JS thread.
#include <napi.h>

#include "binding/control_object.h"
#include "binding/discovery_object.h"
#include "binding/environment.h"
#include "binding/layout_constants.h"
#include "binding/receiver_object.h"
#include "binding/sim_object.h"
#include "binding/stream_port_object.h"

namespace gw::binding {

namespace {

void set_error_factory(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).error_factory = Napi::Persistent(info[0].As<Napi::Function>());
}

// For process.on('exit'): Node runs no clean-up hooks on the main thread after process.exit().
void close_all(const Napi::CallbackInfo& info) { Environment::of(info.Env()).close_all(); }

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("setErrorFactory", Napi::Function::New<set_error_factory>(env));
  exports.Set("closeAll", Napi::Function::New<close_all>(env));
  exports.Set("listInterfaces", Napi::Function::New<list_interfaces_value>(env));
  exports.Set("driverCounters", Napi::Function::New<driver_counters_value>(env));
  exports.Set("streamLayout", Napi::Function::New<stream_layout_value>(env));
  exports.Set("pixelFormat", Napi::Function::New<pixel_format_value>(env));
  exports.Set("firstWrongByte", Napi::Function::New<first_wrong_byte_value>(env));
  exports.Set("layout", layout_constants(env));
  exports.Set("CameraControl", ControlObject::define(env));
  exports.Set("Discovery", DiscoveryObject::define(env));
  exports.Set("StreamPort", StreamPortObject::define(env));
  exports.Set("StreamReceiver", ReceiverObject::define(env));
  exports.Set("StreamConsumer", ConsumerObject::define(env));
  exports.Set("NativeSimulator", SimObject::define(env));
  return exports;
}

}  // namespace

}  // namespace gw::binding

Napi::Object gigewire_init(Napi::Env env, Napi::Object exports) { return gw::binding::init(env, exports); }
NODE_API_MODULE(gigewire, gigewire_init)
