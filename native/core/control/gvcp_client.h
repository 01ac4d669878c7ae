// One GVCP conversation with one camera. Purpose: sends a command and brings back its acknowledge:
// retransmission, PENDING_ACK, BUSY, stale and foreign datagrams. Knows no register. One command is
// outstanding at a time; callers on other threads queue up, urgent ones (the heartbeat) before the rest.
//
// Thread: transact() from any. send_resend() from any: it neither locks, allocates nor blocks.
//
// Owner: ControlChannel.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/status.h"
#include "base/waker.h"
#include "net/socket.h"
#include "wire/gvcp.h"

namespace gw {

struct ControlOptions {
  Endpoint camera;                // port 0 = 3956
  uint32_t local_address = 0;     // 0: the kernel's choice
  std::string device;             // NIC to pin the socket to (best effort); empty: none
  uint32_t ack_timeout_ms = 200;  // of the first five tries; the others wait three times as long
  int tries = 8;                  // 2.8 s in all
};

struct ControlStats {
  uint64_t requests = 0;    // commands, each counted once however often it was sent
  uint64_t retries = 0;     // repeated datagrams
  uint64_t timeouts = 0;    // commands that never were answered
  uint64_t stale_acks = 0;  // late, duplicate or not asked for
  uint64_t pending_acks = 0;
  uint64_t busy_acks = 0;
  uint64_t error_acks = 0;    // final GVCP errors
  uint64_t foreign = 0;       // datagrams from another address
  uint64_t malformed = 0;     // from the camera, but not an acknowledge
  uint64_t resends_sent = 0;  // PACKETRESEND commands
  uint64_t resends_failed = 0;
  uint64_t heartbeats = 0;  // answered
};

class GvcpClient {
 public:
  struct Request {
    uint16_t command = 0;
    ConstBytes payload;
    int tries = 0;                    // 0: as set at open()
    uint32_t timeout_ms = 0;          // for each try; 0: as set
    uint64_t deadline_ns = 0;         // for all of it, waiting for the turn included; 0: none
    bool urgent = false;              // before others that wait
    bool uninterruptible = false;     // neither interrupt() nor cancel() ends it
    bool may_be_slow = false;         // a write: silence may mean work
    const uint32_t* epoch = nullptr;  // interrupted by what happened after this epoch(); null: after now
  };

  Status open(const ControlOptions& options);

  // Returns the acknowledge's payload size, at most reply.size(); Errc::kTimeout when no try was answered,
  // kNetwork when the system could not even send or was told that nobody is there, kAccessDenied and
  // kGvcpStatus for error acks.
  Result<size_t> transact(const Request& request, MutableBytes reply);

  uint32_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
  void interrupt(Errc reason) noexcept;  // ends what waits now with this code
  void cancel() noexcept;                // that, and everything later, with kCanceled

  // 0x958: how long the camera may work on a command before it answers at all.
  void set_pending_timeout(uint32_t milliseconds) noexcept;

  void send_resend(const gvcp::Resend& resend) noexcept;

  Endpoint camera() const noexcept { return camera_; }
  Endpoint local_endpoint() const noexcept { return local_; }
  int tries() const noexcept { return tries_; }
  uint32_t ack_timeout_ms() const noexcept { return ack_timeout_ms_; }
  uint64_t last_answer_ns() const noexcept { return last_answer_ns_.load(std::memory_order_relaxed); }
  uint64_t quiet_until_ns() const noexcept { return quiet_until_ns_.load(std::memory_order_relaxed); }
  void count_heartbeat() noexcept { add(counters_.heartbeats); }
  ControlStats stats() const;

  static uint64_t now() { return SteadyClock::instance().now_ns(); }

 private:
  struct Exchange;
  using Counter = std::atomic<uint64_t>;
  struct Counters {
    Counter requests{0}, retries{0}, timeouts{0}, stale_acks{0}, pending_acks{0}, busy_acks{0}, error_acks{0},
        foreign{0}, malformed{0}, resends_sent{0}, resends_failed{0}, heartbeats{0};
  };
  static void add(Counter& counter) noexcept { counter.fetch_add(1, std::memory_order_relaxed); }

  Status wait_for_turn(const Request& request, uint32_t epoch);
  void end_turn();
  Result<size_t> exchange(const Request& request, uint32_t epoch, MutableBytes reply);
  void send(Exchange& exchange);
  Status await_ack(Exchange& exchange, uint64_t deadline_ns, MutableBytes reply);
  bool understand(Exchange& exchange, ConstBytes datagram, uint64_t* deadline_ns, MutableBytes reply,
                  Status* verdict);
  Status pause(Exchange& exchange, uint32_t milliseconds);
  Status interrupted(const Request& request, uint32_t epoch) const;
  Status no_answer(const Exchange& exchange);
  uint16_t next_id() noexcept;

  Endpoint camera_;
  Endpoint local_;
  UdpSocket socket_;
  Waker waker_;
  uint32_t ack_timeout_ms_ = 200;
  int tries_ = 5;
  std::atomic<uint32_t> pending_timeout_ms_{0};
  Counters counters_;

  std::mutex turn_mutex_;
  std::condition_variable turn_changed_;
  bool busy_ = false;
  int urgent_waiting_ = 0;

  std::atomic<uint32_t> next_id_{1};
  std::atomic<uint32_t> epoch_{0};
  std::atomic<Errc> interrupt_reason_{Errc::kOk};
  std::atomic<bool> canceled_{false};
  std::atomic<uint64_t> last_answer_ns_{0};
  std::atomic<uint64_t> quiet_until_ns_{0};  // the camera has announced silence until then, or may need it
};

}  // namespace gw
