// Keeps the control privilege alive and notices its loss. Purpose: reads CCP at a third of the camera's
// heartbeat timeout on a thread of its own, so that a blocked event loop loses no camera.
//
// Thread: start(), stop() from any; note_stream_alive() from any, lock-free. Owner: ControlChannel.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/status.h"
#include "base/thread.h"
#include "control/gvcp_client.h"
#include "net/socket.h"

namespace gw {

enum class LossReason : uint8_t {
  kNone,
  kTimeout,           // no answer any more
  kTakenOver,         // the privilege is another application's now
  kReleasedByCamera,  // CCP reads 0: the camera let go, for instance because our heartbeat came too late
  kNetworkDown,       // this machine cannot send: the NIC is down or gone
};
const char* loss_reason_name(LossReason reason);

struct Loss {
  LossReason reason = LossReason::kNone;
  std::string message;
  std::optional<Endpoint> holder;  // kTakenOver, where the camera tells
};

class Heartbeat {
 public:
  struct Plan {
    uint32_t timeout_ms = 0;  // the camera's; without control, the watcher's choice. 0: the default
    bool controls = true;     // false: monitor access, only the connection is watched
    uint32_t granted = 0;     // what CCP said when control was granted
    std::optional<Endpoint>
        owner;  // what the camera calls us; known: checked at every beat, in the same message
  };

  explicit Heartbeat(GvcpClient& client) : client_(client) {}
  ~Heartbeat() { stop(); }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // on_lost: at most once, on the heartbeat's thread, which then ends.
  void start(const Plan& plan, std::function<void(Loss)> on_lost);
  // Ends a beat that is under way and joins the thread, unless called by that very thread. Idempotent.
  void stop();
  void note_stream_alive(uint64_t now_ns) noexcept {
    stream_alive_ns_.store(now_ns, std::memory_order_relaxed);
  }
  uint32_t interval_ms() const noexcept { return interval_ms_.load(std::memory_order_relaxed); }

 private:
  void run(const std::function<void(Loss)>& on_lost);
  bool sleep_until(uint64_t time_ns);  // false: stop
  bool stopping();
  std::optional<Loss> beat();  // nullopt: alive, or stopping
  Status ask(uint32_t epoch, uint64_t deadline_ns, uint32_t try_ms, Loss* loss);
  void judge(ConstBytes registers, Loss* loss) const;
  Loss silence(const Status& last) const;

  GvcpClient& client_;
  Plan plan_;
  std::atomic<uint64_t> stream_alive_ns_{0};
  std::atomic<uint32_t> interval_ms_{1000};
  uint64_t alive_ns_ = 0;  // last sign of life; the heartbeat's thread alone

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::atomic<std::thread::id> thread_id_{};
  std::mutex owner_mutex_;  // one start() or stop() at a time
  NamedThread thread_;
};

}  // namespace gw
