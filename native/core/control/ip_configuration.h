// The camera's own address. Purpose: FORCEIP, and the persistent IP settings in its registers.
// Thread: any; blocks the caller.
#pragma once

#include <cstdint>
#include <optional>

#include "base/status.h"
#include "base/waker.h"
#include "control/control_channel.h"
#include "control/discovery.h"
#include "net/interfaces.h"
#include "wire/gvcp.h"

namespace gw {

struct ForceIpOptions {
  Interface interface;  // the NIC behind which the camera is
  gvcp::ForceIp force;  // address 0: the camera starts its usual configuration anew (DHCP, link-local)
  uint32_t timeout_ms = 5000;
  uint16_t port = gvcp::kPort;
};

// Broadcasts FORCEIP out of the NIC and looks until the camera is seen with its new address (seen, if given).
// kTimeout: it never was; cameras that an application controls ignore the command.
Status force_ip(const ForceIpOptions& options, FoundCamera* seen = nullptr,
                const CancelToken* cancel = nullptr);

struct IpConfiguration {
  uint32_t supported = 0;  // reg::kIpLla | kIpDhcp | kIpPersistent
  uint32_t enabled = 0;
  uint32_t address = 0, netmask = 0, gateway = 0;                                   // in use now
  uint32_t persistent_address = 0, persistent_netmask = 0, persistent_gateway = 0;  // 0 where not supported
};
Result<IpConfiguration> read_ip_configuration(ControlChannel& channel);

struct PersistentIp {
  bool persistent = true;    // use the three below at the next start
  std::optional<bool> dhcp;  // unset: as it is. Link-local stays on, as the standard wants it
  uint32_t address = 0, netmask = 0, gateway = 0;
};
// Needs control. Takes effect at the camera's next start, or by force_ip() with address 0. Reads back what it
// wrote.
Status set_persistent_ip(ControlChannel& channel, const PersistentIp& wanted);

}  // namespace gw
