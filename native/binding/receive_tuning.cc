#include "binding/receive_tuning.h"

namespace gw::binding {

namespace {

CpuSet cpu_set(Napi::Env env, const Options& options) {
  CpuSet cpus;
  if (!options.has("cpus")) return cpus;
  if (!options.get("cpus").IsArray()) throw_invalid(env, "cpus must be a list of numbers");
  const auto list = options.get("cpus").As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const uint32_t cpu = address_value(env, list.Get(i));
    if (cpu >= kMaxCpus) throw_invalid(env, "CPUs are numbers below " + std::to_string(kMaxCpus));
    cpus.set(cpu);
  }
  return cpus;
}

}  // namespace

ReceiveTuning::ReceiveTuning(Napi::Env env, const Options& options)
    : busy_poll_us(options.integer<uint32_t>("busyPoll", 0, 1000, 0)),
      thread{.priority = options.integer<int>("priority", -20, 99, 0), .cpus = cpu_set(env, options)},
      shared(options.boolean("sharedThread", false)),
      packets_per_second(options.integer<uint64_t>("packetsPerSecond", 0, 1e12, 0)),
      huge_pages_(options.boolean("hugePages", false)) {}

void ReceiveTuning::before_first_touch(void* memory, size_t bytes) {
  if (huge_pages_) huge_error_ = ask_for_huge_pages(memory, bytes);
}

void ReceiveTuning::after_first_touch(void* memory, size_t bytes) {
  if (!huge_pages_) return;
  huge_ = settle_huge_pages(memory, bytes);
  if (huge_error_ == 0) huge_error_ = huge_.error;
}

Napi::Object ReceiveTuning::granted(Napi::Env env, bool shared_thread) const {
  auto cpus = Napi::Array::New(env);
  for (uint32_t cpu = 0; cpu < kMaxCpus; ++cpu) {
    if (thread_grants.cpus.test(cpu)) cpus.Set(cpus.Length(), Napi::Number::New(env, cpu));
  }
  auto result = Napi::Object::New(env);
  result.Set("sharedThread", shared_thread);
  result.Set("priorityError", thread_grants.priority_error);
  result.Set("priorityLimit", static_cast<double>(thread_grants.priority_limit));
  result.Set("cpuError", thread_grants.cpu_error);
  result.Set("cpus", cpus);
  result.Set("hugeError", huge_error_);
  result.Set("hugePossible", static_cast<double>(huge_.possible));
  result.Set("hugeGranted", static_cast<double>(huge_.granted));
  result.Set("hugeCounted", huge_.counted);
  return result;
}

}  // namespace gw::binding
