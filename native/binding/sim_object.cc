#include "binding/sim_object.h"

#include <string_view>

#include "binding/arguments.h"
#include "net/socket.h"
#include "sim/pattern.h"
#include "wire/pixel_format.h"

namespace gw::binding {

namespace {

template <typename Enum>
Enum choice(const Options& options, Napi::Env env, const char* name,
            std::initializer_list<std::pair<const char*, Enum>> all, Enum fallback) {
  if (!options.has(name)) return fallback;
  const std::string wanted = options.string(name, "");
  std::string list;
  for (const auto& [text, value] : all) {
    if (wanted == text) return value;
    list += std::string(list.empty() ? "" : ", ") + text;
  }
  throw_invalid(env, std::string(name) + " must be one of " + list);
}

sim::FaultPlan fault_plan(Napi::Env env, const Napi::Value& value) {
  sim::FaultPlan plan;
  if (!value.IsObject()) return plan;
  const Options o(env, value);
  constexpr double kMax32 = 4294967295.0;
  const auto chance = [&](const char* name) { return o.number(name, 0, 1, 0); };
  const auto whole = [&](const char* name, uint32_t fallback) {
    return o.integer<uint32_t>(name, 0, kMax32, fallback);
  };
  plan.loss = chance("loss");
  plan.burst_loss = chance("burstLoss");
  plan.burst_length = whole("burstLength", plan.burst_length);
  plan.lose_leader = chance("loseLeader");
  plan.lose_trailer = chance("loseTrailer");
  plan.lose_tail = chance("loseTail");
  plan.tail_length = whole("tailLength", plan.tail_length);
  plan.lose_block = chance("loseBlock");
  plan.duplicate = chance("duplicate");
  plan.reorder = chance("reorder");
  plan.reorder_distance = whole("reorderDistance", plan.reorder_distance);
  plan.delay = chance("delay");
  plan.delay_us = whole("delayUs", plan.delay_us);
  plan.truncate = chance("truncate");
  plan.wrong_id = chance("wrongId");
  plan.corrupt_header = chance("corruptHeader");
  plan.foreign_packets = chance("foreign");
  plan.faults_on_resend = o.boolean("onResend", false);
  plan.path_mtu = whole("pathMtu", 0);
  plan.packet_size = choice(o, env, "packetSize",
                            {{"none", sim::PacketSizeFault::kNone},
                             {"clamp", sim::PacketSizeFault::kClamp},
                             {"round", sim::PacketSizeFault::kRound},
                             {"ignore", sim::PacketSizeFault::kIgnore},
                             {"no-test-packet", sim::PacketSizeFault::kNoTestPacket},
                             {"fire-once", sim::PacketSizeFault::kFireOnce},
                             {"ignore-df", sim::PacketSizeFault::kIgnoreDf},
                             {"silent-clamp", sim::PacketSizeFault::kSilentClamp},
                             {"unaligned", sim::PacketSizeFault::kUnaligned}},
                            sim::PacketSizeFault::kNone);
  plan.clamp_size = whole("clampSize", plan.clamp_size);
  plan.round_to = whole("roundTo", plan.round_to);
  plan.resend = choice(o, env, "resend",
                       {{"none", sim::ResendFault::kNone},
                        {"silent", sim::ResendFault::kSilent},
                        {"unavailable", sim::ResendFault::kUnavailable},
                        {"not-yet-first", sim::ResendFault::kNotYetFirst},
                        {"removed-previous", sim::ResendFault::kRemovedPrevious},
                        {"plain-status", sim::ResendFault::kPlainStatus}},
                       sim::ResendFault::kNone);
  plan.resend_delay_us = whole("resendDelayUs", 0);
  plan.test_packet_delay_ms = whole("testPacketDelayMs", 0);
  plan.control_stall_ms = whole("controlStallMs", 0);
  plan.control_stall_after = whole("controlStallAfter", 0);
  plan.control_stall_drops = o.boolean("controlStallDrops", false);
  plan.control_loss = chance("controlLoss");
  plan.control_request_loss = chance("controlRequestLoss");
  plan.control_duplicate = chance("controlDuplicate");
  plan.control_stale_acks = chance("controlStaleAcks");
  plan.pending_ack_ms = whole("pendingAckMs", 0);
  plan.pending_ack_count = whole("pendingAckCount", 1);
  plan.crash_after_blocks = o.big("crashAfterBlocks", 0);
  plan.reboot_after_blocks = o.big("rebootAfterBlocks", 0);
  plan.reboot_ms = whole("rebootMs", plan.reboot_ms);
  plan.no_scsp = o.boolean("noScsp", false);
  plan.no_discovery = o.boolean("noDiscovery", false);
  plan.short_readmem_ack = o.boolean("shortReadMemAck", false);
  if (o.get("drop").IsArray()) {
    const auto list = o.get("drop").As<Napi::Array>();
    for (uint32_t i = 0; i < list.Length(); ++i) {
      const Options chosen(env, list[i]);
      plan.drop_packets.push_back({chosen.big("block", sim::kEveryBlock),
                                   chosen.integer<uint32_t>("packet", 0, kMax32, 0),
                                   chosen.integer<uint32_t>("count", 1, kMax32, 1)});
    }
  }
  return plan;
}

sim::SimOptions sim_options(Napi::Env env, const Napi::Value& value) {
  const Options o(env, value);
  sim::SimOptions s;
  const auto whole = [&](const char* name, uint32_t fallback) {
    return o.integer<uint32_t>(name, 0, 4294967295.0, fallback);
  };
  s.address = o.address("address", s.address);
  s.control_port = o.integer<uint16_t>("controlPort", 1, 65535, s.control_port);
  s.subnet_mask = o.address("subnetMask", 0);
  s.gateway = o.address("gateway", 0);
  s.manufacturer = o.string("manufacturer", s.manufacturer);
  s.model = o.string("model", s.model);
  s.serial = o.string("serial", s.serial);
  s.user_name = o.string("userName", s.user_name);
  s.width = whole("width", s.width);
  s.height = whole("height", s.height);
  s.sensor_width = whole("sensorWidth", 0);
  s.sensor_height = whole("sensorHeight", 0);
  if (o.has("pixelFormat")) {
    const auto code = pfnc::code(o.string("pixelFormat", ""));
    if (!code) throw_invalid(env, "pixelFormat '" + o.string("pixelFormat", "") + "' is no PFNC name");
    s.pixel_format = *code;
  }
  s.test_pattern = choice(o, env, "testPattern",
                          {{"Checkable", sim::TestPattern::kCheckable},
                           {"TestCard", sim::TestPattern::kTestCard},
                           {"GreyHorizontalRampMoving", sim::TestPattern::kGreyHorizontalRampMoving},
                           {"Black", sim::TestPattern::kBlack},
                           {"White", sim::TestPattern::kWhite}},
                          s.test_pattern);
  s.frame_rate = o.number("frameRate", 0, 1e6, s.frame_rate);
  s.seed = o.big("seed", s.seed);
  s.extended_ids = o.boolean("extendedIds", false);
  s.first_block_id = o.big("firstBlockId", 1);
  s.packet_size = whole("packetSize", s.packet_size);
  s.packet_size_min = whole("packetSizeMin", s.packet_size_min);
  s.packet_size_max = whole("packetSizeMax", s.packet_size_max);
  s.packet_size_increment = whole("packetSizeIncrement", s.packet_size_increment);
  s.test_packets = o.boolean("testPackets", true);
  s.resend = o.boolean("resend", true);
  s.resend_history_blocks = whole("resendHistoryBlocks", s.resend_history_blocks);
  s.chunk_mode = o.boolean("chunkMode", false);
  s.variable_height = o.boolean("variableHeight", false);
  s.all_in = o.boolean("allIn", false);
  s.payload_type = o.integer<uint16_t>("payloadType", 0, 65535, 0);
  s.padding_x = o.integer<uint16_t>("paddingX", 0, 65535, 0);
  s.concatenation = o.boolean("concatenation", true);
  s.write_memory = o.boolean("writeMemory", true);
  s.pending_ack = o.boolean("pendingAck", true);
  s.zip = o.boolean("zip", true);
  s.heartbeat_timeout_ms = whole("heartbeatTimeout", s.heartbeat_timeout_ms);
  s.discovery_delay_ms = whole("discoveryDelay", 0);
  s.udp_checksum = o.boolean("udpChecksum", true);
  s.gso = o.boolean("gso", true);
  s.line_rate_bps = o.big("lineRateBps", 0);
  s.burst_packets = o.integer<uint32_t>("burstPackets", 1, 65535, 1);
  s.send_times = o.integer<uint32_t>("sendTimes", 0, 1 << 20, 0);
  s.spin = o.boolean("spin", false);
  s.faults = fault_plan(env, o.get("faults"));
  return s;
}

std::string camel_case(std::string_view name) {
  std::string text;
  bool upper = false;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      text.push_back(upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
      upper = false;
    }
  }
  return text;
}

Napi::Value endpoint_value(Napi::Env env, const sim::Endpoint& endpoint) {
  if (endpoint.address == 0 && endpoint.port == 0) return env.Undefined();
  auto object = Napi::Object::New(env);
  object.Set("address", address_to_string(endpoint.address));
  object.Set("port", endpoint.port);
  return object;
}

}  // namespace

