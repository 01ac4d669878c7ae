// The message channel: events on their way to the host. Purpose: sends EVENT and EVENTDATA commands from a
// port of its own, and again until they are acknowledged, as the channel's registers say. Thread:
// gev-sim-ctl. Owner: ControlServer. Source: reference page "GigE Vision on the wire", section 1.9.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"
#include "sim/options.h"
#include "sim/sim_socket.h"

namespace gw::sim {

struct EventChannel {
  Endpoint destination;     // port 0: closed
  uint32_t timeout_ms = 0;  // before an event is sent again; 0: no acknowledge is asked for
  uint32_t retransmissions = 0;
  bool extended_ids = false;
};

struct Event {
  uint16_t id = 0;
  uint16_t stream_channel = 0xFFFF;  // none
  uint64_t block_id = 0;
  uint64_t timestamp = 0;
  std::vector<uint8_t> data = {};  // some: EVENTDATA
};

class EventSender {
 public:
  explicit EventSender(Counters& counters) : counters_(counters) {}

  Status bind(uint32_t address);  // at any free port
  const CameraSocket& socket() const { return socket_; }
  uint16_t port() const { return port_; }

  void send(const Event& event, const EventChannel& channel, uint64_t now_ns);
  void hear();                         // what came in: acknowledges
  void run(uint64_t now_ns);           // sends again what is due
  uint64_t next_due() const;           // kNever: nothing waits
  void forget() { waiting_.clear(); }  // the channel was closed

 private:
  static constexpr size_t kMostWaiting = 64;
  struct Waiting {
    std::vector<uint8_t> message;
    Endpoint to;
    uint16_t id;
    uint32_t tries_left;
    uint64_t timeout_ns, due_ns;
  };

  Counters& counters_;
  CameraSocket socket_;
  uint16_t port_ = 0;
  uint16_t next_id_ = 1;  // 0 is no id
  std::deque<Waiting> waiting_;
};

}  // namespace gw::sim
