// The receive thread. Purpose: source -> assembler -> ready ring -> wake, in a loop; nothing else happens on
// that thread. Thread: start() and stop() on the owner's thread; the loop is the one named thread per stream
// ("gw-rx-<port>"). Owner: the binding's stream object. Source, pool and side channel must outlive it.
#pragma once

#include <atomic>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/thread.h"
#include "net/packet_source.h"
#include "path/block_assembler.h"
#include "path/side_channel.h"
#include "path/slot_pool.h"
#include "path/stream_config.h"

namespace gw {

class Receiver {
 public:
  // on_wake is called on the receive thread, at most once per batch, when frames or events are there, and
  // once when the thread ends. It must not block.
  Receiver(const StreamConfig& config, PacketSource& source, SlotPool& pool, SideChannel& camera,
           std::function<void()> on_wake, const Clock& clock = SteadyClock::instance());
  ~Receiver() { stop(); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  void start(const std::string& thread_name);
  void stop();  // joins; final statistics and the state "ended" are in shared memory afterwards. Idempotent.

 private:
  void loop();
  void publish_stats();
  bool pass_on_notices(uint64_t now_ns);  // true: there are some

  const StreamConfig config_;
  PacketSource& source_;
  SlotPool& pool_;
  SideChannel& camera_;
  const std::function<void()> on_wake_;
  const Clock& clock_;
  BlockAssembler assembler_;
  uint32_t noticed_ = 0;  // SourceNotice bits that were passed on
  std::atomic<bool> stop_{false};
  NamedThread thread_;
};

}  // namespace gw
