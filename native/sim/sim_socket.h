// What the camera's side needs of sockets beyond core/net: where a datagram was sent to, batched sending with
// segmentation offload, exact waiting. Purpose: the only place of the simulator with system calls, in
// sim_socket_posix.cc and sim_socket_windows.cc. Thread: a socket may be received from by one thread while
// another sends. Owner: ControlServer and StreamSender.
//
// Broadcast on Linux, found by trying: a socket bound to 255.255.255.255 or to a net's directed broadcast
// address gets those broadcasts and nothing else; with SO_REUSEADDR every such socket in every process gets
// its own copy, on loopback (127.255.255.255 too) as on network interfaces. The socket bound to the camera's
// own address gets none, needs no SO_REUSEADDR, and so still refuses a second camera on that address. Windows
// binds to no broadcast address, and gives broadcasts to the socket of the network interface's own address.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "base/waker.h"
#include "net/native_socket.h"
#include "sim/options.h"

namespace gw::sim {

constexpr uint32_t kLimitedBroadcast = 0xFFFFFFFF;

struct Received {
  size_t size = 0;
  Endpoint from;
  uint32_t to_address = 0;       // destination in the IP header; 0 where the socket was not asked to tell
  uint32_t interface_index = 0;  // where it came in
};

struct SocketOptions {
  bool share = false;      // SO_REUSEADDR: several cameras listen to one broadcast address
  bool broadcast = false;  // may send to broadcast addresses
  bool packet_info = false;
  int send_buffer = 0;
};

struct Part {  // laid out like the system's iovec
  const void* data = nullptr;
  size_t size = 0;
};

// Packets to be sent by one call. segment != 0: the bytes are cut by the system into datagrams of that size.
struct OutMessage {
  const Part* parts = nullptr;
  size_t part_count = 0;
  uint16_t segment = 0;
};

class CameraSocket {
 public:
  CameraSocket() = default;
  ~CameraSocket() { close(); }
  CameraSocket(CameraSocket&& other) noexcept;
  CameraSocket& operator=(CameraSocket&& other) noexcept;

  static Result<CameraSocket> bind(const Endpoint& local, const SocketOptions& options);
  bool valid() const { return fd_ != kNoSocket; }
  NativeSocket fd() const { return fd_; }
  Endpoint local() const;

  std::optional<Received> receive(MutableBytes buffer);  // never waits
  int send(ConstBytes datagram, const Endpoint& to);     // 0 or an errno
  // Out of one network interface whatever the routes say.
  int send_through(ConstBytes datagram, const Endpoint& to, uint32_t interface_index);
  // Sends messages in order until one fails; gives how many went out and that one's errno.
  struct BatchResult {
    size_t sent = 0;
    int error = 0;
  };
  BatchResult send_batch(std::span<const OutMessage> messages, const Endpoint& to);

  void set_dont_fragment(bool on);  // on: never by fragments, path MTU discovery not heeded; as cameras do
  void set_checksum(bool on);
  void set_multicast_interface(uint32_t address);
  static bool has_segmentation();

 private:
  void close() noexcept;

  NativeSocket fd_ = kNoSocket;
};

constexpr uint64_t kNever = ~uint64_t{0};
constexpr size_t kMostWaitedFor = 7;
// Waits until one of at most kMostWaitedFor sockets is readable, the waker was woken or the monotonic time
// has come.
void wait_readable(std::span<const CameraSocket* const> sockets, const Waker& waker, uint64_t deadline_ns);

struct NetInterface {
  uint32_t index = 0;
  uint32_t mask = 0xFFFFFFFF;
};
// The interface whose address or, on loopback, whose net holds the address.
std::optional<NetInterface> interface_of(uint32_t address);

}  // namespace gw::sim
