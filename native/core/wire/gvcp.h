// GVCP: bytes <-> structs. Purpose: every control message this project sends or understands, as pure
// functions shared by the host side and the simulator. Thread: any. Source: reference page "GigE Vision on
// the wire", section 1.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"

namespace gw::gvcp {

constexpr uint16_t kPort = 3956;
constexpr uint8_t kKey = 0x42;
constexpr size_t kHeaderSize = 8;
constexpr size_t kMaxPayload = 540;  // 576-byte datagram on the IP level less 20 + 8 + 8
constexpr size_t kMaxDatagram = 548;
constexpr size_t kMaxReadRegisters = 135;
constexpr size_t kMaxWriteRegisters = 67;
constexpr size_t kMaxMemoryBlock = 536;
constexpr size_t kMemoryBlock = 512;  // what other hosts use; some cameras dislike the formal maximum
constexpr size_t kDiscoveryAckSize = 248;
constexpr size_t kForceIpSize = 56;

enum Command : uint16_t {
  kDiscoveryCmd = 0x0002,
  kDiscoveryAck = 0x0003,
  kForceIpCmd = 0x0004,
  kForceIpAck = 0x0005,
  kPacketResendCmd = 0x0040,
  kReadRegCmd = 0x0080,
  kReadRegAck = 0x0081,
  kWriteRegCmd = 0x0082,
  kWriteRegAck = 0x0083,
  kReadMemCmd = 0x0084,
  kReadMemAck = 0x0085,
  kWriteMemCmd = 0x0086,
  kWriteMemAck = 0x0087,
  kPendingAck = 0x0089,
  kEventCmd = 0x00C0,
  kEventAck = 0x00C1,
  kEventDataCmd = 0x00C2,
  kEventDataAck = 0x00C3,
  kActionCmd = 0x0100,
  kActionAck = 0x0101,
};

enum Flags : uint8_t {
  kAckRequired = 0x01,
  kAllowBroadcastAck = 0x10,
  kExtendedIds = 0x10,
  kScheduledAction = 0x80
};

enum StatusCode : uint16_t {
  kSuccess = 0x0000,
  kPacketResend = 0x0100,
  kNotImplemented = 0x8001,
  kInvalidParameter = 0x8002,
  kInvalidAddress = 0x8003,
  kWriteProtect = 0x8004,
  kBadAlignment = 0x8005,
  kAccessDenied = 0x8006,
  kBusy = 0x8007,
  kPacketUnavailable = 0x800C,
  kDataOverrun = 0x800D,
  kInvalidHeader = 0x800E,
  kPacketNotYetAvailable = 0x8010,
  kPacketAndPreviousRemoved = 0x8011,
  kPacketRemoved = 0x8012,
  kNoRefTime = 0x8013,
  kPacketTemporarilyUnavailable = 0x8014,
  kOverflow = 0x8015,
  kActionLate = 0x8016,
  kLeaderTrailerOverflow = 0x8017,
  kError = 0x8FFF,
};

constexpr bool is_error(uint16_t status) { return (status & 0x8000) != 0; }
const char* status_name(uint16_t status);  // "ACCESS_DENIED"; "UNKNOWN" for what the page does not list

struct CommandHeader {
  uint8_t flags = kAckRequired;
  uint16_t command = 0;
  uint16_t length = 0;  // payload bytes after the header
  uint16_t req_id = 0;
};

struct AckHeader {
  uint16_t status = kSuccess;
  uint16_t command = 0;
  uint16_t length = 0;
  uint16_t ack_id = 0;
};

// Parsers give nullopt when the datagram is shorter than the header, has a wrong key, or announces more
// payload than it carries. Excess bytes behind the announced payload are tolerated and not part of payload().
std::optional<CommandHeader> parse_command(ConstBytes datagram);
std::optional<AckHeader> parse_ack(ConstBytes datagram);
void write_command(MutableBytes out, const CommandHeader& header);  // out.size() >= 8
void write_ack(MutableBytes out, const AckHeader& header);
inline ConstBytes payload(ConstBytes datagram, uint16_t length) {
  return datagram.subspan(kHeaderSize, length);
}

struct Discovery {  // DISCOVERY_ACK payload, 248 bytes: a copy of bootstrap 0x0000..0x00F7
  uint16_t spec_major = 0, spec_minor = 0;
  uint32_t device_mode = 0;
  std::array<uint8_t, 6> mac{};
  uint32_t ip_config_supported = 0, ip_config_current = 0;
  uint32_t address = 0, subnet_mask = 0, gateway = 0;  // host order
  std::string manufacturer, model, version, manufacturer_info, serial, user_name;
};
std::optional<Discovery> parse_discovery(ConstBytes payload);
void write_discovery(MutableBytes out, const Discovery& device);  // out.size() >= 248

struct ForceIp {
  std::array<uint8_t, 6> mac{};
  uint32_t address = 0, subnet_mask = 0, gateway = 0;
};
std::optional<ForceIp> parse_force_ip(ConstBytes payload);
void write_force_ip(MutableBytes out, const ForceIp& force);  // out.size() >= 56

struct Resend {
  uint16_t channel = 0;
  uint64_t block_id = 0;
  uint32_t first_packet = 0;
  uint32_t last_packet = 0;  // inclusive; kToEnd = to the end of the block, in either layout
  bool extended = false;
};
constexpr uint32_t kToEnd = 0xFFFFFFFF;
constexpr size_t kMaxResendSize = kHeaderSize + 20;
size_t write_resend(MutableBytes out, const Resend& resend,
                    uint16_t req_id);                                   // whole datagram; returns its size
std::optional<Resend> parse_resend(ConstBytes payload, uint8_t flags);  // to-the-end comes back as kToEnd

// NUL padded, possibly unterminated text field; control characters become '?': it is printed to terminals.
std::string read_text(ConstBytes field);
void write_text(MutableBytes field, const std::string& text);

}  // namespace gw::gvcp
