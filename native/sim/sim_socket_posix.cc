// The system calls behind sim/sim_socket.h, for Linux and other POSIX systems.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#if defined(__linux__) && !defined(UDP_SEGMENT)
#define UDP_SEGMENT 103
#endif

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "base/clock.h"
#include "base/system_message.h"
#include "sim/sim_socket.h"

namespace gw::sim {

namespace {

static_assert(sizeof(Part) == sizeof(iovec) && offsetof(Part, size) == offsetof(iovec, iov_len));
iovec* to_iovec(const Part* parts) { return const_cast<iovec*>(reinterpret_cast<const iovec*>(parts)); }

sockaddr_in to_sockaddr(const Endpoint& endpoint) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(endpoint.address);
  out.sin_port = htons(endpoint.port);
  return out;
}

Endpoint from_sockaddr(const sockaddr_in& in) { return {ntohl(in.sin_addr.s_addr), ntohs(in.sin_port)}; }

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + system_message(error));
}

void set_option(int fd, int level, int name, int value) { setsockopt(fd, level, name, &value, sizeof value); }

}  // namespace

void CameraSocket::close() noexcept {
  if (valid()) ::close(fd_);
  fd_ = kNoSocket;
}

Result<CameraSocket> CameraSocket::bind(const Endpoint& local, const SocketOptions& options) {
  const std::string where = to_string(local);
  CameraSocket socket;
  socket.fd_ = ::socket(AF_INET, SOCK_DGRAM, 0);
  if (socket.fd_ < 0) return failure(errno, "open a UDP socket for " + where);
  fcntl(socket.fd_, F_SETFD, FD_CLOEXEC);
  fcntl(socket.fd_, F_SETFL, O_NONBLOCK);
  if (options.share) {
    set_option(socket.fd_, SOL_SOCKET, SO_REUSEADDR, 1);
#ifndef __linux__
    set_option(socket.fd_, SOL_SOCKET, SO_REUSEPORT, 1);
#endif
  }
  if (options.broadcast) set_option(socket.fd_, SOL_SOCKET, SO_BROADCAST, 1);
#ifdef IP_PKTINFO
  if (options.packet_info) set_option(socket.fd_, IPPROTO_IP, IP_PKTINFO, 1);
#endif
  if (options.send_buffer > 0) set_option(socket.fd_, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(socket.fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return failure(errno, "bind a UDP socket to " + where);
  }
  return socket;
}

Endpoint CameraSocket::local() const {
  sockaddr_in address{};
  socklen_t length = sizeof address;
  if (fd_ < 0 || getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &length) != 0) return {};
  return from_sockaddr(address);
}

std::optional<Received> CameraSocket::receive(MutableBytes buffer) {
  sockaddr_in from{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[128];
  msghdr message{};
  message.msg_name = &from;
  message.msg_namelen = sizeof from;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  const ssize_t n = recvmsg(fd_, &message, MSG_DONTWAIT);
  if (n < 0) return std::nullopt;
  Received received;
  received.size = static_cast<size_t>(n);
  received.from = from_sockaddr(from);
#ifdef IP_PKTINFO
  for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_PKTINFO) continue;
    in_pktinfo info;
    std::memcpy(&info, CMSG_DATA(c), sizeof info);
    received.to_address = ntohl(info.ipi_addr.s_addr);
    received.interface_index = static_cast<uint32_t>(info.ipi_ifindex);
  }
#endif
  return received;
}

int CameraSocket::send(ConstBytes datagram, const Endpoint& to) {
  const sockaddr_in address = to_sockaddr(to);
  const ssize_t n = sendto(fd_, datagram.data(), datagram.size(), 0,
                           reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return n < 0 ? errno : 0;
}

int CameraSocket::send_through(ConstBytes datagram, const Endpoint& to, uint32_t interface_index) {
#ifdef IP_PKTINFO
  sockaddr_in address = to_sockaddr(to);
  iovec part{const_cast<uint8_t*>(datagram.data()), datagram.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(in_pktinfo))] = {};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* c = CMSG_FIRSTHDR(&message);
  c->cmsg_level = IPPROTO_IP;
  c->cmsg_type = IP_PKTINFO;
  c->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo info{};
  info.ipi_ifindex = static_cast<int>(interface_index);
  info.ipi_spec_dst.s_addr = htonl(local().address);  // else the interface's first address is the sender
  std::memcpy(CMSG_DATA(c), &info, sizeof info);
  return sendmsg(fd_, &message, 0) < 0 ? errno : 0;
#else
  (void)interface_index;
  return send(datagram, to);
#endif
}

