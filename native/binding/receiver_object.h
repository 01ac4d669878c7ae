// JS classes StreamReceiver (the receive thread over pinned shared memory) and StreamConsumer (another
// environment that takes frames of the same stream). Thread: JS thread. Owner: garbage collector; stop() or
// the end of the environment joins the thread before the memory is let go.
#pragma once

#include <napi.h>

#include <memory>

#include "binding/consumer.h"
#include "binding/environment.h"
#include "binding/receive_tuning.h"
#include "control/control_channel.h"
#include "net/packet_source.h"
#include "net/socket.h"
#include "path/receive_pool.h"
#include "path/receiver.h"

namespace gw::binding {

class ReceiverObject : public Napi::ObjectWrap<ReceiverObject>, public Closable {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ReceiverObject(const Napi::CallbackInfo& info);
  ~ReceiverObject() override;
  void close_now() override;

 private:
  // The packet path's way to the camera: resend requests from the control socket, keep-alive from the stream
  // socket.
  class Camera final : public SideChannel {
   public:
    Camera(std::shared_ptr<ControlChannel> control, std::shared_ptr<UdpSocket> stream, Endpoint punch)
        : control_(std::move(control)), stream_(std::move(stream)), punch_(punch) {}
    void request_resend(const gvcp::Resend& resend) override;
    void keep_alive() override;
    void stream_alive(uint64_t now_ns) override;

   private:
    std::shared_ptr<ControlChannel> control_;
    std::shared_ptr<UdpSocket> stream_;
    const Endpoint punch_;
  };

  Napi::Value start(const Napi::CallbackInfo& info);
  void stop(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  Napi::Value id(const Napi::CallbackInfo& info);
  Napi::Value base_offset(const Napi::CallbackInfo& info);
  Napi::Value queue_bytes(const Napi::CallbackInfo& info);
  Napi::Value mode(const Napi::CallbackInfo& info);

  Napi::Reference<Napi::Uint8Array> memory_;
  size_t base_offset_ = 0;
  std::shared_ptr<UdpSocket> socket_;
  std::shared_ptr<WakeHub> hub_;
  uint64_t id_ = 0;
  uint64_t queue_bytes_ = 0;
  std::string mode_;
  uint16_t port_ = 0;
  ReceiveTuning tuning_;
  Consumer consumer_;
  std::unique_ptr<PacketSource> source_;
  std::unique_ptr<SlotPool> pool_;
  std::unique_ptr<Camera> camera_;
  std::unique_ptr<Receiver> receiver_;
  std::unique_ptr<ReceivePool::Seat> seat_;  // where the receive thread is shared
};

class ConsumerObject : public Napi::ObjectWrap<ConsumerObject>, public Closable {
 public:
  static Napi::Function define(Napi::Env env);
  explicit ConsumerObject(const Napi::CallbackInfo& info);
  ~ConsumerObject() override;
  void close_now() override;

 private:
  void close(const Napi::CallbackInfo& info);
  void ref(const Napi::CallbackInfo& info);
  Napi::Value holder(const Napi::CallbackInfo& info);

  Consumer consumer_;
  uint32_t holder_ = 0;
  bool closed_ = false;
};

}  // namespace gw::binding
