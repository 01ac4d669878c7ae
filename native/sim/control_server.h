// The control channel: answers GVCP, guards control, turns register writes into stream commands. Purpose: the
// camera as a host sees it on port 3956. Thread: gev-sim-ctl runs everything but the public functions, which
// may be called from any thread. Owner: SimulatedCamera.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "base/thread.h"
#include "base/waker.h"
#include "sim/event_sender.h"
#include "sim/register_map.h"
#include "sim/sim_socket.h"
#include "sim/stream_sender.h"
#include "wire/gvcp.h"

namespace gw::sim {

class ControlServer {
 public:
  ControlServer(const SimOptions& options, Counters& counters, StreamSender& sender, RegisterMap registers);
  ~ControlServer();

  // Binds; gives the stream's socket, which the sender shares.
  Result<std::shared_ptr<CameraSocket>> bind();
  void start();
  void stop();  // joins; idempotent

  // In the order in which they were called.
  void crash();
  void reboot(uint32_t silence_ms);
  void stall(uint32_t ms);
  void lose_control();
  void set_faults(const FaultPlan& faults);
  void on_sender_event(SenderEvent event, uint64_t value);

  void copy_status(SimStats& out) const;

 private:
  enum class Life : uint8_t { kUp, kCrashed, kRebooting };
  struct Sockets {
    CameraSocket control;                  // the camera's own address
    std::vector<CameraSocket> broadcasts;  // limited and directed
    std::shared_ptr<CameraSocket> stream;
    NetInterface network_interface;
    Endpoint control_at, stream_at;
  };
  struct Deferred {  // something to be sent, or a command to be carried out, later
    uint64_t due_ns;
    Endpoint to;
    std::vector<uint8_t> bytes;
    bool is_command;
  };
  struct Request {
    gvcp::CommandHeader header;
    ConstBytes datagram, payload;
    Endpoint from;
    uint64_t now;
  };
  struct Answered {  // the last write, so that its retransmission is answered and not carried out again
    Endpoint from;
    std::vector<uint8_t> request, ack;
    uint64_t at = 0;
  };

  static Result<Sockets> bind_at(uint32_t address, uint16_t port);
  void post(std::function<void()> action);
  void run();
  void run_posted();
  uint64_t next_deadline() const;
  void run_deferred(uint64_t now);
  void check_heartbeat(uint64_t now);
  void drain(CameraSocket& socket, bool broadcast, bool discard);
  bool silent() const { return life_ != Life::kUp; }

  void handle(ConstBytes datagram, const Received& received, bool broadcast);
  void handle_unicast(const Request& request);
  void execute(const Request& request);
  void discovery(const Request& request, bool reachable);
  void force_ip(const Request& request);
  void read_registers(const Request& request);
  void write_registers(const Request& request);
  void read_memory(const Request& request);
  void write_memory(const Request& request);
  void packet_resend(const Request& request);
  bool defer_slow(const Request& request);
  bool replay(const Request& request);

  void acknowledge(const Request& request, uint16_t status, ConstBytes payload = {});
  void send_ack(const Request& request, ConstBytes ack);
  bool hits(double probability, uint32_t purpose);

  void apply(uint32_t effects);
  void start_acquisition();
  void fire_test();
  Status bind_events(uint32_t address);
  void send_event(EventKind kind, uint64_t block_id = 0);
  void move_to(const Request& request, uint32_t address, uint32_t mask, uint32_t gateway);
  void go_silent(Life life);
  void come_back();
  LiveSettings live_settings() const;
  void publish();

  const SimOptions options_;
  Counters& counters_;
  StreamSender& sender_;
  NamedThread thread_;
  Waker wake_;
  std::mutex post_mutex_;
  std::vector<std::function<void()>> posted_;  // under post_mutex_
  mutable std::mutex status_mutex_;
  SimStats status_;  // under status_mutex_: only the fields that are no counters

  // Everything below belongs to the control thread once it runs.
  RegisterMap registers_;
  FaultPlan faults_;
  Sockets sockets_;
  EventSender events_;
  uint64_t moves_ = 0;  // how often they were replaced
  bool exit_ = false;
  Life life_ = Life::kUp;
  uint64_t back_at_ = kNever;  // end of a reboot
  uint64_t stalled_until_ = 0;
  bool stall_done_ = false;  // the plan's stall happens once
  uint64_t heard_at_ = 0;    // last command of the controller
  uint64_t epoch_ = 0;       // of the acquisition
  uint64_t served_ = 0, draws_ = 0;
  uint32_t tests_fired_ = 0;  // in this control session
  std::deque<Deferred> deferred_;
  Answered last_write_;
};

}  // namespace gw::sim
