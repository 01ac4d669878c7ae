#include "sim/stream_sender.h"

#include <algorithm>
#include <cmath>

#include "base/clock.h"
#include "sim/description.h"

namespace gw::sim {

namespace {

uint64_t now_ns() { return SteadyClock::instance().now_ns(); }

constexpr size_t kMaxPendingResends = 4096;
constexpr size_t kMaxPendingTests = 64;
constexpr uint64_t kMadeUpFor = 1'000'000;  // ns; after a longer pause the line's schedule begins anew

}  // namespace

StreamSender::StreamSender(const SimOptions& options, Counters& counters)
    : options_(options),
      counters_(counters),
      send_times_(options.send_times),
      faults_(options.faults, options.seed),
      table_(options.seed),
      history_(options.resend_history_blocks),
      batch_(counters, options.gso && options.udp_checksum && CameraSocket::has_segmentation()) {}

StreamSender::~StreamSender() { stop(); }

void StreamSender::start(std::shared_ptr<CameraSocket> socket, Notify notify) {
  notify_ = std::move(notify);
  socket_ = std::move(socket);
  thread_.start("gev-sim-snd", [this] { run(); });
}

void StreamSender::stop() {
  if (!thread_.joinable()) return;
  post([this] { exit_ = true; });
  thread_.join();
  socket_.reset();  // its port is free from now on
  foreign_socket_ = {};
}

void StreamSender::post(std::function<void()> action) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(action));
  }
  has_posted_.store(true, std::memory_order_release);
  wake_.wake();
}

void StreamSender::open(const Endpoint& destination) {
  post([this, destination] {
    flush();
    in_block_ = false;
    destination_ = destination;
    next_id_ = options_.first_block_id == 0 ? 1 : options_.first_block_id;
    history_.clear();
    held_.clear();
    batch_.retry_segmentation();
    if (destination.address >> 28 == 0xE) socket_->set_multicast_interface(socket_->local().address);
  });
}

void StreamSender::close() {
  post([this] {
    finish(false);
    destination_ = {};
    resends_.clear();
  });
}

void StreamSender::begin(const Acquisition& acquisition) {
  post([this, acquisition] {
    if (silent_) return;
    finish(false);
    acquisition_ = acquisition;
    const StreamFormat& format = *acquisition_.format;
    table_.reserve(pfnc::image_bytes(format.pixel_format, format.width, format.height, format.padding_x, 0));
    if (!format.extended_ids) next_id_ = next_block_id(next_id_ - 1, false);
    batch_.retry_segmentation();
    faults_.start();
    acquiring_ = true;
    ending_ = false;
    ordinal_ = 0;
    triggers_ = 0;
    next_frame_ns_ = now_ns();
    line_free_ns_ = 0;
    counters_.streaming.store(true, std::memory_order_relaxed);
  });
}

void StreamSender::end() {
  post([this] {
    if (in_block_) {
      ending_ = true;
    } else {
      finish(false);
    }
  });
}

void StreamSender::update(const LiveSettings& live) {
  post([this, live] { acquisition_.live = live; });
}

void StreamSender::trigger() {
  post([this] {
    if (acquiring_ && acquisition_.live.triggered && triggers_ < 1'000'000) ++triggers_;
  });
}

void StreamSender::fire_test(uint32_t packet_size, bool dont_fragment, bool extended_ids) {
  post([this, packet_size, dont_fragment, extended_ids] {
    if (tests_.size() >= kMaxPendingTests) return;
    const uint64_t delay_ns = faults_.plan().test_packet_delay_ms * kNsPerMs;
    tests_.push_back({packet_size, dont_fragment, extended_ids, now_ns() + delay_ns});
  });
}

void StreamSender::resend(const gvcp::Resend& request) {
  post([this, request] {
    if (silent_ || destination_.port == 0 || resends_.size() >= kMaxPendingResends) {
      count(counters_.resend_ignored);
      return;
    }
    count(counters_.resend_requests);
    resends_.push_back({request, now_ns() + uint64_t{faults_.plan().resend_delay_us} * 1000});
  });
}

void StreamSender::set_faults(const FaultPlan& faults) {
  post([this, faults] {
    faults_ = FaultPlanner(faults, options_.seed);
    fates_.clear();
    rebooted_ = false;
  });
}

void StreamSender::set_silent(bool silent) {
  post([this, silent] {
    silent_ = silent;
    if (!silent) return;
    held_.clear();
    resends_.clear();
    finish(false);
    destination_ = {};
  });
}

void StreamSender::set_socket(std::shared_ptr<CameraSocket> socket) {
  post([this, socket] {
    flush();
    socket_ = socket;
    foreign_socket_ = {};
    dont_fragment_ = -1;
  });
}

