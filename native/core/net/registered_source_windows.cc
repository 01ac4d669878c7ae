#include "net/registered_source_windows.h"

#include <winsock2.h>
#include <ws2tcpip.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <numeric>
#include <vector>

#include "base/clock.h"
#include "base/wait_windows.h"
#include "base/waker.h"
#include "net/winsock.h"

namespace gw {

namespace {

constexpr size_t kMemory = 4 << 20;  // of one stream, locked
constexpr size_t kFewest = 64;       // datagrams in it
constexpr size_t kMost = 1024;
constexpr uint32_t kNameBytes = 32;  // room for a sender's address, which is asked for with room for IPv6

// What the kernel writes to, and tells of. Closed after the socket.
struct Registered {
  Registered(const rio::Functions& functions, size_t slots, uint32_t stride)
      : io(functions), count(slots), size(slots * (stride + kNameBytes)) {
    memory = static_cast<uint8_t*>(::VirtualAlloc(nullptr, size, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE));
    event = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
    if (memory == nullptr || event == nullptr) return;
    id = io.register_buffer(reinterpret_cast<char*>(memory), static_cast<DWORD>(size));
    rio::Notification notification{rio::kByEvent, event, TRUE, nullptr};
    queue = io.create_completion_queue(static_cast<DWORD>(slots), &notification);
  }
  ~Registered() {
    if (queue != nullptr) io.close_completion_queue(queue);
    if (id != rio::kNoBuffer) io.deregister_buffer(id);
    if (event != nullptr) ::CloseHandle(event);
    if (memory != nullptr) ::VirtualFree(memory, 0, MEM_RELEASE);
  }
  Registered(const Registered&) = delete;
  Registered& operator=(const Registered&) = delete;
  bool valid() const { return id != rio::kNoBuffer && queue != nullptr; }

  const rio::Functions& io;
  const size_t count;
  const size_t size;
  uint8_t* memory = nullptr;  // datagrams, and behind them all their senders
  HANDLE event = nullptr;
  rio::BufferId id = rio::kNoBuffer;
  rio::CompletionQueue queue = nullptr;
};

class RegisteredSource final : public PacketSource {
 public:
  RegisteredSource(std::shared_ptr<Registered> registered, uint32_t batch, uint32_t stride)
      : registered_(std::move(registered)),
        rio_(registered_->io),
        batch_(std::clamp<uint32_t>(batch, 1, 1024)),
        stride_(stride),
        free_(registered_->count) {
    std::iota(free_.begin(), free_.end(), 0U);
  }

  bool begin(NativeSocket socket) {
    if (!waker_.valid()) return false;
    requests_ = rio_.create_request_queue(socket, static_cast<ULONG>(registered_->count), 1, 0, 1,
                                          registered_->queue, registered_->queue, nullptr);
    return requests_ != nullptr;
  }

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    if (!post()) return {0, false, true, last_socket_error()};
    if (request.rest_ns != 0) timed_.rest(request.rest_ns);
    for (;;) {
      const ReadResult result = take(batch);
      if (result.count > 0 || result.failed || request.deadline_ns == 0) return result;
      if (!armed_ && rio_.notify(registered_->queue) != 0) return {0, false, true, EIO};
      armed_ = true;
      const std::array<void*, 2> handles{waker_.handle(), registered_->event};
      switch (timed_.wait(handles, request.deadline_ns)) {
        case 0:
          waker_.clear();
          return {};
        case 1:
          armed_ = false;
          continue;
        case TimedWait::kTimeCame:
          return take(batch);
        default:
          return {0, false, true, EIO};
      }
    }
  }

  void interrupt() override { waker_.wake(); }
  uint64_t kernel_drops() const override { return 0; }
  Manner manner() const override { return Manner::kRegistered; }

 private:
  uint8_t* data(size_t slot) { return registered_->memory + slot * stride_; }
  size_t name_offset(size_t slot) const { return registered_->count * stride_ + slot * kNameBytes; }

  // Gives the kernel what was handed over at the last read, by one call.
  bool post() {
    for (size_t i = 0; i < free_.size(); ++i) {
      const size_t slot = free_[i];
      rio::Slice to{registered_->id, static_cast<ULONG>(slot * stride_), stride_};
      rio::Slice name{registered_->id, static_cast<ULONG>(name_offset(slot)), sizeof(SOCKADDR_INET)};
      const DWORD flags = i + 1 < free_.size() ? rio::kDefer : 0;
      void* const context = reinterpret_cast<void*>(slot);
      if (rio_.receive_ex(requests_, &to, 1, nullptr, &name, nullptr, nullptr, flags, context) == 0)
        return false;
    }
    free_.clear();
    return true;
  }

