#include "control/gvcp_client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/system_message.h"
#include "net/interfaces.h"

namespace gw {

namespace {

constexpr uint32_t kMaxPendingMs = 10'000;        // what one PENDING_ACK may ask for
constexpr int kMaxPendingAcks = 100;              // for one command
constexpr uint32_t kMaxPendingTimeoutMs = 3'000;  // a register that says more is taken for garbage
constexpr uint32_t kRefusedPauseMs = 50;          // after "port unreachable": the camera may be starting
constexpr uint32_t kBusyPauseMs = 20;             // doubled each time
constexpr uint32_t kMaxBusyPauseMs = 200;
constexpr int kQuickTries = 5;
constexpr uint32_t kPatience = 3;
constexpr int kMostOvertime = 256;  // datagrams looked at after the time was up

std::chrono::steady_clock::time_point time_point(uint64_t ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(ns));
}

// A socket pinned to a NIC does not hear this very machine, whose answers come in over the loopback.
bool may_pin(const std::string& device, uint32_t camera) {
  if (device.empty() || camera >> 24 == 127) return false;
  const auto nics = list_interfaces();
  if (!nics.ok()) return true;
  return std::none_of(nics->begin(), nics->end(),
                      [&](const Interface& nic) { return nic.address == camera; });
}

}  // namespace

// One command with all its tries.
struct GvcpClient::Exchange {
  const Request& request;
  uint32_t epoch;
  uint16_t id = 0;
  uint32_t timeout_ms = 0;
  int pending_acks = 0;
  int sys_errno = 0;  // of the last try, if the system refused or was told that nobody is there
  size_t reply_size = 0;
  std::array<uint8_t, gvcp::kMaxDatagram> datagram{};
  size_t size = 0;
};

Status GvcpClient::open(const ControlOptions& options) {
  camera_ = options.camera;
  if (camera_.port == 0) camera_.port = gvcp::kPort;
  ack_timeout_ms_ = std::max(options.ack_timeout_ms, 1U);
  tries_ = std::max(options.tries, 1);
  if (camera_.address == 0) return Status::error(Errc::kInvalidArgument, "a camera's address is needed");
  if (!waker_.valid()) return Status::system(EMFILE, "no file descriptor left for the control channel");

  Result<UdpSocket> socket = UdpSocket::open();
  if (!socket.ok()) return socket.status();
  const bool pin = may_pin(options.device, camera_.address);
  if (pin) (void)socket->bind_to_device(options.device);
  uint32_t local = options.local_address;
  if (local == 0) {
    // The address must be known: it is what the camera will be told to stream to.
    Result<UdpSocket> scout = UdpSocket::open();
    if (!scout.ok()) return scout.status();
    if (pin) (void)scout->bind_to_device(options.device);
    if (Status status = scout->connect(camera_); !status.ok()) return status;
    const Result<Endpoint> chosen = scout->local_endpoint();
    if (!chosen.ok()) return chosen.status();
    local = chosen->address;
  }
  if (Status status = socket->bind({local, 0}); !status.ok()) return status;
  (void)socket->report_icmp_errors(true);
  const Result<Endpoint> bound = socket->local_endpoint();
  if (!bound.ok()) return bound.status();
  local_ = *bound;
  socket_ = std::move(*socket);
  return {};
}

uint16_t GvcpClient::next_id() noexcept {
  for (;;) {
    const auto id = static_cast<uint16_t>(next_id_.fetch_add(1, std::memory_order_relaxed));
    if (id != 0) return id;
  }
}

void GvcpClient::interrupt(Errc reason) noexcept {
  interrupt_reason_.store(reason, std::memory_order_relaxed);
  epoch_.fetch_add(1, std::memory_order_release);
  waker_.wake();
  {
    const std::lock_guard lock(turn_mutex_);
  }  // nobody is between looking at the epoch and going to sleep
  turn_changed_.notify_all();
}

void GvcpClient::cancel() noexcept {
  canceled_.store(true, std::memory_order_release);
  interrupt(Errc::kCanceled);
}

void GvcpClient::set_pending_timeout(uint32_t milliseconds) noexcept {
  pending_timeout_ms_.store(std::min(milliseconds, kMaxPendingTimeoutMs), std::memory_order_relaxed);
}

Status GvcpClient::interrupted(const Request& request, uint32_t epoch) const {
  if (request.uninterruptible) return {};
  if (canceled_.load(std::memory_order_acquire)) return Status::error(Errc::kCanceled, "canceled");
  if (epoch_.load(std::memory_order_acquire) == epoch) return {};
  const Errc reason = interrupt_reason_.load(std::memory_order_relaxed);
  return Status::error(reason, reason == Errc::kControlLost ? "control of the camera was lost meanwhile"
                                                            : "the control channel was closed meanwhile");
}

