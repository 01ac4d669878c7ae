// Windows: registered I/O where it has proven itself, see registered_source_windows.h. Else, or where another
// manner is asked for, WSARecvMsg: one call for each datagram, until the socket is empty. Copy and scatter as
// on Linux. Aggregate: receive coalescing (UDP_RECV_MAX_COALESCED_SIZE, Windows 10 version 2004); where it
// puts nothing together it is given up. The system has no count of what a socket's full queue dropped.
#include <winsock2.h>
#include <ws2tcpip.h>
// after these
#include <mswsock.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/clock.h"
#include "base/wait_windows.h"
#include "base/waker.h"
#include "net/aggregation.h"
#include "net/read_event_windows.h"
#include "net/registered_source_windows.h"
#include "net/scatter.h"
#include "net/udp_source.h"
#include "net/winsock.h"

// As in the public documentation; older headers lack them.
#ifndef UDP_RECV_MAX_COALESCED_SIZE
#define UDP_RECV_MAX_COALESCED_SIZE 3
#endif
#ifndef UDP_COALESCED_INFO
#define UDP_COALESCED_INFO 3
#endif

namespace gw {

namespace {

constexpr uint32_t kAggregates = 8;  // datagrams per read: their buffers should stay in the cache
constexpr uint32_t kAggregateBytes = 65536;
// Shorter packets: further pieces cost what our copy would (as measured on Linux).
constexpr uint32_t kScatterFrom = 4096;

LPFN_WSARECVMSG find_receive_message(SOCKET fd) {
  GUID name = WSAID_WSARECVMSG;
  LPFN_WSARECVMSG found = nullptr;
  DWORD size = 0;
  const int failed = ::WSAIoctl(fd, SIO_GET_EXTENSION_FUNCTION_POINTER, &name, sizeof name, &found,
                                sizeof found, &size, nullptr, nullptr);
  return failed == 0 ? found : nullptr;
}

class UdpSourceWindows final : public PacketSource {
 public:
  UdpSourceWindows(SOCKET fd, LPFN_WSARECVMSG receive_message, const UdpSourceOptions& options)
      : fd_(fd),
        receive_message_(receive_message),
        plain_(
            options.manner.value_or(options.packet_bytes >= kScatterFrom ? Manner::kScatter : Manner::kCopy)),
        adaptive_(!options.manner.has_value()),
        batch_(std::clamp<uint32_t>(options.batch, 1, 1024)),
        max_datagram_(options.max_datagram),
        stride_((options.max_datagram + 1 + 63) / 64 * 64),
        buffers_(std::max<size_t>(size_t{batch_} * stride_, size_t{kAggregates} * kAggregateBytes)),
        ready_(event_.select(fd)) {
    if (plain_ == Manner::kAggregate || adaptive_) switch_aggregation(true);
    if (plain_ == Manner::kRegistered || (plain_ == Manner::kAggregate && !aggregation_.on())) {
      plain_ = Manner::kCopy;
      manner_.store(plain_, std::memory_order_relaxed);
    }
  }

  bool valid() const { return waker_.valid() && ready_; }

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    if (const size_t left = unpack(batch); left > 0) return {left, more(), false, 0};
    if (request.rest_ns != 0) timed_.rest(request.rest_ns);
    for (;;) {
      ReadResult result = receive(batch, request.plan);
      if (result.count > 0 || result.failed || request.deadline_ns == 0) return result;
      const std::array<void*, 2> handles{waker_.handle(), event_.handle()};
      switch (timed_.wait(handles, request.deadline_ns)) {
        case 0:
          waker_.clear();
          return {};
        case 1:
          continue;
        case TimedWait::kTimeCame:
          return receive(batch, request.plan);
        default:
          return {0, false, true, EIO};
      }
    }
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return 0; }
  Manner manner() const override { return manner_.load(std::memory_order_relaxed); }

 private:
  // What was received, and how much of it is one packet: all, unless the system put several together.
  struct Held {
    uint32_t size = 0;
    uint32_t segment = 0;
    sockaddr_in from{};
    bool truncated = false;
  };
  enum class Got : uint8_t { kDatagram, kNothing, kError };

  ReadResult receive(std::span<PacketView> batch, const LandingPlan& plan) {
    if (aggregation_.on() || draining_) return receive_aggregates(batch);
    const size_t wanted = std::min<size_t>(batch.size(), batch_);
    size_t count = 0;
    while (count < wanted) {
      uint8_t* const staging = &buffers_[count * stride_];
      const Pieces pieces = pieces_for(plan, count, staging, stride_);
      Held held;
      const Got got = receive_one(pieces, held);
      if (got == Got::kError) return {0, false, true, error_};
      if (got == Got::kNothing) break;
      batch[count] = {.data = staging,
                      .size = held.size,
                      .source_address = ntohl(held.from.sin_addr.s_addr),
                      .source_port = ntohs(held.from.sin_port),
                      .truncated = held.truncated};
      mark_landing(batch[count], plan, count, stride_);
      ++count;
    }
    full_ = count == wanted;
    adapt(count, 0);
    return {count, full_, false, 0};
  }

  ReadResult receive_aggregates(std::span<PacketView> batch) {
    held_from_ = held_to_ = 0;
    size_t aggregates = 0;
    while (held_to_ < kAggregates) {
      Held& held = held_[held_to_];
      const Got got = receive_one({{{{&buffers_[held_to_ * kAggregateBytes], kAggregateBytes}}}, 1}, held);
      if (got == Got::kError) return {0, false, true, error_};
      if (got == Got::kNothing) break;
      if (held.size > held.segment) ++aggregates;
      ++held_to_;
    }
    full_ = held_to_ == kAggregates;
    if (!full_) draining_ = false;
    const size_t count = unpack(batch);
    adapt(held_to_, aggregates);
    return {count, more(), false, 0};
  }

