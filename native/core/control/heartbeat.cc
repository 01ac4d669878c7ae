#include "control/heartbeat.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "net/interfaces.h"
#include "wire/bootstrap.h"

namespace gw {

namespace {

constexpr uint32_t kShortestIntervalMs = 50;
constexpr int kTriesInWindow = 3;

// The NIC that has our address, when it cannot send: why.
std::optional<std::string> network_trouble(uint32_t local_address) {
  const auto nics = list_interfaces();
  if (!nics.ok()) return std::nullopt;
  const bool loopback = local_address >> 24 == 127;
  for (const Interface& nic : *nics) {
    if (nic.address != local_address && !(loopback && nic.loopback && nic.contains(local_address))) continue;
    if (!nic.up) return nic.name + " is down";
    if (!nic.running) return nic.name + " has no link";
    return std::nullopt;
  }
  return "no network interface has the address " + address_to_string(local_address) + " any more";
}

}  // namespace

const char* loss_reason_name(LossReason reason) {
  switch (reason) {
    case LossReason::kNone:
      return "none";
    case LossReason::kTimeout:
      return "timeout";
    case LossReason::kTakenOver:
      return "taken-over";
    case LossReason::kReleasedByCamera:
      return "released-by-camera";
    case LossReason::kNetworkDown:
      return "network-down";
  }
  return "unknown";
}

void Heartbeat::start(const Plan& plan, std::function<void(Loss)> on_lost) {
  stop();
  const std::lock_guard owner(owner_mutex_);
  plan_ = plan;
  interval_ms_.store(std::max(plan.timeout_ms / 3, kShortestIntervalMs), std::memory_order_relaxed);
  {
    const std::lock_guard lock(mutex_);
    stop_ = false;
  }
  alive_ns_ = GvcpClient::now();
  thread_.start("gw-heartbeat", [this, on_lost = std::move(on_lost)] {
    thread_id_.store(std::this_thread::get_id());
    run(on_lost);
    thread_id_.store(std::thread::id());
  });
}

void Heartbeat::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_id_.load() == std::this_thread::get_id())
    return;  // called by on_lost: the thread ends by itself
  const std::lock_guard owner(owner_mutex_);
  if (!thread_.joinable()) return;
  client_.interrupt(Errc::kClosed);  // a beat that waits for its answer
  thread_.join();
}

bool Heartbeat::stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool Heartbeat::sleep_until(uint64_t time_ns) {
  std::unique_lock lock(mutex_);
  const std::chrono::steady_clock::time_point time{std::chrono::nanoseconds(time_ns)};
  wake_.wait_until(lock, time, [this] { return stop_; });
  return !stop_;
}

void Heartbeat::run(const std::function<void(Loss)>& on_lost) {
  const uint64_t interval = interval_ms() * kNsPerMs;
  for (uint64_t next = GvcpClient::now() + interval; sleep_until(next);) {
    const uint64_t begin = GvcpClient::now();
    if (std::optional<Loss> loss = beat(); loss) {
      if (!stopping()) on_lost(std::move(*loss));
      return;
    }
    next = std::max(begin + interval, GvcpClient::now());
  }
}

// A dead camera is noticed within 1.5 intervals of its death: it may have died right after the last beat,
// which leaves half an interval for all tries of this one. Later only where it still streams (until its last
// answer is as old as the timeout) or has asked for time (PENDING_ACK, slow writes).
std::optional<Loss> Heartbeat::beat() {
  const uint64_t begin = GvcpClient::now();
  const uint64_t window = interval_ms() * kNsPerMs * 45 / 100;
  const auto try_ms = static_cast<uint32_t>(std::max<uint64_t>(window / kTriesInWindow / kNsPerMs, 1));
  uint64_t deadline = begin + window;
  for (;;) {
    const uint32_t epoch =
        client_.epoch();  // before looking at stop_: stop() sets that first and interrupts then
    if (stopping()) return std::nullopt;
    Loss loss;
    const Status status = ask(epoch, deadline, try_ms, &loss);
    if (loss.reason != LossReason::kNone) return loss;
    const uint64_t now = GvcpClient::now();
    if (status.ok()) {
      alive_ns_ = now;
      client_.count_heartbeat();
      return std::nullopt;
    }
    if (stopping() || status.code == Errc::kCanceled) return std::nullopt;
    if (client_.last_answer_ns() >=
        begin) {  // somebody else's command was answered; it only was not our turn
      alive_ns_ = client_.last_answer_ns();
      return std::nullopt;
    }
    if (status.code == Errc::kClosed || status.code == Errc::kControlLost)
      continue;  // another thread's interruption
    if (const uint64_t quiet = client_.quiet_until_ns(); now < quiet) {
      deadline = quiet + window;
      continue;
    }
    // A camera that saturates its link may be deaf on the control channel for a second, and still be there.
    const uint64_t streamed = stream_alive_ns_.load(std::memory_order_relaxed);
    const bool streams = streamed != 0 && now < streamed + window;
    if (streams && now < alive_ns_ + plan_.timeout_ms * kNsPerMs) {
      deadline = now + try_ms * kNsPerMs;
      continue;
    }
    return silence(status);
  }
}

