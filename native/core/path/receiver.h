// What a receive thread does for one stream. Purpose: source -> assembler -> ready ring -> wake, turn by
// turn; nothing else happens on that thread. Thread: start() and stop() on the owner's thread; begin(),
// turn(), end() and what they leave on the receive thread: the stream's own ("gw-rx-<port>"), or one that it
// shares with others (receive_pool.h). Owner: the binding's stream object. Source, pool and side channel must
// outlive it.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <string>

#include "base/clock.h"
#include "base/thread.h"
#include "base/thread_tuning.h"
#include "net/packet_source.h"
#include "path/block_assembler.h"
#include "path/side_channel.h"
#include "path/slot_pool.h"
#include "path/stream_config.h"
#include "path/wake_pacing.h"

namespace gw {

constexpr size_t kLargestBatch = 256;  // packets of one read

// What a turn works with; one for each thread, however many streams it serves.
struct ReceiveScratch {
  std::array<PacketView, kLargestBatch> batch;
  std::array<Landing, kLargestBatch> landings;
};

class Receiver {
 public:
  // on_wake is called on the receive thread, at most once per batch, when frames or events are there, and
  // once when the stream ends. It must not block.
  Receiver(const StreamConfig& config, PacketSource& source, SlotPool& pool, SideChannel& camera,
           std::function<void()> on_wake, const Clock& clock = SteadyClock::instance());
  ~Receiver() { stop(); }
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // On a thread of its own. Returns when that one is tuned, with what was granted.
  ThreadGrants start(const std::string& thread_name, const ThreadTuning& tuning = {});
  void stop();  // joins; final statistics and the state "ended" are in shared memory afterwards. Idempotent.

  // Before begin(), on the owner's thread: consumers may wait for frames from now on.
  void mark_running();
  // The turns, for the thread that serves the stream: begin(), turn() until it is to stop or has failed,
  // end().
  void begin();
  // Takes what has come, and does what the time asks for. may_wait: first rests and waits as long as there is
  // nothing to do; otherwise that is the caller's part. company: streams that share the thread's wake-ups at
  // the moment, this one included. False: the source failed.
  bool turn(ReceiveScratch& scratch, bool may_wait, uint32_t company = 1);
  void end();

  // After a turn that did not wait:
  uint64_t due() const;                    // when the next must come although no packet did
  bool more() const { return more_; }      // when it may come at once: packets are left
  uint64_t rest() const { return rest_; }  // ns that packets are left to gather before; 0: the first wakes
  size_t brought() const { return brought_; }  // packets
  uint64_t now() const { return now_; }        // when it ended
  int readable_fd() const { return source_.readable_fd(); }

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

  // The receive thread's.
  WakePacing pacing_;
  uint64_t now_ = 0;
  uint64_t rest_ = 0;
  uint64_t keep_alive_at_ = 0;
  size_t room_ = kLargestBatch;  // packets that the next read is made ready for
  size_t brought_ = 0;
  bool more_ = false;
  int failure_ = 0;
  uint32_t behind_ = 0;
};

}  // namespace gw
