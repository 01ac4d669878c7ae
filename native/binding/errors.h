// Status -> JavaScript error. Purpose: every native failure becomes a GigeError with a constant code. The
// error is made by a function that lib/errors.ts hands over, so `instanceof GigeError` holds. Thread: JS
// thread.
#pragma once

#include <napi.h>

#include <new>
#include <system_error>

#include "base/status.h"

namespace gw::binding {

const char* error_code(Errc code);
Napi::Value make_error(Napi::Env env, const Status& status, Napi::Object details);
Napi::Value make_error(Napi::Env env, const Status& status);
[[noreturn]] void throw_status(Napi::Env env, const Status& status);
[[noreturn]] void throw_invalid(Napi::Env env, const std::string& message);

// Runs what starts threads. Where the system has none left, C++ throws: a status instead, for beyond our
// border it would end the process. Thread: any.
template <typename Body>
Status attempt(Body&& body) {
  try {
    body();
    return {};
  } catch (const std::system_error& error) {
    return {Errc::kResources, 0, error.code().value(),
            "the operating system gives no more threads: " + error.code().message()};
  } catch (const std::bad_alloc&) {
    return Status::error(Errc::kResources, "the operating system gives no more memory");
  }
}

// Runs what native code calls by itself. What it throws is an uncaught exception, as that of any event
// listener; Node would only print a deprecation warning (DEP0168).
template <typename Body>
void run_unattended(Napi::Env env, Body&& body) {
  try {
    body();
  } catch (const Napi::Error& error) {
    try {
      napi_fatal_exception(env, error.Value());
    } catch (const Napi::Error&) {  // NOLINT(bugprone-empty-catch)
      // The environment is being ended: no JavaScript runs any more, and nobody is left to be told.
    }
  }
}

}  // namespace gw::binding
