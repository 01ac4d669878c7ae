// Classic BPF: what the kernel lets through. Purpose: a packet socket gets this stream's packets only; the
// stream's UDP socket none while another engine takes them. Thread: any. Needs no privilege.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "net/socket.h"

namespace gw {

// For a packet socket on a link with Ethernet headers: UDP over IPv4 from camera_address to `local` that the
// IP stack would take, first fragments included, without what this machine sends.
std::vector<sock_filter> stream_filter(uint32_t camera_address, const Endpoint& local);
// What was queued before stays queued.
Status attach_filter(int socket, const std::vector<sock_filter>& filter);

// A UDP socket that gets nothing any more; each packet that would have reached it counts as a drop.
Status drop_everything(int udp_socket);
// The end of that.
void drop_nothing(int udp_socket);
// Throws away what was queued before. Not while somebody fills it.
void empty_queue(int udp_socket);
// Packets that the kernel dropped at this socket so far; wraps. False: it does not say (before Linux 4.12).
bool socket_drops(int udp_socket, uint32_t& drops);

}  // namespace gw
