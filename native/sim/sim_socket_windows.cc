// The system calls behind sim/sim_socket.h, for Windows: plain sends one by one.
#include <winsock2.h>
#include <ws2tcpip.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/wait_windows.h"
#include "net/read_event_windows.h"
#include "net/winsock.h"
#include "sim/sim_socket.h"

namespace gw::sim {

namespace {

constexpr int kLongestSend = 100;  // ms that a full send buffer is waited for
constexpr size_t kMostParts = 8;

sockaddr_in to_sockaddr(const Endpoint& endpoint) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(endpoint.address);
  out.sin_port = htons(endpoint.port);
  return out;
}

Endpoint from_sockaddr(const sockaddr_in& in) { return {ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)}; }

void set_option(SOCKET fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, reinterpret_cast<const char*>(&value), sizeof value);
}

// 0 or an errno. A full send buffer is the network interface's pace, not a loss: it is waited for.
int send_parts(SOCKET fd, std::span<const Part> parts, const Endpoint& to) {
  std::array<WSABUF, kMostParts> buffers;
  if (parts.size() > buffers.size()) return EMSGSIZE;
  for (size_t i = 0; i < parts.size(); ++i) {
    buffers[i] = {static_cast<ULONG>(parts[i].size), static_cast<char*>(const_cast<void*>(parts[i].data))};
  }
  const sockaddr_in address = to_sockaddr(to);
  for (;;) {
    DWORD sent = 0;
    if (::WSASendTo(fd, buffers.data(), static_cast<DWORD>(parts.size()), &sent, 0,
                    reinterpret_cast<const sockaddr*>(&address), sizeof address, nullptr, nullptr) == 0)
      return 0;
    const int error = last_socket_error();
    WSAPOLLFD writable{fd, POLLWRNORM, 0};
    if (error != EAGAIN || ::WSAPoll(&writable, 1, kLongestSend) <= 0) return error;
  }
}

}  // namespace

void CameraSocket::close() noexcept {
  if (valid()) ::closesocket(fd_);
  fd_ = kNoSocket;
}

Result<CameraSocket> CameraSocket::bind(const Endpoint& local, const SocketOptions& options) {
  const std::string where = to_string(local);
  CameraSocket socket;
  socket.fd_ = open_udp_socket();
  if (!socket.valid()) return Status::system(last_socket_error(), "open a UDP socket for " + where);
  if (options.share) set_option(socket.fd_, SOL_SOCKET, SO_REUSEADDR, 1);
  if (options.broadcast) set_option(socket.fd_, SOL_SOCKET, SO_BROADCAST, 1);
  if (options.send_buffer > 0) set_option(socket.fd_, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return Status::system(last_socket_error(), "bind a UDP socket to " + where);
  return socket;
}

Endpoint CameraSocket::local() const {
  sockaddr_in address{};
  int length = sizeof address;
  if (!valid() || ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return from_sockaddr(address);
}

// A socket only hears its own network interface: which one it was need not be told.
std::optional<Received> CameraSocket::receive(MutableBytes buffer) {
  sockaddr_in from{};
  int from_size = sizeof from;
  const int n = ::recvfrom(fd_, reinterpret_cast<char*>(buffer.data()), static_cast<int>(buffer.size()), 0,
                           reinterpret_cast<sockaddr*>(&from), &from_size);
  const bool cut = n < 0 && ::WSAGetLastError() == WSAEMSGSIZE;
  if (n < 0 && !cut) return std::nullopt;
  Received received;
  received.size = cut ? buffer.size() : static_cast<size_t>(n);
  received.from = from_sockaddr(from);
  return received;
}

int CameraSocket::send(ConstBytes datagram, const Endpoint& to) {
  const Part part{datagram.data(), datagram.size()};
  return send_parts(fd_, {&part, 1}, to);
}

// What a socket sends goes out of its own network interface.
int CameraSocket::send_through(ConstBytes datagram, const Endpoint& to, uint32_t) {
  return send(datagram, to);
}

CameraSocket::BatchResult CameraSocket::send_batch(std::span<const OutMessage> messages, const Endpoint& to) {
  for (size_t i = 0; i < messages.size(); ++i) {
    const OutMessage& message = messages[i];
    if (const int error = send_parts(fd_, {message.parts, message.part_count}, to); error != 0)
      return {i, error};
  }
  return {messages.size(), 0};
}

void CameraSocket::set_dont_fragment(bool on) { set_option(fd_, IPPROTO_IP, IP_DONTFRAGMENT, on ? 1 : 0); }

void CameraSocket::set_checksum(bool on) { set_option(fd_, IPPROTO_UDP, UDP_NOCHECKSUM, on ? 0 : 1); }

void CameraSocket::set_multicast_interface(uint32_t address) {
  set_option(fd_, IPPROTO_IP, IP_MULTICAST_IF, static_cast<int>(htonl(address)));
}

bool CameraSocket::has_segmentation() { return false; }

void wait_readable(std::span<const CameraSocket* const> sockets, const Waker& waker, uint64_t deadline_ns) {
  ReadEvent event;
  for (const CameraSocket* socket : sockets) event.select(socket->fd());
  const std::array<void*, 2> handles{waker.handle(), event.handle()};
  const TimedWait timed;
  timed.wait(std::span(handles).first(sockets.empty() ? 1 : 2), deadline_ns);
}

}  // namespace gw::sim
