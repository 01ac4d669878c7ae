#include "binding/wake_hub.h"

#include <map>
#include <mutex>
#include <thread>

namespace gw::binding {

namespace {

// Never destroyed: a receive thread of another environment may still be running when the process ends.
struct Registry {
  std::mutex mutex;
  std::map<uint64_t, std::weak_ptr<WakeHub>> hubs;
  uint64_t next = 1;
};

Registry& registry() {
  static auto* instance = new Registry;
  return *instance;
}

}  // namespace

int WakeHub::attach(napi_threadsafe_function function) {
  for (size_t i = 0; i < entries_.size(); ++i) {
    uint32_t expected = kEmpty;
    if (!entries_[i].state.compare_exchange_strong(expected, kClaimed)) continue;
    entries_[i].function = function;
    entries_[i].state.store(kActive, std::memory_order_release);
    return static_cast<int>(i);
  }
  return -1;
}

void WakeHub::detach(int index) {
  if (index < 0) return;
  auto& state = entries_[static_cast<size_t>(index)].state;
  for (uint32_t expected = kActive; !state.compare_exchange_weak(expected, kEmpty); expected = kActive) {
    std::this_thread::yield();  // the receive thread is inside the call, for microseconds
  }
}

void WakeHub::wake() {
  for (Entry& entry : entries_) {
    uint32_t expected = kActive;
    if (!entry.state.compare_exchange_strong(expected, kCalling, std::memory_order_acquire)) continue;
    // A full queue means that a knock is waiting already.
    napi_call_threadsafe_function(entry.function, nullptr, napi_tsfn_nonblocking);
    entry.state.store(kActive, std::memory_order_release);
  }
}

void WakeHub::set_pool(SlotPool* pool) {
  const std::lock_guard lock(pool_mutex_);
  pool_ = pool;
}

void WakeHub::release_leases_of(uint32_t holder) {
  const std::lock_guard lock(pool_mutex_);
  if (pool_ != nullptr) pool_->release_all_of(holder);
}

uint64_t WakeHub::publish(const std::shared_ptr<WakeHub>& hub) {
  const std::lock_guard lock(registry().mutex);
  registry().hubs[registry().next] = hub;
  return registry().next++;
}

std::shared_ptr<WakeHub> WakeHub::find(uint64_t id) {
  const std::lock_guard lock(registry().mutex);
  const auto found = registry().hubs.find(id);
  return found == registry().hubs.end() ? nullptr : found->second.lock();
}

void WakeHub::withdraw(uint64_t id) {
  const std::lock_guard lock(registry().mutex);
  registry().hubs.erase(id);
}

}  // namespace gw::binding
