// A GigE Vision camera without a camera. Purpose: the only class that the binding, the command line and the
// tests need. Thread: start, stop and the destructor on one thread; everything else from any. It owns two
// threads, gev-sim-ctl (registers, control) and gev-sim-snd (stream). Owner: whoever started it.
#pragma once

#include <atomic>
#include <memory>

#include "base/status.h"
#include "sim/options.h"
#include "sim/send_times.h"

namespace gw::sim {

class ControlServer;
class StreamSender;

class SimulatedCamera {
 public:
  // Binds its sockets and answers from then on. Fails when the address is not ours, another camera has it, or
  // an option makes no sense.
  static Result<std::unique_ptr<SimulatedCamera>> start(const SimOptions& options);
  ~SimulatedCamera();  // stops
  SimulatedCamera(const SimulatedCamera&) = delete;
  SimulatedCamera& operator=(const SimulatedCamera&) = delete;

  void stop();  // idempotent; both threads are joined and all ports are free when it returns

  SimStats stats() const;
  std::vector<SendTimes::Entry> send_times() const;  // of SimOptions::send_times blocks
  Endpoint control_endpoint() const;                 // changes with FORCEIP
  void set_faults(const FaultPlan& faults);

  // Things that happen to cameras. kClosed after stop().
  Status crash();                      // silent for good
  Status reboot(uint32_t silence_ms);  // silent, then back, free, with its power-up settings
  Status stall_control(uint32_t ms);   // no answers for a while, then late ones; the stream goes on
  Status lose_control_privilege();     // as if the heartbeat had expired
  Status trigger();                    // as if TriggerSoftware or the trigger line had fired

 private:
  SimulatedCamera() = default;
  Status running() const;

  std::atomic<bool> running_{false};
  std::unique_ptr<Counters> counters_;
  std::unique_ptr<StreamSender> sender_;
  std::unique_ptr<ControlServer> control_;
};

}  // namespace gw::sim
