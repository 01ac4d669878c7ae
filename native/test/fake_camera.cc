#include "fake_camera.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace gw::test {

namespace {

uint16_t be16_at(const Bytes& b, size_t at) { return static_cast<uint16_t>(b[at] << 8 | b[at + 1]); }

void must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "fake camera: %s\n", status.message.c_str());
  std::abort();
}

}  // namespace

Bytes hex(std::string_view text) {
  Bytes out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}

std::string to_hex(const Bytes& bytes) {
  std::string out;
  for (const uint8_t byte : bytes) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x ", byte);
    out += text;
  }
  if (!out.empty()) out.pop_back();
  return out;
}

uint16_t code_of(const Bytes& datagram) { return be16_at(datagram, 2); }
uint16_t id_of(const Bytes& datagram) { return be16_at(datagram, 6); }
Bytes with_id(Bytes datagram, uint16_t id) {
  datagram[6] = static_cast<uint8_t>(id >> 8);
  datagram[7] = static_cast<uint8_t>(id);
  return datagram;
}
Bytes without_id(Bytes datagram) { return with_id(std::move(datagram), 0); }
Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
Bytes be32(uint32_t v) {
  return {static_cast<uint8_t>(v >> 24), static_cast<uint8_t>(v >> 16), static_cast<uint8_t>(v >> 8),
          static_cast<uint8_t>(v)};
}
uint64_t now_ns() {
  return static_cast<uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now().time_since_epoch()).count());
}

FakeCamera::FakeCamera(uint32_t address, uint16_t port, std::vector<uint32_t> listen) {
  const auto open = [](Endpoint at, bool reuse) {
    Result<UdpSocket> socket = UdpSocket::open();
    must(socket.status());
    if (reuse) must(socket->set_reuse_address(true));
    must(socket->bind(at));
    return std::move(*socket);
  };
  control_ = open({address, port}, port != 0);
  must(control_.set_broadcast(true));
  endpoint_ = *control_.local_endpoint();
  stream_ = open({address, 0}, false);
  for (const uint32_t other : listen) broadcast_.push_back(open({other, endpoint_.port}, true));
  set_locked(0x0000, 0x00020000);
  set_locked(0x0004, 0x80000001);
  set_locked(0x0008, 0x00000011);
  set_locked(0x000C, 0x22330000 | (address & 0xFFFF));
  set_locked(0x0024, address);
  set_locked(0x0034, 0xFF000000);
  set_locked(0x0904, 1);
  set_locked(0x0934, 0);
  set_locked(0x0938, 3000);
  set_locked(0x0954, 0);
  set_locked(0x0A00, 0);
  set_locked(0x0D00, 0);
  set_locked(0x0D04, 1400);
  set_locked(0x0D18, 0);
  thread_ = std::thread([this] { run(); });
}

FakeCamera::~FakeCamera() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  waker_.wake();
  thread_.join();
}

void FakeCamera::set_locked(uint32_t address, uint32_t value) {
  const Bytes bytes = be32(value);
  for (uint32_t i = 0; i < 4; ++i) bytes_[address + i] = bytes[i];
}

uint32_t FakeCamera::get_locked(uint32_t address) const {
  uint32_t value = 0;
  for (uint32_t i = 0; i < 4; ++i) {
    const auto it = bytes_.find(address + i);
    value = value << 8 | (it == bytes_.end() ? 0U : it->second);
  }
  return value;
}

