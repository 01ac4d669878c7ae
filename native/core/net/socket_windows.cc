// The system calls behind net/socket.h, for Windows. A socket belongs to the network interface of the address
// that it is bound to (the "strong host model"), so what POSIX systems must be told about interfaces is
// given.
#include <winsock2.h>
#include <ws2tcpip.h>
// after these
#include <iphlpapi.h>
#include <netioapi.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <vector>

#include "base/system_message.h"
#include "base/wait_windows.h"
#include "net/read_event_windows.h"
#include "net/socket.h"
#include "net/winsock.h"

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

Status set_option(SOCKET fd, int level, int name, int value, const char* what) {
  if (::setsockopt(fd, level, name, reinterpret_cast<const char*>(&value), sizeof value) == 0) return {};
  return socket_failure(what);
}

Status unsupported(const char* what) {
  return Status::system(ENOTSUP, std::string(what) + ": " + system_message(ENOTSUP));
}

}  // namespace

Result<UdpSocket> UdpSocket::open() {
  const NativeSocket fd = open_udp_socket();
  if (fd == kNoSocket) return socket_failure("opening a UDP socket");
  return UdpSocket(fd);
}

void UdpSocket::close_native() noexcept { ::closesocket(fd_); }

Status UdpSocket::bind(Endpoint local) {
  const sockaddr_in address = to_sockaddr(local);
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return {};
  Status status = socket_failure("binding to " + to_string(local));
  // What Windows says of a port that another program has to itself.
  if (status.sys_errno == EACCES) status.sys_errno = EADDRINUSE;
  return status;
}

Status UdpSocket::bind_to_device(const std::string& name) {
  // By the name that people see, which is UTF-8 here and UTF-16 there.
  std::array<wchar_t, NDIS_IF_MAX_STRING_SIZE + 1> alias{};
  NET_LUID luid{};
  NET_IFINDEX index = 0;
  if (::MultiByteToWideChar(CP_UTF8, 0, name.c_str(), -1, alias.data(), static_cast<int>(alias.size())) ==
          0 ||
      ::ConvertInterfaceAliasToLuid(alias.data(), &luid) != NO_ERROR ||
      ::ConvertInterfaceLuidToIndex(&luid, &index) != NO_ERROR)
    return Status::system(ENODEV, "pinning a socket to " + name + ": no network interface is called that");
  return set_option(fd_, IPPROTO_IP, IP_UNICAST_IF, static_cast<int>(htonl(index)), "IP_UNICAST_IF");
}

Status UdpSocket::set_broadcast(bool on) {
  return set_option(fd_, SOL_SOCKET, SO_BROADCAST, on, "SO_BROADCAST");
}

Status UdpSocket::set_reuse_address(bool on) {
  return set_option(fd_, SOL_SOCKET, SO_REUSEADDR, on, "SO_REUSEADDR");
}

Result<size_t> UdpSocket::set_receive_buffer(size_t bytes, bool* beyond_limit) {
  if (beyond_limit != nullptr) *beyond_limit = false;
  const Status status = set_option(fd_, SOL_SOCKET, SO_RCVBUF,
                                   static_cast<int>(std::min<size_t>(bytes, INT_MAX / 2)), "SO_RCVBUF");
  if (!status.ok()) return status;
  int granted = 0;
  int size = sizeof granted;
  if (::getsockopt(fd_, SOL_SOCKET, SO_RCVBUF, reinterpret_cast<char*>(&granted), &size) != 0)
    return socket_failure("reading SO_RCVBUF");
  return static_cast<size_t>(granted);
}

Status UdpSocket::set_busy_poll(uint32_t) { return unsupported("busy polling"); }

Status UdpSocket::set_dont_fragment(bool on) {
  return set_option(fd_, IPPROTO_IP, IP_DONTFRAGMENT, on, "IP_DONTFRAGMENT");
}

Status UdpSocket::report_icmp_errors(bool on) {
  return report_resets(fd_, on) ? Status() : socket_failure("SIO_UDP_CONNRESET");
}

Status UdpSocket::report_fragments(bool) { return unsupported("fragment sizes"); }

Status UdpSocket::connect(Endpoint peer) {
  const sockaddr_in address = to_sockaddr(peer);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return socket_failure("no way to " + to_string(peer));
  (void)report_resets(fd_, true);  // as connected sockets do elsewhere
  return {};
}

