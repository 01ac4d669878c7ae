// What a stream asks of the machine beyond a socket, and what it got. Purpose: reads the wishes, applies
// those that concern memory, and tells the outcome of all. Thread: JS thread. Owner: ReceiverObject.
#pragma once

#include <napi.h>

#include <cstdint>

#include "base/huge_pages.h"
#include "base/thread_tuning.h"
#include "binding/arguments.h"

namespace gw::binding {

struct ReceiveTuning {
  ReceiveTuning() = default;
  ReceiveTuning(Napi::Env env, const Options& options);

  void before_first_touch(void* memory, size_t bytes);
  void after_first_touch(void* memory, size_t bytes);
  Napi::Object granted(Napi::Env env, bool shared_thread) const;

  uint32_t busy_poll_us = 0;
  ThreadTuning thread;
  ThreadGrants thread_grants;
  bool shared = false;
  uint64_t packets_per_second = 0;

 private:
  bool huge_pages_ = false;
  int huge_error_ = 0;
  HugePages huge_;
};

}  // namespace gw::binding