void StreamSender::run_posted() {
  if (!has_posted_.exchange(false, std::memory_order_acquire)) return;
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(mutex_);
    actions.swap(posted_);
  }
  for (const auto& action : actions) action();
}

void StreamSender::run() {
  set_precise_sleep();
  for (;;) {
    run_posted();
    if (exit_) break;
    const uint64_t now = now_ns();
    const uint64_t deadline =
        std::min({fire_tests(now), serve_resends(now), release_held(now), advance(now)});
    if (deadline > now) wait_until(deadline);
  }
  finish(false);
}

void StreamSender::wait_until(uint64_t deadline_ns) {
  constexpr uint64_t kSpinWindow = 300'000;  // a sleep may end this much late
  if (options_.spin && deadline_ns != kNever) {
    if (deadline_ns > now_ns() + kSpinWindow) {
      wait_readable({}, wake_, deadline_ns - kSpinWindow);
      wake_.clear();
    }
    while (!has_posted_.load(std::memory_order_relaxed) && now_ns() < deadline_ns) {
    }
    return;
  }
  wait_readable({}, wake_, deadline_ns);
  wake_.clear();
}

uint64_t StreamSender::advance(uint64_t now) {
  if (!acquiring_ || destination_.port == 0 || silent_) return kNever;
  if (!in_block_) {
    if (acquisition_.frame_count != 0 && ordinal_ >= acquisition_.frame_count) {
      finish(true);
      return kNever;
    }
    if (due_faults()) return kNever;
    if (now < line_free_ns_) return line_free_ns_;
    if (acquisition_.live.triggered) {
      if (triggers_ == 0) return kNever;
      --triggers_;
    } else if (acquisition_.live.frame_rate > 0 && now < next_frame_ns_) {
      return next_frame_ns_;
    }
    begin_block(now);
  }
  return send_packets(now);
}

bool StreamSender::due_faults() {
  const FaultPlan& plan = faults_.plan();
  if (plan.crash_after_blocks != 0 && ordinal_ >= plan.crash_after_blocks) {
    notify_(SenderEvent::kCrashed, acquisition_.epoch);
  } else if (plan.reboot_after_blocks != 0 && ordinal_ >= plan.reboot_after_blocks && !rebooted_) {
    rebooted_ = true;
    notify_(SenderEvent::kWantsReboot, acquisition_.epoch);
  } else {
    return false;
  }
  silent_ = true;
  held_.clear();
  resends_.clear();
  finish(false);
  return true;
}

uint64_t StreamSender::begin_block(uint64_t now) {
  const LiveSettings& live = acquisition_.live;
  uint64_t exposed_at = now;
  if (!live.triggered && live.frame_rate > 0) {
    const auto period =
        static_cast<uint64_t>(1e9 / std::clamp(live.frame_rate, kMinFrameRate, kMaxFrameRate));
    if (now > next_frame_ns_ + period) {  // cannot keep up: the schedule moves, frames do not pile up
      if (ordinal_ > 0) count(counters_.frames_late);
      next_frame_ns_ = now;
    }
    exposed_at = next_frame_ns_;
    next_frame_ns_ += period;
  }
  const StreamFormat& format = *acquisition_.format;
  uint32_t height = format.height;
  if (format.variable_height) {
    height = 1 + static_cast<uint32_t>(fault_hash(options_.seed, 0, ordinal_, 0, 0) % format.height);
  }
  Block block = make_block(acquisition_.format, next_id_, ordinal_, exposed_at - live.timestamp_base, height);
  block.pattern = live.pattern;
  ResendHistory::Entry& entry = history_.push(std::move(block));
  counters_.last_block_id.store(next_id_, std::memory_order_relaxed);
  if (faults_.touches_packets()) faults_.plan_block(ordinal_, entry.block.packet_count(), fates_);
  apply_dont_fragment(acquisition_.dont_fragment && faults_.plan().packet_size != PacketSizeFault::kIgnoreDf);
  // What one block took too long, the next makes up for: the line's rate is kept, not only never exceeded.
  const bool continuous = !live.triggered && live.frame_rate <= 0 && packet_interval_ns() > 0;
  block_begin_ns_ = continuous && now - line_free_ns_ < kMadeUpFor ? line_free_ns_ : now;
  in_block_ = true;
  return now;
}

double StreamSender::packet_interval_ns() const {
  double interval = static_cast<double>(acquisition_.live.gap_ns);
  if (options_.line_rate_bps > 0) {
    interval += acquisition_.format->packet_size * 8e9 / static_cast<double>(options_.line_rate_bps);
  }
  return interval;
}

