// System-independent part of net/interfaces.h.
#include "net/interfaces.h"

#include <algorithm>
#include <bit>

#include "net/socket.h"

namespace gw {

std::optional<Interface> route_to(uint32_t address, std::span<const Interface> interfaces) {
  Result<UdpSocket> socket = UdpSocket::open();
  if (!socket.ok() || !socket->connect({address, 9}).ok()) return std::nullopt;  // connecting sends nothing
  const Result<Endpoint> local = socket->local_endpoint();
  if (!local.ok()) return std::nullopt;
  const auto chosen = std::find_if(interfaces.begin(), interfaces.end(),
                                   [&](const Interface& nic) { return nic.address == local->address; });
  if (chosen == interfaces.end()) {
    // Any 127.x.y.z is local without being listed.
    const auto loopback = std::find_if(interfaces.begin(), interfaces.end(), [&](const Interface& nic) {
      return nic.loopback && nic.contains(local->address);
    });
    if (loopback == interfaces.end()) return std::nullopt;
    return *loopback;
  }
  if (chosen->contains(address)) return *chosen;
  const auto better = std::find_if(interfaces.begin(), interfaces.end(), [&](const Interface& nic) {
    return nic.index == chosen->index && nic.contains(address);
  });
  return better == interfaces.end() ? *chosen : *better;
}

std::string subnet_to_string(uint32_t address, uint32_t netmask) {
  const std::string network = address_to_string(address & netmask) + '/';
  const int bits = std::countl_one(netmask);
  const bool contiguous = bits == 32 || netmask << bits == 0;
  return network + (contiguous ? std::to_string(bits) : address_to_string(netmask));
}

}  // namespace gw
