// macOS: recvmsg_x, which takes many datagrams at once, where the system has it; else recvmsg for each. Copy,
// or scatter: the header to a staging buffer, the data where the path wants it. Nothing puts packets
// together, and the system has no count of what a socket's full queue dropped.
#include <dlfcn.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <vector>

#include "base/clock.h"
#include "base/waker.h"
#include "net/scatter.h"
#include "net/udp_source.h"

namespace gw {

namespace {

// Shorter packets: further pieces cost what our copy would (as measured on Linux).
constexpr uint32_t kScatterFrom = 4096;

// One entry of recvmsg_x, which no public header declares: a msghdr, and behind it how much was received.
struct Message {
  void* name;
  socklen_t name_size;
  iovec* vectors;
  int vector_count;
  void* control;
  socklen_t control_size;
  int flags;
  size_t size;
};
static_assert(sizeof(Message) == 56);
using ReceiveMany = ssize_t (*)(int, Message*, unsigned, int);

ReceiveMany find_receive_many() { return reinterpret_cast<ReceiveMany>(::dlsym(RTLD_DEFAULT, "recvmsg_x")); }

class UdpSourceMacos final : public PacketSource {
 public:
  UdpSourceMacos(int fd, const UdpSourceOptions& options)
      : fd_(fd),
        batch_(std::clamp<uint32_t>(options.batch, 1, 1024)),
        // One byte more than the largest datagram tells a full one from a cut one even without MSG_TRUNC.
        stride_((options.max_datagram + 1 + 63) / 64 * 64),
        manner_(options.manner.value_or(options.packet_bytes >= kScatterFrom
                                            ? Manner::kScatter
                                            : Manner::kCopy) == Manner::kScatter
                    ? Manner::kScatter
                    : Manner::kCopy),
        buffers_(size_t{batch_} * stride_),
        names_(batch_),
        vectors_(batch_),
        messages_(batch_) {}

  bool valid() const { return waker_.valid(); }

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    if (request.rest_ns != 0) rest(request.rest_ns);
    ReadResult result = receive(batch, request.plan);
    if (result.count > 0 || result.failed || request.deadline_ns == 0) return result;
    if (!wait(request.deadline_ns, result)) return result;
    return receive(batch, request.plan);
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return 0; }
  Manner manner() const override { return manner_; }

 private:
  static void rest(uint64_t ns) {
    const timespec time{static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    ::nanosleep(&time, nullptr);
  }

  ReadResult receive(std::span<PacketView> batch, const LandingPlan& plan) {
    const auto wanted = static_cast<unsigned>(std::min<size_t>(batch.size(), batch_));
    for (unsigned i = 0; i < wanted; ++i) prepare(i, plan);
    const ssize_t got = receive_many_ != nullptr ? receive_many_(fd_, messages_.data(), wanted, MSG_DONTWAIT)
                                                 : receive_each(wanted);
    if (got < 0) {
      // ENOSYS or EOPNOTSUPP: this system has the name alone.
      if (receive_many_ != nullptr && (errno == ENOSYS || errno == EOPNOTSUPP)) {
        receive_many_ = nullptr;
        return receive(batch, plan);
      }
      // A camera that vanished makes ICMP errors; they say nothing about the socket.
      if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR || errno == ECONNREFUSED ||
          errno == EHOSTUNREACH || errno == ENETUNREACH || errno == ENOBUFS)
        return {};
      return {0, false, true, errno};
    }
    const auto count = static_cast<size_t>(got);
    for (size_t i = 0; i < count; ++i) batch[i] = view_of(i, plan);
    return {count, count == wanted, false, 0};
  }

  void prepare(size_t i, const LandingPlan& plan) {
    const Pieces pieces = pieces_for(plan, i, &buffers_[i * stride_], stride_);
    for (uint32_t p = 0; p < pieces.count; ++p) vectors_[i][p] = {pieces.pieces[p].to, pieces.pieces[p].size};
    messages_[i] = {
        &names_[i], sizeof names_[i], vectors_[i].data(), static_cast<int>(pieces.count), nullptr, 0, 0, 0};
  }

  // As recvmmsg: how many came, or -1 where the first one already failed.
  ssize_t receive_each(unsigned wanted) {
    for (unsigned i = 0; i < wanted; ++i) {
      Message& message = messages_[i];
      msghdr header{};
      header.msg_name = message.name;
      header.msg_namelen = message.name_size;
      header.msg_iov = message.vectors;
      header.msg_iovlen = message.vector_count;
      const ssize_t size = ::recvmsg(fd_, &header, MSG_DONTWAIT);
      if (size < 0) return i == 0 ? -1 : static_cast<ssize_t>(i);
      message.size = static_cast<size_t>(size);
      message.flags = header.msg_flags;
    }
    return wanted;
  }

  PacketView view_of(size_t i, const LandingPlan& plan) {
    const Message& message = messages_[i];
    PacketView view{.data = &buffers_[i * stride_],
                    .size = static_cast<uint32_t>(std::min<size_t>(message.size, stride_)),
                    .source_address = ntohl(names_[i].sin_addr.s_addr),
                    .source_port = ntohs(names_[i].sin_port),
                    .truncated = (message.flags & MSG_TRUNC) != 0 || message.size >= stride_};
    mark_landing(view, plan, i, stride_);
    return view;
  }

  // False: nothing to read now (time came, interrupted, or failed). There is no ppoll(): waits end up to 1 ms
  // late.
  bool wait(uint64_t deadline_ns, ReadResult& result) {
    const uint64_t now = SteadyClock::instance().now_ns();
    const uint64_t left = deadline_ns > now ? deadline_ns - now : 0;
    const auto timeout = static_cast<int>(std::min<uint64_t>((left + kNsPerMs - 1) / kNsPerMs, INT_MAX));
    std::array<pollfd, 2> waiting{{{fd_, POLLIN, 0}, {waker_.fd(), POLLIN, 0}}};
    const int ready = ::poll(waiting.data(), waiting.size(), timeout);
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
  const Manner manner_;
  ReceiveMany receive_many_ = find_receive_many();
  Waker waker_;
  std::vector<uint8_t> buffers_;
  std::vector<sockaddr_in> names_;
  std::vector<std::array<iovec, 3>> vectors_;
  std::vector<Message> messages_;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> make_udp_source(UdpSocket& socket, const UdpSourceOptions& options) {
  if (!socket.is_open()) return Status::system(EBADF, "the stream socket is closed");
  auto source = std::make_unique<UdpSourceMacos>(socket.fd(), options);
  if (!source->valid()) return Status::system(EMFILE, "waker of the receive thread");
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