  Got receive_one(const Pieces& pieces, Held& held) {
    std::array<WSABUF, 3> buffers;
    uint32_t room = 0;
    for (uint32_t i = 0; i < pieces.count; ++i) {
      buffers[i] = {pieces.pieces[i].size, reinterpret_cast<char*>(pieces.pieces[i].to)};
      room += pieces.pieces[i].size;
    }
    alignas(WSACMSGHDR) std::array<char, WSA_CMSG_SPACE(sizeof(DWORD))> control;
    for (;;) {
      WSAMSG message{};
      message.name = reinterpret_cast<sockaddr*>(&held.from);
      message.namelen = sizeof held.from;
      message.lpBuffers = buffers.data();
      message.dwBufferCount = pieces.count;
      message.Control = {static_cast<ULONG>(control.size()), control.data()};
      DWORD size = 0;
      if (receive_message_(fd_, &message, &size, nullptr, nullptr) == 0) {
        held.size = std::min<uint32_t>(size, room);
        held.truncated = (message.dwFlags & MSG_TRUNC) != 0;
        held.segment = segment_of(message, held.size);
        return Got::kDatagram;
      }
      const int error = ::WSAGetLastError();
      switch (error) {
        case WSAEMSGSIZE:
          held.size = held.segment = room;
          held.truncated = true;
          return Got::kDatagram;
        case WSAEWOULDBLOCK:
          return Got::kNothing;
        // A camera that vanished makes ICMP errors; they say nothing about the socket.
        case WSAECONNRESET:
        case WSAECONNREFUSED:
        case WSAENETRESET:
        case WSAEHOSTUNREACH:
        case WSAENETUNREACH:
        case WSAENOBUFS:
          continue;
        default:
          error_ = errno_of(error);
          return Got::kError;
      }
    }
  }

  static uint32_t segment_of(const WSAMSG& message, uint32_t size) {
    for (WSACMSGHDR* c = WSA_CMSG_FIRSTHDR(&message); c != nullptr; c = WSA_CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_COALESCED_INFO) continue;
      DWORD segment = 0;
      std::memcpy(&segment, WSA_CMSG_DATA(c), sizeof segment);
      if (segment != 0) return std::min<uint32_t>(segment, size);
    }
    return size;
  }

  bool more() const { return full_ || held_from_ < held_to_; }

  // Packets of the datagrams that were received and not handed over yet.
  size_t unpack(std::span<PacketView> batch) {
    size_t count = 0;
    while (held_from_ < held_to_ && count < batch.size()) {
      const Held& held = held_[held_from_];
      const uint32_t size = std::min(held.segment, held.size - unpacked_);
      batch[count++] = {.data = &buffers_[held_from_ * kAggregateBytes + unpacked_],
                        .size = std::min(size, stride_),
                        .source_address = ntohl(held.from.sin_addr.s_addr),
                        .source_port = ntohs(held.from.sin_port),
                        .truncated = held.truncated || size > max_datagram_};
      unpacked_ += size;
      if (unpacked_ < held.size) continue;
      unpacked_ = 0;
      ++held_from_;
    }
    return count;
  }

  void adapt(size_t datagrams, size_t aggregates) {
    if (!adaptive_ || datagrams == 0) return;
    switch (aggregation_.note(datagrams, aggregates, full_, SteadyClock::instance().now_ns())) {
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
    const DWORD most = on ? kAggregateBytes - 1 : 0;
    const bool done = ::setsockopt(fd_, IPPROTO_UDP, UDP_RECV_MAX_COALESCED_SIZE,
                                   reinterpret_cast<const char*>(&most), sizeof most) == 0;
    if (!done && !on) return;  // it stays on
    draining_ = !on;           // such as came before may still wait
    aggregation_.begin(on && done);
    manner_.store(aggregation_.on() ? Manner::kAggregate : plain_, std::memory_order_relaxed);
  }

  const SOCKET fd_;
  const LPFN_WSARECVMSG receive_message_;
  Manner plain_;  // where nothing is aggregated
  const bool adaptive_;
  const uint32_t batch_;
  const uint32_t max_datagram_;
  const uint32_t stride_;
  Waker waker_;
  ReadEvent event_;
  TimedWait timed_;
  std::vector<uint8_t> buffers_;
  const bool ready_;
  std::atomic<Manner> manner_{plain_};
  Aggregation aggregation_;
  bool draining_ = false;
  bool full_ = false;  // the last read took as much as it could
  int error_ = 0;
  // Received and not handed over yet: [from, to), and how much of the first of them already is.
  std::array<Held, kAggregates> held_;
  size_t held_from_ = 0;
  size_t held_to_ = 0;
  uint32_t unpacked_ = 0;
};

}  // namespace

Result<std::unique_ptr<PacketSource>> make_udp_source(UdpSocket& socket, const UdpSourceOptions& options) {
  if (socket.keeps()) return Status::error(Errc::kInvalidArgument, "the socket has served a stream already");
  if (options.manner.value_or(Manner::kRegistered) == Manner::kRegistered) {
    const rio::Functions* const registered = find_registered_io();
    static const bool proven = registered != nullptr && registered_io_proves_itself(*registered);
    if (proven) {
      if (auto source = make_registered_source(socket, options, *registered)) return source;
    }
  }
  const LPFN_WSARECVMSG receive_message = find_receive_message(socket.fd());
  if (receive_message == nullptr) return socket_failure("WSARecvMsg on the stream socket");
  auto source = std::make_unique<UdpSourceWindows>(socket.fd(), receive_message, options);
  if (!source->valid()) return Status::system(EMFILE, "events of the receive thread");
  return std::unique_ptr<PacketSource>(std::move(source));
}

}  // namespace gw