CameraSocket::BatchResult CameraSocket::send_batch(std::span<const OutMessage> messages, const Endpoint& to) {
  sockaddr_in address = to_sockaddr(to);
  size_t done = 0;
  // A full send buffer is the network interface's pace, not a loss: wait for it, but not forever.
  const auto blocked = [this](int error) {
    if (error == EINTR) return true;
    if (error != EAGAIN && error != EWOULDBLOCK) return false;
    pollfd p{fd_, POLLOUT, 0};
    return poll(&p, 1, 100) > 0;
  };
#ifdef __linux__
  constexpr size_t kBatch = 64;
  struct Control {
    alignas(cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
  };
  mmsghdr headers[kBatch];
  Control controls[kBatch];
  while (done < messages.size()) {
    const size_t n = std::min(kBatch, messages.size() - done);
    for (size_t i = 0; i < n; ++i) {
      const OutMessage& message = messages[done + i];
      msghdr& h = headers[i].msg_hdr;
      h = {};
      h.msg_name = &address;
      h.msg_namelen = sizeof address;
      h.msg_iov = to_iovec(message.parts);
      h.msg_iovlen = message.part_count;
      if (message.segment == 0) continue;
      h.msg_control = controls[i].bytes;
      h.msg_controllen = sizeof controls[i].bytes;
      cmsghdr* c = CMSG_FIRSTHDR(&h);
      c->cmsg_level = SOL_UDP;
      c->cmsg_type = UDP_SEGMENT;
      c->cmsg_len = CMSG_LEN(sizeof(uint16_t));
      std::memcpy(CMSG_DATA(c), &message.segment, sizeof message.segment);
    }
    const int sent = sendmmsg(fd_, headers, static_cast<unsigned>(n), 0);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
    } else if (const int error = errno; !blocked(error)) {
      return {done, error};
    }
  }
#else
  while (done < messages.size()) {
    msghdr h{};
    h.msg_name = &address;
    h.msg_namelen = sizeof address;
    h.msg_iov = to_iovec(messages[done].parts);
    h.msg_iovlen = static_cast<decltype(h.msg_iovlen)>(messages[done].part_count);
    if (sendmsg(fd_, &h, 0) >= 0) {
      ++done;
    } else if (const int error = errno; !blocked(error)) {
      return {done, error};
    }
  }
#endif
  return {done, 0};
}

void CameraSocket::set_dont_fragment(bool on) {
#if defined(IP_MTU_DISCOVER)
  set_option(fd_, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_PROBE : IP_PMTUDISC_OMIT);
#elif defined(IP_DONTFRAG)
  set_option(fd_, IPPROTO_IP, IP_DONTFRAG, on ? 1 : 0);
#else
  (void)on;
#endif
}

void CameraSocket::set_checksum(bool on) {
#ifdef SO_NO_CHECK
  set_option(fd_, SOL_SOCKET, SO_NO_CHECK, on ? 0 : 1);
#else
  (void)on;
#endif
}

void CameraSocket::set_multicast_interface(uint32_t address) {
  const in_addr interface_address{htonl(address)};
  setsockopt(fd_, IPPROTO_IP, IP_MULTICAST_IF, &interface_address, sizeof interface_address);
}

bool CameraSocket::has_segmentation() {
#ifdef __linux__
  return true;
#else
  return false;
#endif
}

void wait_readable(std::span<const CameraSocket* const> sockets, const Waker& waker, uint64_t deadline_ns) {
  pollfd polled[kMostWaitedFor + 1] = {{waker.fd(), POLLIN, 0}};
  nfds_t n = 1;
  for (const CameraSocket* socket : sockets) {
    if (n < std::size(polled)) polled[n++] = {socket->fd(), POLLIN, 0};
  }
  const uint64_t now = SteadyClock::instance().now_ns();
  const uint64_t wait = deadline_ns > now ? deadline_ns - now : 0;
#ifdef __linux__
  const timespec time{static_cast<time_t>(wait / 1'000'000'000), static_cast<long>(wait % 1'000'000'000)};
  ppoll(polled, n, deadline_ns == kNever ? nullptr : &time, nullptr);
#else
  poll(polled, n,
       deadline_ns == kNever ? -1 : static_cast<int>(std::min<uint64_t>(wait / kNsPerMs + 1, 60'000)));
#endif
}

}  // namespace gw::sim
