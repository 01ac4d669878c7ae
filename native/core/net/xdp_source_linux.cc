// Linux: AF_XDP. An XDP program takes this stream's packets away before the kernel makes anything of them;
// they come through one XDP socket for each receive queue of the interface. What the program lets by
// (fragments, IP options, tags, a queue without a socket) takes the slow way to the stream's UDP socket,
// where the kernel puts it together and we read it, too: nothing is lost by it, and nothing doubled.
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/waker.h"
#include "net/firewall_probe_linux.h"
#include "net/link_source.h"
#include "net/udp_source.h"
#include "net/xdp_program_linux.h"
#include "net/xdp_socket_linux.h"
#include "wire/udp_frame.h"

namespace gw {

namespace {

constexpr uint32_t kMostQueues = 16;
constexpr uint64_t kMostBytes = 256ULL << 20;  // of all queues together
constexpr size_t kGathered = 64;               // packets in several pieces, per read
constexpr uint32_t kReadsBetweenLooks = 16;    // at the slow way, and at what was dropped

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + std::generic_category().message(error));
}

// What there is to know of a network interface.
struct Link {
  int index = 0;
  uint32_t queues = 1;
  bool virtual_cable = false;  // packets of this machine, whose checksum may still be to be filled in
  std::array<uint8_t, 6> hardware_address{};
};

Result<Link> find_link(int socket, const std::string& device) {
  const auto ask = [&](unsigned long request, ifreq& answer) {
    std::memcpy(answer.ifr_name, device.c_str(), device.size() + 1);
    return ::ioctl(socket, request, &answer) == 0;
  };
  Link link;
  ifreq answer{};
  if (device.size() >= sizeof answer.ifr_name) return failure(ENODEV, "XDP on " + device);
  if (!ask(SIOCGIFINDEX, answer)) return failure(errno, "XDP on " + device);
  link.index = answer.ifr_ifindex;
  if (!ask(SIOCGIFHWADDR, answer)) return failure(errno, "XDP on " + device);
  if (answer.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
    return Status::system(EOPNOTSUPP, "XDP on " + device + ", which is no Ethernet interface");
  }
  std::memcpy(link.hardware_address.data(), answer.ifr_hwaddr.sa_data, link.hardware_address.size());
  ethtool_channels channels{};
  channels.cmd = ETHTOOL_GCHANNELS;
  answer.ifr_data = reinterpret_cast<char*>(&channels);
  if (ask(SIOCETHTOOL, answer)) link.queues = std::max(channels.rx_count + channels.combined_count, 1U);
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  answer.ifr_data = reinterpret_cast<char*>(&driver);
  link.virtual_cable = ask(SIOCETHTOOL, answer) && std::strcmp(driver.driver, "veth") == 0;
  return link;
}

class XdpSource final : public PacketSource {
 public:
  XdpSource() : gathered_(kGathered) {}

