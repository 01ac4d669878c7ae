#include "binding/receiver_object.h"

#include <algorithm>
#include <cstdint>

#include "binding/arguments.h"
#include "binding/control_object.h"
#include "binding/stream_port_object.h"
#include "control/packet_size.h"
#include "net/link_source.h"
#include "net/udp_source.h"

namespace gw::binding {

namespace {

uint64_t ms_to_ns(double ms) { return static_cast<uint64_t>(ms * 1e6); }

ResendConfig resend_config(Napi::Env env, const Options& options) {
  ResendConfig config;
  if (!options.has("resend")) return config;
  const Options resend(env, options.get("resend"));
  constexpr double kMinute = 60'000;
  config.enabled = resend.boolean("enabled", false);
  config.initial_delay_ns = ms_to_ns(resend.number("initialDelay", 0, kMinute, 1));
  config.response_timeout_ns = ms_to_ns(resend.number("responseTimeout", 0.1, kMinute, 10));
  config.idle_delay_ns = ms_to_ns(resend.number("idleDelay", 0.1, kMinute, 20));
  config.block_timeout_ns = ms_to_ns(resend.number("timeout", 0, kMinute, 100));
  config.max_tries = resend.integer<uint32_t>("maxTries", 1, 1000, config.max_tries);
  config.budget_percent = resend.integer<uint32_t>("budgetPercent", 0, 1000, config.budget_percent);
  config.budget_burst = resend.integer<uint32_t>("budgetBurst", 1, 1e6, config.budget_burst);
  return config;
}

StreamConfig stream_config(Napi::Env env, const Options& options) {
  StreamConfig config;
  config.camera_address = options.address("cameraAddress", 0);
  config.camera_port = options.integer<uint16_t>("cameraPort", 0, 65535, 0);
  config.camera_port_proven = options.boolean("cameraPortProven", false);
  config.channel = options.integer<uint16_t>("channel", 0, 511, 0);
  config.channel_is_new = options.boolean("channelIsNew", false);
  config.packet_size = options.integer<uint32_t>("packetSize", 1, 65535, 1500);
  config.packet_size_confirmed = options.boolean("packetSizeConfirmed", false);
  config.payload_size = options.integer<uint64_t>("payloadSize", 0, static_cast<double>(kMaxPayload), 0);
  config.deliver_incomplete = options.boolean("deliverIncomplete", false);
  const std::string handling = options.string("bufferHandling", "OldestFirst");
  config.handling = handling == "NewestOnly"             ? BufferHandling::kNewestOnly
                    : handling == "OldestFirstOverwrite" ? BufferHandling::kOldestFirstOverwrite
                                                         : BufferHandling::kOldestFirst;
  config.resend = resend_config(env, options);
  config.frame_timeout_ns = ms_to_ns(options.number("frameTimeout", 1, 1e9, 2000));
  config.reorder_grace_ns = ms_to_ns(options.number("reorderGrace", 0, 60'000, 3));
  config.coalesce_ns = ms_to_ns(options.number("coalesce", 0, 10, 0.25));
  config.queue_bytes =
      options.integer<uint64_t>("queueBytes", 1, 4e9, static_cast<double>(config.queue_bytes));
  config.keep_alive_ns = ms_to_ns(options.number("keepAlive", 0, 1e9, 10'000));
  return config;
}

// The manners of a UDP socket; the other engines have sources of their own.
std::optional<Manner> manner(Napi::Env env, const Options& options) {
  const std::string engine = options.string("engine", "auto");
  if (engine == "auto") return std::nullopt;
  if (engine == "copy") return Manner::kCopy;
  if (engine == "scatter") return Manner::kScatter;
  if (engine == "aggregate") return Manner::kAggregate;
  if (engine == "registered") return Manner::kRegistered;
  throw_invalid(
      env, "engine must be 'auto', 'copy', 'scatter', 'aggregate', 'packet-ring', 'xdp' or 'registered'");
}

Result<std::unique_ptr<PacketSource>> open_source(Napi::Env env, const Options& options,
                                                  const StreamConfig& config, UdpSocket& socket,
                                                  const Endpoint& local, const Endpoint& punched,
                                                  uint32_t busy_poll_us) {
  const std::string engine = options.string("engine", "auto");
  const LinkSourceOptions below{.socket = socket,
                                .device = options.string("device", ""),
                                .camera_address = config.camera_address,
                                .camera_port = config.camera_port,
                                .local = local,
                                .packet_size = config.packet_size,
                                .queue_bytes = config.queue_bytes};
  if (engine == "packet-ring") return make_packet_ring_source(below);
  if (engine == "xdp") {
    // It asks what a firewall would do to the stream, and that is opened by this where it can be.
    if (punched.port != 0) punch(socket, punched);
    return make_xdp_source(below);
  }
  UdpSourceOptions source_options;
  // Room for what was asked for and for a camera that sends more: jumbo frames end at 9 KiB, few cameras go
  // to 16.
  source_options.max_datagram = std::clamp<uint32_t>(config.packet_size + 64, 9216, 65535);
  source_options.manner = manner(env, options);
  source_options.busy_poll_us = busy_poll_us;
  source_options.packet_bytes = config.packet_size - std::min(config.packet_size, gvsp::kIpUdpHeaders);
  return make_udp_source(socket, source_options);
}

}  // namespace

void ReceiverObject::Camera::request_resend(const gvcp::Resend& resend) {
  if (control_) control_->send_resend(resend);
}
void ReceiverObject::Camera::keep_alive() {
  if (punch_.port != 0) punch(*stream_, punch_);
}
void ReceiverObject::Camera::stream_alive(uint64_t now_ns) {
  if (control_) control_->note_stream_alive(now_ns);
}

Napi::Function ReceiverObject::define(Napi::Env env) {
  return DefineClass(
      env, "StreamReceiver",
      {InstanceMethod<&ReceiverObject::start>("start"), InstanceMethod<&ReceiverObject::stop>("stop"),
       InstanceMethod<&ReceiverObject::ref>("ref"), InstanceAccessor<&ReceiverObject::id>("id"),
       InstanceAccessor<&ReceiverObject::queue_bytes>("queueBytes"),
       InstanceAccessor<&ReceiverObject::mode>("mode"),
       InstanceAccessor<&ReceiverObject::base_offset>("baseOffset")});
}

// new StreamReceiver(options, control | undefined, port, memory, onWake)
ReceiverObject::ReceiverObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReceiverObject>(info) {
  const Napi::Env env = info.Env();
  const Options options(env, info[0]);
  StreamConfig config = stream_config(env, options);
  std::shared_ptr<ControlChannel> control;
  if (info[1].IsObject()) control = ControlObject::Unwrap(info[1].As<Napi::Object>())->channel();
  auto* port = StreamPortObject::Unwrap(info[2].As<Napi::Object>());
  if (!info[3].IsTypedArray() || !info[4].IsFunction())
    throw_invalid(env, "memory and a callback are needed");
  auto memory = info[3].As<Napi::Uint8Array>();

  const ControlLayout layout =
      control_layout(options.integer<uint32_t>("slots", 1, kMaxSlots, 8),
                     options.integer<uint64_t>("slotBytes", 1, static_cast<double>(kMaxPayload), 0),
                     gvsp::data_size(config.packet_size, true));
  const auto address = reinterpret_cast<uintptr_t>(memory.Data());
  base_offset_ = (kPage - address % kPage) % kPage;
  if (layout.total_size == 0 || memory.ByteLength() < base_offset_ + layout.total_size) {
    throw_invalid(env, "the shared memory is too small for these frames");
  }
  memory_ = Napi::Persistent(memory);
  socket_ = port->socket();
  const auto local = socket_->local_endpoint();
  if (!local.ok()) throw_status(env, local.status());
  port_ = local->port;

  tuning_ = ReceiveTuning(env, options);
  const Endpoint punched{options.address("punchAddress", config.camera_address),
                         options.integer<uint16_t>("punchPort", 0, 65535, 0)};
  auto source = open_source(env, options, config, *socket_, *local, punched, tuning_.busy_poll_us);
  if (!source.ok()) throw_status(env, source.status());
  source_ = std::move(*source);
  if (source_->queue_bytes() != 0) config.queue_bytes = source_->queue_bytes();
  queue_bytes_ = config.queue_bytes;
  mode_ = source_->mode();
  tuning_.before_first_touch(memory.Data() + base_offset_, layout.total_size);
  pool_ = std::make_unique<SlotPool>(memory.Data() + base_offset_, layout);
  tuning_.after_first_touch(memory.Data() + base_offset_, layout.total_size);
  camera_ = std::make_unique<Camera>(std::move(control), socket_, punched);
  hub_ = std::make_shared<WakeHub>();
  hub_->set_pool(pool_.get());
  consumer_.open(env, info[4].As<Napi::Function>(), hub_);
  id_ = WakeHub::publish(hub_);
  receiver_ = std::make_unique<Receiver>(config, *source_, *pool_, *camera_, [hub = hub_] { hub->wake(); });
  Environment::of(env).add(this);
}

ReceiverObject::~ReceiverObject() { close_now(); }

void ReceiverObject::close_now() {
  if (!receiver_) return;
  seat_.reset();
  receiver_->stop();
  receiver_.reset();
  WakeHub::withdraw(id_);
  hub_->set_pool(nullptr);
  hub_.reset();
  consumer_.close();
  // The socket and the memory go only now that the thread is gone.
  source_.reset();
  camera_.reset();
  pool_.reset();
  socket_.reset();
  memory_.Reset();
  Environment::of(Env()).remove(this);
}

Napi::Value ReceiverObject::start(const Napi::CallbackInfo& info) {
  if (!receiver_) throw_status(info.Env(), Status::error(Errc::kClosed, "the stream is closed"));
  camera_->keep_alive();  // a stateful firewall has to be open before the camera sends
  const std::string name = "gw-rx-" + std::to_string(port_);
  const Status started = attempt([&] {
    if (tuning_.shared && source_->readable_fd() >= 0) {
      seat_ = ReceivePool::of_process().admit(*receiver_, name, tuning_.packets_per_second);
    } else {
      tuning_.thread_grants = receiver_->start(name, tuning_.thread);
    }
  });
  if (!started.ok()) throw_status(info.Env(), started);
  return tuning_.granted(info.Env(), seat_ != nullptr);
}

void ReceiverObject::stop(const Napi::CallbackInfo&) { close_now(); }

void ReceiverObject::ref(const Napi::CallbackInfo& info) { consumer_.ref(info.Env(), info[0].ToBoolean()); }

Napi::Value ReceiverObject::id(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(id_));
}

Napi::Value ReceiverObject::queue_bytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(queue_bytes_));
}

Napi::Value ReceiverObject::mode(const Napi::CallbackInfo& info) {
  return Napi::String::New(info.Env(), mode_);
}

Napi::Value ReceiverObject::base_offset(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(base_offset_));
}

Napi::Function ConsumerObject::define(Napi::Env env) {
  return DefineClass(
      env, "StreamConsumer",
      {InstanceMethod<&ConsumerObject::close>("close"), InstanceMethod<&ConsumerObject::ref>("ref"),
       InstanceAccessor<&ConsumerObject::holder>("holder")});
}

// new StreamConsumer(id, onWake): takes part in a stream of this process, whichever environment made it.
ConsumerObject::ConsumerObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ConsumerObject>(info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsNumber() || !info[1].IsFunction())
    throw_invalid(env, "a stream id and a callback are needed");
  auto hub = WakeHub::find(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()));
  if (!hub) throw_status(env, Status::error(Errc::kClosed, "the stream is closed"));
  if (!consumer_.open(env, info[1].As<Napi::Function>(), hub)) {
    throw_invalid(env, "too many consumers attached to one stream");
  }
  holder_ = hub->new_holder();
  Environment::of(env).hold(hub, holder_);
  Environment::of(env).add(this);
}

ConsumerObject::~ConsumerObject() { close_now(); }
void ConsumerObject::close_now() {
  if (closed_) return;
  closed_ = true;
  consumer_.close();
  Environment::of(Env()).remove(this);
}
void ConsumerObject::close(const Napi::CallbackInfo&) { close_now(); }
Napi::Value ConsumerObject::holder(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), holder_);
}
void ConsumerObject::ref(const Napi::CallbackInfo& info) { consumer_.ref(info.Env(), info[0].ToBoolean()); }

}  // namespace gw::binding