Napi::Function SimObject::define(Napi::Env env) {
  return DefineClass(
      env, "NativeSimulator",
      {InstanceMethod<&SimObject::stop>("stop"), InstanceMethod<&SimObject::stats>("stats"),
       InstanceMethod<&SimObject::send_times>("sendTimes"),
       InstanceMethod<&SimObject::set_faults>("setFaults"), InstanceMethod<&SimObject::inject>("inject")});
}

SimObject::SimObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SimObject>(info) {
  const sim::SimOptions options = sim_options(info.Env(), info[0]);
  Result<std::unique_ptr<sim::SimulatedCamera>> started = Status{};
  const Status tried = attempt([&] { started = sim::SimulatedCamera::start(options); });
  if (!tried.ok()) throw_status(info.Env(), tried);
  if (!started.ok()) throw_status(info.Env(), started.status());
  camera_ = std::move(*started);
  Environment::of(info.Env()).add(this);
}

SimObject::~SimObject() { close_now(); }

void SimObject::close_now() {
  if (!camera_) return;
  camera_->stop();
  camera_.reset();
  Environment::of(Env()).remove(this);
}

void SimObject::stop(const Napi::CallbackInfo&) { close_now(); }

Napi::Value SimObject::stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  auto object = Napi::Object::New(env);
  if (!camera_) return object;
  const sim::SimStats stats = camera_->stats();
  sim::for_each_counter(stats, [&](const char* name, uint64_t value) {
    object.Set(camel_case(name), static_cast<double>(value));
  });
  object.Set("control", endpoint_value(env, stats.control));
  object.Set("controller", endpoint_value(env, stats.controller));
  object.Set("destination", endpoint_value(env, stats.destination));
  object.Set("sourcePort", stats.source_port);
  object.Set("controlPrivilege", stats.control_privilege);
  object.Set("packetSize", stats.packet_size);
  object.Set("lastBlockId", Napi::BigInt::New(env, stats.last_block_id));
  object.Set("streaming", stats.streaming);
  object.Set("silent", stats.silent);
  return object;
}

