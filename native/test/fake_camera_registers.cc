// What the fake camera usually answers. Part of FakeCamera; called with its mutex held.
#include <algorithm>

#include "fake_camera.h"

namespace gw::test {

namespace {

constexpr uint16_t kInvalidAddress = 0x8003;

uint16_t be16_at(const Bytes& b, size_t at) { return static_cast<uint16_t>(b[at] << 8 | b[at + 1]); }
uint32_t be32_at(const Bytes& b, size_t at) {
  return static_cast<uint32_t>(be16_at(b, at)) << 16 | be16_at(b, at + 2);
}

Bytes ack(uint16_t status, uint16_t code, uint16_t id, const Bytes& payload) {
  const auto high = [](size_t v) { return static_cast<uint8_t>(v >> 8); };
  const auto low = [](size_t v) { return static_cast<uint8_t>(v); };
  return Bytes{high(status),         low(status),         high(code), low(code),
               high(payload.size()), low(payload.size()), high(id),   low(id)} +
         payload;
}

}  // namespace

std::vector<FakeCamera::Reply> FakeCamera::usual(const Datagram& datagram) {
  const Bytes& b = datagram.bytes;
  if (b.size() < 8 || b[0] != 0x42) return {};
  Bytes answer;
  switch (code_of(b)) {
    case 0x0002:
      answer = discovery(datagram);
      break;
    case 0x0080:
      answer = read_registers(datagram);
      break;
    case 0x0082:
      answer = write_registers(datagram);
      break;
    case 0x0084:
      answer = read_memory(datagram);
      break;
    case 0x0086:
      answer = write_memory(datagram);
      break;
    case 0x0040:
      return {};
    default:
      answer = ack(0x8001, static_cast<uint16_t>(code_of(b) + 1), id_of(b), {});
  }
  if (answer.empty()) return {};
  return {{answer, 0}};
}

Bytes FakeCamera::read_registers(const Datagram& datagram) {
  const Bytes& b = datagram.bytes;
  Bytes values;
  for (size_t at = 8; at + 4 <= b.size(); at += 4) {
    const uint32_t address = be32_at(b, at);
    if (bytes_.count(address) == 0) return ack(kInvalidAddress, 0x0081, id_of(b), {});
    values = values + be32(get_locked(address));
  }
  return ack(0, 0x0081, id_of(b), values);
}

Bytes FakeCamera::write_registers(const Datagram& datagram) {
  const Bytes& b = datagram.bytes;
  uint8_t done = 0;
  for (size_t at = 8; at + 8 <= b.size(); at += 8, ++done) {
    const uint16_t status = write_one(be32_at(b, at), be32_at(b, at + 4), datagram.from);
    if (status == 0x8006 && ignore_strangers_) return {};
    if (status != 0) return ack(status, 0x0083, id_of(b), {0, 0, 0, done});
  }
  return ack(0, 0x0083, id_of(b), {0, 0, 0, done});
}

uint16_t FakeCamera::write_one(uint32_t address, uint32_t value, Endpoint from) {
  const bool held = (get_locked(0x0A00) & 3) != 0;
  if (address == 0x0A00) {
    if (held && controller_ != from) return 0x8006;
    controller_ = (value & 3) != 0 ? from : Endpoint{};
    set_locked(0x0A00, value & 7);
    set_locked(0x0A04, controller_.port);
    set_locked(0x0A14, controller_.address);
    return 0;
  }
  if (controller_ != from) return 0x8006;
  if (bytes_.count(address) == 0) return kInvalidAddress;
  if (address == 0x0D04) return write_scps(value);
  set_locked(address, value);
  if (address == 0x0D00) {
    fired_since_open_ = 0;
    set_locked(0x0D1C, manners_.has_scsp && (value & 0xFFFF) != 0 ? stream_.local_endpoint()->port : 0U);
  }
  return 0;
}

uint16_t FakeCamera::write_scps(uint32_t value) {
  const TestPacketManners& m = manners_;
  uint32_t size = value & 0xFFFF;
  if (size % m.refuse_unless != 0) return 0x8005;
  if (m.refuse_above != 0 && size > m.refuse_above) return 0x8002;
  if (m.clamp != 0) size = std::min(size, m.clamp);
  size -= size % m.round_down;
  if (m.fixed != 0) size = m.fixed;
  set_locked(0x0D04, (value & 0x7FFF0000) | (m.register_lies ? value & 0xFFFF : size));
  const bool fire_bit = (value & 0x80000000) != 0;
  const bool edge = fire_bit && !fire_bit_;
  fire_bit_ = fire_bit;
  if (fire_bit && (edge || !m.needs_edge)) fire(size);
  return 0;
}

void FakeCamera::fire(uint32_t size) {
  const TestPacketManners& m = manners_;
  const Endpoint to{get_locked(0x0D18), static_cast<uint16_t>(get_locked(0x0D00))};
  if (to.address == 0 || to.port == 0 || size < 36) return;
  if (m.fires >= 0 && fired_ >= m.fires) return;
  if (m.fires_per_open >= 0 && fired_since_open_ >= m.fires_per_open) return;
  ++fired_since_open_;
  if (fired_++ < m.lose_first) return;
  if (m.path_limit != 0 && size > m.path_limit) return;
  if (m.needs_punch && !punched_) return;
  Bytes packet(size - 28, 0x5A);
  const Bytes header = hex("00 00 00 00 03 00 00 00");  // block id 0: a test packet
  std::copy(header.begin(), header.end(), packet.begin());
  const int delay_ms = fired_ > 1 ? std::max(m.delay_ms, m.later_delay_ms) : m.delay_ms;
  const uint64_t due = now_ns() + static_cast<uint64_t>(delay_ms) * 1'000'000;
  pending_.push_back({due, packet, to, true, ++order_});
  if (m.copy_after_ms <= 0) return;
  pending_.push_back({due + static_cast<uint64_t>(m.copy_after_ms) * 1'000'000, packet, to, true, ++order_});
}

Bytes FakeCamera::read_memory(const Datagram& datagram) {
  const Bytes& b = datagram.bytes;
  const uint32_t address = be32_at(b, 8);
  const uint16_t count = be16_at(b, 14);
  if (address % 4 != 0 || count % 4 != 0 || count > 536) return ack(0x8002, 0x0085, id_of(b), {});
  if (bytes_.count(address) == 0) return ack(kInvalidAddress, 0x0085, id_of(b), {});
  Bytes data = be32(address);
  for (uint32_t i = 0; i < count; ++i) {
    const auto it = bytes_.find(address + i);
    data.push_back(it == bytes_.end() ? uint8_t{0} : it->second);
  }
  return ack(0, 0x0085, id_of(b), data);
}

Bytes FakeCamera::write_memory(const Datagram& datagram) {
  const Bytes& b = datagram.bytes;
  if ((get_locked(0x0934) & 2) == 0) return ack(0x8001, 0x0087, id_of(b), {});
  if (controller_ != datagram.from) return ack(0x8006, 0x0087, id_of(b), {});
  const uint32_t address = be32_at(b, 8);
  if (address % 4 != 0 || b.size() % 4 != 0) return ack(0x8005, 0x0087, id_of(b), {});
  for (size_t at = 12; at < b.size(); ++at) bytes_[address + static_cast<uint32_t>(at - 12)] = b[at];
  const size_t done = b.size() - 12;
  return ack(0, 0x0087, id_of(b), {0, 0, static_cast<uint8_t>(done >> 8), static_cast<uint8_t>(done)});
}

Bytes FakeCamera::discovery(const Datagram& datagram) {
  Bytes data;
  for (uint32_t i = 0; i < 248; ++i) {
    const auto it = bytes_.find(i);
    data.push_back(it == bytes_.end() ? uint8_t{0} : it->second);
  }
  return ack(0, 0x0003, id_of(datagram.bytes), data);
}

}  // namespace gw::test
