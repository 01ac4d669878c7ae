// list_interfaces() for Windows.
#include <winsock2.h>
#include <ws2tcpip.h>
// after these
#include <iphlpapi.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "net/interfaces.h"

namespace gw {

namespace {

constexpr uint32_t kMostMtu = 65535;  // the loopback's is said to be endless; no IPv4 packet is longer

std::string utf8(const wchar_t* text) {
  if (text == nullptr) return {};
  const int size = ::WideCharToMultiByte(CP_UTF8, 0, text, -1, nullptr, 0, nullptr, nullptr);
  if (size <= 1) return {};
  std::string out(static_cast<size_t>(size), '\0');
  ::WideCharToMultiByte(CP_UTF8, 0, text, -1, out.data(), size, nullptr, nullptr);
  out.pop_back();  // the closing zero
  return out;
}

uint32_t netmask_of(unsigned prefix) {
  return prefix == 0 || prefix > 32 ? 0 : ~uint32_t{0} << (32 - prefix);
}

void add(std::vector<Interface>& found, const IP_ADAPTER_ADDRESSES& adapter) {
  Interface nic;
  nic.name = utf8(adapter.FriendlyName);
  nic.index = static_cast<int>(adapter.IfIndex);
  nic.mtu = std::min<uint32_t>(adapter.Mtu, kMostMtu);
  nic.up = nic.running = adapter.OperStatus == IfOperStatusUp;
  nic.loopback = adapter.IfType == IF_TYPE_SOFTWARE_LOOPBACK;
  nic.point_to_point = adapter.IfType == IF_TYPE_PPP || adapter.IfType == IF_TYPE_TUNNEL;
  bool any = false;
  for (const auto* entry = adapter.FirstUnicastAddress; entry != nullptr; entry = entry->Next) {
    const sockaddr* address = entry->Address.lpSockaddr;
    if (address == nullptr || address->sa_family != AF_INET) continue;
    sockaddr_in copy;
    std::memcpy(&copy, address, sizeof copy);
    nic.address = ntohl(copy.sin_addr.s_addr);
    nic.netmask = netmask_of(entry->OnLinkPrefixLength);
    nic.broadcast = nic.netmask != 0 && ~nic.netmask > 1 ? nic.address | ~nic.netmask : 0;
    found.push_back(nic);
    any = true;
  }
  if (!any) found.push_back(std::move(nic));
}

}  // namespace

Result<std::vector<Interface>> list_interfaces() {
  constexpr ULONG kFlags = GAA_FLAG_SKIP_ANYCAST | GAA_FLAG_SKIP_MULTICAST | GAA_FLAG_SKIP_DNS_SERVER;
  ULONG size = 16 * 1024;
  std::unique_ptr<uint64_t[]> room;  // aligned for the structures in it
  ULONG error = ERROR_BUFFER_OVERFLOW;
  // The list may grow between two calls.
  for (int tries = 0; error == ERROR_BUFFER_OVERFLOW && tries < 5; ++tries) {
    room = std::make_unique<uint64_t[]>(size / sizeof(uint64_t) + 1);
    error = ::GetAdaptersAddresses(AF_INET, kFlags, nullptr,
                                   reinterpret_cast<IP_ADAPTER_ADDRESSES*>(room.get()), &size);
  }
  std::vector<Interface> found;
  if (error == ERROR_NO_DATA) return found;
  if (error != NO_ERROR)
    return Status::system(EIO, "listing the network interfaces: Windows error " + std::to_string(error));
  for (const auto* adapter = reinterpret_cast<const IP_ADAPTER_ADDRESSES*>(room.get()); adapter != nullptr;
       adapter = adapter->Next)
    add(found, *adapter);
  return found;
}

}  // namespace gw