uint64_t StreamSender::send_packets(uint64_t now) {
  ResendHistory::Entry& entry = *history_.newest();
  const uint32_t total = entry.block.packet_count();
  const double interval = packet_interval_ns();
  uint32_t limit = total;
  const uint32_t burst = std::max<uint32_t>(options_.burst_packets, 1);
  if (interval > 0) {
    const double bursts_due = std::floor(static_cast<double>(now - block_begin_ns_) / (interval * burst)) + 1;
    const double due = bursts_due * burst;
    limit = due < total ? static_cast<uint32_t>(due) : total;
  }
  const bool faulty = faults_.touches_packets();
  uint32_t budget = SendBatch::kCapacity;
  while (entry.next_packet < limit && budget-- > 0) {
    if (batch_.full()) flush();
    const uint32_t id = entry.next_packet++;
    if (faulty && id < fates_.size()) {
      send_first(entry, id, fates_[id]);
    } else {
      emit(entry, id, 0);
    }
  }
  if (entry.next_packet == total) {
    end_block();
    return 0;
  }
  if (entry.next_packet < limit) return 0;
  flush();
  return block_begin_ns_ + static_cast<uint64_t>(entry.next_packet * interval);
}

void StreamSender::end_block() {
  const Block& block = history_.newest()->block;
  // Small unpaced blocks share system calls; everything else leaves when its block is over.
  const bool unpaced =
      acquisition_.live.frame_rate <= 0 && !acquisition_.live.triggered && packet_interval_ns() <= 0;
  const bool stays =
      unpaced && block.pattern == TestPattern::kCheckable && batch_.size() < SendBatch::kCapacity / 2;
  in_block_ = false;
  // The line is as slow from block to block as inside of one.
  line_free_ns_ = block_begin_ns_ + static_cast<uint64_t>(block.packet_count() * packet_interval_ns());
  if (send_times_.wanted()) send_times_.block_ended(block.id);
  const bool lost = !fates_.empty() && faults_.touches_packets() && fates_[0].lost == LossCause::kBlock;
  next_id_ = next_block_id(next_id_, acquisition_.format->extended_ids);
  ++ordinal_;
  const bool last = acquisition_.frame_count != 0 && ordinal_ >= acquisition_.frame_count;
  if (!stays || last || ending_) flush();
  count(lost ? counters_.blocks_lost : counters_.blocks_sent);
  if (acquisition_.live.tells_blocks) notify_(SenderEvent::kBlockSent, block.id);
  if (ending_ || last) finish(last);
}

void StreamSender::finish(bool notify) {
  release_held(now_ns(), true);
  flush();
  in_block_ = false;
  ending_ = false;
  if (!acquiring_) return;
  acquiring_ = false;
  counters_.streaming.store(false, std::memory_order_relaxed);
  if (notify) notify_(SenderEvent::kDone, acquisition_.epoch);
}

uint64_t StreamSender::release_held(uint64_t now, bool all) {
  uint64_t next = kNever;
  next_held_count_ = kNever;
  for (size_t i = 0; i < held_.size();) {
    const Held held = held_[i];
    const bool due = all || packets_passed_ >= held.due_count || now >= held.due_ns;
    if (!due) {
      next = std::min(next, held.due_ns);
      next_held_count_ = std::min(next_held_count_, held.due_count);
      ++i;
      continue;
    }
    held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(i));
    if (ResendHistory::Entry* entry = history_.find(held.block_id)) {
      make_room();
      emit(*entry, held.packet, held.flags & ~(kFateReorder | kFateDelay));
      if (now >= held.due_ns) flush();  // nothing else may come that would take it along
    }
  }
  return next;
}

void StreamSender::make_room() {
  if (batch_.full()) flush();
}

void StreamSender::flush() {
  if (batch_.empty() || socket_ == nullptr) return;
  if (send_times_.due()) send_times_.sending(now_ns());
  batch_.flush(*socket_, destination_);
}

void StreamSender::apply_dont_fragment(bool on) {
  if (dont_fragment_ == static_cast<int>(on)) return;
  flush();
  socket_->set_dont_fragment(on);
  dont_fragment_ = on ? 1 : 0;
}

ConstBytes StreamSender::image_of(const Block& block, bool resent) {
  if (block.pattern == TestPattern::kCheckable) return table_.image(block.id, block.image_bytes);
  for (const PictureBuffer& made : pictures_) {
    if (made.block_id == block.id && made.pattern == block.pattern &&
        made.bytes.size() == block.image_bytes) {
      return made.bytes;
    }
  }
  flush();  // packets in the batch may point into the buffer
  PictureBuffer& picture = pictures_[resent ? 1 : 0];
  picture.bytes.resize(block.image_bytes);
  picture.block_id = block.id;
  picture.pattern = block.pattern;
  picture_maker_.render(block, picture.bytes);
  return picture.bytes;
}

}  // namespace gw::sim