Status UdpSocket::join_multicast(uint32_t group, uint32_t interface_address) {
  ip_mreq request{};
  request.imr_multiaddr.s_addr = htonl(group);
  request.imr_interface.s_addr = htonl(interface_address);
  if (::setsockopt(fd_, IPPROTO_IP, IP_ADD_MEMBERSHIP, reinterpret_cast<const char*>(&request),
                   sizeof request) == 0)
    return {};
  return socket_failure("joining multicast group " + address_to_string(group));
}

Result<Endpoint> UdpSocket::local_endpoint() const {
  sockaddr_in address{};
  int size = sizeof address;
  if (::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return socket_failure("asking for the socket's own address");
  return from_sockaddr(address);
}

int UdpSocket::send_raw(ConstBytes data, Endpoint to) noexcept {
  const sockaddr_in address = to_sockaddr(to);
  const int sent = ::sendto(fd_, reinterpret_cast<const char*>(data.data()), static_cast<int>(data.size()), 0,
                            reinterpret_cast<const sockaddr*>(&address), sizeof address);
  return sent >= 0 ? 0 : last_socket_error();
}

Status UdpSocket::send_via(ConstBytes data, Endpoint to, int, uint32_t) { return send_to(data, to); }

Status UdpSocket::send(ConstBytes data) {
  if (::send(fd_, reinterpret_cast<const char*>(data.data()), static_cast<int>(data.size()), 0) >= 0)
    return {};
  return socket_failure("sending");
}

Result<size_t> UdpSocket::receive(MutableBytes buffer, ReceiveInfo* info, uint64_t deadline_ns,
                                  const Waker* waker) {
  for (;;) {
    sockaddr_in source{};
    int source_size = sizeof source;
    const int got = ::recvfrom(fd_, reinterpret_cast<char*>(buffer.data()), static_cast<int>(buffer.size()),
                               0, reinterpret_cast<sockaddr*>(&source), &source_size);
    const int error = got >= 0 ? 0 : ::WSAGetLastError();
    if (got >= 0 || error == WSAEMSGSIZE) {
      if (info != nullptr) *info = {from_sockaddr(source), 0, error == WSAEMSGSIZE};
      return got >= 0 ? static_cast<size_t>(got) : buffer.size();
    }
    if (error != WSAEWOULDBLOCK) {
      const int code = errno_of(error);
      return Status::system(code, "receiving: " + system_message(code));
    }
    const UdpSocket* const self = this;
    bool readable = false;
    Status waited = wait_readable({&self, 1}, {&readable, 1}, deadline_ns, waker);
    if (!waited.ok()) return waited;
  }
}

Status wait_readable(std::span<const UdpSocket* const> sockets, std::span<bool> readable,
                     uint64_t deadline_ns, const Waker* waker) {
  const TimedWait timed;
  std::vector<WSAPOLLFD> asked(sockets.size());
  for (;;) {
    // A new one each time: an event that was told of something which is gone again, such as a datagram that
    // turned out damaged, is told of nothing more before somebody receives.
    ReadEvent event;
    for (const UdpSocket* socket : sockets) {
      if (!event.select(socket->fd())) return socket_failure("waiting for datagrams");
    }
    const std::array<void*, 2> handles{event.handle(), waker != nullptr ? waker->handle() : nullptr};
    const int which = timed.wait(std::span(handles).first(waker != nullptr ? 2 : 1), deadline_ns);
    if (which == TimedWait::kFailed) return Status::system(EIO, "waiting for datagrams");
    if (waker != nullptr && ::WaitForSingleObject(waker->handle(), 0) == WAIT_OBJECT_0)
      return Status::error(Errc::kCanceled, {});
    if (which == TimedWait::kTimeCame) return Status::error(Errc::kTimeout, {});
    for (size_t i = 0; i < sockets.size(); ++i) asked[i] = {sockets[i]->fd(), POLLRDNORM, 0};
    const int count = ::WSAPoll(asked.data(), static_cast<ULONG>(asked.size()), 0);
    if (count < 0) return socket_failure("waiting for datagrams");
    // An error counts as readable: receive() fetches it.
    for (size_t i = 0; i < sockets.size(); ++i) readable[i] = asked[i].revents != 0;
    if (count > 0) return {};
  }
}

}  // namespace gw
