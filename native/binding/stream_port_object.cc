#include "binding/stream_port_object.h"

#include "binding/arguments.h"

namespace gw::binding {

Napi::Function StreamPortObject::define(Napi::Env env) {
  return DefineClass(
      env, "StreamPort",
      {InstanceMethod<&StreamPortObject::set_receive_buffer>("setReceiveBuffer"),
       InstanceMethod<&StreamPortObject::set_busy_poll>("setBusyPoll"),
       InstanceMethod<&StreamPortObject::close>("close"), InstanceAccessor<&StreamPortObject::port>("port")});
}

// new StreamPort({ address, device?, port?, portHigh?, multicast? })
StreamPortObject::StreamPortObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<StreamPortObject>(info), socket_(std::make_shared<UdpSocket>()) {
  const Napi::Env env = info.Env();
  const Options options(env, info[0]);
  const uint32_t address = options.address("address", 0);
  const auto low = options.integer<uint16_t>("port", 0, 65535, 0);
  const auto high = options.integer<uint16_t>("portHigh", 0, 65535, low);
  const uint32_t group = options.address("multicast", 0);
  auto opened = UdpSocket::open();
  if (!opened.ok()) throw_status(env, opened.status());
  *socket_ = std::move(*opened);
  if (group != 0) {
    Status reuse = socket_->set_reuse_address(true);
    if (!reuse.ok()) throw_status(env, reuse);
  }
  // Multicast arrives at the group's address, not at ours.
  // Best effort: without it two NICs in one subnet share what arrives as the routing table likes.
  const std::string device = options.string("device", "");
  if (!device.empty()) static_cast<void>(socket_->bind_to_device(device));
  const uint32_t at = group != 0 ? group : address;
  const Status bound = low == 0 ? socket_->bind({at, 0}) : socket_->bind_range(at, low, high);
  if (!bound.ok()) throw_status(env, bound);
  if (group != 0) {
    const Status joined = socket_->join_multicast(group, address);
    if (!joined.ok()) throw_status(env, joined);
  }
}

Napi::Value StreamPortObject::set_receive_buffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  bool beyond_limit = false;
  const auto granted = socket_->set_receive_buffer(address_argument(info, 0), &beyond_limit);
  if (!granted.ok()) throw_status(env, granted.status());
  auto result = Napi::Object::New(env);
  result.Set("bytes", static_cast<double>(*granted));
  result.Set("beyondLimit", beyond_limit);
  return result;
}

Napi::Value StreamPortObject::set_busy_poll(const Napi::CallbackInfo& info) {
  const Status set = socket_->set_busy_poll(address_argument(info, 0));
  return Napi::Number::New(info.Env(), set.sys_errno);
}

Napi::Value StreamPortObject::port(const Napi::CallbackInfo& info) {
  const auto local = socket_->local_endpoint();
  return Napi::Number::New(info.Env(), local.ok() ? local->port : 0);
}

void StreamPortObject::close(const Napi::CallbackInfo&) {
  if (cancel_) cancel_->cancel();
  cancel_.reset();  // its descriptor goes now, too
  socket_ = std::make_shared<UdpSocket>();
}

}  // namespace gw::binding
