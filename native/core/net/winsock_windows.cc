#include <winsock2.h>
// after it
#include <mswsock.h>

#include <cerrno>

#include "base/system_message.h"
#include "net/winsock.h"

namespace gw {

namespace {

bool start_winsock() noexcept {
  static const int error = [] {
    WSADATA data;
    return ::WSAStartup(MAKEWORD(2, 2), &data);
  }();
  if (error != 0) ::WSASetLastError(error);
  return error == 0;
}

}  // namespace

NativeSocket open_udp_socket() noexcept {
  if (!start_winsock()) return kNoSocket;
  // Registered I/O must be foreseen from the beginning; such a socket serves ordinary calls as well.
  constexpr DWORD kFlags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
  SOCKET fd = ::WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0, kFlags | WSA_FLAG_REGISTERED_IO);
  if (fd == INVALID_SOCKET) fd = ::WSASocketW(AF_INET, SOCK_DGRAM, IPPROTO_UDP, nullptr, 0, kFlags);
  u_long on = 1;
  if (fd == INVALID_SOCKET || ::ioctlsocket(fd, static_cast<long>(FIONBIO), &on) == 0) {
    if (fd != INVALID_SOCKET) report_resets(fd, false);
    return fd;
  }
  const int error = ::WSAGetLastError();
  ::closesocket(fd);
  ::WSASetLastError(error);
  return kNoSocket;
}

bool report_resets(NativeSocket socket, bool on) noexcept {
  BOOL value = on ? TRUE : FALSE;
  DWORD size = 0;
  return ::WSAIoctl(socket, SIO_UDP_CONNRESET, &value, sizeof value, nullptr, 0, &size, nullptr, nullptr) ==
         0;
}

int errno_of(int winsock_error) noexcept {
  switch (winsock_error) {
    case WSAEACCES:
      return EACCES;
    case WSAEADDRINUSE:
      return EADDRINUSE;
    case WSAEADDRNOTAVAIL:
      return EADDRNOTAVAIL;
    case WSAEAFNOSUPPORT:
      return EAFNOSUPPORT;
    case WSAEALREADY:
      return EALREADY;
    // Of a UDP socket: an earlier datagram met a port where nobody listens.
    case WSAECONNRESET:
    case WSAECONNREFUSED:
      return ECONNREFUSED;
    case WSAEFAULT:
      return EFAULT;
    case WSAEHOSTUNREACH:
      return EHOSTUNREACH;
    case WSAEINTR:
      return EINTR;
    case WSAEINVAL:
      return EINVAL;
    case WSAEMFILE:
      return EMFILE;
    case WSAEMSGSIZE:
      return EMSGSIZE;
    case WSAENETDOWN:
      return ENETDOWN;
    case WSAENETRESET:
      return ENETRESET;
    case WSAENETUNREACH:
      return ENETUNREACH;
    case WSAENOBUFS:
      return ENOBUFS;
    case WSAENOPROTOOPT:
      return ENOPROTOOPT;
    case WSAENOTCONN:
      return ENOTCONN;
    case WSAENOTSOCK:
      return EBADF;
    case WSAEOPNOTSUPP:
      return EOPNOTSUPP;
    case WSAETIMEDOUT:
      return ETIMEDOUT;
    case WSAEWOULDBLOCK:
      return EAGAIN;
    case WSA_NOT_ENOUGH_MEMORY:
      return ENOMEM;
    default:
      return EIO;
  }
}

int last_socket_error() noexcept { return errno_of(::WSAGetLastError()); }

Status socket_failure(const std::string& what) {
  const int error = last_socket_error();
  return Status::system(error, what + ": " + system_message(error));
}

}  // namespace gw
