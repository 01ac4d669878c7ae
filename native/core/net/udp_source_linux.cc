// Linux: recvmmsg, in three manners. Copy: into hot staging buffers. Scatter: the header there, the data
// where the path wants it, so that the kernel's copy is the only one. Aggregate: the kernel puts packets of
// one sender together (UDP_GRO) and hands many over at the price of one; they are taken apart here. The
// kernel's drop count for this socket (SO_RXQ_OVFL) comes with each packet once there was a drop; it tells
// queue overflow from loss on the wire. When nothing comes it is asked for.
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/waker.h"
#include "net/aggregation.h"
#include "net/scatter.h"
#include "net/udp_source.h"

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

namespace gw {

namespace {

constexpr size_t kControlBytes = CMSG_SPACE(sizeof(uint32_t)) + CMSG_SPACE(sizeof(int));
constexpr uint32_t kAggregates = 8;  // datagrams per system call: their buffers should stay in the cache
constexpr uint32_t kAggregateBytes = 65536;
// Shorter packets: the kernel's second piece costs what our copy would.
constexpr uint32_t kScatterFrom = 4096;

class UdpSourceLinux final : public PacketSource {
 public:
  UdpSourceLinux(int fd, const UdpSourceOptions& options)
      : fd_(fd),
        plain_(
            options.manner.value_or(options.packet_bytes >= kScatterFrom ? Manner::kScatter : Manner::kCopy)),
        adaptive_(!options.manner.has_value()),
        batch_(std::clamp<uint32_t>(options.batch, 1, 1024)),
        max_datagram_(options.max_datagram),
        // One byte more than the largest datagram tells a full one from a cut one even without MSG_TRUNC.
        stride_((options.max_datagram + 1 + 63) / 64 * 64),
        busy_ns_(uint64_t{options.busy_poll_us} * 1000),
        buffers_(std::max<size_t>(size_t{batch_} * stride_, size_t{kAggregates} * kAggregateBytes)),
        control_(static_cast<size_t>(std::max(batch_, kAggregates)) * kControlBytes),
        names_(std::max(batch_, kAggregates)),
        vectors_(names_.size()),
        messages_(names_.size()) {
    for (size_t i = 0; i < messages_.size(); ++i) {
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = vectors_[i].data();
      messages_[i].msg_hdr.msg_name = &names_[i];
      messages_[i].msg_hdr.msg_control = &control_[i * kControlBytes];
    }
    segment_ = options.packet_bytes;
    refresh_kernel_drops();  // what was dropped before is none of this stream's
    drops_ = 0;
    if (plain_ == Manner::kAggregate || adaptive_) switch_aggregation(true);
    // Before Linux 5.0; registered I/O is another system's.
    if (plain_ == Manner::kRegistered || (plain_ == Manner::kAggregate && !aggregation_.on())) {
      plain_ = Manner::kCopy;
      manner_.store(plain_, std::memory_order_relaxed);
    }
  }