void FakeCamera::set(uint32_t address, uint32_t value) {
  const std::lock_guard lock(mutex_);
  set_locked(address, value);
}
void FakeCamera::set_text(uint32_t address, const std::string& text) {
  fill(address, Bytes(text.begin(), text.end()));
}
uint32_t FakeCamera::get(uint32_t address) const {
  const std::lock_guard lock(mutex_);
  return get_locked(address);
}
void FakeCamera::fill(uint32_t address, const Bytes& bytes) {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < bytes.size(); ++i) bytes_[address + static_cast<uint32_t>(i)] = bytes[i];
}
Bytes FakeCamera::memory(uint32_t address, size_t length) const {
  const std::lock_guard lock(mutex_);
  Bytes out;
  for (size_t i = 0; i < length; ++i) {
    const auto it = bytes_.find(address + static_cast<uint32_t>(i));
    out.push_back(it == bytes_.end() ? uint8_t{0} : it->second);
  }
  return out;
}
void FakeCamera::script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}
void FakeCamera::mute(bool on) {
  const std::lock_guard lock(mutex_);
  mute_ = on;
}
void FakeCamera::lose_answers(uint16_t command, int count) {
  const std::lock_guard lock(mutex_);
  lose_answers_[command] = count;
}
void FakeCamera::ignore_strangers(bool on) {
  const std::lock_guard lock(mutex_);
  ignore_strangers_ = on;
}
void FakeCamera::forget_controller() {
  const std::lock_guard lock(mutex_);
  controller_ = {};
  set_locked(0x0A00, 0);
}
void FakeCamera::set_controller(Endpoint other) {
  const std::lock_guard lock(mutex_);
  controller_ = other;
  set_locked(0x0A00, 2);
  set_locked(0x0A04, other.port);
  set_locked(0x0A14, other.address);
}
Endpoint FakeCamera::controller() const {
  const std::lock_guard lock(mutex_);
  return controller_;
}
void FakeCamera::manners(const TestPacketManners& manners) {
  const std::lock_guard lock(mutex_);
  manners_ = manners;
  set_locked(0x092C, manners.has_scsp ? 0x80000000 : 0);
}
void FakeCamera::send(const Bytes& bytes, Endpoint to) { must(control_.send_to(bytes, to)); }
void FakeCamera::send_stream(const Bytes& bytes, Endpoint to) { must(stream_.send_to(bytes, to)); }

std::vector<FakeCamera::Datagram> FakeCamera::log() const {
  const std::lock_guard lock(mutex_);
  return log_;
}
std::vector<FakeCamera::Datagram> FakeCamera::log(uint16_t command) const {
  std::vector<Datagram> out = log();
  std::erase_if(out, [&](const Datagram& d) { return d.bytes.size() < 8 || code_of(d.bytes) != command; });
  return out;
}
size_t FakeCamera::punches() const {
  const std::lock_guard lock(mutex_);
  return punches_;
}

bool FakeCamera::wait_for(const std::function<bool()>& condition, int ms) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  std::unique_lock lock(mutex_);
  for (;;) {
    lock.unlock();
    const bool met = condition();
    lock.lock();
    if (met) return true;
    if (std::chrono::steady_clock::now() >= end) return false;
    changed_.wait_until(lock, std::min(end, std::chrono::steady_clock::now() + std::chrono::milliseconds(5)));
  }
}

void FakeCamera::run() {
  std::vector<const UdpSocket*> sockets = {&control_, &stream_};
  for (const UdpSocket& socket : broadcast_) sockets.push_back(&socket);
  const std::unique_ptr<bool[]> readable(new bool[sockets.size()]);
  for (;;) {
    uint64_t deadline = now_ns() + 1'000'000'000;
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      std::sort(pending_.begin(), pending_.end(), [](const Pending& a, const Pending& b) {
        return a.due_ns != b.due_ns ? a.due_ns < b.due_ns : a.order < b.order;
      });
      while (!pending_.empty() && pending_.front().due_ns <= now_ns()) {
        const Pending out = pending_.front();
        pending_.erase(pending_.begin());
        (void)(out.stream ? stream_ : control_).send_raw(out.bytes, out.to);
      }
      if (!pending_.empty()) deadline = std::min(deadline, pending_.front().due_ns);
    }
    const Status waited = wait_readable(sockets, {readable.get(), sockets.size()}, deadline, &waker_);
    if (waited.code == Errc::kCanceled) waker_.clear();
    if (!waited.ok()) continue;
    for (size_t i = 0; i < sockets.size(); ++i) {
      if (!readable[i]) continue;
      Bytes buffer(65536);
      Endpoint from;
      const Result<size_t> got = const_cast<UdpSocket*>(sockets[i])->receive(buffer, &from, 0);
      if (!got.ok()) continue;
      buffer.resize(*got);
      const std::lock_guard lock(mutex_);
      if (sockets[i] == &stream_) {
        ++punches_;
        punched_ = true;
      } else {
        handle({buffer, from, now_ns()});
      }
      changed_.notify_all();
    }
  }
}

void FakeCamera::handle(const Datagram& datagram) {
  log_.push_back(datagram);
  std::optional<std::vector<Reply>> replies;
  if (script_) replies = script_(datagram);
  if (!replies) replies = usual(datagram);
  if (mute_) return;
  if (datagram.bytes.size() >= 8 && lose_answers_[code_of(datagram.bytes)] > 0) {
    --lose_answers_[code_of(datagram.bytes)];
    return;
  }
  for (const Reply& reply : *replies) {
    pending_.push_back({now_ns() + static_cast<uint64_t>(reply.after_ms) * 1'000'000, reply.bytes,
                        datagram.from, false, ++order_});
  }
}

}  // namespace gw::test
