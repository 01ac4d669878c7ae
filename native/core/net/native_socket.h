// The system's own name of a socket. Purpose: a file descriptor on POSIX systems, a SOCKET on Windows,
// without the system's headers. Thread: any.
#pragma once

#include <cstdint>

namespace gw {

#ifdef _WIN32
using NativeSocket = uintptr_t;
constexpr NativeSocket kNoSocket = ~NativeSocket{0};  // INVALID_SOCKET
#else
using NativeSocket = int;
constexpr NativeSocket kNoSocket = -1;
#endif

}  // namespace gw