  bool valid() const { return waker_.valid(); }

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    if (const size_t left = unpack(batch); left > 0) return {left, more(), false, 0};
    if (request.rest_ns != 0) rest(request.rest_ns);
    ReadResult result = receive(batch, request.plan);
    if (result.count > 0 || result.failed || request.deadline_ns == 0) return result;
    if (busy_ns_ != 0) {
      result = ask_again(batch, request);
      if (result.count > 0 || result.failed) return result;
    }
    if (!wait(request.deadline_ns, result)) {
      refresh_kernel_drops();
      return result;
    }
    return receive(batch, request.plan);
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return drops_; }
  void refresh_kernel_drops() override {
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t size = sizeof memory;
    if (::getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return;  // before Linux 4.12
    if (size > SK_MEMINFO_DROPS * sizeof(uint32_t)) note_total(memory[SK_MEMINFO_DROPS]);
  }

  Manner manner() const override { return manner_.load(std::memory_order_relaxed); }
  int readable_fd() const override { return fd_; }

 private:
  static void rest(uint64_t ns) {
    const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
  }

  // Each call has the kernel poll the NIC where SO_BUSY_POLL is set; and no wake-up is faster than none.
  ReadResult ask_again(std::span<PacketView> batch, const ReadRequest& request) {
    const uint64_t end = std::min(SteadyClock::instance().now_ns() + busy_ns_, request.deadline_ns);
    ReadResult result;
    do {
      result = receive(batch, request.plan);
    } while (result.count == 0 && !result.failed && SteadyClock::instance().now_ns() < end);
    return result;
  }

  ReadResult receive(std::span<PacketView> batch, const LandingPlan& plan) {
    const bool unpacking = unpacks();
    const auto wanted =
        static_cast<unsigned>(unpacking ? kAggregates : std::min<size_t>(batch.size(), batch_));
    for (unsigned i = 0; i < wanted; ++i) prepare(i, unpacking, plan);
    const int got = ::recvmmsg(fd_, messages_.data(), wanted, MSG_DONTWAIT, nullptr);
    if (got < 0) {
      // A camera that vanished makes ICMP errors; they say nothing about the socket.
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNREFUSED ||
          errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ENOBUFS) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) draining_ = false;
        return {};
      }
      return {0, false, true, errno};
    }
    const bool full = static_cast<unsigned>(got) == wanted;
    full_ = full;
    if (unpacking) {
      unpacked_from_ = 0;
      unpacked_to_ = static_cast<size_t>(got);
      unpacked_bytes_ = 0;
      unmarked_ = draining_;
      const size_t count = unpack(batch);
      adapt(static_cast<size_t>(got), full);
      return {count, more(), false, 0};
    }
    for (unsigned i = 0; i < static_cast<unsigned>(got); ++i) batch[i] = view_of(i, plan);
    if (got > 0) read_control(messages_[static_cast<size_t>(got - 1)].msg_hdr);
    adapt(static_cast<size_t>(got), full);
    return {static_cast<size_t>(got), full, false, 0};
  }

  bool more() const { return full_ || unpacked_from_ < unpacked_to_; }

  // Whether datagrams may be several packets in one: while that is asked for, and as long as such may still
  // wait that came before it was not.
  bool unpacks() const { return aggregation_.on() || draining_; }

  void prepare(unsigned i, bool unpacking, const LandingPlan& plan) {
    msghdr& header = messages_[i].msg_hdr;
    header.msg_namelen = sizeof(sockaddr_in);
    header.msg_controllen = kControlBytes;
    auto& vector = vectors_[i];
    uint8_t* staging = buffer(i);
    if (unpacking) {
      vector[0] = {staging, kAggregateBytes};
      header.msg_iovlen = 1;
    } else {
      const Pieces pieces = pieces_for(plan, i, staging, stride_);
      for (uint32_t p = 0; p < pieces.count; ++p) vector[p] = {pieces.pieces[p].to, pieces.pieces[p].size};
      header.msg_iovlen = pieces.count;
    }
  }

  uint8_t* buffer(size_t i) { return &buffers_[i * (unpacks() ? kAggregateBytes : stride_)]; }

  PacketView view_of(size_t i, const LandingPlan& plan) {
    const uint32_t size = std::min<uint32_t>(messages_[i].msg_len, stride_);
    PacketView view{.data = buffer(i),
                    .size = size,
                    .source_address = ntohl(names_[i].sin_addr.s_addr),
                    .source_port = ntohs(names_[i].sin_port),
                    .truncated = (messages_[i].msg_hdr.msg_flags & MSG_TRUNC) != 0};
    mark_landing(view, plan, i, stride_);
    return view;
  }

  // Packets of the datagrams that were received and not handed over yet.
  size_t unpack(std::span<PacketView> batch) {
    size_t count = 0;
    while (unpacked_from_ < unpacked_to_ && count < batch.size()) {
      const size_t i = unpacked_from_;
      const mmsghdr& message = messages_[i];
      if (unpacked_bytes_ == 0) {
        unpacked_segment_ = read_control(message.msg_hdr);
        // Put together while that was still asked for: the kernel no longer says so.
        if (unpacked_segment_ == 0 && unmarked_ && segment_ != 0 && message.msg_len > segment_)
          unpacked_segment_ = segment_;
        if (unpacked_segment_ == 0) unpacked_segment_ = message.msg_len;
        if (message.msg_len > unpacked_segment_) {
          ++aggregates_;
          segment_ = unpacked_segment_;
          together_ = (message.msg_len + segment_ - 1) / segment_;
        }
      }
      const uint32_t size = std::min(unpacked_segment_, message.msg_len - unpacked_bytes_);
      batch[count++] = {.data = &buffers_[i * kAggregateBytes + unpacked_bytes_],
                        .size = std::min(size, stride_),
                        .source_address = ntohl(names_[i].sin_addr.s_addr),
                        .source_port = ntohs(names_[i].sin_port),
                        .truncated = size > max_datagram_};
      unpacked_bytes_ += size;
      if (unpacked_bytes_ < message.msg_len) continue;
      unpacked_bytes_ = 0;
      ++unpacked_from_;
    }
    return count;
  }

  void adapt(size_t datagrams, bool full) {
    if (draining_ && !full) draining_ = false;
    const size_t aggregates = std::exchange(aggregates_, 0);
    if (!adaptive_ || datagrams == 0) return;
    switch (aggregation_.note(datagrams, aggregates, full, SteadyClock::instance().now_ns())) {
      case Aggregation::Turn::kOn:
        switch_aggregation(true);
        break;
      case Aggregation::Turn::kOff:
        switch_aggregation(false);
        break;
      case Aggregation::Turn::kStay:
        break;
    }
  }

  void switch_aggregation(bool on) {
    const int value = on ? 1 : 0;
    const bool done = ::setsockopt(fd_, IPPROTO_UDP, UDP_GRO, &value, sizeof value) == 0;
    if (!done && !on) return;  // it stays on
    draining_ = !on;
    together_ = 1;
    aggregation_.begin(on && done);
    manner_.store(aggregation_.on() ? Manner::kAggregate : plain_, std::memory_order_relaxed);
  }

  // Returns the length of the packets that the kernel put together, 0 where it did not.
  uint32_t read_control(const msghdr& header) {
    int segment = 0;
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
      if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
        uint32_t total;
        std::memcpy(&total, CMSG_DATA(c), sizeof total);
        note_total(total);
      } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
        std::memcpy(&segment, CMSG_DATA(c), sizeof segment);
      }
    }
    return segment > 0 ? static_cast<uint32_t>(segment) : 0;
  }

  // The kernel's count has 32 bits and wraps. What a packet brings may be older than what was asked for.
  void note_total(uint32_t total) {
    const uint32_t more = total - last_total_;
    if (more > UINT32_MAX / 2) return;
    // What it put together it drops and counts as one.
    drops_ += uint64_t{more} * together_;
    last_total_ = total;
  }

  // False: nothing to read now (time came, interrupted, or failed).
  bool wait(uint64_t deadline_ns, ReadResult& result) {
    const uint64_t now = SteadyClock::instance().now_ns();
    const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    const timespec timeout{static_cast<time_t>(left / 1'000'000'000),
                           static_cast<long>(left % 1'000'000'000)};
    pollfd waiting[2] = {{fd_, POLLIN, 0}, {waker_.fd(), POLLIN, 0}};
    const int ready = ::ppoll(waiting, 2, &timeout, nullptr);
    if (ready < 0 && errno != EINTR) {
      result = {0, false, true, errno};
      return false;
    }
    if ((waiting[1].revents & POLLIN) != 0) waker_.clear();
    if ((waiting[0].revents & POLLNVAL) != 0) {
      result = {0, false, true, EBADF};
      return false;
    }
    return ready > 0 && (waiting[0].revents & (POLLIN | POLLERR)) != 0;
  }

  const int fd_;
  Manner plain_;  // where nothing is aggregated
  const bool adaptive_;
  const uint32_t batch_;
  const uint32_t max_datagram_;
  const uint32_t stride_;
  const uint64_t busy_ns_;
  Waker waker_;
  std::vector<uint8_t> buffers_;
  std::vector<uint8_t> control_;
  std::vector<sockaddr_in> names_;
  std::vector<std::array<iovec, 3>> vectors_;
  std::vector<mmsghdr> messages_;
  std::atomic<Manner> manner_{plain_};
  Aggregation aggregation_;
  bool draining_ = false;
  size_t aggregates_ = 0;  // since the last read
  uint32_t segment_ = 0;   // length of the packets in the last aggregate
  uint32_t together_ = 1;  // packets in it
  bool unmarked_ = false;  // the last read was while draining
  bool full_ = false;      // the last read took as much as it could
  // What was received and not handed over yet: datagrams [from, to), and how much of the first of them.
  size_t unpacked_from_ = 0;
  size_t unpacked_to_ = 0;
  uint32_t unpacked_bytes_ = 0;
  uint32_t unpacked_segment_ = 0;
  uint64_t drops_ = 0;
  uint32_t last_total_ = 0;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> make_udp_source(UdpSocket& socket, const UdpSourceOptions& options) {
  const int fd = socket.fd();
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0) {
    return Status::system(errno, "SO_RXQ_OVFL on the stream socket");
  }
  auto source = std::make_unique<UdpSourceLinux>(fd, options);
  if (!source->valid()) return Status::system(EMFILE, "waker of the receive thread");
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
