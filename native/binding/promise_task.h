// Blocking work -> promise. Purpose: the one way an asynchronous native call is made. The work runs on a
// TaskThread and touches no JavaScript; its result travels by value; conversion to JavaScript happens back on
// the JS thread. Thread: run() on the JS thread.
#pragma once

#include <napi.h>

#include <concepts>
#include <functional>
#include <memory>
#include <utility>

#include "base/status.h"
#include "binding/environment.h"
#include "binding/errors.h"
#include "binding/task_thread.h"

namespace gw::binding {

// work: () -> Result<T>; convert: (Napi::Env, T&) -> Napi::Value; finish,
// where given, runs on the JS thread before the promise settles either way.
template <typename Work, typename Convert>
  requires(!std::invocable<Convert>)
Napi::Promise run_task(Napi::Env env, TaskThread& thread, Work work, Convert convert,
                       std::function<void()> finish = {}) {
  Environment& environment = Environment::of(env);
  auto deferred = std::make_shared<Napi::Promise::Deferred>(env);
  environment.begin_operation(env);
  auto task = [&environment, deferred, work = std::move(work), convert = std::move(convert),
               finish]() mutable {
    using Outcome = decltype(work());
    std::shared_ptr<Outcome> result;
    const Status ran = attempt([&] { result = std::make_shared<Outcome>(work()); });
    if (!ran.ok()) result = std::make_shared<Outcome>(ran);
    environment.post([&environment, deferred, result, convert = std::move(convert),
                      finish = std::move(finish)](Napi::Env js) {
      environment.end_operation(js);
      if (finish) finish();
      if (!result->ok()) {
        deferred->Reject(make_error(js, result->status()));
        return;
      }
      try {
        deferred->Resolve(convert(js, **result));
      } catch (const Napi::Error& error) {
        deferred->Reject(error.Value());
      }
    });
  };
  bool posted = false;
  const Status started = attempt([&] { posted = thread.post(std::move(task)); });
  if (!posted) {
    environment.end_operation(env);
    if (finish) finish();
    deferred->Reject(make_error(
        env, started.ok() ? Status::error(Errc::kClosed, "it was closed before the call") : started));
  }
  return deferred->Promise();
}

// Also keeps the object alive that was called, until its work is done: nobody else may hold it.
template <typename Work, typename Convert>
  requires(!std::invocable<Convert>)
Napi::Promise run_task(const Napi::CallbackInfo& info, TaskThread& thread, Work work, Convert convert,
                       std::function<void()> finish = {}) {
  auto self = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info.This().As<Napi::Object>()));
  self->SuppressDestruct();  // the environment may be gone first
  return run_task(info.Env(), thread, std::move(work), std::move(convert),
                  std::function<void()>([self, finish = std::move(finish)] {
                    if (finish) finish();
                    self->Reset();
                  }));
}

// work: () -> Status; the promise resolves with undefined.
template <typename Work>
Napi::Promise run_task(Napi::Env env, TaskThread& thread, Work work, std::function<void()> finish = {}) {
  return run_task(
      env, thread,
      [work = std::move(work)]() mutable -> Result<bool> {
        Status status = work();
        if (!status.ok()) return status;
        return true;
      },
      [](Napi::Env js, bool&) { return js.Undefined(); }, std::move(finish));
}

}  // namespace gw::binding
