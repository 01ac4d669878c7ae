// Addresses as text. System-independent part of net/socket.h.
#include "net/socket.h"

#include <charconv>

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

}  // namespace gw