  Status open(const LinkSourceOptions& options);

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    if (request.rest_ns != 0) rest(request.rest_ns);
    ReadResult result = take(batch);
    if (result.count > 0 || result.failed || request.deadline_ns == 0) return result;
    if (!wait(request.deadline_ns, result)) {
      if (!result.failed) refresh_kernel_drops();
      return result;
    }
    return take(batch);
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return drops_ + slow_->kernel_drops(); }
  void refresh_kernel_drops() override {
    drops_ = 0;
    for (const auto& socket : sockets_) drops_ += socket->drops();
    slow_->refresh_kernel_drops();
  }
  Manner manner() const override { return Manner::kXdp; }
  const char* mode() const override {
    return zero_copy_ ? "zero-copy" : program_.native() ? "native" : "generic";
  }
  uint64_t queue_bytes() const override { return sockets_.front()->memory_bytes(); }
  uint32_t notices() const override {
    return (program_.fragments() != 0 ? kNoticeFragments : 0U) | (bypassed_ ? kNoticeFirewallBypassed : 0U);
  }

 private:
  static void rest(uint64_t ns) {
    const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
  }

  Status open_sockets(const LinkSourceOptions& options, const Link& link);
  ReadResult take(std::span<PacketView> batch);
  size_t take_from(XdpSocket& socket, std::span<PacketView> batch);
  MutableBytes gather(XdpSocket& socket, const XdpSocket::Piece& first);
  bool accept(MutableBytes bytes, PacketView& view) const;
  bool wait(uint64_t deadline_ns, ReadResult& result);

  Waker waker_;
  // In this order: the program goes first, then the sockets, then the slow way.
  std::unique_ptr<PacketSource> slow_;
  std::vector<std::unique_ptr<XdpSocket>> sockets_;
  XdpProgram program_;
  std::vector<pollfd> waiting_;  // the XDP sockets, the UDP socket, the waker
  std::vector<std::vector<uint8_t>> gathered_;
  size_t gathered_used_ = 0;
  frame::Checksum checksum_ = frame::Checksum::kUnknown;
  bool zero_copy_ = false;
  bool bypassed_ = false;
  bool slow_ready_ = false;
  uint32_t reads_ = 0;
  uint64_t drops_ = 0;
};

Status XdpSource::open(const LinkSourceOptions& options) {
  if (!waker_.valid()) return Status::system(EMFILE, "waker of the receive thread");
  if (options.device.empty()) {
    return Status::system(EOPNOTSUPP, "XDP on the loopback, whose packets never were on a wire");
  }
  const auto link = find_link(options.socket.fd(), options.device);
  if (!link.ok()) return link.status();
  if (link->queues > kMostQueues) {
    return Status::system(E2BIG, "XDP sockets for " + std::to_string(link->queues) + " receive queues of " +
                                     options.device + ", more than " + std::to_string(kMostQueues));
  }
  if (link->virtual_cable) checksum_ = frame::Checksum::kPending;
  auto slow = make_udp_source(
      options.socket,
      {.max_datagram = std::clamp<uint32_t>(options.packet_size + 64, 9216, 65535), .manner = Manner::kCopy});
  if (!slow.ok()) return slow.status();
  slow_ = std::move(*slow);
  Status status = program_.load(options.camera_address, options.local, link->queues);
  if (!status.ok()) return status;
  // Until a queue has its socket, all packets of it take the slow way.
  status = program_.attach(link->index);
  if (!status.ok()) {
    status.message += " (" + options.device + ")";
    return status;
  }
  bypassed_ = ask_reach({.socket = options.socket.fd(),
                         .interface_index = link->index,
                         .hardware_address = link->hardware_address,
                         .camera = {options.camera_address, options.camera_port},
                         .local = options.local}) == Reach::kDropped;
  status = open_sockets(options, *link);
  if (!status.ok()) return status;
  for (const auto& socket : sockets_) waiting_.push_back({socket->fd(), POLLIN, 0});
  waiting_.push_back({options.socket.fd(), POLLIN, 0});
  waiting_.push_back({waker_.fd(), POLLIN, 0});
  return {};
}

Status XdpSource::open_sockets(const LinkSourceOptions& options, const Link& link) {
  const auto frame_bytes = static_cast<uint32_t>(options.packet_size + frame::kEthernetHeader);
  if (frame_bytes > kXdpLargestChunk) {
    for (auto& buffer : gathered_) buffer.resize(frame_bytes + kXdpLargestChunk);
  }
  zero_copy_ = program_.native();
  for (uint32_t queue = 0; queue < link.queues; ++queue) {
    XdpSocketOptions wanted{.interface_index = link.index,
                            .queue = queue,
                            .frame_bytes = frame_bytes,
                            .memory_bytes = std::min(options.queue_bytes, kMostBytes / link.queues),
                            .zero_copy = zero_copy_};
    auto socket = std::make_unique<XdpSocket>();
    Status status = socket->open(wanted);
    if (!status.ok() && wanted.zero_copy) {
      zero_copy_ = wanted.zero_copy = false;
      socket = std::make_unique<XdpSocket>();
      status = socket->open(wanted);
    }
    if (!status.ok() && status.sys_errno == EMSGSIZE) {
      status.message += ": the largest packet size is " +
                        std::to_string(kXdpLargestChunk - frame::kEthernetHeader) + " here";
    }
    if (status.ok()) status = program_.set_socket(queue, socket->fd());
    if (!status.ok()) return status;
    sockets_.push_back(std::move(socket));
  }
  return {};
}