// Asks once, with retransmissions. OK: the camera is alive, and loss says whether it still is ours.
Status Heartbeat::ask(uint32_t epoch, uint64_t deadline_ns, uint32_t try_ms, Loss* loss) {
  std::array<uint8_t, 12> addresses;
  size_t count = 1;
  store_be32(&addresses[0], plan_.controls ? reg::kControlPrivilege : reg::kVersion);
  if (plan_.controls && plan_.owner) {
    store_be32(&addresses[4], reg::kPrimaryIp);
    store_be32(&addresses[8], reg::kPrimaryPort);
    count = 3;
  }
  GvcpClient::Request request;
  request.command = gvcp::kReadRegCmd;
  request.payload = ConstBytes(addresses).first(4 * count);
  request.tries = 1000;  // the deadline ends it
  request.timeout_ms = try_ms;
  request.deadline_ns = deadline_ns;
  request.urgent = true;
  request.epoch = &epoch;
  std::array<uint8_t, 12> registers{};
  const Result<size_t> got = client_.transact(request, registers);
  if (got.ok()) {
    if (plan_.controls && *got >= 4) judge(ConstBytes(registers).first(*got), loss);
    return {};
  }
  if (got.status().gvcp_status == 0) return got.status();
  if (plan_.controls && got.status().code == Errc::kAccessDenied) {
    *loss = {LossReason::kTakenOver, "another application has exclusive access to the camera now",
             std::nullopt};
  } else if (count > 1) {
    plan_.owner.reset();  // it does not like the question; CCP alone must do
  }
  return {};
}

void Heartbeat::judge(ConstBytes registers, Loss* loss) const {
  constexpr uint32_t kModes = reg::kCcpControl | reg::kCcpExclusive;
  const uint32_t ccp = load_be32(&registers[0]);
  std::optional<Endpoint> holder;
  if (registers.size() >= 12) {
    holder = Endpoint{load_be32(&registers[4]), static_cast<uint16_t>(load_be32(&registers[8]))};
  }
  if ((ccp & kModes) == 0) {
    *loss = {LossReason::kReleasedByCamera,
             "the camera has withdrawn control: it restarted, or missed our heartbeat for " +
                 std::to_string(plan_.timeout_ms) + " ms",
             std::nullopt};
  } else if (holder && plan_.owner && *holder != *plan_.owner) {
    *loss = {LossReason::kTakenOver, "control of the camera went to " + to_string(*holder), holder};
  } else if ((ccp & kModes) != plan_.granted) {
    *loss = {LossReason::kTakenOver, "another application has taken control of the camera", std::nullopt};
  }
}

Loss Heartbeat::silence(const Status& last) const {
  const uint64_t for_ms = (GvcpClient::now() - alive_ns_) / kNsPerMs;
  const std::string who = address_to_string(client_.camera().address);
  std::string what = who + " has not answered for " + std::to_string(for_ms) + " ms";
  if (last.sys_errno == ECONNREFUSED) return {LossReason::kTimeout, what + ": " + last.message, std::nullopt};
  if (const auto trouble = network_trouble(client_.local_endpoint().address)) {
    return {LossReason::kNetworkDown, what + ": " + *trouble, std::nullopt};
  }
  if (last.code == Errc::kNetwork && last.sys_errno != EHOSTUNREACH) {
    return {LossReason::kNetworkDown, what + ": " + last.message, std::nullopt};
  }
  return {LossReason::kTimeout, std::move(what), std::nullopt};
}

}  // namespace gw
