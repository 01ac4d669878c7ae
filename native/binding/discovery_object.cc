#include "binding/discovery_object.h"

#include <cstdio>

#include "binding/arguments.h"
#include "binding/promise_task.h"
#include "control/discovery.h"
#include "control/ip_configuration.h"
#include "net/driver_counters.h"

namespace gw::binding {

namespace {

std::string mac_text(const std::array<uint8_t, 6>& mac) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text;
}

bool parse_mac(const std::string& text, std::array<uint8_t, 6>& mac) {
  unsigned v[6];
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5]) != 6)
    return false;
  for (size_t i = 0; i < 6; ++i) mac[i] = static_cast<uint8_t>(v[i]);
  return true;
}

Napi::Object interface_value(Napi::Env env, const Interface& nic) {
  auto object = Napi::Object::New(env);
  object.Set("name", nic.name);
  object.Set("index", nic.index);
  object.Set("address", nic.address != 0 ? address_to_string(nic.address) : "");
  object.Set("netmask", nic.address != 0 ? address_to_string(nic.netmask) : "");
  object.Set("mtu", nic.mtu);
  object.Set("up", nic.up);
  object.Set("running", nic.running);
  object.Set("loopback", nic.loopback);
  return object;
}

Napi::Object camera_value(Napi::Env env, const FoundCamera& found) {
  const gvcp::Discovery& d = found.device;
  auto object = Napi::Object::New(env);
  object.Set("mac", mac_text(d.mac));
  object.Set("address", address_to_string(d.address));
  object.Set("subnetMask", address_to_string(d.subnet_mask));
  object.Set("gateway", address_to_string(d.gateway));
  object.Set("manufacturer", d.manufacturer);
  object.Set("model", d.model);
  object.Set("version", d.version);
  object.Set("serial", d.serial);
  object.Set("userName", d.user_name);
  object.Set("manufacturerInfo", d.manufacturer_info);
  object.Set("specVersion", std::to_string(d.spec_major) + "." + std::to_string(d.spec_minor));
  object.Set("interface", interface_value(env, found.interface));
  object.Set("reachable", found.reachable);
  if (!found.unreachable_reason.empty()) object.Set("unreachableReason", found.unreachable_reason);
  object.Set("answeredFrom", address_to_string(found.answered_from));
  object.Set("byUnicast", found.by_unicast);
  object.Set("duplicatePath", found.duplicate_path);
  object.Set("addressConflict", found.address_conflict);
  return object;
}

Napi::Object report_value(Napi::Env env, const DiscoveryReport& report) {
  auto object = Napi::Object::New(env);
  auto issues = Napi::Array::New(env, report.issues.size());
  for (size_t i = 0; i < report.issues.size(); ++i) {
    const DiscoveryIssue& issue = report.issues[i];
    auto entry = Napi::Object::New(env);
    entry.Set("interface", issue.interface);
    entry.Set("address", issue.address != 0 ? address_to_string(issue.address) : "");
    entry.Set("errno", issue.sys_errno);
    entry.Set("message", issue.message);
    issues[static_cast<uint32_t>(i)] = entry;
  }
  object.Set("issues", issues);
  auto interfaces = Napi::Array::New(env, report.interfaces.size());
  for (size_t i = 0; i < report.interfaces.size(); ++i) {
    interfaces[static_cast<uint32_t>(i)] = interface_value(env, report.interfaces[i]);
  }
  object.Set("interfaces", interfaces);
  object.Set("probesSent", static_cast<double>(report.probes_sent));
  object.Set("answers", static_cast<double>(report.answers));
  object.Set("malformed", static_cast<double>(report.malformed));
  object.Set("leftOut", static_cast<double>(report.left_out));
  return object;
}

std::vector<std::string> strings(const Napi::Value& value) {
  std::vector<std::string> list;
  if (!value.IsArray()) return list;
  const auto array = value.As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) list.push_back(Napi::Value(array[i]).ToString());
  return list;
}

}  // namespace

Napi::Value list_interfaces_value(const Napi::CallbackInfo& info) {
  const auto interfaces = list_interfaces();
  if (!interfaces.ok()) throw_status(info.Env(), interfaces.status());
  auto array = Napi::Array::New(info.Env(), interfaces->size());
  for (size_t i = 0; i < interfaces->size(); ++i) {
    array[static_cast<uint32_t>(i)] = interface_value(info.Env(), (*interfaces)[i]);
  }
  return array;
}

