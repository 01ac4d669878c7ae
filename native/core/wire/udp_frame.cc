#include "wire/udp_frame.h"

#include <algorithm>
#include <bit>

namespace gw::frame {

namespace {

constexpr uint16_t kIpv4 = 0x0800;
constexpr uint16_t kVlan = 0x8100;
constexpr uint16_t kServiceVlan = 0x88A8;
constexpr uint16_t kVlanId = 0x0FFF;
constexpr uint8_t kUdp = 17;
constexpr uint16_t kMoreFragments = 0x2000;
constexpr uint16_t kFragmentOffset = 0x1FFF;
constexpr int kMostTags = 2;

uint16_t fold(uint64_t sum) {
  while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

// Where the IPv4 header begins; 0: this is no such frame. A tag that names a VLAN makes it somebody else's.
size_t ipv4_offset(ConstBytes bytes) {
  if (bytes.size() < kEthernetHeader) return 0;
  size_t at = kEthernetHeader;
  uint16_t type = load_be16(bytes.data() + at - 2);
  for (int tag = 0; tag < kMostTags && (type == kVlan || type == kServiceVlan); ++tag) {
    if (bytes.size() < at + 4 || (load_be16(bytes.data() + at) & kVlanId) != 0) return 0;
    type = load_be16(bytes.data() + at + 2);
    at += 4;
  }
  return type == kIpv4 ? at : 0;
}

bool checksum_right(const Frame& frame, ConstBytes datagram, Checksum checksum) {
  const uint16_t given = load_be16(datagram.data() + 6);
  if (given == 0 || checksum == Checksum::kDone) return true;
  const uint16_t pseudo =
      fold(uint64_t{frame.source_address >> 16} + (frame.source_address & 0xFFFF) +
           (frame.destination_address >> 16) + (frame.destination_address & 0xFFFF) + kUdp + datagram.size());
  if (ones_complement_sum(datagram, pseudo) == 0xFFFF) return true;
  return checksum == Checksum::kPending && given == pseudo;
}

}  // namespace

uint16_t ones_complement_sum(ConstBytes bytes, uint32_t start) {
  // The sum does not mind the order of bytes, as long as the result is read in the same order.
  const uint8_t* p = bytes.data();
  size_t left = bytes.size();
  uint64_t sum = 0;
  for (; left >= 4; p += 4, left -= 4) {
    uint32_t word;
    std::memcpy(&word, p, sizeof word);
    sum += word;
  }
  uint32_t last = 0;
  if (left > 0) std::memcpy(&last, p, left);
  const uint16_t folded = fold(sum + last);
  const auto in_order =
      std::endian::native == std::endian::little ? static_cast<uint16_t>(folded << 8 | folded >> 8) : folded;
  return fold(uint64_t{in_order} + start);
}

Frame parse(ConstBytes bytes, Checksum checksum) {
  Frame frame;
  const size_t at = ipv4_offset(bytes);
  if (at == 0) return frame;
  const ConstBytes ip = bytes.subspan(at);
  if (ip.size() < kIpHeader || ip[0] >> 4 != 4 || ip[9] != kUdp) return frame;
  frame.source_address = load_be32(ip.data() + 12);
  frame.destination_address = load_be32(ip.data() + 16);
  frame.kind = Kind::kDamaged;
  const size_t header = static_cast<size_t>(ip[0] & 0x0F) * 4;
  const size_t total = load_be16(ip.data() + 2);
  if (header < kIpHeader || ip.size() < header || total < header) return frame;
  if (ones_complement_sum(ip.first(header)) != 0xFFFF) return frame;
  const uint16_t fragment = load_be16(ip.data() + 6);
  const bool first = (fragment & kFragmentOffset) == 0;
  if (first && ip.size() >= header + kUdpHeader) {
    frame.source_port = load_be16(ip.data() + header);
    frame.destination_port = load_be16(ip.data() + header + 2);
  }
  if (!first || (fragment & kMoreFragments) != 0) {
    frame.kind = Kind::kFragment;
    return frame;
  }
  if (ip.size() < header + kUdpHeader) return frame;
  const size_t length = load_be16(ip.data() + header + 4);
  if (length < kUdpHeader || length > total - header) return frame;
  const ConstBytes here = ip.subspan(header, std::min(length, ip.size() - header));
  frame.cut = here.size() < length;
  frame.payload_offset = static_cast<uint32_t>(at + header + kUdpHeader);
  frame.payload_size = static_cast<uint32_t>(here.size() - kUdpHeader);
  if (frame.cut || checksum_right(frame, here, checksum)) frame.kind = Kind::kDatagram;
  return frame;
}

}  // namespace gw::frame
