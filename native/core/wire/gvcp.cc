#include "wire/gvcp.h"

#include <algorithm>

namespace gw::gvcp {

const char* status_name(uint16_t status) {
  switch (status) {
    case 0x0000:
      return "SUCCESS";
    case 0x0100:
      return "PACKET_RESEND";
    case 0x8001:
      return "NOT_IMPLEMENTED";
    case 0x8002:
      return "INVALID_PARAMETER";
    case 0x8003:
      return "INVALID_ADDRESS";
    case 0x8004:
      return "WRITE_PROTECT";
    case 0x8005:
      return "BAD_ALIGNMENT";
    case 0x8006:
      return "ACCESS_DENIED";
    case 0x8007:
      return "BUSY";
    case 0x8008:
      return "LOCAL_PROBLEM";
    case 0x8009:
      return "MSG_MISMATCH";
    case 0x800A:
      return "INVALID_PROTOCOL";
    case 0x800B:
      return "NO_MSG";
    case 0x800C:
      return "PACKET_UNAVAILABLE";
    case 0x800D:
      return "DATA_OVERRUN";
    case 0x800E:
      return "INVALID_HEADER";
    case 0x800F:
      return "WRONG_CONFIG";
    case 0x8010:
      return "PACKET_NOT_YET_AVAILABLE";
    case 0x8011:
      return "PACKET_AND_PREV_REMOVED_FROM_MEMORY";
    case 0x8012:
      return "PACKET_REMOVED_FROM_MEMORY";
    case 0x8013:
      return "NO_REF_TIME";
    case 0x8014:
      return "PACKET_TEMPORARILY_UNAVAILABLE";
    case 0x8015:
      return "OVERFLOW";
    case 0x8016:
      return "ACTION_LATE";
    case 0x8017:
      return "LEADER_TRAILER_OVERFLOW";
    case 0x8FFF:
      return "ERROR";
    default:
      return "UNKNOWN";
  }
}

std::optional<CommandHeader> parse_command(ConstBytes datagram) {
  if (datagram.size() < kHeaderSize || datagram[0] != kKey) return std::nullopt;
  CommandHeader header{datagram[1], load_be16(&datagram[2]), load_be16(&datagram[4]),
                       load_be16(&datagram[6])};
  if (datagram.size() - kHeaderSize < header.length) return std::nullopt;
  return header;
}

std::optional<AckHeader> parse_ack(ConstBytes datagram) {
  // A status begins with 0x00, 0x01, 0x80 or 0x8F; the key of a command does not.
  if (datagram.size() < kHeaderSize || datagram[0] == kKey) return std::nullopt;
  AckHeader header{load_be16(&datagram[0]), load_be16(&datagram[2]), load_be16(&datagram[4]),
                   load_be16(&datagram[6])};
  if (datagram.size() - kHeaderSize < header.length) return std::nullopt;
  return header;
}

void write_command(MutableBytes out, const CommandHeader& header) {
  out[0] = kKey;
  out[1] = header.flags;
  store_be16(&out[2], header.command);
  store_be16(&out[4], header.length);
  store_be16(&out[6], header.req_id);
}

void write_ack(MutableBytes out, const AckHeader& header) {
  store_be16(&out[0], header.status);
  store_be16(&out[2], header.command);
  store_be16(&out[4], header.length);
  store_be16(&out[6], header.ack_id);
}

std::string read_text(ConstBytes field) {
  std::string text;
  for (const uint8_t c : field) {
    if (c == 0) break;
    text.push_back(c < 0x20 || c == 0x7F ? '?' : static_cast<char>(c));
  }
  return text;
}

void write_text(MutableBytes field, const std::string& text) {
  std::fill(field.begin(), field.end(), uint8_t{0});
  std::copy_n(text.begin(), std::min(text.size(), field.size()), field.begin());
}

std::optional<Discovery> parse_discovery(ConstBytes p) {
  if (p.size() < kDiscoveryAckSize) return std::nullopt;
  Discovery device;
  device.spec_major = load_be16(&p[0]);
  device.spec_minor = load_be16(&p[2]);
  device.device_mode = load_be32(&p[4]);
  std::copy_n(&p[10], 6, device.mac.begin());
  device.ip_config_supported = load_be32(&p[16]);
  device.ip_config_current = load_be32(&p[20]);
  device.address = load_be32(&p[36]);
  device.subnet_mask = load_be32(&p[52]);
  device.gateway = load_be32(&p[68]);
  device.manufacturer = read_text(p.subspan(72, 32));
  device.model = read_text(p.subspan(104, 32));
  device.version = read_text(p.subspan(136, 32));
  device.manufacturer_info = read_text(p.subspan(168, 48));
  device.serial = read_text(p.subspan(216, 16));
  device.user_name = read_text(p.subspan(232, 16));
  return device;
}

void write_discovery(MutableBytes out, const Discovery& device) {
  std::fill_n(out.begin(), kDiscoveryAckSize, uint8_t{0});
  store_be16(&out[0], device.spec_major);
  store_be16(&out[2], device.spec_minor);
  store_be32(&out[4], device.device_mode);
  std::copy(device.mac.begin(), device.mac.end(), &out[10]);
  store_be32(&out[16], device.ip_config_supported);
  store_be32(&out[20], device.ip_config_current);
  store_be32(&out[36], device.address);
  store_be32(&out[52], device.subnet_mask);
  store_be32(&out[68], device.gateway);
  write_text(out.subspan(72, 32), device.manufacturer);
  write_text(out.subspan(104, 32), device.model);
  write_text(out.subspan(136, 32), device.version);
  write_text(out.subspan(168, 48), device.manufacturer_info);
  write_text(out.subspan(216, 16), device.serial);
  write_text(out.subspan(232, 16), device.user_name);
}

std::optional<ForceIp> parse_force_ip(ConstBytes p) {
  if (p.size() < kForceIpSize) return std::nullopt;
  ForceIp force;
  std::copy_n(&p[2], 6, force.mac.begin());
  force.address = load_be32(&p[20]);
  force.subnet_mask = load_be32(&p[36]);
  force.gateway = load_be32(&p[52]);
  return force;
}

void write_force_ip(MutableBytes out, const ForceIp& force) {
  std::fill_n(out.begin(), kForceIpSize, uint8_t{0});
  std::copy(force.mac.begin(), force.mac.end(), &out[2]);
  store_be32(&out[20], force.address);
  store_be32(&out[36], force.subnet_mask);
  store_be32(&out[52], force.gateway);
}

size_t write_resend(MutableBytes out, const Resend& resend, uint16_t req_id) {
  constexpr uint32_t kLow24 = 0x00FFFFFF;
  const uint16_t length = resend.extended ? 20 : 12;
  write_command(out,
                {static_cast<uint8_t>(resend.extended ? kExtendedIds : 0), kPacketResendCmd, length, req_id});
  uint8_t* p = &out[kHeaderSize];
  store_be16(p, resend.channel);
  if (resend.extended) {
    store_be16(p + 2, 0);
    store_be32(p + 4, resend.first_packet);
    store_be32(p + 8, resend.last_packet);
    store_be64(p + 12, resend.block_id);
  } else {
    store_be16(p + 2, static_cast<uint16_t>(resend.block_id));
    store_be32(p + 4, resend.first_packet & kLow24);
    store_be32(p + 8, resend.last_packet & kLow24);
  }
  return kHeaderSize + length;
}

std::optional<Resend> parse_resend(ConstBytes p, uint8_t flags) {
  constexpr uint32_t kLow24 = 0x00FFFFFF;
  Resend resend;
  resend.extended = (flags & kExtendedIds) != 0;
  if (p.size() < (resend.extended ? 20U : 12U)) return std::nullopt;
  resend.channel = load_be16(&p[0]);
  resend.first_packet = load_be32(&p[4]);
  resend.last_packet = load_be32(&p[8]);
  if (resend.extended) {
    resend.block_id = load_be64(&p[12]);
  } else {
    resend.block_id = load_be16(&p[2]);
    resend.first_packet &= kLow24;
    resend.last_packet &= kLow24;
    if (resend.last_packet == kLow24) resend.last_packet = kToEnd;
  }
  return resend;
}

}  // namespace gw::gvcp
