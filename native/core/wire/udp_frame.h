// Ethernet, VLAN, IPv4 and UDP headers, as engines below the IP stack get them. Purpose: what the stack would
// have checked before a socket sees the datagram is checked here, with the same outcome; fragments are told
// apart and never taken for datagrams. Thread: any (pure functions).
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace gw::frame {

constexpr size_t kEthernetHeader = 14;
constexpr size_t kIpHeader = 20;  // without options
constexpr size_t kUdpHeader = 8;

enum class Kind : uint8_t {
  kOther,     // nothing that a UDP socket without VLAN would get
  kDatagram,  // whole, unless it is `cut`
  kFragment,  // of a datagram; ports are known of the first one only
  kDamaged,   // lengths that contradict each other, or a wrong checksum
};

// What is known of the UDP checksum.
enum class Checksum : uint8_t {
  kUnknown,  // it is computed here
  kPending,  // likewise, but packets of this very machine may have it not filled in yet
  kDone,     // somebody below has verified it, or there is no wire that could have damaged it
};

struct Frame {
  Kind kind = Kind::kOther;
  bool cut = false;  // not all of it is here; its checksum is not known then
  uint16_t source_port = 0;
  uint16_t destination_port = 0;
  uint32_t source_address = 0;  // host order
  uint32_t destination_address = 0;
  uint32_t payload_offset = 0;  // of the UDP payload in the frame; what follows it is padding
  uint32_t payload_size = 0;    // bytes that are here
};

// bytes: from the destination's hardware address on, without the frame check sequence.
Frame parse(ConstBytes bytes, Checksum checksum);

// Sum of 16-bit words, as RFC 1071 has it, not complemented; an odd last byte counts as followed by zero.
uint16_t ones_complement_sum(ConstBytes bytes, uint32_t start = 0);

}  // namespace gw::frame
