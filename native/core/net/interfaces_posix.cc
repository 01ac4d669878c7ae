// list_interfaces() for Linux and other POSIX systems.
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/system_message.h"
#include "net/interfaces.h"
#include "net/socket.h"

namespace gw {

namespace {

uint32_t address_of(const sockaddr* address) {
  if (address == nullptr || address->sa_family != AF_INET) return 0;
  sockaddr_in copy;
  std::memcpy(&copy, address, sizeof copy);
  return ntohl(copy.sin_addr.s_addr);
}

// "eth0:1" is an address label of eth0, the device.
std::string device_name(const char* label) {
  const std::string name(label);
  return name.substr(0, name.find(':'));
}

uint32_t read_mtu(int fd, const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) return 0;
  std::memcpy(request.ifr_name, name.c_str(), name.size() + 1);
  return ::ioctl(fd, SIOCGIFMTU, &request) == 0 ? static_cast<uint32_t>(request.ifr_mtu) : 0;
}

}  // namespace

Result<std::vector<Interface>> list_interfaces() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return Status::system(errno, "listing the network interfaces: " + system_message(errno));
  }
  const Result<UdpSocket> socket = UdpSocket::open();
  std::vector<Interface> found;
  const auto add = [&](const ifaddrs& entry) {
    Interface nic;
    nic.name = device_name(entry.ifa_name);
    nic.index = static_cast<int>(::if_nametoindex(nic.name.c_str()));
    nic.up = (entry.ifa_flags & IFF_UP) != 0;
    nic.running = (entry.ifa_flags & IFF_RUNNING) != 0;
    nic.loopback = (entry.ifa_flags & IFF_LOOPBACK) != 0;
    nic.point_to_point = (entry.ifa_flags & IFF_POINTOPOINT) != 0;
    nic.address = address_of(entry.ifa_addr);
    nic.netmask = nic.address == 0 ? 0 : address_of(entry.ifa_netmask);
    // The loopback and badly set-up NICs name none; a /31 or /32 has none.
    if (nic.address != 0 && (entry.ifa_flags & IFF_BROADCAST) != 0)
      nic.broadcast = address_of(entry.ifa_broadaddr);
    if (nic.broadcast == 0 && nic.netmask != 0 && ~nic.netmask > 1)
      nic.broadcast = nic.address | ~nic.netmask;
    nic.mtu = socket.ok() ? read_mtu(socket->fd(), nic.name) : 0;
    found.push_back(std::move(nic));
  };
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_addr != nullptr && entry->ifa_addr->sa_family == AF_INET) add(*entry);
  }
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    const std::string name = device_name(entry->ifa_name);
    const bool known =
        std::any_of(found.begin(), found.end(), [&](const Interface& nic) { return nic.name == name; });
    if (!known) add(*entry);
  }
  ::freeifaddrs(list);
  return found;
}

}  // namespace gw
