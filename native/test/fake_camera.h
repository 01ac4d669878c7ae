// A camera for tests. Purpose: answers GVCP on a loopback address byte by byte, without any of the wire code
// that is under test, and misbehaves on request.
//
// Thread: one of its own; every method may be called from any. Owner: a test.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/waker.h"
#include "net/socket.h"

namespace gw::test {

using Bytes = std::vector<uint8_t>;

Bytes hex(std::string_view text);  // "42 01 00 80"
std::string to_hex(const Bytes& bytes);
Bytes without_id(Bytes datagram);  // req_id zeroed
uint16_t id_of(const Bytes& datagram);
uint16_t code_of(const Bytes& datagram);
Bytes with_id(Bytes datagram, uint16_t id);
Bytes operator+(Bytes a, const Bytes& b);
Bytes be32(uint32_t value);
uint64_t now_ns();
constexpr uint32_t kDirected = 0x7FFFFFFF;  // the loopback's broadcast address
constexpr uint32_t loopback(uint32_t last) { return 0x7F000000 | last; }

struct TestPacketManners {
  uint32_t clamp = 0;          // never larger than this
  uint32_t round_down = 1;     // to a multiple
  uint32_t fixed = 0;          // always this, whatever is written
  bool register_lies = false;  // SCPS reads back what was written, whatever is sent
  uint32_t refuse_unless = 1;  // BAD_ALIGNMENT for what is not a multiple
  uint32_t refuse_above = 0;   // INVALID_PARAMETER
  uint32_t path_limit = 0;     // larger ones get lost
  int lose_first = 0;          // so many get lost
  int fires = -1;              // so many in all, then none; -1: any number
  int fires_per_open = -1;     // the same, counted anew when SCP is written
  bool needs_edge = false;     // the fire bit must have been 0 before
  bool needs_punch = false;    // nothing comes through before a datagram reached the stream port
  bool has_scsp = true;
  int delay_ms = 0;
  int later_delay_ms = 0;  // from the second on
  int copy_after_ms = 0;   // sent once more after so many ms (0: not)
};

class FakeCamera {
 public:
  struct Datagram {
    Bytes bytes;
    Endpoint from;
    uint64_t at_ns = 0;
  };
  struct Reply {
    Bytes bytes;
    int after_ms = 0;
  };
  // What to answer instead; nullopt: the usual.
  using Script = std::function<std::optional<std::vector<Reply>>(const Datagram&)>;

  // listen: further addresses on the same port, as broadcasts need them.
  explicit FakeCamera(uint32_t address = loopback(1), uint16_t port = 0, std::vector<uint32_t> listen = {});
  ~FakeCamera();

  Endpoint endpoint() const { return endpoint_; }
  void set(uint32_t address, uint32_t value);
  void set_text(uint32_t address, const std::string& text);
  uint32_t get(uint32_t address) const;
  void fill(uint32_t address, const Bytes& bytes);
  Bytes memory(uint32_t address, size_t length) const;

  void script(Script script);
  void mute(bool on);                              // hears, and says nothing
  void lose_answers(uint16_t command, int count);  // does as told, but the acknowledge gets lost
  void ignore_strangers(bool on);                  // no ACCESS_DENIED, silence instead
  void forget_controller();                        // as after a restart
  void set_controller(Endpoint other);             // as if somebody else had taken it
  Endpoint controller() const;
  void manners(const TestPacketManners& manners);
  void send(const Bytes& bytes, Endpoint to);         // from the control port
  void send_stream(const Bytes& bytes, Endpoint to);  // from the stream port

  std::vector<Datagram> log() const;
  std::vector<Datagram> log(uint16_t command) const;
  size_t count(uint16_t command) const { return log(command).size(); }
  size_t punches() const;
  bool wait_for(const std::function<bool()>& condition,
                int ms = 3000) const;  // looked at after each datagram

 private:
  struct Pending {
    uint64_t due_ns;
    Bytes bytes;
    Endpoint to;
    bool stream;
    uint64_t order;  // of what is due at once
  };
  void run();
  void handle(const Datagram& datagram);
  std::vector<Reply> usual(const Datagram& datagram);
  Bytes read_registers(const Datagram& datagram);
  Bytes write_registers(const Datagram& datagram);
  Bytes read_memory(const Datagram& datagram);
  Bytes write_memory(const Datagram& datagram);
  Bytes discovery(const Datagram& datagram);
  uint16_t write_one(uint32_t address, uint32_t value, Endpoint from);
  uint16_t write_scps(uint32_t value);
  void fire(uint32_t size);
  void set_locked(uint32_t address, uint32_t value);
  uint32_t get_locked(uint32_t address) const;

  Endpoint endpoint_;
  UdpSocket control_, stream_;
  std::vector<UdpSocket> broadcast_;
  Waker waker_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stop_ = false, mute_ = false, ignore_strangers_ = false, punched_ = false, fire_bit_ = false;
  std::map<uint16_t, int> lose_answers_;
  int fired_ = 0, fired_since_open_ = 0;
  size_t punches_ = 0;
  uint64_t order_ = 0;
  std::map<uint32_t, uint8_t> bytes_;
  Endpoint controller_;
  Script script_;
  TestPacketManners manners_;
  std::vector<Datagram> log_;
  std::vector<Pending> pending_;
  std::thread thread_;
};

}  // namespace gw::test