Status GvcpClient::wait_for_turn(const Request& request, uint32_t epoch) {
  std::unique_lock lock(turn_mutex_);
  if (request.urgent) ++urgent_waiting_;
  Status status;
  for (;;) {
    status = interrupted(request, epoch);
    if (!status.ok()) break;
    if (!busy_ && (request.urgent || urgent_waiting_ == 0)) break;
    if (request.deadline_ns == 0) {
      turn_changed_.wait(lock);
    } else if (now() >= request.deadline_ns) {
      status = Status::error(Errc::kTimeout, "another command is still waiting for its answer");
      break;
    } else {
      turn_changed_.wait_until(lock, time_point(request.deadline_ns));
    }
  }
  if (request.urgent) --urgent_waiting_;
  if (status.ok()) busy_ = true;
  if (!status.ok() && request.urgent) turn_changed_.notify_all();  // those it went before may go
  return status;
}

void GvcpClient::end_turn() {
  {
    const std::lock_guard lock(turn_mutex_);
    busy_ = false;
  }
  turn_changed_.notify_all();
}

Result<size_t> GvcpClient::transact(const Request& request, MutableBytes reply) {
  const uint32_t epoch = request.epoch != nullptr ? *request.epoch : this->epoch();
  if (Status status = wait_for_turn(request, epoch); !status.ok()) return status;
  Result<size_t> result = exchange(request, epoch, reply);
  quiet_until_ns_.store(0, std::memory_order_relaxed);
  end_turn();
  return result;
}

Result<size_t> GvcpClient::exchange(const Request& request, uint32_t epoch, MutableBytes reply) {
  Exchange exchange{.request = request, .epoch = epoch};
  const uint32_t pending = pending_timeout_ms_.load(std::memory_order_relaxed);
  exchange.timeout_ms = request.timeout_ms != 0 ? request.timeout_ms : std::max(ack_timeout_ms_, pending);
  if (request.may_be_slow && pending > ack_timeout_ms_) {
    quiet_until_ns_.store(now() + pending * kNsPerMs, std::memory_order_relaxed);
  }
  const int tries = request.tries != 0 ? request.tries : tries_;
  add(counters_.requests);

  int busy = 0;
  for (int attempt = 0; attempt < tries; ++attempt) {
    if (Status status = interrupted(request, epoch); !status.ok()) return status;
    if (request.deadline_ns != 0 && now() >= request.deadline_ns) break;
    if (attempt != 0) add(counters_.retries);
    // A camera may keep its last answer to recognise repeated ids: BUSY is asked anew, silence is asked
    // again.
    if (exchange.id == 0) exchange.id = next_id();
    send(exchange);
    // A lost datagram is repeated soon; a camera that is silent for a second while it fills its link is
    // waited for.
    if (attempt == kQuickTries && request.timeout_ms == 0) exchange.timeout_ms *= kPatience;
    Status status = await_ack(exchange, now() + exchange.timeout_ms * kNsPerMs, reply);
    if (status.ok()) return exchange.reply_size;
    if (status.gvcp_status == gvcp::kBusy && attempt + 1 < tries) {
      status = pause(exchange, std::min(kBusyPauseMs << std::min(busy++, 8), kMaxBusyPauseMs));
      if (!status.ok()) return status;
      exchange.id = 0;
      continue;
    }
    if (status.gvcp_status != 0) add(counters_.error_acks);
    if (status.code != Errc::kTimeout) return status;
  }
  return no_answer(exchange);
}

Status GvcpClient::no_answer(const Exchange& exchange) {
  add(counters_.timeouts);
  const std::string who = address_to_string(camera_.address);
  if (exchange.sys_errno == ECONNREFUSED) {
    return Status::system(exchange.sys_errno, who + " is there, but refuses GVCP (port " +
                                                  std::to_string(camera_.port) +
                                                  "): not a camera, or starting up");
  }
  if (exchange.sys_errno != 0) {
    return Status::system(exchange.sys_errno,
                          "cannot send to " + who + ": " + system_message(exchange.sys_errno));
  }
  return Status::error(Errc::kTimeout, who + " does not answer");
}

void GvcpClient::send(Exchange& exchange) {
  const Request& request = exchange.request;
  const MutableBytes out(exchange.datagram);
  exchange.size = gvcp::kHeaderSize + request.payload.size();
  gvcp::write_command(
      out, {gvcp::kAckRequired, request.command, static_cast<uint16_t>(request.payload.size()), exchange.id});
  if (!request.payload.empty()) {
    std::memcpy(&out[gvcp::kHeaderSize], request.payload.data(), request.payload.size());
  }
  // An ICMP error of an earlier datagram is handed out at the next call, whichever that is: ask once more.
  int error = socket_.send_raw(out.first(exchange.size), camera_);
  if (error == ECONNREFUSED || error == EHOSTUNREACH)
    error = socket_.send_raw(out.first(exchange.size), camera_);
  exchange.sys_errno = error == EAGAIN || error == ENOBUFS ? 0 : error;
}

