// The control channel to one camera. Purpose: registers, memory, control privilege and heartbeat on top of
// GvcpClient.
//
// Thread: calls from any thread; they queue up. The heartbeat has a thread of its own ("gw-heartbeat").
// send_resend() and note_stream_alive() are for the receive thread: they neither lock, allocate nor block.
//
// Owner: the camera object; the receive thread must have stopped before it is destroyed.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "control/gvcp_client.h"
#include "control/heartbeat.h"
#include "net/socket.h"
#include "wire/bootstrap.h"
#include "wire/gvcp.h"

namespace gw {

enum class Access : uint8_t { kMonitor, kControl, kExclusive };

struct Capabilities {
  uint16_t spec_major = 0, spec_minor = 0;
  uint32_t device_mode = 0;
  uint32_t gvcp = 0;                  // 0x934
  uint32_t gvsp = 0;                  // 0x92C
  uint32_t gvcp_configuration = 0;    // 0x954, after take_control() has set what it wants
  uint32_t pending_timeout_ms = 0;    // 0x958
  uint32_t heartbeat_timeout_ms = 0;  // 0x938
  uint64_t tick_frequency = 0;        // 0: the camera has no timestamps
  uint32_t stream_channels = 0;
  bool reads_denied = false;  // another application holds exclusive access: all above is 0
};

class ControlChannel {
 public:
  using LostCallback = std::function<void(LossReason, std::string)>;
  // bytes done, bytes in all; return false to stop (kCanceled).
  using Progress = std::function<bool(size_t, size_t)>;

  // Asks the camera for its capabilities: kTimeout when nobody answers, kNetwork when the address refuses or
  // cannot be reached. A camera that denies reading (exclusive access elsewhere) opens all the same.
  static Result<std::unique_ptr<ControlChannel>> open(const ControlOptions& options);
  // The same in two steps, for a caller that wants to cancel() the second from another thread.
  static std::unique_ptr<ControlChannel> create();
  Status connect(const ControlOptions& options);
  ~ControlChannel();
  ControlChannel(const ControlChannel&) = delete;
  ControlChannel& operator=(const ControlChannel&) = delete;

  Result<uint32_t> read_register(uint32_t address);
  // In one message where the camera can, else one by one. Fails as a whole with the first register's error.
  Result<std::vector<uint32_t>> read_registers(std::span<const uint32_t> addresses);
  Status write_register(uint32_t address, uint32_t value);

  // Any address and length; what is read beyond them to please the camera's alignment is cut off.
  Result<std::vector<uint8_t>> read_memory(uint32_t address, size_t length, const Progress& progress = {},
                                           const std::atomic<bool>* cancel = nullptr);
  // WRITEMEM, or WRITEREG word by word for a camera without it. Unaligned ends are read first and kept.
  Status write_memory(uint32_t address, ConstBytes data, const Progress& progress = {},
                      const std::atomic<bool>* cancel = nullptr);

  // kAccessDenied: somebody else has the camera, see holder(). heartbeat_timeout_ms 0 leaves the camera's
  // own. kMonitor writes nothing: it only records how the heartbeat is to watch.
  Status take_control(Access access, uint32_t heartbeat_timeout_ms = 0);
  bool in_control() const noexcept { return in_control_.load(std::memory_order_acquire); }
  // Who else holds the camera, where it tells: filled by a refused take_control() and by kTakenOver.
  std::optional<Endpoint> holder() const;

  // Starts the heartbeat of take_control()'s access; that of kMonitor notices silence alone. on_lost comes at
  // most once, on the heartbeat thread, which then ends; it must not block for long, since release() waits
  // for it. It may call release(), but not destroy the channel.
  void start_heartbeat(LostCallback on_lost);
  uint32_t heartbeat_interval_ms() const noexcept { return heartbeat_.interval_ms(); }
  // A stream packet has come: a camera that sends is not dead yet. Any thread.
  void note_stream_alive(uint64_t now_ns) noexcept { heartbeat_.note_stream_alive(now_ns); }

  // Stops the heartbeat, ends commands that other threads wait for (kClosed), and, if control is ours, puts
  // back what was promised and writes CCP = 0. Idempotent; less than 300 ms in all. The channel can still
  // read, and take control again.
  Status release();
  // A register that somebody is changing for a time, and its value of before: release() writes it, should it
  // come meanwhile. Any thread; one register at a time, until forget_put_back().
  void promise_put_back(uint32_t address, uint32_t value) noexcept {
    put_back_.store(uint64_t{address} << 32 | value, std::memory_order_release);
  }
  void forget_put_back() noexcept { put_back_.store(0, std::memory_order_release); }
  // Ends waiting calls (kCanceled) and refuses all later ones except release(). Any thread; final.
  void cancel() noexcept { client_.cancel(); }

  // Goes out from the controller's port, as cameras want it. Any thread: never blocks, locks or allocates.
  void send_resend(const gvcp::Resend& resend) noexcept { client_.send_resend(resend); }

  // Fixed after open() and take_control(); do not read it while another thread is inside take_control().
  const Capabilities& capabilities() const { return capabilities_; }
  bool can(uint32_t gvcp_capability) const { return (capabilities_.gvcp & gvcp_capability) != 0; }
  ControlStats stats() const { return client_.stats(); }
  Endpoint camera() const { return client_.camera(); }
  Endpoint local_endpoint() const { return client_.local_endpoint(); }  // the address is a real one, never 0

 private:
  ControlChannel() = default;
  Status read_capabilities();
  Result<uint32_t> read_optional(uint32_t address, int* silent);
  Result<size_t> command(uint16_t code, ConstBytes payload, MutableBytes reply);
  Status refuse_write() const;  // not OK after control was lost
  Status claim(uint32_t wanted);
  Status write_once(uint32_t address, uint32_t value, int tries, uint32_t timeout_ms, uint64_t deadline_ns,
                    bool closing);
  Status denied();
  std::optional<Endpoint> read_holder();
  void set_holder(std::optional<Endpoint> holder);
  void enable_extras(uint32_t heartbeat_timeout_ms);
  void lost(const Loss& loss, const LostCallback& on_lost);

  Status read_block(uint32_t address, MutableBytes out);
  Status write_block(uint32_t address, ConstBytes data);
  Status write_words(uint32_t address, ConstBytes data);

  GvcpClient client_;
  Heartbeat heartbeat_{client_};
  Capabilities capabilities_;
  Heartbeat::Plan plan_;
  std::atomic<bool> in_control_{false};
  // The camera may think that it is ours: a claim is under way, its answer was lost, or the camera went
  // silent.
  std::atomic<bool> maybe_ours_{false};
  std::atomic<LossReason> loss_{LossReason::kNone};
  std::atomic<bool> no_write_memory_{false};
  std::atomic<uint64_t> put_back_{0};  // address and value; 0: nothing
  mutable std::mutex holder_mutex_;
  std::optional<Endpoint> holder_;
};

}  // namespace gw
