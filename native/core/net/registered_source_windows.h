// Packets by registered I/O. Purpose: the kernel writes datagrams into memory that is locked for it
// beforehand, and their completions are read without a system call. Thread: read() on the receive thread;
// interrupt() any. Owner: the stream.
#pragma once

#include <memory>

#include "net/packet_source.h"
#include "net/registered_io_windows.h"
#include "net/udp_source.h"

namespace gw {

// The system's functions; nullptr where it has none.
const rio::Functions* find_registered_io();

// nullptr: this socket cannot. The memory stays with the socket: the kernel may write to it until that is
// closed.
std::unique_ptr<PacketSource> make_registered_source(UdpSocket& socket, const UdpSourceOptions& options,
                                                     const rio::Functions& functions);

// Whether it really brings what was sent, from whom it came, and wakes up: tried once on the loopback.
bool registered_io_proves_itself(const rio::Functions& functions);

}  // namespace gw