Status GvcpClient::await_ack(Exchange& exchange, uint64_t deadline_ns, MutableBytes reply) {
  std::array<uint8_t, 2048> buffer;
  for (int overtime = 0;;) {
    uint64_t until = deadline_ns;
    if (exchange.request.deadline_ns != 0) until = std::min(until, exchange.request.deadline_ns);
    ReceiveInfo info;
    const Result<size_t> got = socket_.receive(buffer, &info, until, &waker_);
    // What had come in time counts, even if we are late to look; a flood must not hold us up for ever.
    if (got.ok() && now() > until && ++overtime > kMostOvertime) return Status::error(Errc::kTimeout, {});
    if (!got.ok()) {
      if (got.status().code == Errc::kTimeout) return got.status();
      if (got.status().code == Errc::kCanceled) {
        waker_.clear();
        if (Status status = interrupted(exchange.request, exchange.epoch); !status.ok()) return status;
        continue;
      }
      // Told by ICMP that nobody is there. It may concern an earlier try, and the camera may be about to
      // come.
      exchange.sys_errno = got.status().sys_errno;
      deadline_ns = std::min(deadline_ns, now() + kRefusedPauseMs * kNsPerMs);
      continue;
    }
    if (info.from.address != camera_.address) {
      add(counters_.foreign);
      continue;
    }
    Status verdict;
    if (understand(exchange, ConstBytes(buffer).first(*got), &deadline_ns, reply, &verdict)) return verdict;
  }
}

// True when the datagram ends the wait, with verdict.
bool GvcpClient::understand(Exchange& exchange, ConstBytes datagram, uint64_t* deadline_ns,
                            MutableBytes reply, Status* verdict) {
  const auto ack = gvcp::parse_ack(datagram);
  if (!ack) {
    add(counters_.malformed);
    return false;
  }
  const bool pending = ack->command == gvcp::kPendingAck;
  if (exchange.id == 0 || ack->ack_id != exchange.id ||
      (!pending && ack->command != exchange.request.command + 1)) {
    add(counters_.stale_acks);
    return false;
  }
  const uint64_t time = now();
  last_answer_ns_.store(time, std::memory_order_relaxed);
  exchange.sys_errno = 0;
  const ConstBytes payload = gvcp::payload(datagram, ack->length);
  if (pending) {
    add(counters_.pending_acks);
    if (payload.size() < 4 || ++exchange.pending_acks > kMaxPendingAcks) return false;
    const uint32_t announced = std::min<uint32_t>(load_be16(&payload[2]), kMaxPendingMs);
    *deadline_ns = std::max(*deadline_ns, time + (announced + exchange.timeout_ms) * kNsPerMs);
    quiet_until_ns_.store(*deadline_ns, std::memory_order_relaxed);
    return false;
  }
  if (gvcp::is_error(ack->status)) {
    if (ack->status == gvcp::kBusy) add(counters_.busy_acks);
    verdict->code = ack->status == gvcp::kAccessDenied ? Errc::kAccessDenied : Errc::kGvcpStatus;
    verdict->gvcp_status = ack->status;
    verdict->message = std::string("the camera answers ") + gvcp::status_name(ack->status);
    return true;
  }
  exchange.reply_size = std::min(payload.size(), reply.size());
  if (exchange.reply_size != 0) std::memcpy(reply.data(), payload.data(), exchange.reply_size);
  return true;
}

Status GvcpClient::pause(Exchange& exchange, uint32_t milliseconds) {
  const uint64_t until = now() + milliseconds * kNsPerMs;
  exchange.id = 0;  // whatever comes now is stale
  const Status status = await_ack(exchange, until, {});
  return status.code == Errc::kTimeout ? Status() : status;
}

void GvcpClient::send_resend(const gvcp::Resend& resend) noexcept {
  std::array<uint8_t, gvcp::kMaxResendSize> datagram;
  const size_t size = gvcp::write_resend(datagram, resend, next_id());
  const int error = socket_.send_raw(ConstBytes(datagram).first(size), camera_);
  add(error == 0 ? counters_.resends_sent : counters_.resends_failed);
}

ControlStats GvcpClient::stats() const {
  const auto get = [](const Counter& counter) { return counter.load(std::memory_order_relaxed); };
  ControlStats stats;
  stats.requests = get(counters_.requests);
  stats.retries = get(counters_.retries);
  stats.timeouts = get(counters_.timeouts);
  stats.stale_acks = get(counters_.stale_acks);
  stats.pending_acks = get(counters_.pending_acks);
  stats.busy_acks = get(counters_.busy_acks);
  stats.error_acks = get(counters_.error_acks);
  stats.foreign = get(counters_.foreign);
  stats.malformed = get(counters_.malformed);
  stats.resends_sent = get(counters_.resends_sent);
  stats.resends_failed = get(counters_.resends_failed);
  stats.heartbeats = get(counters_.heartbeats);
  return stats;
}

}  // namespace gw
