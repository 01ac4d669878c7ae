// Linux: recvmmsg into hot staging buffers. The kernel's drop count for this socket (SO_RXQ_OVFL) comes with
// each packet once there was a drop; it tells queue overflow from loss on the wire. When nothing comes it is
// asked for.
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/waker.h"
#include "net/udp_source.h"

namespace gw {

namespace {

constexpr size_t kControlBytes = CMSG_SPACE(sizeof(uint32_t));

class UdpSourceLinux final : public PacketSource {
 public:
  UdpSourceLinux(int fd, const UdpSourceOptions& options)
      : fd_(fd),
        batch_(std::clamp<uint32_t>(options.batch, 1, 1024)),
        // One byte more than the largest datagram tells a full one from a cut one even without MSG_TRUNC.
        stride_((options.max_datagram + 1 + 63) / 64 * 64),
        buffers_(static_cast<size_t>(batch_) * stride_),
        control_(static_cast<size_t>(batch_) * kControlBytes),
        names_(batch_),
        vectors_(batch_),
        messages_(batch_) {
    for (uint32_t i = 0; i < batch_; ++i) {
      vectors_[i] = {&buffers_[static_cast<size_t>(i) * stride_], stride_};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
      messages_[i].msg_hdr.msg_name = &names_[i];
      messages_[i].msg_hdr.msg_control = &control_[i * kControlBytes];
    }
  }

  bool valid() const { return waker_.valid(); }

  ReadResult read(std::span<PacketView> batch, uint64_t deadline_ns) override {
    ReadResult result = receive(batch);
    if (result.count > 0 || result.failed || deadline_ns == 0) return result;
    if (!wait(deadline_ns, result)) {
      refresh_kernel_drops();
      return result;
    }
    return receive(batch);
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return drops_; }
  void refresh_kernel_drops() override {
    uint32_t memory[SK_MEMINFO_VARS];
    socklen_t size = sizeof memory;
    if (::getsockopt(fd_, SOL_SOCKET, SO_MEMINFO, memory, &size) != 0) return;  // before Linux 4.12
    if (size > SK_MEMINFO_DROPS * sizeof(uint32_t)) note_total(memory[SK_MEMINFO_DROPS]);
  }

 private:
  ReadResult receive(std::span<PacketView> batch) {
    const auto wanted = static_cast<unsigned>(std::min<size_t>(batch.size(), batch_));
    for (unsigned i = 0; i < wanted; ++i) {
      messages_[i].msg_hdr.msg_namelen = sizeof(sockaddr_in);
      messages_[i].msg_hdr.msg_controllen = kControlBytes;
    }
    const int got = ::recvmmsg(fd_, messages_.data(), wanted, MSG_DONTWAIT, nullptr);
    if (got < 0) {
      // A camera that vanished makes ICMP errors; they say nothing about the socket.
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNREFUSED ||
          errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ENOBUFS) {
        return {};
      }
      return {0, false, true, errno};
    }
    for (int i = 0; i < got; ++i) {
      const mmsghdr& message = messages_[static_cast<size_t>(i)];
      PacketView& view = batch[static_cast<size_t>(i)];
      view.data = &buffers_[static_cast<size_t>(i) * stride_];
      view.size = std::min<uint32_t>(message.msg_len, stride_);
      view.source_address = ntohl(names_[static_cast<size_t>(i)].sin_addr.s_addr);
      view.source_port = ntohs(names_[static_cast<size_t>(i)].sin_port);
      view.truncated = (message.msg_hdr.msg_flags & MSG_TRUNC) != 0;
    }
    if (got > 0) note_drops(messages_[static_cast<size_t>(got - 1)].msg_hdr);
    return {static_cast<size_t>(got), static_cast<unsigned>(got) == wanted, false, 0};
  }

  void note_drops(const msghdr& header) {
    for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
         c = CMSG_NXTHDR(const_cast<msghdr*>(&header), c)) {
      if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL) continue;
      uint32_t total;
      std::memcpy(&total, CMSG_DATA(c), sizeof total);
      note_total(total);
    }
  }

  // The kernel's count has 32 bits and wraps. What a packet brings may be older than what was asked for.
  void note_total(uint32_t total) {
    const uint32_t more = total - last_total_;
    if (more > UINT32_MAX / 2) return;
    drops_ += more;
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
  const uint32_t batch_;
  const uint32_t stride_;
  Waker waker_;
  std::vector<uint8_t> buffers_;
  std::vector<uint8_t> control_;
  std::vector<sockaddr_in> names_;
  std::vector<iovec> vectors_;
  std::vector<mmsghdr> messages_;
  uint64_t drops_ = 0;
  uint32_t last_total_ = 0;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> make_udp_source(int fd, const UdpSourceOptions& options) {
  const int on = 1;
  if (::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on) != 0) {
    return Status::system(errno, "SO_RXQ_OVFL on the stream socket");
  }
  auto source = std::make_unique<UdpSourceLinux>(fd, options);
  if (!source->valid()) return Status::system(EMFILE, "waker of the receive thread");
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
