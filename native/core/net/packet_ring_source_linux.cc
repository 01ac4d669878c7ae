// Linux: PACKET_MMAP. The kernel copies each packet of the stream into a slot of memory that it shares with
// us, before the IP stack has its turn; the data is read there. TPACKET_V2, not V3: V3 hands over whole
// blocks when they are full or a timer of at least 1 ms has run out, which is when the last packets of a
// frame would be seen. What the kernel had put together (or the sender never took apart: virtual links) fits
// into no slot and comes through the socket's queue, whole; it is taken apart here.
//
// The stream's UDP socket drops everything meanwhile, and by that count tells whether the firewall would have
// let the stream through.
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/waker.h"
#include "net/firewall_witness.h"
#include "net/link_source.h"
#include "net/packet_ring_linux.h"
#include "net/stream_filter_linux.h"
#include "wire/udp_frame.h"

namespace gw {

namespace {

constexpr size_t kLongMessages = 8;  // per read, as many as the aggregating socket engine takes
constexpr size_t kLongBytes = 65536 + 64;

Status failure(int error, const std::string& what) {
  return Status::system(error, what + ": " + std::generic_category().message(error));
}

class PacketRingSource final : public PacketSource {
 public:
  explicit PacketRingSource(int udp_socket) : udp_socket_(udp_socket), long_(kLongMessages) {
    for (auto& buffer : long_) buffer.resize(kLongBytes);
  }
  ~PacketRingSource() override {
    if (memory_ != MAP_FAILED) ::munmap(memory_, geometry_.bytes());
    if (fd_ >= 0) ::close(fd_);
    if (silenced_) drop_nothing(udp_socket_);
  }
  PacketRingSource(const PacketRingSource&) = delete;
  PacketRingSource& operator=(const PacketRingSource&) = delete;

  Status open(const LinkSourceOptions& options);

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    // What is left of an aggregate is there already.
    if (pieces_.left == 0 && request.rest_ns != 0) rest(request.rest_ns);
    ReadResult result = take(batch);
    if (result.count > 0 || request.deadline_ns == 0) return result;
    if (!wait(request.deadline_ns, result)) {
      if (!result.failed) refresh_kernel_drops();
      return result;
    }
    return take(batch);
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return drops_; }
  void refresh_kernel_drops() override {
    tpacket_stats stats{};
    socklen_t size = sizeof stats;
    // Each question sets the count back to zero.
    if (::getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &size) == 0) drops_ += stats.tp_drops;
  }
  Manner manner() const override { return Manner::kPacketRing; }
  uint64_t queue_bytes() const override { return geometry_.bytes(); }
  uint64_t fragments() const override { return fragments_; }
  uint32_t notices() const override {
    return (fragments_ != 0 ? kNoticeFragments : 0U) | (witness_.bypassed() ? kNoticeFirewallBypassed : 0U);
  }

 private:
  // Datagrams in one frame that were not handed over yet.
  struct Pieces {
    uint8_t* at = nullptr;
    uint32_t left = 0;  // bytes
    uint32_t each = 0;
    uint32_t source_address = 0;
    uint16_t source_port = 0;
  };

  static void rest(uint64_t ns) {
    const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
  }

  Status map_ring(const LinkSourceOptions& options);
  bool long_message(RingSlot& slot);
  bool accept(const RingSlot& slot, PacketView& view);
  size_t unpack(std::span<PacketView> batch);
  ReadResult take(std::span<PacketView> batch);
  bool wait(uint64_t deadline_ns, ReadResult& result);
  void ask_witness();

  const int udp_socket_;
  int fd_ = -1;
  void* memory_ = MAP_FAILED;
  RingGeometry geometry_;
  std::optional<RingWalk> walk_;
  Waker waker_;
  bool silenced_ = false;
  // Frames that fitted into no slot: [0, long_used_) are in use.
  std::vector<std::vector<uint8_t>> long_;
  size_t long_used_ = 0;
  Pieces pieces_;
  bool pieces_in_slot_ = false;  // otherwise in the last of long_
  FirewallWitness witness_;
  uint64_t seen_ = 0;  // whole datagrams
  uint64_t drops_ = 0;
  uint64_t fragments_ = 0;
};

