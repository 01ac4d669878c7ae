#include "net/stream_filter_linux.h"

#include <linux/if_packet.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#include <cerrno>
#include <system_error>

#include "wire/udp_frame.h"

namespace gw {

namespace {

constexpr uint32_t kIp = frame::kEthernetHeader;
constexpr uint32_t kProtocol = kIp + 9;
constexpr uint32_t kFragment = kIp + 6;
constexpr uint32_t kSource = kIp + 12;
constexpr uint32_t kDestination = kIp + 16;
constexpr uint32_t kEverything = 0x7FFFFFFF;  // bytes of it
constexpr uint16_t kFragmentOffset = 0x1FFF;
constexpr uint32_t kUdp = 17;

}  // namespace

std::vector<sock_filter> stream_filter(uint32_t camera_address, const Endpoint& local) {
  std::vector<sock_filter> program;
  std::vector<size_t> to_reject;  // jumps whose failing branch is the end
  const auto load = [&](uint16_t width, uint32_t at) {
    program.push_back(BPF_STMT(static_cast<uint16_t>(BPF_LD | BPF_ABS | width), at));
  };
  const auto require_equal = [&](uint32_t value) {
    to_reject.push_back(program.size());
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 0));
  };
  // To us, to all, or to a group: not what passes by, nor what this machine sends.
  static_assert(PACKET_HOST == 0 && PACKET_BROADCAST == 1 && PACKET_MULTICAST == 2);
  load(BPF_B, static_cast<uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, PACKET_MULTICAST, 0, 1));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  load(BPF_B, kProtocol);
  require_equal(kUdp);
  load(BPF_W, kSource);
  require_equal(camera_address);
  load(BPF_W, kDestination);
  require_equal(local.address);
  load(BPF_H, kFragment);
  program.push_back(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kFragmentOffset));
  require_equal(0);
  program.push_back(BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, kIp));
  program.push_back(BPF_STMT(BPF_LD | BPF_H | BPF_IND, kIp + 2));
  require_equal(local.port);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, kEverything));
  for (const size_t jump : to_reject) program[jump].jf = static_cast<uint8_t>(program.size() - jump - 1);
  program.push_back(BPF_STMT(BPF_RET | BPF_K, 0));
  return program;
}

Status attach_filter(int socket, const std::vector<sock_filter>& filter) {
  const sock_fprog program{static_cast<unsigned short>(filter.size()),
                           const_cast<sock_filter*>(filter.data())};
  if (::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0) return {};
  return Status::system(errno, "attaching a packet filter: " + std::generic_category().message(errno));
}

Status drop_everything(int udp_socket) { return attach_filter(udp_socket, {BPF_STMT(BPF_RET | BPF_K, 0)}); }

void drop_nothing(int udp_socket) {
  const int unused = 0;
  ::setsockopt(udp_socket, SOL_SOCKET, SO_DETACH_FILTER, &unused, sizeof unused);
}

void empty_queue(int udp_socket) {
  uint8_t nothing;
  while (::recv(udp_socket, &nothing, sizeof nothing, MSG_DONTWAIT | MSG_TRUNC) >= 0 || errno == EINTR) {
  }
}

bool socket_drops(int udp_socket, uint32_t& drops) {
  uint32_t memory[SK_MEMINFO_VARS];
  socklen_t size = sizeof memory;
  if (::getsockopt(udp_socket, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return false;
  if (size <= SK_MEMINFO_DROPS * sizeof(uint32_t)) return false;
  drops = memory[SK_MEMINFO_DROPS];
  return true;
}

}  // namespace gw
