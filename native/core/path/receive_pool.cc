#include "path/receive_pool.h"

#include <algorithm>
#include <cstdio>

namespace gw {

namespace {

// A stream that brought packets so lately is one of those whose packets wake the thread.
constexpr uint64_t kLately = kNsPerMs;
constexpr uint64_t kLongestIdle = 1000 * kNsPerMs;

uint64_t now_ns() { return SteadyClock::instance().now_ns(); }

}  // namespace

SharedThread::SharedThread() {
  thread_.start("gw-rx", [this] { loop(); });
}

SharedThread::~SharedThread() {
  stop_.store(true, std::memory_order_release);
  notify();
  thread_.join();
}

void SharedThread::notify() {
  changes_.fetch_add(1, std::memory_order_release);
  waker_.wake();
}

int SharedThread::enter(Receiver& receiver, const std::string& name) {
  for (size_t i = 0; i < kSeats; ++i) {
    Seat& seat = seats_[i];
    if (seat.state.load(std::memory_order_acquire) != kFree) continue;
    seat.receiver = &receiver;
    std::snprintf(seat.name.data(), seat.name.size(), "%s", name.c_str());
    seat.state.store(kEntering, std::memory_order_release);
    ++taken_;
    notify();
    return static_cast<int>(i);
  }
  return -1;
}

void SharedThread::leave(int index) {
  std::atomic<uint32_t>& state = seats_[static_cast<size_t>(index)].state;
  state.store(kLeaving, std::memory_order_release);
  notify();
  state.wait(kLeaving, std::memory_order_acquire);
}

void SharedThread::free(int index) {
  seats_[static_cast<size_t>(index)].state.store(kFree, std::memory_order_relaxed);
  --taken_;
}

void SharedThread::loop() {
  ReceiveScratch scratch;
  set_precise_sleep();
  for (;;) {
    follow_changes();
    if (stop_.load(std::memory_order_acquire)) return;
    wait();
    serve(scratch);
  }
}

void SharedThread::follow_changes() {
  const uint32_t changes = changes_.load(std::memory_order_acquire);
  if (changes == followed_) return;
  followed_ = changes;
  for (size_t i = 0; i < kSeats; ++i) {
    uint32_t state = kEntering;
    if (seats_[i].state.compare_exchange_strong(state, kServed, std::memory_order_acq_rel)) begin_serving(i);
    if (state == kLeaving) end_serving(i);
  }
  show_name();
}

void SharedThread::begin_serving(size_t seat) {
  places_[count_++] = {.receiver = seats_[seat].receiver, .seat = seat};
  seats_[seat].receiver->begin();
}

void SharedThread::end_serving(size_t seat) {
  const auto end = places_.begin() + static_cast<std::ptrdiff_t>(count_);
  const auto place = std::find_if(places_.begin(), end, [&](const Place& p) { return p.seat == seat; });
  if (place == end || !place->over) seats_[seat].receiver->end();
  if (place != end) {
    std::move(place + 1, end, place);
    --count_;
  }
  // From here on the receiver is gone.
  seats_[seat].state.store(kLeft, std::memory_order_release);
  seats_[seat].state.notify_all();
}

void SharedThread::show_name() const {
  if (count_ == 0) return;
  std::array<char, 24> name;
  const char* first = seats_[places_[0].seat].name.data();
  if (count_ == 1) {
    std::snprintf(name.data(), name.size(), "%s", first);
  } else {
    std::snprintf(name.data(), name.size(), "%s+%zu", first, count_ - 1);
  }
  set_current_thread_name(name.data());
}

void SharedThread::wait() {
  const uint64_t now = now_ns();
  uint64_t until = now + kLongestIdle;
  for (size_t i = 0; i < count_; ++i) {
    const Place& place = places_[i];
    const bool resting = place.rest_until > now;
    // One that rests is not waited for: its packets shall gather.
    readiness_[i] = {place.over || resting ? -1 : place.receiver->readable_fd(), false};
    if (place.over) continue;
    until = std::min(until, place.receiver->more() ? now : place.receiver->due());
    if (resting) until = std::min(until, place.rest_until);
  }
  wait_ready({readiness_.data(), count_}, waker_, now, until);
}

// Who rests has a turn with the others once half of the rest is over: it costs less than to be woken for it.
bool SharedThread::is_due(const Place& place, bool ready, uint64_t now) const {
  if (place.over) return false;
  if (ready || place.receiver->more() || now >= place.receiver->due()) return true;
  return place.rest_until != 0 && now >= place.rest_from + (place.rest_until - place.rest_from) / 2;
}

uint32_t SharedThread::company(uint64_t now) const {
  const auto lately = [&](const Place& place) { return now - place.brought_at < kLately; };
  const auto end = places_.begin() + static_cast<std::ptrdiff_t>(count_);
  return static_cast<uint32_t>(std::max<std::ptrdiff_t>(std::count_if(places_.begin(), end, lately), 1));
}

void SharedThread::serve(ReceiveScratch& scratch) {
  const uint64_t begun = now_ns();
  const uint32_t together = company(begun);
  for (size_t turn = 0; turn < count_; ++turn) {
    // Whoever wants to leave does not wait for the others.
    if (changes_.load(std::memory_order_acquire) != followed_) return;
    const size_t i = (first_ + turn) % count_;
    Place& place = places_[i];
    if (!is_due(place, readiness_[i].ready, begun)) continue;
    if (!place.receiver->turn(scratch, false, together)) {
      place.over = true;
      place.receiver->end();
      continue;
    }
    const uint64_t now = place.receiver->now();
    if (place.receiver->brought() > 0) place.brought_at = now;
    place.rest_from = now;
    place.rest_until = place.receiver->rest() != 0 ? now + place.receiver->rest() : 0;
  }
  if (count_ != 0) first_ = (first_ + 1) % count_;
}

ReceivePool& ReceivePool::of_process() {
  // Never destroyed: another environment's streams may still be running when the process ends.
  static auto* pool = new ReceivePool;
  return *pool;
}

std::unique_ptr<ReceivePool::Seat> ReceivePool::admit(Receiver& receiver, const std::string& name,
                                                      uint64_t packets_per_second) {
  const std::lock_guard lock(mutex_);
  const uint64_t load = std::min(packets_per_second, kPacketsPerSecond);
  const auto has_room = [&](const Member& member) {
    return member.load + load <= kPacketsPerSecond && member.thread->taken() < SharedThread::kSeats;
  };
  auto member = std::find_if(members_.begin(), members_.end(), has_room);
  if (member == members_.end()) {
    members_.push_back({std::make_unique<SharedThread>()});
    member = members_.end() - 1;
  }
  auto seat = std::make_unique<Seat>(*this, *member->thread, load);
  member->load += load;
  receiver.mark_running();
  seat->index_ = member->thread->enter(receiver, name);
  return seat;
}

void ReceivePool::leave(const Seat& seat) {
  seat.thread_.leave(seat.index_);  // without the mutex: others come and go meanwhile
  const std::lock_guard lock(mutex_);
  const auto member = std::find_if(members_.begin(), members_.end(),
                                   [&](const Member& m) { return m.thread.get() == &seat.thread_; });
  member->load -= seat.load_;
  member->thread->free(seat.index_);
  if (member->thread->taken() == 0) members_.erase(member);
}

}  // namespace gw
