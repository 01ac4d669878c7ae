// System-independent part of sim/sim_socket.h.
#include "sim/sim_socket.h"

#include <utility>

#include "net/interfaces.h"

namespace gw::sim {

CameraSocket::CameraSocket(CameraSocket&& other) noexcept : fd_(std::exchange(other.fd_, kNoSocket)) {}
CameraSocket& CameraSocket::operator=(CameraSocket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, kNoSocket);
  }
  return *this;
}

std::optional<NetInterface> interface_of(uint32_t address) {
  const Result<std::vector<Interface>> all = list_interfaces();
  if (!all.ok()) return std::nullopt;
  for (const Interface& i : *all) {
    // All of 127/8 is ours although lo only shows 127.0.0.1.
    if (i.address != 0 && (i.address == address || (i.loopback && i.contains(address)))) {
      return NetInterface{static_cast<uint32_t>(i.index), i.netmask};
    }
  }
  return std::nullopt;
}

}  // namespace gw::sim
