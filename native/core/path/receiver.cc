#include "path/receiver.h"

#include <algorithm>

namespace gw {

namespace {

constexpr size_t kSmallestBatch = 16;
constexpr uint32_t kBatchesInARow = 16;  // that may come before resends and time-outs have their turn
constexpr uint64_t kLongestWait = 500 * kNsPerMs;  // so that a quiet stream still publishes and keeps alive

// How many packets the next read is made ready for: twice what the last one brought, since each place costs
// its preparation, used or not. It grows at once and shrinks slowly.
size_t next_room(size_t room, const ReadResult& read) {
  const size_t wanted = read.more ? 2 * room : 2 * read.count;
  return std::clamp(std::max(wanted, room - room / 8), kSmallestBatch, kLargestBatch);
}

}  // namespace

Receiver::Receiver(const StreamConfig& config, PacketSource& source, SlotPool& pool, SideChannel& camera,
                   std::function<void()> on_wake, const Clock& clock)
    : config_(config),
      source_(source),
      pool_(pool),
      camera_(camera),
      on_wake_(std::move(on_wake)),
      clock_(clock),
      assembler_(config, pool, camera),
      pacing_(config.coalesce_ns, config.queue_bytes) {}

ThreadGrants Receiver::start(const std::string& thread_name, const ThreadTuning& tuning) {
  ThreadGrants grants;
  const bool wanted = tuning.any();
  std::atomic<bool> tuned{!wanted};
  mark_running();
  // What belongs to this frame is touched only where this frame waits for it: a copy tells the thread whether
  // it does.
  thread_.start(thread_name, [this, wanted, &tuning, &grants, &tuned] {
    if (wanted) {
      grants = tune_current_thread(tuning);
      tuned.store(true, std::memory_order_release);
    }
    loop();
  });
  // A thread of low priority may take its time, once; a lock or a notification would outlive this frame.
  while (!tuned.load(std::memory_order_acquire)) std::this_thread::yield();
  return grants;
}

void Receiver::stop() {
  stop_.store(true, std::memory_order_release);
  source_.interrupt();
  thread_.join();
}

void Receiver::publish_stats() {
  assembler_.counters().kernel_drops = source_.kernel_drops();
  assembler_.counters().fragments = source_.fragments();
  assembler_.counters().manner = static_cast<uint64_t>(source_.manner());
  publish(pool_.stats(), assembler_.counters());
}

bool Receiver::pass_on_notices(uint64_t now_ns) {
  const uint32_t fresh = source_.notices() & ~noticed_;
  if (fresh == 0) return false;
  noticed_ |= fresh;
  const auto tell = [&](uint32_t notice, StreamEvent event) {
    if ((fresh & notice) != 0) pool_.push_event(event, 0, 0, 0, now_ns, assembler_.counters().events_lost);
  };
  tell(kNoticeFragments, kEventFragments);
  tell(kNoticeFirewallBypassed, kEventFirewallBypassed);
  return true;
}

void Receiver::loop() {
  ReceiveScratch scratch;
  set_precise_sleep();
  begin();
  while (!stop_.load(std::memory_order_acquire) && turn(scratch, true)) {
  }
  end();
}

void Receiver::mark_running() { pool_.set_state(kStreamRunning); }

void Receiver::begin() {
  now_ = clock_.now_ns();
  keep_alive_at_ = now_ + config_.keep_alive_ns;
}

uint64_t Receiver::due() const {
  return std::min({now_ + kLongestWait, assembler_.next_deadline(),
                   config_.keep_alive_ns != 0 ? keep_alive_at_ : ResendPolicy::kNever});
}

bool Receiver::turn(ReceiveScratch& scratch, bool may_wait, uint32_t company) {
  StreamCounters& counters = assembler_.counters();
  ReadRequest request;
  if (may_wait) {
    const uint64_t deadline = due();
    request.deadline_ns = std::max<uint64_t>(deadline, 1);
    request.rest_ns = deadline > now_ ? std::min(rest_, deadline - now_) : 0;
  }
  if (source_.manner() == Manner::kScatter)
    request.plan = assembler_.plan(std::span(scratch.landings).first(room_));
  counters.rests += request.rest_ns != 0 ? 1 : 0;
  const ReadResult read = source_.read(std::span(scratch.batch).first(room_), request);
  room_ = next_room(room_, read);
  now_ = clock_.now_ns();
  if (read.failed) {
    failure_ = read.error;
    return false;
  }
  brought_ = read.count;
  more_ = read.more;
  const uint64_t bytes = counters.bytes;
  if (read.count > 0) {
    ++counters.batches;
    counters.batch_max = std::max<uint64_t>(counters.batch_max, read.count);
    const std::span<PacketView> packets(scratch.batch.data(), read.count);
    if (!request.plan.landings.empty()) assembler_.settle(packets);
    const uint64_t accepted = counters.accepted;
    for (const PacketView& packet : packets) assembler_.on_packet(packet, now_);
    if (counters.accepted > accepted) camera_.stream_alive(now_);  // what a stranger sends says nothing
  } else if (!may_wait) {
    source_.refresh_kernel_drops();  // as a source does that waited in vain
  }
  rest_ = pacing_.rest(assembler_.progress(), read.count, counters.bytes - bytes, read.more, now_, company);
  // A thread that was kept waiting first looks at what has come meanwhile: it may be what it would give up.
  behind_ = read.more ? behind_ + 1 : 0;
  if (behind_ % kBatchesInARow == 0) assembler_.on_time(now_);
  if (config_.keep_alive_ns != 0 && now_ >= keep_alive_at_) {
    camera_.keep_alive();
    ++counters.keepalives;
    keep_alive_at_ = now_ + config_.keep_alive_ns;
  }
  if (!may_wait && rest_ != 0) ++counters.rests;
  const bool noticed = pass_on_notices(now_);
  publish_stats();
  if (assembler_.take_wake() || noticed) on_wake_();
  return true;
}

void Receiver::end() {
  source_.refresh_kernel_drops();
  pass_on_notices(now_);
  assembler_.finish(now_);
  publish_stats();
  pool_.set_state(failure_ == 0 ? kStreamEnded : kStreamFailed, failure_);
  on_wake_();
}

}  // namespace gw
