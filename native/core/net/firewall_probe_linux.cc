#include "net/firewall_probe_linux.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/stream_filter_linux.h"
#include "net/xdp_program_linux.h"
#include "wire/udp_frame.h"

namespace gw {

namespace {

constexpr uint64_t kPatience = 50 * kNsPerMs;
// A GVSP test packet (block id 0), should anybody take it for a packet of the stream; and a mark.
constexpr std::array<uint8_t, 16> kPayload{0, 0, 0, 0, 0, 0, 0, 0, 'g', 'i', 'g', 'e', 'w', 'i', 'r', 'e'};
constexpr std::array<uint8_t, 6> kSender{0x02, 'g', 'w', 0, 0, 1};  // locally administered
constexpr size_t kIp = frame::kEthernetHeader;
constexpr size_t kUdp = kIp + frame::kIpHeader;
constexpr size_t kData = kUdp + frame::kUdpHeader;

using ProbeFrame = std::array<uint8_t, kData + kPayload.size()>;

ProbeFrame probe_frame(const ReachQuestion& question) {
  ProbeFrame frame{};
  std::copy(question.hardware_address.begin(), question.hardware_address.end(), frame.begin());
  if (question.local.address >> 28 == 0xE) {  // a group
    store_be32(frame.data() + 2, question.local.address);
    store_be16(frame.data(), 0x0100);
    frame[2] = 0x5E;
    frame[3] &= 0x7F;
  }
  std::copy(kSender.begin(), kSender.end(), frame.begin() + 6);
  store_be16(frame.data() + 12, 0x0800);
  uint8_t* const ip = frame.data() + kIp;
  ip[0] = 0x45;
  store_be16(ip + 2, static_cast<uint16_t>(frame.size() - kIp));
  ip[8] = 64;
  ip[9] = 17;
  store_be32(ip + 12, question.camera.address);
  store_be32(ip + 16, question.local.address);
  store_be16(ip + 10, static_cast<uint16_t>(~frame::ones_complement_sum({ip, frame::kIpHeader})));
  uint8_t* const udp = frame.data() + kUdp;
  store_be16(udp, question.camera.port);
  store_be16(udp + 2, question.local.port);
  store_be16(udp + 4, static_cast<uint16_t>(frame.size() - kUdp));
  std::copy(kPayload.begin(), kPayload.end(), frame.begin() + kData);
  return frame;
}

}  // namespace

Reach ask_reach(const ReachQuestion& question) {
  const ProbeFrame frame = probe_frame(question);
  empty_queue(question.socket);
  if (!inject_frame(question.interface_index, frame.data(), frame.size())) return Reach::kUnknown;
  const uint64_t end = SteadyClock::instance().now_ns() + kPatience;
  for (;;) {
    std::array<uint8_t, kPayload.size() + 1> got;
    const ssize_t size = ::recv(question.socket, got.data(), got.size(), MSG_DONTWAIT);
    if (size == static_cast<ssize_t>(kPayload.size()) &&
        std::equal(kPayload.begin(), kPayload.end(), got.begin())) {
      return Reach::kReached;
    }
    const uint64_t now = SteadyClock::instance().now_ns();
    if (now >= end) return Reach::kDropped;
    if (size >= 0) continue;
    pollfd waiting{question.socket, POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>((end - now) / kNsPerMs + 1));
  }
}

}  // namespace gw
