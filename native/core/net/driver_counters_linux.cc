// net/driver_counters.h by the ioctl that `ethtool -S` uses: how many there are, their names, their values.
// A driver may change their number from one question to the next, so that each answer is measured by itself.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "net/descriptor.h"
#include "net/driver_counters.h"

namespace gw {

namespace {

constexpr uint32_t kMost = 8192;  // large cards have some thousand

bool ask(int socket, const std::string& name, void* question) {
  ifreq request{};
  if (name.empty() || name.size() >= sizeof(request.ifr_name)) return false;
  std::memcpy(request.ifr_name, name.c_str(), name.size());
  request.ifr_data = static_cast<char*>(question);
  return ::ioctl(socket, SIOCETHTOOL, &request) == 0;
}

uint32_t count_of(int socket, const std::string& name) {
  // The mask is answered with what of it there is; a number follows for each.
  alignas(ethtool_sset_info) unsigned char memory[sizeof(ethtool_sset_info) + sizeof(uint32_t)] = {};
  auto* info = reinterpret_cast<ethtool_sset_info*>(memory);
  info->cmd = ETHTOOL_GSSET_INFO;
  info->sset_mask = 1ULL << ETH_SS_STATS;
  if (!ask(socket, name, info) || info->sset_mask == 0) return 0;
  uint32_t count = 0;
  std::memcpy(&count, memory + offsetof(ethtool_sset_info, data), sizeof(count));
  return count <= kMost ? count : 0;
}

}  // namespace

std::vector<DriverCounter> driver_counters(const std::string& interface_name) {
  const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return {};
  const uint32_t count = count_of(socket.get(), interface_name);
  if (count == 0) return {};
  // With room to spare: the kernel writes as many as there are by then, however many were asked for.
  const size_t room = 2 * size_t{count} + 64;
  std::vector<uint64_t> text(sizeof(ethtool_gstrings) / 8 + 1 + room * ETH_GSTRING_LEN / 8);
  auto* names = reinterpret_cast<ethtool_gstrings*>(text.data());
  names->cmd = ETHTOOL_GSTRINGS;
  names->string_set = ETH_SS_STATS;
  names->len = count;
  std::vector<uint64_t> numbers(sizeof(ethtool_stats) / 8 + 1 + room);
  auto* values = reinterpret_cast<ethtool_stats*>(numbers.data());
  values->cmd = ETHTOOL_GSTATS;
  values->n_stats = count;
  if (!ask(socket.get(), interface_name, names) || !ask(socket.get(), interface_name, values)) return {};
  const uint32_t told = std::min({names->len, values->n_stats, count});
  const char* name = reinterpret_cast<const char*>(text.data()) + offsetof(ethtool_gstrings, data);
  const char* value = reinterpret_cast<const char*>(numbers.data()) + offsetof(ethtool_stats, data);
  std::vector<DriverCounter> counters(told);
  for (uint32_t i = 0; i < told; ++i, name += ETH_GSTRING_LEN, value += sizeof(uint64_t)) {
    counters[i].name.assign(name, ::strnlen(name, ETH_GSTRING_LEN));
    std::memcpy(&counters[i].value, value, sizeof(uint64_t));
  }
  return counters;
}

}  // namespace gw
