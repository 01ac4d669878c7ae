#include "path/receiver.h"

#include <algorithm>
#include <array>

#include "path/wake_pacing.h"

namespace gw {

namespace {

constexpr size_t kBatch = 256;
constexpr size_t kSmallestBatch = 16;
constexpr uint32_t kBatchesInARow = 16;  // that may come before resends and time-outs have their turn
constexpr uint64_t kLongestWait = 500 * kNsPerMs;  // so that a quiet stream still publishes and keeps alive

// How many packets the next read is made ready for: twice what the last one brought, since each place costs
// its preparation, used or not. It grows at once and shrinks slowly.
size_t next_room(size_t room, const ReadResult& read) {
  const size_t wanted = read.more ? 2 * room : 2 * read.count;
  return std::clamp(std::max(wanted, room / 2), kSmallestBatch, kBatch);
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
      assembler_(config, pool, camera) {}

void Receiver::start(const std::string& thread_name) {
  pool_.set_state(kStreamRunning);
  thread_.start(thread_name, [this] { loop(); });
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
  std::array<PacketView, kBatch> batch;
  std::array<Landing, kBatch> landings;
  WakePacing pacing(config_.coalesce_ns, config_.queue_bytes);
  uint64_t rest = 0;
  size_t room = kBatch;
  set_precise_sleep();
  StreamCounters& counters = assembler_.counters();
  uint64_t keep_alive_at = clock_.now_ns() + config_.keep_alive_ns;
  uint64_t now = clock_.now_ns();
  int failure = 0;
  uint32_t behind = 0;
  while (!stop_.load(std::memory_order_acquire)) {
    const uint64_t deadline = std::min({now + kLongestWait, assembler_.next_deadline(),
                                        config_.keep_alive_ns != 0 ? keep_alive_at : ResendPolicy::kNever});
    ReadRequest request;
    request.deadline_ns = std::max<uint64_t>(deadline, 1);
    request.rest_ns = deadline > now ? std::min(rest, deadline - now) : 0;
    if (source_.manner() == Manner::kScatter) request.plan = assembler_.plan(std::span(landings).first(room));
    counters.rests += request.rest_ns != 0 ? 1 : 0;
    const ReadResult read = source_.read(std::span(batch).first(room), request);
    room = next_room(room, read);
    now = clock_.now_ns();
    if (read.failed) {
      failure = read.error;
      break;
    }
    const uint64_t bytes = counters.bytes;
    if (read.count > 0) {
      ++counters.batches;
      counters.batch_max = std::max<uint64_t>(counters.batch_max, read.count);
      const std::span<PacketView> packets(batch.data(), read.count);
      if (!request.plan.landings.empty()) assembler_.settle(packets);
      const uint64_t accepted = counters.accepted;
      for (const PacketView& packet : packets) assembler_.on_packet(packet, now);
      if (counters.accepted > accepted) camera_.stream_alive(now);  // what a stranger sends says nothing
    }
    rest = pacing.rest(assembler_.progress(), read.count, counters.bytes - bytes, read.more, now);
    // A thread that was kept waiting first looks at what has come meanwhile: it may be what it would give up.
    behind = read.more ? behind + 1 : 0;
    if (behind % kBatchesInARow == 0) assembler_.on_time(now);
    if (config_.keep_alive_ns != 0 && now >= keep_alive_at) {
      camera_.keep_alive();
      ++counters.keepalives;
      keep_alive_at = now + config_.keep_alive_ns;
    }
    const bool noticed = pass_on_notices(now);
    publish_stats();
    if (assembler_.take_wake() || noticed) on_wake_();
  }
  source_.refresh_kernel_drops();
  pass_on_notices(now);
  assembler_.finish(now);
  publish_stats();
  pool_.set_state(failure == 0 ? kStreamEnded : kStreamFailed, failure);
  on_wake_();
}

}  // namespace gw