Status PacketRingSource::open(const LinkSourceOptions& options) {
  if (!waker_.valid()) return Status::system(EMFILE, "waker of the receive thread");
  const std::string device = options.device.empty() ? "lo" : options.device;
  // Without a protocol: nothing comes in before all is prepared.
  fd_ = ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd_ < 0) return failure(errno, "opening a packet socket");
  ifreq request{};
  if (device.size() >= sizeof request.ifr_name) return failure(ENODEV, "packet ring on " + device);
  std::memcpy(request.ifr_name, device.c_str(), device.size());
  if (::ioctl(fd_, SIOCGIFHWADDR, &request) != 0) return failure(errno, "packet ring on " + device);
  if (request.ifr_hwaddr.sa_family != ARPHRD_ETHER && request.ifr_hwaddr.sa_family != ARPHRD_LOOPBACK) {
    return failure(EPROTONOSUPPORT, "packet ring on " + device + ", whose frames are not Ethernet's");
  }
  if (::ioctl(fd_, SIOCGIFINDEX, &request) != 0) return failure(errno, "packet ring on " + device);
  Status status = map_ring(options);
  if (!status.ok()) return status;
  status = attach_filter(fd_, stream_filter(options.camera_address, options.local));
  if (!status.ok()) return status;
  // From here on the ring has everything, and the socket what came before, which is none of this stream's;
  // between the two, both have it, and the socket's copy is thrown away.
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_IP);
  where.sll_ifindex = request.ifr_ifindex;
  if (::bind(fd_, reinterpret_cast<const sockaddr*>(&where), sizeof where) != 0) {
    return failure(errno, "binding a packet socket to " + device);
  }
  status = drop_everything(udp_socket_);
  if (!status.ok()) return status;
  silenced_ = true;
  empty_queue(udp_socket_);
  uint32_t reached = 0;
  if (socket_drops(udp_socket_, reached)) witness_.note(0, reached, SteadyClock::instance().now_ns());
  return {};
}

Status PacketRingSource::map_ring(const LinkSourceOptions& options) {
  const auto set = [this](int name, int value) {
    return ::setsockopt(fd_, SOL_PACKET, name, &value, sizeof value) == 0;
  };
  if (!set(PACKET_VERSION, TPACKET_V2) || !set(PACKET_VNET_HDR, 1) || !set(PACKET_COPY_THRESH, 1)) {
    return failure(errno, "packet ring of this kernel");
  }
  const int queue = static_cast<int>(std::min<uint64_t>(options.queue_bytes, 1 << 30));
  if (::setsockopt(fd_, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) != 0) {
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);  // for what fits into no slot
  }
  uint64_t wanted = options.queue_bytes;
  for (;;) {
    geometry_ = ring_geometry(options.packet_size, wanted);
    const tpacket_req request{.tp_block_size = geometry_.block_bytes,
                              .tp_block_nr = geometry_.blocks,
                              .tp_frame_size = geometry_.slot_bytes,
                              .tp_frame_nr = geometry_.slots()};
    if (::setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0) break;
    const int error = errno;
    const bool smaller = ring_geometry(options.packet_size, wanted / 2).bytes() < geometry_.bytes();
    if (error != ENOMEM || !smaller) {
      return failure(error, "packet ring of " + std::to_string(geometry_.bytes()) + " bytes");
    }
    wanted /= 2;
  }
  memory_ = ::mmap(nullptr, geometry_.bytes(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd_, 0);
  if (memory_ == MAP_FAILED) return failure(errno, "mapping a packet ring");
  walk_.emplace(static_cast<uint8_t*>(memory_), geometry_);
  return {};
}

