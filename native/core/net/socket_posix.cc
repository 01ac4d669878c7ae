// The system calls behind net/socket.h, for Linux and other POSIX systems.
#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/system_message.h"
#include "net/socket.h"

#ifdef __linux__
#ifndef IP_RECVFRAGSIZE
#define IP_RECVFRAGSIZE 25  // Linux 4.13; musl and old headers do not name it
#endif
#endif

namespace gw {

namespace {

sockaddr_in to_sockaddr(Endpoint endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  address.sin_addr.s_addr = htonl(endpoint.address);
  return address;
}

Endpoint from_sockaddr(const sockaddr_in& address) {
  return {ntohl(address.sin_addr.s_addr), ntohs(address.sin_port)};
}

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + system_message(error));
}

Status set_option(int fd, int level, int name, int value, const char* what) {
  if (::setsockopt(fd, level, name, &value, sizeof value) == 0) return {};
  return failure(errno, what);
}

// An ICMP error that was reported leaves a copy behind, which would keep poll() from ever sleeping again.
void drain_error_queue([[maybe_unused]] int fd) noexcept {
#ifdef __linux__
  std::array<uint8_t, 512> control;
  uint8_t sink = 0;
  iovec part{&sink, 1};
  for (;;) {
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
  }
#endif
}

// Milliseconds for poll(), rounded up: waking a little late is better than spinning through the last one.
int poll_timeout(uint64_t deadline_ns) {
  const uint64_t now = SteadyClock::instance().now_ns();
  if (deadline_ns <= now) return 0;
  return static_cast<int>(std::min<uint64_t>((deadline_ns - now + kNsPerMs - 1) / kNsPerMs, INT_MAX));
}

}  // namespace

Result<UdpSocket> UdpSocket::open() {
#ifdef __linux__
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return failure(errno, "opening a UDP socket");
#else
  const int fd = ::socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0) return failure(errno, "opening a UDP socket");
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, O_NONBLOCK);
#endif
  return UdpSocket(fd);
}

void UdpSocket::close_native() noexcept { ::close(fd_); }

Status UdpSocket::bind(Endpoint local) {
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  return failure(errno, "binding to " + to_string(local));
}

Status UdpSocket::bind_to_device(const std::string& name) {
#if defined(__linux__)
  // Since Linux 5.7 without privilege, as long as the socket is not bound to a device yet.
  if (::setsockopt(fd_, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(), static_cast<socklen_t>(name.size() + 1)) ==
      0) {
    return {};
  }
  return failure(errno, "pinning a socket to " + name);
#elif defined(IP_BOUND_IF)
  return set_option(fd_, IPPROTO_IP, IP_BOUND_IF, static_cast<int>(if_nametoindex(name.c_str())),
                    "IP_BOUND_IF");
#else
  return failure(ENOTSUP, "pinning a socket to " + name);
#endif
}

Status UdpSocket::set_broadcast(bool on) {
  return set_option(fd_, SOL_SOCKET, SO_BROADCAST, on, "SO_BROADCAST");
}

Status UdpSocket::set_reuse_address(bool on) {
  return set_option(fd_, SOL_SOCKET, SO_REUSEADDR, on, "SO_REUSEADDR");
}

Result<size_t> UdpSocket::set_receive_buffer(size_t bytes, bool* beyond_limit) {
  const int wish = static_cast<int>(std::min<size_t>(bytes, INT_MAX / 2));
  bool forced = false;
#ifdef SO_RCVBUFFORCE
  // Goes beyond net.core.rmem_max where the process may; where it may not, the plain option is what is left.
  forced = ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &wish, sizeof wish) == 0;
#endif
  if (beyond_limit != nullptr) *beyond_limit = forced;
  if (!forced) {
    const Status status = set_option(fd_, SOL_SOCKET, SO_RCVBUF, wish, "SO_RCVBUF");
    if (!status.ok()) return status;
  }
  int granted = 0;
  socklen_t size = sizeof granted;
  if (::getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &granted, &size) != 0)
    return failure(errno, "reading SO_RCVBUF");
#ifdef __linux__
  granted /= 2;
#endif
  return static_cast<size_t>(granted);
}

Status UdpSocket::set_busy_poll([[maybe_unused]] uint32_t microseconds) {
#ifdef SO_BUSY_POLL
  return set_option(fd_, SOL_SOCKET, SO_BUSY_POLL, static_cast<int>(microseconds), "SO_BUSY_POLL");
#else
  return failure(ENOTSUP, "SO_BUSY_POLL");
#endif
}

Status UdpSocket::set_dont_fragment(bool on) {
#if defined(__linux__)
  return set_option(fd_, IPPROTO_IP, IP_MTU_DISCOVER, on ? IP_PMTUDISC_DO : IP_PMTUDISC_DONT,
                    "IP_MTU_DISCOVER");
#elif defined(IP_DONTFRAG)
  return set_option(fd_, IPPROTO_IP, IP_DONTFRAG, on, "IP_DONTFRAG");
#else
  return failure(ENOTSUP, "don't-fragment");
#endif
}

Status UdpSocket::report_icmp_errors([[maybe_unused]] bool on) {
#ifdef __linux__
  return set_option(fd_, IPPROTO_IP, IP_RECVERR, on, "IP_RECVERR");
#else
  return failure(ENOTSUP, "ICMP errors");
#endif
}