  ReadResult take(std::span<PacketView> batch) {
    std::array<rio::Completion, 256> done;
    const auto wanted = static_cast<ULONG>(std::min({batch.size(), size_t{batch_}, done.size()}));
    const ULONG got = rio_.dequeue_completion(registered_->queue, done.data(), wanted);
    if (got == rio::kCorrupt) return {0, false, true, EIO};
    size_t count = 0;
    for (ULONG i = 0; i < got; ++i) {
      const auto slot = static_cast<size_t>(done[i].request_context);
      if (slot >= registered_->count) return {0, false, true, EIO};
      free_.push_back(static_cast<uint32_t>(slot));
      if (done[i].status != 0 && done[i].status != WSAEMSGSIZE) {
        if (!harmless(done[i].status)) return {0, false, true, errno_of(done[i].status)};
        continue;
      }
      sockaddr_in from;
      std::memcpy(&from, registered_->memory + name_offset(slot), sizeof from);
      const bool cut = done[i].status == WSAEMSGSIZE;
      batch[count++] = {.data = data(slot),
                        .size = cut ? stride_ : std::min<uint32_t>(done[i].bytes, stride_),
                        .source_address = ntohl(from.sin_addr.s_addr),
                        .source_port = ntohs(from.sin_port),
                        .truncated = cut};
    }
    if (count == 0 && got > 0 && !post()) return {0, false, true, last_socket_error()};
    return {count, got == wanted, false, 0};
  }

  // A camera that vanished makes ICMP errors; they say nothing about the socket.
  static bool harmless(LONG status) {
    return status == WSAECONNRESET || status == WSAECONNREFUSED || status == WSAENETRESET ||
           status == WSAEHOSTUNREACH || status == WSAENETUNREACH;
  }

  const std::shared_ptr<Registered> registered_;
  const rio::Functions& rio_;
  const uint32_t batch_;
  const uint32_t stride_;
  rio::RequestQueue requests_ = nullptr;
  std::vector<uint32_t> free_;  // slots that the kernel has not; of `count` at most, so it never grows
  Waker waker_;
  TimedWait timed_;
  bool armed_ = false;  // the event will tell of the next completion
};

}  // namespace

const rio::Functions* find_registered_io() {
  static const rio::Functions* const found = []() -> const rio::Functions* {
    static rio::Functions functions{};
    const NativeSocket socket = open_udp_socket();
    if (socket == kNoSocket) return nullptr;
    GUID name{0x8509e081, 0x96dd, 0x4005, {0xb1, 0x65, 0x9e, 0x2e, 0xe8, 0xc7, 0x9e, 0x3f}};
    constexpr DWORD kGetFunctions = _WSAIORW(IOC_WS2, 36);
    DWORD size = 0;
    functions.size = sizeof functions;
    const bool ok = ::WSAIoctl(socket, kGetFunctions, &name, sizeof name, &functions, sizeof functions, &size,
                               nullptr, nullptr) == 0 &&
                    functions.receive_ex != nullptr && functions.notify != nullptr;
    ::closesocket(socket);
    return ok ? &functions : nullptr;
  }();
  return found;
}

std::unique_ptr<PacketSource> make_registered_source(UdpSocket& socket, const UdpSourceOptions& options,
                                                     const rio::Functions& functions) {
  const uint32_t stride = (options.max_datagram + 1 + 63) / 64 * 64;
  const size_t slots = std::clamp(kMemory / stride, kFewest, kMost);
  auto registered = std::make_shared<Registered>(functions, slots, stride);
  if (!registered->valid()) return nullptr;
  auto source = std::make_unique<RegisteredSource>(registered, options.batch, stride);
  if (!source->begin(socket.fd())) return nullptr;
  socket.keep(registered);
  return source;
}

bool registered_io_proves_itself(const rio::Functions& functions) {
  constexpr uint32_t kLoopback = 0x7F000001;
  constexpr uint64_t kPatience = 500 * kNsPerMs;
  Result<UdpSocket> receiver = UdpSocket::open();
  Result<UdpSocket> sender = UdpSocket::open();
  if (!receiver.ok() || !sender.ok() || !receiver->bind({kLoopback, 0}).ok() ||
      !sender->bind({kLoopback, 0}).ok())
    return false;
  const Result<Endpoint> to = receiver->local_endpoint();
  const Result<Endpoint> from = sender->local_endpoint();
  const auto source = make_registered_source(*receiver, {.max_datagram = 1500}, functions);
  if (!source || !to.ok() || !from.ok()) return false;
  std::array<uint8_t, 1000> sent;
  std::array<PacketView, 4> batch;
  // More rounds than one, so that buffers are given back and used again.
  for (uint8_t round = 0; round < 3; ++round) {
    std::iota(sent.begin(), sent.end(), round);
    if (!sender->send_to(sent, *to).ok()) return false;
    const uint64_t deadline = SteadyClock::instance().now_ns() + kPatience;
    const ReadResult read = source->read(batch, {.deadline_ns = deadline});
    if (read.count != 1 || batch[0].size != sent.size() || batch[0].source_address != kLoopback ||
        batch[0].source_port != from->port || std::memcmp(batch[0].data, sent.data(), sent.size()) != 0)
      return false;
  }
  return true;
}

}  // namespace gw