Napi::Value driver_counters_value(const Napi::CallbackInfo& info) {
  auto object = Napi::Object::New(info.Env());
  for (const auto& [name, value] : driver_counters(info[0].As<Napi::String>())) {
    object.Set(name, Napi::Number::New(info.Env(), static_cast<double>(value)));
  }
  return object;
}

Napi::Function DiscoveryObject::define(Napi::Env env) {
  return DefineClass(
      env, "Discovery",
      {InstanceMethod<&DiscoveryObject::run>("run"), InstanceMethod<&DiscoveryObject::force_ip>("forceIp"),
       InstanceMethod<&DiscoveryObject::stop>("stop")});
}

DiscoveryObject::DiscoveryObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<DiscoveryObject>(info), cancel_(std::make_shared<CancelToken>()) {
  Environment::of(info.Env()).add(this);
}

DiscoveryObject::~DiscoveryObject() { close_now(); }

void DiscoveryObject::close_now() {
  if (!*alive_) return;
  *alive_ = false;
  cancel_->cancel();
  worker_.join();
  cancel_.reset();  // its descriptor goes now, not when the garbage collector comes by
  Environment::of(Env()).remove(this);
}

void DiscoveryObject::stop(const Napi::CallbackInfo&) {
  if (cancel_) cancel_->cancel();
}

Napi::Value DiscoveryObject::run(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Options options(env, info[0]);
  if (!info[1].IsFunction()) throw_invalid(env, "a callback for each camera is needed");
  DiscoveryOptions wanted;
  wanted.interfaces = strings(options.get("interfaces"));
  for (const std::string& text : strings(options.get("addresses"))) {
    const auto address = parse_ipv4(text);
    if (!address) throw_invalid(env, "'" + text + "' is not an IPv4 address");
    wanted.addresses.push_back(*address);
  }
  wanted.duration_ms = options.integer<uint32_t>("timeout", 1, 3'600'000, wanted.duration_ms);
  wanted.broadcast = options.boolean("broadcast", true);
  Environment& environment = Environment::of(env);
  auto on_found = std::make_shared<Napi::FunctionReference>(Napi::Persistent(info[1].As<Napi::Function>()));
  on_found->SuppressDestruct();  // the environment may be gone first
  return run_task(
      info, worker_,
      [wanted, on_found, &environment, cancel = cancel_]() -> Result<DiscoveryReport> {
        DiscoveryReport report;
        const Status status = discover(
            wanted,
            [&](const FoundCamera& found) {
              environment.post(
                  [on_found, found](Napi::Env js) { on_found->Call({camera_value(js, found)}); });
              return true;
            },
            cancel.get(), &report);
        if (!status.ok() && status.code != Errc::kCanceled) return status;
        return report;
      },
      [](Napi::Env js, DiscoveryReport& report) { return report_value(js, report); },
      [this, on_found, alive = alive_] {
        on_found->Reset();
        if (*alive) close_now();  // the thread ends with its search
      });
}

Napi::Value DiscoveryObject::force_ip(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Options options(env, info[0]);
  ForceIpOptions wanted;
  if (!parse_mac(options.string("mac", ""), wanted.force.mac)) {
    throw_invalid(env, "mac must be written like 00:11:1c:f5:a0:b1");
  }
  wanted.force.address = options.address("address", 0);
  wanted.force.subnet_mask = options.address("subnetMask", 0);
  wanted.force.gateway = options.address("gateway", 0);
  wanted.timeout_ms = options.integer<uint32_t>("timeout", 1, 600'000, wanted.timeout_ms);
  const std::string name = options.string("interface", "");
  const auto interfaces = list_interfaces();
  if (!interfaces.ok()) throw_status(env, interfaces.status());
  bool known = false;
  for (const Interface& nic : *interfaces) {
    if (nic.name != name && address_to_string(nic.address) != name) continue;
    wanted.interface = nic;
    known = true;
    break;
  }
  if (!known)
    throw_status(env, Status::error(Errc::kInvalidArgument, "no network interface is called '" + name + "'"));
  return run_task(
      info, worker_,
      [wanted, cancel = cancel_]() -> Result<FoundCamera> {
        FoundCamera seen;
        const Status status = gw::force_ip(wanted, &seen, cancel.get());
        if (!status.ok()) return status;
        return seen;
      },
      [](Napi::Env js, FoundCamera& seen) { return camera_value(js, seen); },
      [this, alive = alive_] {
        if (*alive) close_now();
      });
}

}  // namespace gw::binding
