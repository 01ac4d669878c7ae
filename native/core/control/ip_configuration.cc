#include "control/ip_configuration.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/clock.h"
#include "wire/bootstrap.h"

namespace gw {

namespace {

constexpr uint32_t kLookMs = 1000;  // for the camera, before FORCEIP is sent again

Status send_force_ip(const ForceIpOptions& options) {
  std::array<uint8_t, gvcp::kHeaderSize + gvcp::kForceIpSize> message{};
  // No acknowledge is waited for: it comes from the new address and is mostly lost. The flag is set all the
  // same, because cameras expect it.
  gvcp::write_command(message, {gvcp::kAckRequired, gvcp::kForceIpCmd, gvcp::kForceIpSize, 1});
  gvcp::write_force_ip(MutableBytes(message).subspan(gvcp::kHeaderSize), options.force);
  Result<UdpSocket> socket = UdpSocket::open();
  if (!socket.ok()) return socket.status();
  const Interface& nic = options.interface;
  if (Status status = socket->set_broadcast(true); !status.ok()) return status;
  if (Status status = socket->bind({nic.address, 0}); !status.ok())
    return status;  // 0: a NIC without an address
  Status status = socket->send_via(message, {0xFFFFFFFF, options.port}, nic.index, nic.address);
  if (nic.broadcast == 0) return status;
  Status directed = socket->send_via(message, {nic.broadcast, options.port}, nic.index, nic.address);
  return directed.ok() ? directed : status;
}

bool is_mask(uint32_t mask) { return (~mask & (~mask + 1)) == 0; }

// An address that no camera can live with is refused here: it could be taken back only by somebody who stands
// beside it.
Status check_address(uint32_t address, uint32_t netmask, uint32_t gateway) {
  const std::string text = address_to_string(address);
  if (!is_mask(netmask) || netmask == 0) {
    return Status::error(Errc::kInvalidArgument, address_to_string(netmask) + " is not a subnet mask");
  }
  const bool has_broadcast = ~netmask > 1;
  if (address >> 28 >= 0xE || address >> 24 == 0 ||
      (has_broadcast && ((address & ~netmask) == 0 || (address | netmask) == 0xFFFFFFFF))) {
    return Status::error(Errc::kInvalidArgument, text + " is not an address for a camera");
  }
  if (gateway != 0 && (gateway & netmask) != (address & netmask)) {
    return Status::error(Errc::kInvalidArgument,
                         "the gateway " + address_to_string(gateway) + " is not on the subnet of " + text);
  }
  return {};
}

Status write_checked(ControlChannel& channel, uint32_t address, uint32_t value, const char* what) {
  if (Status status = channel.write_register(address, value); !status.ok()) return status;
  const Result<uint32_t> now = channel.read_register(address);
  if (!now.ok()) return now.status();
  if (*now == value) return {};
  return Status::error(Errc::kProtocol, std::string("the camera did not keep the ") + what);
}

}  // namespace

Status force_ip(const ForceIpOptions& options, FoundCamera* seen, const CancelToken* cancel) {
  const gvcp::ForceIp& force = options.force;
  if (options.interface.index == 0)
    return Status::error(Errc::kInvalidArgument, "FORCEIP needs a network interface");
  if (force.address != 0) {
    Status status = check_address(force.address, force.subnet_mask, force.gateway);
    if (!status.ok()) return status;
  }
  if (Status status = send_force_ip(options); !status.ok()) return status;

  DiscoveryOptions look;
  look.interfaces = {options.interface.name};
  look.resend_interval_ms = 200;
  look.port = options.port;
  bool there = false;
  const OnFound on_found = [&](const FoundCamera& camera) {
    if (camera.device.mac != force.mac) return true;
    if (force.address != 0 && camera.device.address != force.address) return true;
    there = true;
    if (seen != nullptr) *seen = camera;
    return false;
  };
  const uint64_t end = SteadyClock::instance().now_ns() + options.timeout_ms * kNsPerMs;
  for (;;) {
    const uint64_t now = SteadyClock::instance().now_ns();
    if (now >= end) break;
    look.duration_ms =
        static_cast<uint32_t>(std::min<uint64_t>((end - now + kNsPerMs - 1) / kNsPerMs, kLookMs));
    Status status = discover(look, on_found, cancel);
    if (!status.ok() || there) return status;
    // Sending it again would interrupt a camera that is just asking for an address.
    if (force.address != 0) (void)send_force_ip(options);
  }
  return Status::error(Errc::kTimeout,
                       "the camera was not seen with its new address; cameras which an application "
                       "controls ignore FORCEIP");
}

Result<IpConfiguration> read_ip_configuration(ControlChannel& channel) {
  IpConfiguration found;
  struct Entry {
    uint32_t address;
    uint32_t* into;
    bool optional;
  };
  const Entry entries[] = {
      {reg::kIpCapability, &found.supported, false},
      {reg::kIpConfiguration, &found.enabled, false},
      {reg::kCurrentIp, &found.address, false},
      {reg::kCurrentMask, &found.netmask, false},
      {reg::kCurrentGateway, &found.gateway, false},
      {reg::kPersistentIp, &found.persistent_address, true},
      {reg::kPersistentMask, &found.persistent_netmask, true},
      {reg::kPersistentGateway, &found.persistent_gateway, true},
  };
  for (const Entry& entry : entries) {
    const Result<uint32_t> value = channel.read_register(entry.address);
    if (value.ok()) {
      *entry.into = *value;
    } else if (!entry.optional || value.status().gvcp_status == 0) {
      return value.status();
    }
  }
  constexpr uint32_t kModes = reg::kIpLla | reg::kIpDhcp | reg::kIpPersistent;
  found.supported &= kModes;
  found.enabled &= kModes;
  return found;
}

Status set_persistent_ip(ControlChannel& channel, const PersistentIp& wanted) {
  const Result<uint32_t> supported = channel.read_register(reg::kIpCapability);
  if (!supported.ok()) return supported.status();
  if (wanted.persistent && (*supported & reg::kIpPersistent) == 0) {
    return Status::error(Errc::kInvalidArgument, "the camera cannot keep an IP address");
  }
  if (wanted.persistent) {
    Status status = check_address(wanted.address, wanted.netmask, wanted.gateway);
    if (status.ok())
      status = write_checked(channel, reg::kPersistentIp, wanted.address, "persistent IP address");
    if (status.ok())
      status = write_checked(channel, reg::kPersistentMask, wanted.netmask, "persistent subnet mask");
    if (status.ok())
      status = write_checked(channel, reg::kPersistentGateway, wanted.gateway, "persistent gateway");
    if (!status.ok()) return status;
  }
  // PAUSE bits live in the same register.
  const Result<uint32_t> now = channel.read_register(reg::kIpConfiguration);
  if (!now.ok()) return now.status();
  uint32_t modes = reg::kIpLla;
  if (wanted.dhcp.value_or((*now & reg::kIpDhcp) != 0)) modes |= reg::kIpDhcp & *supported;
  if (wanted.persistent) modes |= reg::kIpPersistent;
  constexpr uint32_t kModes = reg::kIpLla | reg::kIpDhcp | reg::kIpPersistent;
  return write_checked(channel, reg::kIpConfiguration, (*now & ~kModes) | modes, "IP configuration");
}

}  // namespace gw
