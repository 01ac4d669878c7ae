// System-independent part of net/socket.h.
#include "net/socket.h"

#include <cerrno>
#include <charconv>
#include <string>
#include <utility>

#include "base/system_message.h"

namespace gw {

std::string address_to_string(uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    text += std::to_string(address >> shift & 0xFF);
    if (shift != 0) text += '.';
  }
  return text;
}

std::string to_string(const Endpoint& endpoint) {
  return address_to_string(endpoint.address) + ':' + std::to_string(endpoint.port);
}

std::optional<uint32_t> parse_ipv4(std::string_view text) {
  uint32_t address = 0;
  const char* p = text.data();
  const char* const end = p + text.size();
  for (int part = 0; part < 4; ++part) {
    if (part != 0 && (p == end || *p++ != '.')) return std::nullopt;
    uint8_t value = 0;  // out of range is refused by from_chars
    const auto [next, error] = std::from_chars(p, end, value);
    if (error != std::errc() || next - p > 3) return std::nullopt;
    if (next - p > 1 && *p == '0') return std::nullopt;  // 010 is octal to some and ten to others
    address = address << 8 | value;
    p = next;
  }
  if (p != end) return std::nullopt;
  return address;
}

UdpSocket::UdpSocket(UdpSocket&& other) noexcept
    : fd_(std::exchange(other.fd_, kNoSocket)), kept_(std::move(other.kept_)) {}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, kNoSocket);
    kept_ = std::move(other.kept_);
  }
  return *this;
}

void UdpSocket::close() noexcept {
  if (is_open()) close_native();
  fd_ = kNoSocket;
  kept_.reset();
}

Status UdpSocket::bind_range(uint32_t address, uint16_t low, uint16_t high) {
  if (low == 0 || low > high)
    return Status::error(Errc::kInvalidArgument, "a port range is 1 to 65535, low to high");
  for (uint32_t port = low; port <= high; ++port) {
    Status status = bind({address, static_cast<uint16_t>(port)});
    if (status.ok() || status.sys_errno != EADDRINUSE) return status;
  }
  return Status::system(EADDRINUSE, "no port from " + std::to_string(low) + " to " + std::to_string(high) +
                                        " is free on " + address_to_string(address));
}

Status UdpSocket::send_to(ConstBytes data, Endpoint to) {
  const int error = send_raw(data, to);
  return error == 0 ? Status()
                    : Status::system(error, "sending to " + to_string(to) + ": " + system_message(error));
}

Result<size_t> UdpSocket::receive(MutableBytes buffer, Endpoint* from, uint64_t deadline_ns,
                                  const Waker* waker) {
  ReceiveInfo info;
  Result<size_t> got = receive(buffer, &info, deadline_ns, waker);
  if (got.ok() && from != nullptr) *from = info.from;
  return got;
}

}  // namespace gw
