// Packet-size negotiation. Purpose: the largest stream packet that arrives whole, found by the camera's test
// packets with don't-fragment, and the opening of stateful firewalls on the way.
//
// Thread: any; blocks the caller. The stream socket must not be read by anyone else meanwhile.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/status.h"
#include "base/waker.h"
#include "control/control_channel.h"
#include "net/socket.h"

namespace gw {

struct StreamChannel {
  uint32_t channel = 0;
  Endpoint destination;         // as written to SCDA and SCP
  uint16_t source_port = 0;     // SCSP; 0: the camera does not tell
  bool scsp_supported = false;  // by capability 0x92C
};

// SCDA, then SCP (closing first what is open), then reads SCSP. destination: where the camera shall send.
Result<StreamChannel> open_stream_channel(ControlChannel& control, uint32_t channel, Endpoint destination);
Status close_stream_channel(ControlChannel& control, uint32_t channel);  // SCP = 0

// One datagram from the stream socket to the camera's source port: opens stateful firewalls, and keeps them
// open when repeated about every 10 s. Any thread; never blocks.
void punch(UdpSocket& stream_socket, Endpoint source) noexcept;

enum class PacketSizeLimit : uint8_t { kInterfaceMtu, kPath, kCamera, kOption };
const char* packet_size_limit_name(PacketSizeLimit limit);  // "interface-mtu", "path", "camera", "option"

struct NegotiationOptions {
  uint32_t channel = 0;
  uint32_t interface_mtu =
      0;                      // of the NIC that receives; never believed beyond what the system says; 0: that
  uint32_t min = 0, max = 0;  // the user's wish; 0: none
  uint32_t camera_min = 0, camera_max = 0;  // from the camera's description; 0: unknown
  uint32_t increment = 4;
  uint32_t timeout_ms = 500;  // for one test packet, until the first has shown how long they take
  int tries = 3;              // for each size
  bool send_punch = true;
  bool dont_fragment = true;  // false: to learn whether a size comes in fragments; not for streaming
  uint32_t destination =
      0;  // written to SCDA when the channel is not open yet; 0: the control channel's address
};

struct PacketSizeAttempt {
  uint32_t size = 0;  // asked for
  bool arrived = false;
  double ms = 0;             // until it came, or was given up
  uint32_t actual = 0;       // size that came (IP and UDP headers included); 0: none
  bool fragmented = false;   // came in fragments: does not count
  uint16_t gvcp_status = 0;  // the camera refused the value
  int fired = 0;             // test packets asked for
};

struct PacketSizeResult {
  Status status;             // kNegotiation: nothing arrived at any size; former values are restored
  uint32_t packet_size = 0;  // what SCPS now says (proven by a test packet)
  uint32_t previous = 0;     // what it said before
  PacketSizeLimit limited_by = PacketSizeLimit::kInterfaceMtu;
  std::vector<PacketSizeAttempt> tried;
  bool punched = false;  // punch datagrams were sent
  double ms = 0;
  uint16_t scsp = 0;                // SCSP register
  Endpoint source;                  // where test packets came from: punch this from now on; port 0: unknown
  bool opened_channel = false;      // SCDA and SCP were not set and are now (on success)
  bool dont_fragment_kept = false;  // the camera's register kept the DF bit
  bool fragment_check = false;      // this system can tell fragments
  bool fires_once = false;  // stopped sending test packets after the first: nothing larger could be proven
  uint64_t foreign = 0;     // datagrams from elsewhere on the stream socket
};

PacketSizeResult negotiate_packet_size(ControlChannel& control, UdpSocket& stream_socket,
                                       const NegotiationOptions& options,
                                       const CancelToken* cancel = nullptr);

}  // namespace gw
