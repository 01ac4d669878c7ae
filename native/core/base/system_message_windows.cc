// base/system_message.h for Windows, whose C library calls every network error unknown.
#include <cerrno>
#include <system_error>

#include "base/system_message.h"

namespace gw {

std::string system_message(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the address is in use";
    case EADDRNOTAVAIL:
      return "no network interface has that address";
    case EAFNOSUPPORT:
      return "the address family is not supported";
    case EALREADY:
      return "that goes on already";
    case ECONNREFUSED:
      return "the connection was refused";
    case EHOSTUNREACH:
      return "there is no way to the host";
    case EMSGSIZE:
      return "the message is too long";
    case ENETDOWN:
      return "the network is down";
    case ENETRESET:
      return "the network dropped the connection";
    case ENETUNREACH:
      return "there is no way to the network";
    case ENOBUFS:
      return "no buffer space is left";
    case ENOPROTOOPT:
    case ENOTSUP:
    case EOPNOTSUPP:
      return "the system cannot do that";
    case ENOTCONN:
      return "the socket is not connected";
    case ENOTSOCK:
      return "that is not a socket";
    case ETIMEDOUT:
      return "it took too long";
    case EWOULDBLOCK:
      return "it would have to wait";
    default:
      return std::generic_category().message(error);
  }
}

}  // namespace gw
