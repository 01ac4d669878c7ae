// JS class CameraControl: the control channel of one camera. Purpose: promises around gw::ControlChannel.
// Every call runs on this camera's own worker thread, in the order of the calls; the heartbeat has a thread
// of its own inside the channel, so that neither a busy event loop nor a debugger stop loses the camera.
// Thread: JS thread. Owner: garbage collector; close() or the end of the environment releases the camera.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/environment.h"
#include "binding/task_thread.h"
#include "control/control_channel.h"

namespace gw::binding {

class ControlObject : public Napi::ObjectWrap<ControlObject>, public Closable {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ControlObject(const Napi::CallbackInfo& info);
  ~ControlObject() override;

  void close_now() override;
  std::shared_ptr<ControlChannel> channel() const { return state_->channel(); }

 private:
  // What worker tasks touch: outlives the JS object while a task runs.
  struct State {
    std::atomic<bool> closing{false};

    std::shared_ptr<ControlChannel> channel() {
      const std::lock_guard lock(mutex_);
      return channel_;
    }
    void set_channel(std::shared_ptr<ControlChannel> channel) {
      const std::lock_guard lock(mutex_);
      channel_ = std::move(channel);
    }
    void set_negotiation(std::shared_ptr<CancelToken> cancel) {
      const std::lock_guard lock(mutex_);
      negotiation_ = std::move(cancel);
    }
    // Ends the call that is under way, and refuses those that wait.
    void cancel() {
      closing.store(true);
      const std::lock_guard lock(mutex_);
      if (negotiation_) negotiation_->cancel();
      if (channel_) channel_->cancel();
    }

   private:
    std::mutex mutex_;
    std::shared_ptr<ControlChannel> channel_;
    std::shared_ptr<CancelToken> negotiation_;
  };

  Napi::Value open(const Napi::CallbackInfo& info);
  Napi::Value take_control(const Napi::CallbackInfo& info);
  Napi::Value read_registers(const Napi::CallbackInfo& info);
  Napi::Value write_register(const Napi::CallbackInfo& info);
  Napi::Value read_memory(const Napi::CallbackInfo& info);
  Napi::Value write_memory(const Napi::CallbackInfo& info);
  Napi::Value open_stream_channel(const Napi::CallbackInfo& info);
  Napi::Value close_stream_channel(const Napi::CallbackInfo& info);
  Napi::Value negotiate_packet_size(const Napi::CallbackInfo& info);
  Napi::Value read_ip_configuration(const Napi::CallbackInfo& info);
  Napi::Value set_persistent_ip(const Napi::CallbackInfo& info);
  Napi::Value close(const Napi::CallbackInfo& info);
  Napi::Value stats(const Napi::CallbackInfo& info);
  Napi::Value holder(const Napi::CallbackInfo& info);

  std::shared_ptr<State> state_;
  ControlStats last_stats_;  // of the channel that close_now() let go
  TaskThread worker_{"gw-control"};
  Napi::FunctionReference on_lost_;
  bool closed_ = false;
  std::shared_ptr<std::atomic<bool>> alive_;  // false once on_lost_ must not be called any more
};

}  // namespace gw::binding
