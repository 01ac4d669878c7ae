// UDP sockets over IPv4. Purpose: the only place of the core that makes socket calls for control, discovery
// and negotiation; the stream's fast path has its own (packet_source). Thread: one owner; send_to() may be
// called from several threads at once. System calls live in socket_posix.cc and socket_windows.cc.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"
#include "base/waker.h"
#include "net/native_socket.h"

namespace gw {

struct Endpoint {
  uint32_t address = 0;  // host order
  uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

std::string address_to_string(uint32_t address);            // "192.168.0.1"
std::string to_string(const Endpoint& endpoint);            // "192.168.0.1:3956"
std::optional<uint32_t> parse_ipv4(std::string_view text);  // four decimal numbers, nothing else

struct ReceiveInfo {
  Endpoint from;
  uint32_t fragment_size = 0;  // not 0: reassembled from IP fragments, the largest of this size
  bool truncated = false;
};

class UdpSocket {
 public:
  static Result<UdpSocket> open();  // non-blocking, close-on-exec
  UdpSocket() = default;            // closed
  ~UdpSocket() { close(); }
  UdpSocket(UdpSocket&& other) noexcept;
  UdpSocket& operator=(UdpSocket&& other) noexcept;

  void close() noexcept;
  bool is_open() const noexcept { return fd_ != kNoSocket; }
  NativeSocket fd() const noexcept { return fd_; }
  // Memory that the system may write to for as long as this socket is open; given back when it is closed.
  void keep(std::shared_ptr<void> memory) { kept_ = std::move(memory); }
  bool keeps() const noexcept { return kept_ != nullptr; }

  Status bind(Endpoint local);
  Status bind_range(uint32_t address, uint16_t low,
                    uint16_t high);                // the first free port, both ends included
  Status bind_to_device(const std::string& name);  // kNetwork where the system cannot or may not
  Status set_broadcast(bool on);
  Status set_reuse_address(bool on);
  // Asks for bytes of queue and returns what the kernel granted, as SO_RCVBUF counts it: Linux doubles the
  // wish for its own overhead and refuses nothing; here the doubling is taken out again, so granted < bytes
  // means "less". beyond_limit: granted by privilege (SO_RCVBUFFORCE), whatever net.core.rmem_max says.
  Result<size_t> set_receive_buffer(size_t bytes, bool* beyond_limit = nullptr);
  // Reads poll the NIC for packets, where its driver can (Linux). Older kernels want CAP_NET_ADMIN for more
  // than net.core.busy_read.
  Status set_busy_poll(uint32_t microseconds);
  Status set_dont_fragment(bool on);  // for what this socket sends
  // An unconnected socket learns of "port unreachable", too (Linux, Windows).
  Status report_icmp_errors(bool on);
  Status report_fragments(bool on);  // fills ReceiveInfo::fragment_size (Linux)
  Status connect(Endpoint peer);
  Status join_multicast(uint32_t group, uint32_t interface_address);
  Result<Endpoint> local_endpoint() const;

  // Never blocks, allocates only to report an error. 0 = sent, else an errno.
  int send_raw(ConstBytes data, Endpoint to) noexcept;
  Status send_to(ConstBytes data, Endpoint to);
  // Out of this NIC from this address, whatever the routing table prefers (where the system can: Linux).
  // Unlike bind_to_device() it leaves receiving alone: answers of this very machine come in over the
  // loopback.
  Status send_via(ConstBytes data, Endpoint to, int interface_index, uint32_t from_address);
  Status send(ConstBytes data);  // connected sockets

  // Waits until a datagram is there, the monotonic time deadline_ns (SteadyClock) has come (kTimeout), or the
  // waker was woken (kCanceled; the waker stays signalled). deadline_ns 0: does not wait.
  Result<size_t> receive(MutableBytes buffer, ReceiveInfo* info, uint64_t deadline_ns,
                         const Waker* waker = nullptr);
  Result<size_t> receive(MutableBytes buffer, Endpoint* from, uint64_t deadline_ns,
                         const Waker* waker = nullptr);

 private:
  explicit UdpSocket(NativeSocket fd) : fd_(fd) {}
  void close_native() noexcept;

  NativeSocket fd_ = kNoSocket;
  std::shared_ptr<void> kept_;
};

// Waits for any of several sockets. kOk: readable[i] says which; kTimeout, kCanceled as in receive().
Status wait_readable(std::span<const UdpSocket* const> sockets, std::span<bool> readable,
                     uint64_t deadline_ns, const Waker* waker = nullptr);

}  // namespace gw
