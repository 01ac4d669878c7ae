// Ethernet frames for tests, built without the code under test. Purpose: UDP over IPv4 with whatever a test
// wants to be wrong about it. Thread: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace gw::test {

struct FrameOptions {
  std::vector<uint16_t> tags = {};  // VLAN ids, outermost first
  uint8_t ip_options = 0;           // words
  uint16_t fragment = 0;            // flags and offset
  bool udp_checksum = true;
  std::size_t padding = 0;
  uint32_t source = 0xC0A80002;
  uint32_t destination = 0xC0A80001;
  uint16_t source_port = 20202;
  uint16_t destination_port = 5000;
};

using Bytes = std::vector<uint8_t>;

inline void put16(Bytes& out, uint32_t value) {
  out.push_back(static_cast<uint8_t>(value >> 8));
  out.push_back(static_cast<uint8_t>(value));
}
inline void put32(Bytes& out, uint32_t value) {
  put16(out, value >> 16);
  put16(out, value);
}

// The Internet checksum the plain way: word by word.
inline uint16_t plain_checksum(const Bytes& bytes) {
  uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | (i + 1 < bytes.size() ? bytes[i + 1] : 0));
    sum = (sum & 0xFFFF) + (sum >> 16);
  }
  return static_cast<uint16_t>(~sum);
}

inline Bytes build_frame(const Bytes& payload, const FrameOptions& options = {}) {
  Bytes frame{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  for (const uint16_t tag : options.tags) {
    put16(frame, 0x8100);
    put16(frame, tag);
  }
  put16(frame, 0x0800);

  Bytes udp;
  put16(udp, options.source_port);
  put16(udp, options.destination_port);
  put16(udp, static_cast<uint32_t>(8 + payload.size()));
  put16(udp, 0);
  udp.insert(udp.end(), payload.begin(), payload.end());
  if (options.udp_checksum) {
    Bytes summed;
    put32(summed, options.source);
    put32(summed, options.destination);
    put16(summed, 17);
    put16(summed, static_cast<uint32_t>(udp.size()));
    summed.insert(summed.end(), udp.begin(), udp.end());
    uint16_t sum = plain_checksum(summed);
    if (sum == 0) sum = 0xFFFF;
    udp[6] = static_cast<uint8_t>(sum >> 8);
    udp[7] = static_cast<uint8_t>(sum);
  }

  Bytes ip{static_cast<uint8_t>(0x45 + options.ip_options), 0};
  put16(ip, static_cast<uint32_t>(20 + 4 * options.ip_options + udp.size()));
  put16(ip, 0x1234);
  put16(ip, options.fragment);
  put16(ip, 64 << 8 | 17);
  put16(ip, 0);
  put32(ip, options.source);
  put32(ip, options.destination);
  for (int i = 0; i < options.ip_options; ++i) put32(ip, 0x01010101);  // no operation
  const uint16_t sum = plain_checksum(ip);
  ip[10] = static_cast<uint8_t>(sum >> 8);
  ip[11] = static_cast<uint8_t>(sum);

  frame.insert(frame.end(), ip.begin(), ip.end());
  frame.insert(frame.end(), udp.begin(), udp.end());
  frame.insert(frame.end(), options.padding, 0xEE);
  return frame;
}

}  // namespace gw::test