ReadResult XdpSource::take(std::span<PacketView> batch) {
  for (const auto& socket : sockets_) socket->release();
  gathered_used_ = 0;
  size_t count = 0;
  bool more = false;
  if (++reads_ % kReadsBetweenLooks == 0) {
    refresh_kernel_drops();
    slow_ready_ = true;
  }
  if (slow_ready_) {
    const ReadResult slow = slow_->read(batch, {});
    if (slow.failed) return slow;
    count = slow.count;
    slow_ready_ = more = slow.more;
  }
  for (const auto& socket : sockets_) {
    count += take_from(*socket, batch.subspan(count));
    more = more || socket->available() > 0;
  }
  return {count, more, false, 0};
}

size_t XdpSource::take_from(XdpSocket& socket, std::span<PacketView> batch) {
  size_t count = 0;
  while (count < batch.size() && gathered_used_ < gathered_.size() && socket.available() > 0) {
    const XdpSocket::Piece piece = socket.next();
    const MutableBytes bytes = piece.more ? gather(socket, piece) : MutableBytes(piece.data, piece.size);
    if (accept(bytes, batch[count])) ++count;
  }
  return count;
}

// A packet larger than a chunk, in one piece. What is larger than any that was asked for is cut.
MutableBytes XdpSource::gather(XdpSocket& socket, const XdpSocket::Piece& first) {
  std::vector<uint8_t>& buffer = gathered_[gathered_used_++];
  size_t size = 0;
  for (XdpSocket::Piece piece = first;; piece = socket.next()) {
    const size_t fits = std::min<size_t>(piece.size, buffer.size() - size);
    if (fits != 0) std::memcpy(buffer.data() + size, piece.data, fits);
    size += fits;
    if (!piece.more || socket.available() == 0) return {buffer.data(), size};
  }
}

bool XdpSource::accept(MutableBytes bytes, PacketView& view) const {
  const auto frame = frame::parse(bytes, checksum_);
  if (frame.kind != frame::Kind::kDatagram && frame.kind != frame::Kind::kDamaged) return false;
  view = {.data = bytes.data() + frame.payload_offset,
          .size = frame.payload_size,
          .source_address = frame.source_address,
          .source_port = frame.source_port,
          .truncated = frame.cut || frame.kind == frame::Kind::kDamaged};
  return true;
}

// False: nothing to read now (time came, interrupted, or failed).
bool XdpSource::wait(uint64_t deadline_ns, ReadResult& result) {
  const uint64_t now = SteadyClock::instance().now_ns();
  const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
  const timespec timeout{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  const int ready = ::ppoll(waiting_.data(), waiting_.size(), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    result = {0, false, true, errno};
    return false;
  }
  if (ready <= 0) return false;
  if ((waiting_.back().revents & POLLIN) != 0) waker_.clear();
  slow_ready_ = (waiting_[sockets_.size()].revents & (POLLIN | POLLERR)) != 0;
  return slow_ready_ || std::any_of(waiting_.begin(), waiting_.begin() + static_cast<long>(sockets_.size()),
                                    [](const pollfd& each) { return (each.revents & POLLIN) != 0; });
}

}  // namespace

Result<std::unique_ptr<PacketSource>> make_xdp_source(const LinkSourceOptions& options) {
  auto source = std::make_unique<XdpSource>();
  Status status = source->open(options);
  if (!status.ok()) return status;
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