// Fetches what fitted into no slot. The kernel queues it before it marks the slot, in the same order.
bool PacketRingSource::long_message(RingSlot& slot) {
  std::array<uint8_t, kOffloadBytes> offload;
  std::vector<uint8_t>& buffer = long_[long_used_];
  std::array<iovec, 2> parts{{{offload.data(), offload.size()}, {buffer.data(), buffer.size()}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t got = ::recvmsg(fd_, &message, MSG_DONTWAIT);
  if (got < static_cast<ssize_t>(offload.size())) return false;
  ++long_used_;
  slot.data = buffer.data();
  slot.size = static_cast<uint32_t>(got) - kOffloadBytes;
  slot.length = slot.size;
  slot.offload = parse_offload(offload.data());
  return true;
}

// True: `view` is a datagram. False: it is none of ours, or there are pieces to unpack.
bool PacketRingSource::accept(const RingSlot& slot, PacketView& view) {
  const auto frame =
      frame::parse({slot.data, slot.size},
                   slot.offload.checksum_done ? frame::Checksum::kDone : frame::Checksum::kUnknown);
  view = {.data = slot.data + frame.payload_offset,
          .size = frame.payload_size,
          .source_address = frame.source_address,
          .source_port = frame.source_port,
          .truncated = frame.cut};
  switch (frame.kind) {
    case frame::Kind::kOther:
      return false;
    case frame::Kind::kFragment:
      ++fragments_;
      return false;
    case frame::Kind::kDamaged:
      view.truncated = true;  // counted as malformed: no socket would have been given it
      return true;
    case frame::Kind::kDatagram:
      break;
  }
  const uint32_t segment = slot.offload.segment;
  if (segment == 0) {
    ++seen_;
    return true;
  }
  if (frame.cut) {  // no room in the socket's queue: the kernel lost all of them
    drops_ += (slot.length - frame.payload_offset + segment - 1) / segment;
    return false;
  }
  pieces_ = {view.data, view.size, segment, view.source_address, view.source_port};
  return false;
}

size_t PacketRingSource::unpack(std::span<PacketView> batch) {
  size_t count = 0;
  while (pieces_.left > 0 && count < batch.size()) {
    const uint32_t size = std::min(pieces_.each, pieces_.left);
    batch[count++] = {.data = pieces_.at,
                      .size = size,
                      .source_address = pieces_.source_address,
                      .source_port = pieces_.source_port};
    pieces_.at += size;
    pieces_.left -= size;
  }
  seen_ += count;
  return count;
}

ReadResult PacketRingSource::take(std::span<PacketView> batch) {
  walk_->release(pieces_.left > 0 && pieces_in_slot_ ? 1 : 0);
  if (pieces_.left > 0 && !pieces_in_slot_) {
    std::swap(long_[0], long_[long_used_ - 1]);
    long_used_ = 1;
  } else {
    long_used_ = 0;
  }
  size_t count = unpack(batch);
  bool more = pieces_.left > 0;
  while (!more) {
    more = count == batch.size() || long_used_ == long_.size() || walk_->held() >= geometry_.slots() / 2;
    if (more) break;
    auto slot = walk_->next();
    if (!slot) break;
    if (slot->losing) refresh_kernel_drops();
    const bool fetched = slot->queued && long_message(*slot);
    PacketView view;
    if (slot->size == 0) {
      batch[count++] = {.truncated = true};
      continue;
    }
    if (accept(*slot, view)) batch[count++] = view;
    pieces_in_slot_ = !fetched;
    count += unpack(batch.subspan(count));
    more = pieces_.left > 0;
  }
  if (count > 0) ask_witness();
  return {count, more, false, 0};
}

void PacketRingSource::ask_witness() {
  const uint64_t now = SteadyClock::instance().now_ns();
  uint32_t reached = 0;
  if (witness_.due(seen_, now) && socket_drops(udp_socket_, reached)) witness_.note(seen_, reached, now);
}

// False: nothing to read now (time came, interrupted, or failed).
bool PacketRingSource::wait(uint64_t deadline_ns, ReadResult& result) {
  const uint64_t now = SteadyClock::instance().now_ns();
  const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
  const timespec timeout{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
  pollfd waiting[2] = {{fd_, POLLIN, 0}, {waker_.fd(), POLLIN, 0}};
  const int ready = ::ppoll(waiting, 2, &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    result = {0, false, true, errno};
    return false;
  }
  if ((waiting[1].revents & POLLIN) != 0) waker_.clear();
  if ((waiting[0].revents & POLLERR) != 0) {
    // The NIC went down. It may come up again; whether the camera is gone, its heartbeat says.
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  }
  return ready > 0 && (waiting[0].revents & POLLIN) != 0;
}

}  // namespace

Result<std::unique_ptr<PacketSource>> make_packet_ring_source(const LinkSourceOptions& options) {
  auto source = std::make_unique<PacketRingSource>(options.socket.fd());
  Status status = source->open(options);
  if (!status.ok()) return status;
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
