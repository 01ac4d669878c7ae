// UDP sockets of Windows, and their errors as those of everybody else. Purpose: the core speaks errno.
// Thread: any. Windows only.
#pragma once

#include <string>

#include "base/status.h"
#include "net/native_socket.h"

namespace gw {

// Non-blocking, not inherited, told of no ICMP errors; fit for registered I/O. kNoSocket:
// last_socket_error().
NativeSocket open_udp_socket() noexcept;
// Whether a datagram that met a port where nobody listens makes the next receive fail.
bool report_resets(NativeSocket socket, bool on) noexcept;

int errno_of(int winsock_error) noexcept;        // EIO for what has no counterpart
int last_socket_error() noexcept;                // of the calling thread, as an errno
Status socket_failure(const std::string& what);  // with it

}  // namespace gw
