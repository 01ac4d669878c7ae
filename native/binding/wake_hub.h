// Wakes every environment that consumes a stream. Purpose: the receive thread knocks; each attached
// environment has one thread-safe function with a queue of one, so that knocks merge. Thread: wake() on the
// receive thread, without locks; attach() and detach() on each environment's JS thread. Owner: shared by the
// stream and by what is attached to it.
#pragma once

#include <napi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "path/slot_pool.h"

namespace gw::binding {

class WakeHub {
 public:
  static constexpr size_t kMaxConsumers = 32;

  // index, or -1 when there is no room.
  int attach(napi_threadsafe_function function);
  void detach(int index);  // afterwards the function is not called any more
  void wake();

  // What a consumer's environment leaves leased when it ends goes back to the pool. The pool is withdrawn
  // (nullptr) before it is destroyed.
  uint32_t new_holder() { return next_holder_.fetch_add(1, std::memory_order_relaxed); }
  void set_pool(SlotPool* pool);
  void release_leases_of(uint32_t holder);

  // Streams by number, for attachStream() in other environments of this process.
  static uint64_t publish(const std::shared_ptr<WakeHub>& hub);
  static std::shared_ptr<WakeHub> find(uint64_t id);
  static void withdraw(uint64_t id);

 private:
  enum State : uint32_t { kEmpty, kClaimed, kActive, kCalling };
  struct Entry {
    std::atomic<uint32_t> state{kEmpty};
    napi_threadsafe_function function = nullptr;
  };
  std::array<Entry, kMaxConsumers> entries_;
  std::atomic<uint32_t> next_holder_{1};  // 0 is the owner
  std::mutex pool_mutex_;                 // never taken by the receive thread
  SlotPool* pool_ = nullptr;
};

}  // namespace gw::binding
