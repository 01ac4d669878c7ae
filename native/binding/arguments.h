// Reads option objects. Purpose: checks types and ranges in one place. lib/ validates for people; this only
// makes sure that a wrong call cannot crash. Thread: JS thread. Throws ERR_GIGE_INVALID_ARGUMENT.
#pragma once

#include <napi.h>

#include <cmath>
#include <string>

#include "binding/errors.h"
#include "net/socket.h"

namespace gw::binding {

class Options {
 public:
  Options(Napi::Env env, const Napi::Value& value) : env_(env) {
    if (!value.IsObject()) throw_invalid(env, "an options object is needed");
    object_ = value.As<Napi::Object>();
  }
  bool has(const char* name) const {
    const Napi::Value value = object_.Get(name);
    return !value.IsUndefined() && !value.IsNull();
  }
  Napi::Value get(const char* name) const { return object_.Get(name); }

  double number(const char* name, double low, double high, double fallback) const {
    if (!has(name)) return fallback;
    const Napi::Value value = object_.Get(name);
    const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
    if (!(number >= low && number <= high)) {
      throw_invalid(env_, std::string(name) + " must be a number from " + text(low) + " to " + text(high));
    }
    return number;
  }
  template <typename T>
  T integer(const char* name, double low, double high, T fallback) const {
    return static_cast<T>(std::llround(number(name, low, high, static_cast<double>(fallback))));
  }
  bool boolean(const char* name, bool fallback) const {
    if (!has(name)) return fallback;
    return object_.Get(name).ToBoolean();
  }
  std::string string(const char* name, const std::string& fallback) const {
    if (!has(name)) return fallback;
    const Napi::Value value = object_.Get(name);
    if (!value.IsString()) throw_invalid(env_, std::string(name) + " must be a string");
    return value.As<Napi::String>();
  }
  uint32_t address(const char* name, uint32_t fallback) const {
    if (!has(name)) return fallback;
    const auto parsed = parse_ipv4(string(name, ""));
    if (!parsed) throw_invalid(env_, std::string(name) + " must be an IPv4 address");
    return *parsed;
  }
  uint64_t big(const char* name, uint64_t fallback) const {
    if (!has(name)) return fallback;
    const Napi::Value value = object_.Get(name);
    if (value.IsBigInt()) {
      bool lossless = false;
      const uint64_t big = value.As<Napi::BigInt>().Uint64Value(&lossless);
      if (lossless) return big;
    } else if (value.IsNumber() && value.As<Napi::Number>().DoubleValue() >= 0 &&
               value.As<Napi::Number>().DoubleValue() <= 9007199254740991.0) {
      return static_cast<uint64_t>(value.As<Napi::Number>().Int64Value());
    }
    throw_invalid(env_, std::string(name) + " must be a whole number that is not negative");
  }

 private:
  static std::string text(double number) {
    return number == std::floor(number) && std::abs(number) < 1e15
               ? std::to_string(static_cast<int64_t>(number))
               : std::to_string(number);
  }
  Napi::Env env_;
  Napi::Object object_;
};

inline uint32_t address_value(Napi::Env env, const Napi::Value& value) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : -1;
  if (!(number >= 0 && number <= 0xFFFFFFFF) || number != std::floor(number)) {
    throw_invalid(env, "a whole number from 0 to 4294967295 is needed");
  }
  return static_cast<uint32_t>(number);
}

inline uint32_t address_argument(const Napi::CallbackInfo& info, size_t index) {
  return address_value(info.Env(), info[index]);
}

}  // namespace gw::binding