Napi::Value SimObject::send_times(const Napi::CallbackInfo& info) {
  const auto times = camera_ ? camera_->send_times() : std::vector<sim::SendTimes::Entry>{};
  auto list = Napi::BigUint64Array::New(info.Env(), times.size() * 2);
  for (size_t i = 0; i < times.size(); ++i) {
    list[2 * i] = times[i].block_id;
    list[2 * i + 1] = times[i].time_ns;
  }
  return list;
}

void SimObject::set_faults(const Napi::CallbackInfo& info) {
  if (camera_) camera_->set_faults(fault_plan(info.Env(), info[0]));
}

void SimObject::inject(const Napi::CallbackInfo& info) {
  if (!camera_) return;
  const std::string what = info[0].ToString();
  const uint32_t ms = info[1].IsNumber() ? address_argument(info, 1) : 500;
  const Status status = what == "crash"         ? camera_->crash()
                        : what == "reboot"      ? camera_->reboot(ms)
                        : what == "stall"       ? camera_->stall_control(ms)
                        : what == "loseControl" ? camera_->lose_control_privilege()
                        : what == "trigger"
                            ? camera_->trigger()
                            : Status::error(Errc::kInvalidArgument, "nothing called '" + what + "'");
  if (!status.ok()) throw_status(info.Env(), status);
}

Napi::Value first_wrong_byte_value(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray()) throw_invalid(info.Env(), "an image is needed");
  const auto image = info[0].As<Napi::Uint8Array>();
  bool lossless = false;
  const uint64_t block = info[1].As<Napi::BigInt>().Uint64Value(&lossless);
  const uint64_t seed = info[2].As<Napi::BigInt>().Uint64Value(&lossless);
  const uint64_t at = sim::first_wrong_byte({image.Data(), image.ByteLength()}, block, seed);
  return Napi::Number::New(info.Env(), at == sim::kNoWrongByte ? -1 : static_cast<double>(at));
}

}  // namespace gw::binding