Status UdpSocket::report_fragments([[maybe_unused]] bool on) {
#ifdef __linux__
  return set_option(fd_, IPPROTO_IP, IP_RECVFRAGSIZE, on, "IP_RECVFRAGSIZE");
#else
  return failure(ENOTSUP, "fragment sizes");
#endif
}

Status UdpSocket::connect(Endpoint peer) {
  const sockaddr_in address = to_sockaddr(peer);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  return failure(errno, "no way to " + to_string(peer));
}

Status UdpSocket::join_multicast(uint32_t group, uint32_t interface_address) {
  ip_mreq request{};
  request.imr_multiaddr.s_addr = htonl(group);
  request.imr_interface.s_addr = htonl(interface_address);
  if (::setsockopt(fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0) return {};
  return failure(errno, "joining multicast group " + address_to_string(group));
}

Result<Endpoint> UdpSocket::local_endpoint() const {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return failure(errno, "asking for the socket's own address");
  }
  return from_sockaddr(address);
}

int UdpSocket::send_raw(ConstBytes data, Endpoint to) noexcept {
  const sockaddr_in address = to_sockaddr(to);
  for (;;) {
    const ssize_t sent = ::sendto(fd_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&address), sizeof address);
    if (sent >= 0) return 0;
    if (errno != EINTR) return errno;
  }
}

Status UdpSocket::send_via(ConstBytes data, Endpoint to, [[maybe_unused]] int interface_index,
                           [[maybe_unused]] uint32_t from_address) {
#ifdef __linux__
  sockaddr_in address = to_sockaddr(to);
  iovec part{const_cast<uint8_t*>(data.data()), data.size()};
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(in_pktinfo))> control{};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IP;
  header->cmsg_type = IP_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
  in_pktinfo info{};
  info.ipi_ifindex = interface_index;
  info.ipi_spec_dst.s_addr = htonl(from_address);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
  for (;;) {
    if (::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return failure(errno, "sending to " + to_string(to));
  }
#else
  return send_to(data, to);
#endif
}

Status UdpSocket::send(ConstBytes data) {
  for (;;) {
    if (::send(fd_, data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return {};
    if (errno != EINTR) return failure(errno, "sending");
  }
}

Result<size_t> UdpSocket::receive(MutableBytes buffer, ReceiveInfo* info, uint64_t deadline_ns,
                                  const Waker* waker) {
  for (bool waited_before = false;; waited_before = true) {
    sockaddr_in source{};
    iovec part{buffer.data(), buffer.size()};
    alignas(cmsghdr) std::array<uint8_t, 128> control;
    msghdr message{};
    message.msg_name = &source;
    message.msg_namelen = sizeof source;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd_, &message, MSG_DONTWAIT);
    if (got >= 0) {
      if (info != nullptr) {
        *info = {from_sockaddr(source), 0, (message.msg_flags & MSG_TRUNC) != 0};
#ifdef __linux__
        for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
          if (c->cmsg_level != IPPROTO_IP || c->cmsg_type != IP_RECVFRAGSIZE) continue;
          int size = 0;
          std::memcpy(&size, CMSG_DATA(c), sizeof size);
          info->fragment_size = static_cast<uint32_t>(size);
        }
#endif
      }
      return static_cast<size_t>(got);
    }
    const int error = errno;
    if (error != EAGAIN && error != EWOULDBLOCK && error != EINTR) {
      drain_error_queue(fd_);
      return failure(error, "receiving");
    }
    if (waited_before) {
      // Woken for nothing: an ICMP error that a send has already been told of still makes poll() come back at
      // once.
      drain_error_queue(fd_);
      if (poll_timeout(deadline_ns) == 0) return Status::error(Errc::kTimeout, {});
    }
    const UdpSocket* const self = this;
    bool readable = false;
    Status waited = wait_readable({&self, 1}, {&readable, 1}, deadline_ns, waker);
    if (!waited.ok()) return waited;
  }
}

Status wait_readable(std::span<const UdpSocket* const> sockets, std::span<bool> readable,
                     uint64_t deadline_ns, const Waker* waker) {
  std::vector<pollfd> waiting;
  waiting.reserve(sockets.size() + 1);
  for (const UdpSocket* socket : sockets) waiting.push_back({socket->fd(), POLLIN, 0});
  if (waker != nullptr) waiting.push_back({waker->fd(), POLLIN, 0});
  for (;;) {
    const int timeout = poll_timeout(deadline_ns);
    const int count = ::poll(waiting.data(), static_cast<nfds_t>(waiting.size()), timeout);
    if (count < 0 && errno != EINTR) return failure(errno, "waiting for datagrams");
    if (count < 0) continue;
    if (waker != nullptr && waiting.back().revents != 0) return Status::error(Errc::kCanceled, {});
    // POLLERR counts as readable: receive() fetches the error.
    for (size_t i = 0; i < sockets.size(); ++i) readable[i] = waiting[i].revents != 0;
    if (count > 0) return {};
    if (poll_timeout(deadline_ns) == 0) return Status::error(Errc::kTimeout, {});
  }
}

}  // namespace gw
