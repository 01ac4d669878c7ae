// The machine's network interfaces. Purpose: which NICs there are, what subnets they reach and which one the
// kernel would use for an address. Thread: any (each call asks the system anew).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/status.h"

namespace gw {

struct Interface {
  std::string name;  // the device's, without an alias label
  int index = 0;
  uint32_t address = 0;  // host order; 0: the NIC has no IPv4 address
  uint32_t netmask = 0;
  uint32_t broadcast = 0;  // the directed one; computed where the system names none; 0 for a /31 or /32
  uint32_t mtu = 0;
  bool up = false, running = false, loopback = false, point_to_point = false;

  bool contains(uint32_t other) const { return netmask != 0 && (other & netmask) == (address & netmask); }
  bool operator==(const Interface&) const = default;
};

// One entry for each IPv4 address of each NIC, in the system's order; NICs without any have one entry with
// address 0.
Result<std::vector<Interface>> list_interfaces();

// The entry whose address the kernel would send from. An entry that has the address on its own subnet is
// preferred where the kernel's choice is ambiguous (same NIC, several addresses). nullopt: no route.
std::optional<Interface> route_to(uint32_t address, std::span<const Interface> interfaces);

std::string subnet_to_string(uint32_t address, uint32_t netmask);  // "192.168.0.0/24"

}  // namespace gw
