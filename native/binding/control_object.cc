#include "binding/control_object.h"

#include <cstring>

#include "binding/arguments.h"
#include "binding/promise_task.h"
#include "binding/stream_port_object.h"
#include "control/ip_configuration.h"
#include "control/packet_size.h"

namespace gw::binding {

namespace {

Napi::Value holder_value(Napi::Env env, const std::optional<Endpoint>& holder) {
  if (!holder) return env.Undefined();
  auto object = Napi::Object::New(env);
  object.Set("address", address_to_string(holder->address));
  object.Set("port", holder->port);
  return object;
}

Napi::Object capabilities_value(Napi::Env env, const ControlChannel& channel) {
  const Capabilities& c = channel.capabilities();
  auto object = Napi::Object::New(env);
  object.Set("specVersion", std::to_string(c.spec_major) + "." + std::to_string(c.spec_minor));
  object.Set("deviceMode", c.device_mode);
  object.Set("gvcp", c.gvcp);
  object.Set("gvsp", c.gvsp);
  object.Set("pendingTimeout", c.pending_timeout_ms);
  object.Set("heartbeatTimeout", c.heartbeat_timeout_ms);
  object.Set("tickFrequency", Napi::BigInt::New(env, c.tick_frequency));
  object.Set("streamChannels", c.stream_channels);
  object.Set("readsDenied", c.reads_denied);
  object.Set("localAddress", address_to_string(channel.local_endpoint().address));
  object.Set("localPort", channel.local_endpoint().port);
  return object;
}

Napi::Object negotiation_value(Napi::Env env, const PacketSizeResult& r) {
  auto object = Napi::Object::New(env);
  object.Set("packetSize", r.packet_size);
  object.Set("previous", r.previous);
  object.Set("limitedBy", packet_size_limit_name(r.limited_by));
  object.Set("punched", r.punched);
  object.Set("ms", r.ms);
  object.Set("scsp", r.scsp);
  object.Set("sourcePort", r.source.port);
  object.Set("openedChannel", r.opened_channel);
  object.Set("dontFragmentKept", r.dont_fragment_kept);
  object.Set("fragmentCheck", r.fragment_check);
  object.Set("firesOnce", r.fires_once);
  object.Set("foreign", static_cast<double>(r.foreign));
  auto tried = Napi::Array::New(env, r.tried.size());
  for (size_t i = 0; i < r.tried.size(); ++i) {
    const PacketSizeAttempt& a = r.tried[i];
    auto entry = Napi::Object::New(env);
    entry.Set("size", a.size);
    entry.Set("arrived", a.arrived);
    entry.Set("ms", a.ms);
    entry.Set("actual", a.actual);
    entry.Set("fragmented", a.fragmented);
    entry.Set("status", a.gvcp_status);
    entry.Set("fired", a.fired);
    tried[static_cast<uint32_t>(i)] = entry;
  }
  object.Set("tried", tried);
  return object;
}

Status closed() { return Status::error(Errc::kClosed, "the camera is closed"); }

// work(ControlChannel&) as a task for the worker, which fails when there is no open channel.
template <typename State, typename Work>
auto with_channel(std::shared_ptr<State> state, Work work) {
  return [state = std::move(state), work = std::move(work)]() mutable {
    using R = decltype(work(std::declval<ControlChannel&>()));
    const auto channel = state->channel();
    if (state->closing.load() || !channel) return R(closed());
    return work(*channel);
  };
}

}  // namespace

Napi::Function ControlObject::define(Napi::Env env) {
  return DefineClass(
      env, "CameraControl",
      {InstanceMethod<&ControlObject::open>("open"),
       InstanceMethod<&ControlObject::take_control>("takeControl"),
       InstanceMethod<&ControlObject::read_registers>("readRegisters"),
       InstanceMethod<&ControlObject::write_register>("writeRegister"),
       InstanceMethod<&ControlObject::read_memory>("readMemory"),
       InstanceMethod<&ControlObject::write_memory>("writeMemory"),
       InstanceMethod<&ControlObject::open_stream_channel>("openStreamChannel"),
       InstanceMethod<&ControlObject::close_stream_channel>("closeStreamChannel"),
       InstanceMethod<&ControlObject::negotiate_packet_size>("negotiatePacketSize"),
       InstanceMethod<&ControlObject::read_ip_configuration>("readIpConfiguration"),
       InstanceMethod<&ControlObject::set_persistent_ip>("setPersistentIp"),
       InstanceMethod<&ControlObject::close>("close"), InstanceMethod<&ControlObject::stats>("stats"),
       InstanceMethod<&ControlObject::holder>("holder")});
}

// new CameraControl(onLost: (reason, message) => void)
ControlObject::ControlObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<ControlObject>(info),
      state_(std::make_shared<State>()),
      alive_(std::make_shared<std::atomic<bool>>(true)) {
  if (!info[0].IsFunction()) throw_invalid(info.Env(), "a callback for the loss of the camera is needed");
  on_lost_ = Napi::Persistent(info[0].As<Napi::Function>());
  Environment::of(info.Env()).add(this);
}

ControlObject::~ControlObject() { close_now(); }

void ControlObject::close_now() {
  if (closed_) return;
  closed_ = true;
  alive_->store(false);
  state_->cancel();
  worker_.join();
  if (const auto open = channel()) {
    open->release();
    last_stats_ = open->stats();
    state_->set_channel(nullptr);  // its socket goes now, not when the garbage collector comes by
  }
  on_lost_.Reset();  // it leads back to the camera, which leads to us
  Environment::of(Env()).remove(this);
}

Napi::Value ControlObject::open(const Napi::CallbackInfo& info) {
  const Options options(info.Env(), info[0]);
  ControlOptions control;
  control.camera.address = options.address("address", 0);
  control.camera.port = options.integer<uint16_t>("port", 0, 65535, 0);
  control.local_address = options.address("localAddress", 0);
  control.device = options.string("device", "");
  control.ack_timeout_ms = options.integer<uint32_t>("ackTimeout", 10, 60000, control.ack_timeout_ms);
  control.tries = options.integer<int>("tries", 1, 20, control.tries);
  return run_task(
      info.Env(), worker_,
      [state = state_, control]() -> Result<std::shared_ptr<ControlChannel>> {
        if (state->closing.load()) return closed();
        const std::shared_ptr<ControlChannel> channel = ControlChannel::create();
        state->set_channel(channel);  // before the camera is asked: close() ends the wait for its answer
        Status status = state->closing.load() ? closed() : channel->connect(control);
        if (status.ok()) return channel;
        state->set_channel(nullptr);
        return status;
      },
      [](Napi::Env env, std::shared_ptr<ControlChannel>& channel) {
        return capabilities_value(env, *channel);
      });
}

Napi::Value ControlObject::take_control(const Napi::CallbackInfo& info) {
  const std::string access = info[0].IsString() ? info[0].As<Napi::String>().Utf8Value() : "control";
  const uint32_t timeout = info[1].IsNumber() ? address_argument(info, 1) : 0;
  const Access wanted = access == "exclusive" ? Access::kExclusive
                        : access == "monitor" ? Access::kMonitor
                                              : Access::kControl;
  Environment& environment = Environment::of(info.Env());
  auto alive = alive_;
  auto lost = [this, alive, &environment](LossReason reason, std::string message) {
    environment.post([this, alive, reason, message = std::move(message)](Napi::Env env) {
      if (!alive->load()) return;  // false only on this thread, together with the object's end
      on_lost_.Call({Napi::String::New(env, loss_reason_name(reason)), Napi::String::New(env, message)});
    });
  };
  return run_task(info.Env(), worker_,
                  with_channel(state_, ([wanted, timeout, lost](ControlChannel& channel) -> Status {
                                 const Status taken = channel.take_control(wanted, timeout);
                                 if (taken.ok()) channel.start_heartbeat(lost);
                                 return taken;
                               })));
}

Napi::Value ControlObject::read_registers(const Napi::CallbackInfo& info) {
  if (!info[0].IsArray()) throw_invalid(info.Env(), "an array of addresses is needed");
  const auto list = info[0].As<Napi::Array>();
  std::vector<uint32_t> addresses;
  for (uint32_t i = 0; i < list.Length(); ++i) addresses.push_back(address_value(info.Env(), list[i]));
  return run_task(
      info.Env(), worker_,
      with_channel(state_, ([addresses](ControlChannel& channel) -> Result<std::vector<uint32_t>> {
                     return channel.read_registers(addresses);
                   })),
      [](Napi::Env env, std::vector<uint32_t>& values) {
        auto array = Napi::Array::New(env, values.size());
        for (size_t i = 0; i < values.size(); ++i)
          array[static_cast<uint32_t>(i)] = Napi::Number::New(env, values[i]);
        return array;
      });
}

Napi::Value ControlObject::write_register(const Napi::CallbackInfo& info) {
  const uint32_t address = address_argument(info, 0);
  const uint32_t value = address_argument(info, 1);
  return run_task(info.Env(), worker_,
                  with_channel(state_, ([address, value](ControlChannel& channel) -> Status {
                                 return channel.write_register(address, value);
                               })));
}

Napi::Value ControlObject::read_memory(const Napi::CallbackInfo& info) {
  const uint32_t address = address_argument(info, 0);
  const uint32_t length = address_argument(info, 1);
  if (length > (64U << 20)) throw_invalid(info.Env(), "more than 64 MiB of camera memory at once");
  return run_task(info.Env(), worker_,
                  with_channel(state_,
                               [state = state_, address,
                                length](ControlChannel& channel) -> Result<std::vector<uint8_t>> {
                                 return channel.read_memory(address, length, {}, &state->closing);
                               }),
                  [](Napi::Env env, std::vector<uint8_t>& bytes) {
                    auto array = Napi::Uint8Array::New(env, bytes.size());
                    if (!bytes.empty()) std::memcpy(array.Data(), bytes.data(), bytes.size());
                    return array;
                  });
}

Napi::Value ControlObject::write_memory(const Napi::CallbackInfo& info) {
  const uint32_t address = address_argument(info, 0);
  if (!info[1].IsTypedArray()) throw_invalid(info.Env(), "a Uint8Array is needed");
  const auto array = info[1].As<Napi::Uint8Array>();
  std::vector<uint8_t> bytes(array.Data(), array.Data() + array.ByteLength());
  return run_task(
      info.Env(), worker_,
      with_channel(state_,
                   [state = state_, address, bytes = std::move(bytes)](ControlChannel& channel) -> Status {
                     return channel.write_memory(address, bytes, {}, &state->closing);
                   }));
}

Napi::Value ControlObject::open_stream_channel(const Napi::CallbackInfo& info) {
  const Options options(info.Env(), info[0]);
  const auto channel = options.integer<uint32_t>("channel", 0, 511, 0);
  const Endpoint destination{options.address("address", 0), options.integer<uint16_t>("port", 1, 65535, 0)};
  return run_task(
      info.Env(), worker_,
      with_channel(state_, ([channel, destination](ControlChannel& control) -> Result<StreamChannel> {
                     return gw::open_stream_channel(control, channel, destination);
                   })),
      [](Napi::Env env, StreamChannel& opened) {
        auto object = Napi::Object::New(env);
        object.Set("sourcePort", opened.source_port);
        object.Set("scspSupported", opened.scsp_supported);
        return object;
      });
}

Napi::Value ControlObject::close_stream_channel(const Napi::CallbackInfo& info) {
  const uint32_t channel = address_argument(info, 0);
  return run_task(info.Env(), worker_, with_channel(state_, ([channel](ControlChannel& control) -> Status {
                                                      return gw::close_stream_channel(control, channel);
                                                    })));
}

// negotiatePacketSize(port: StreamPort, options)
Napi::Value ControlObject::negotiate_packet_size(const Napi::CallbackInfo& info) {
  auto* port = StreamPortObject::Unwrap(info[0].As<Napi::Object>());
  const Options options(info.Env(), info[1]);
  NegotiationOptions wanted;
  wanted.channel = options.integer<uint32_t>("channel", 0, 511, 0);
  wanted.interface_mtu = options.integer<uint32_t>("interfaceMtu", 0, 65536, 0);
  wanted.min = options.integer<uint32_t>("min", 0, 65535, 0);
  wanted.max = options.integer<uint32_t>("max", 0, 65535, 0);
  wanted.camera_min = options.integer<uint32_t>("cameraMin", 0, 65535, 0);
  wanted.camera_max = options.integer<uint32_t>("cameraMax", 0, 65535, 0);
  wanted.increment = options.integer<uint32_t>("increment", 1, 4096, 4);
  wanted.timeout_ms = options.integer<uint32_t>("timeout", 1, 60000, wanted.timeout_ms);
  wanted.send_punch = options.boolean("punch", true);
  wanted.dont_fragment = options.boolean("dontFragment", true);
  wanted.destination = options.address("destination", 0);
  return run_task(info.Env(), worker_,
                  with_channel(state_,
                               [state = state_, socket = port->socket(), cancel = port->cancel(),
                                wanted](ControlChannel& channel) -> Result<PacketSizeResult> {
                                 state->set_negotiation(cancel);
                                 PacketSizeResult result =
                                     gw::negotiate_packet_size(channel, *socket, wanted, cancel.get());
                                 state->set_negotiation(nullptr);
                                 // A failed negotiation is a result, too: what was tried is what the user
                                 // needs to know.
                                 if (!result.status.ok() && result.status.code != Errc::kNegotiation)
                                   return result.status;
                                 return result;
                               }),
                  [](Napi::Env env, PacketSizeResult& result) {
                    auto object = negotiation_value(env, result);
                    object.Set("ok", result.status.ok());
                    object.Set("message", result.status.message);
                    return object;
                  });
}

Napi::Value ControlObject::read_ip_configuration(const Napi::CallbackInfo& info) {
  return run_task(info.Env(), worker_,
                  with_channel(state_, ([](ControlChannel& control) -> Result<IpConfiguration> {
                                 return gw::read_ip_configuration(control);
                               })),
                  [](Napi::Env env, IpConfiguration& c) {
                    auto object = Napi::Object::New(env);
                    object.Set("supported", c.supported);
                    object.Set("enabled", c.enabled);
                    object.Set("address", address_to_string(c.address));
                    object.Set("subnetMask", address_to_string(c.netmask));
                    object.Set("gateway", address_to_string(c.gateway));
                    object.Set("persistentAddress", address_to_string(c.persistent_address));
                    object.Set("persistentSubnetMask", address_to_string(c.persistent_netmask));
                    object.Set("persistentGateway", address_to_string(c.persistent_gateway));
                    return object;
                  });
}

Napi::Value ControlObject::set_persistent_ip(const Napi::CallbackInfo& info) {
  const Options options(info.Env(), info[0]);
  PersistentIp wanted;
  wanted.persistent = options.boolean("persistent", true);
  if (options.has("dhcp")) wanted.dhcp = options.boolean("dhcp", false);
  wanted.address = options.address("address", 0);
  wanted.netmask = options.address("subnetMask", 0);
  wanted.gateway = options.address("gateway", 0);
  return run_task(info.Env(), worker_, with_channel(state_, ([wanted](ControlChannel& control) -> Status {
                                                      return gw::set_persistent_ip(control, wanted);
                                                    })));
}

// Ends waiting calls, then gives control back.
Napi::Value ControlObject::close(const Napi::CallbackInfo& info) {
  if (closed_) {
    const auto done = Napi::Promise::Deferred::New(info.Env());
    done.Resolve(info.Env().Undefined());
    return done.Promise();
  }
  state_->cancel();
  return run_task(
      info.Env(), worker_,
      [state = state_]() -> Status {
        const auto open = state->channel();
        return open ? open->release() : Status{};
      },
      [this, alive = alive_] {
        if (alive->load()) close_now();  // the threads end here
      });
}

Napi::Value ControlObject::stats(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  const auto open = channel();
  const ControlStats s = open ? open->stats() : last_stats_;
  const auto set = [&](const char* name, uint64_t value) { object.Set(name, static_cast<double>(value)); };
  set("requests", s.requests);
  set("retries", s.retries);
  set("timeouts", s.timeouts);
  set("staleAcks", s.stale_acks);
  set("pendingAcks", s.pending_acks);
  set("busyAcks", s.busy_acks);
  set("errorAcks", s.error_acks);
  set("foreign", s.foreign);
  set("malformed", s.malformed);
  set("resendsSent", s.resends_sent);
  set("resendsFailed", s.resends_failed);
  set("heartbeats", s.heartbeats);
  return object;
}

Napi::Value ControlObject::holder(const Napi::CallbackInfo& info) {
  const auto open = channel();
  return holder_value(info.Env(), open ? open->holder() : std::nullopt);
}

}  // namespace gw::binding
