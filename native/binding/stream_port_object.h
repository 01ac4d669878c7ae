// JS class StreamPort: the UDP socket that a stream arrives on. Purpose: bound before the camera is told
// where to send, so that the punched hole, the negotiation and the stream share one socket. Thread: JS
// thread; while negotiation or a receiver uses the socket, they hold a share of it. Owner: garbage collector,
// or close().
#pragma once

#include <napi.h>

#include <memory>

#include "base/waker.h"
#include "net/socket.h"

namespace gw::binding {

class StreamPortObject : public Napi::ObjectWrap<StreamPortObject> {
 public:
  static Napi::Function define(Napi::Env env);
  explicit StreamPortObject(const Napi::CallbackInfo& info);

  std::shared_ptr<UdpSocket> socket() const { return socket_; }
  // Ends a negotiation on this socket; close() does.
  std::shared_ptr<CancelToken> cancel() const { return cancel_; }

 private:
  Napi::Value set_receive_buffer(const Napi::CallbackInfo& info);
  Napi::Value set_busy_poll(const Napi::CallbackInfo& info);
  Napi::Value port(const Napi::CallbackInfo& info);
  void close(const Napi::CallbackInfo& info);

  std::shared_ptr<UdpSocket> socket_;
  std::shared_ptr<CancelToken> cancel_ = std::make_shared<CancelToken>();
};

}  // namespace gw::binding
