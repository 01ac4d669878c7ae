#include "sim/event_sender.h"

#include <algorithm>
#include <array>

#include "base/clock.h"
#include "wire/gvcp.h"

namespace gw::sim {

namespace {

constexpr size_t kItem = 16, kExtendedItem = 24;

std::vector<uint8_t> message_of(const Event& event, bool extended, bool ack, uint16_t req_id) {
  const size_t item = extended ? kExtendedItem : kItem;
  std::vector<uint8_t> out(gvcp::kHeaderSize + item + event.data.size(), 0);
  const auto length = static_cast<uint16_t>(item + event.data.size());
  gvcp::CommandHeader header;
  header.flags = static_cast<uint8_t>((ack ? gvcp::kAckRequired : 0) | (extended ? gvcp::kExtendedIds : 0));
  header.command = event.data.empty() ? gvcp::kEventCmd : gvcp::kEventDataCmd;
  header.length = length;
  header.req_id = req_id;
  gvcp::write_command(out, header);
  uint8_t* p = &out[gvcp::kHeaderSize];
  if (extended && !event.data.empty()) store_be16(p, length);
  store_be16(p + 2, event.id);
  store_be16(p + 4, event.stream_channel);
  if (extended) {
    store_be64(p + 8, event.block_id);
    store_be64(p + 16, event.timestamp);
  } else {
    store_be16(p + 6, static_cast<uint16_t>(event.block_id));
    store_be64(p + 8, event.timestamp);
  }
  std::copy(event.data.begin(), event.data.end(), p + item);
  return out;
}

}  // namespace

Status EventSender::bind(uint32_t address) {
  Result<CameraSocket> bound = CameraSocket::bind({address, 0}, {});
  if (!bound.ok()) return bound.status();
  socket_ = std::move(*bound);
  port_ = socket_.local().port;
  waiting_.clear();
  return {};
}

void EventSender::send(const Event& event, const EventChannel& channel, uint64_t now_ns) {
  if (channel.destination.port == 0) return;
  const bool ack = channel.timeout_ms != 0 && waiting_.size() < kMostWaiting;
  const uint16_t id = next_id_;
  next_id_ = next_id_ == 0xFFFF ? 1 : static_cast<uint16_t>(next_id_ + 1);
  std::vector<uint8_t> message = message_of(event, channel.extended_ids, ack, id);
  count(counters_.events_sent);
  socket_.send(message, channel.destination);
  if (!ack) return;
  const uint64_t timeout = channel.timeout_ms * kNsPerMs;
  waiting_.push_back(
      {std::move(message), channel.destination, id, channel.retransmissions, timeout, now_ns + timeout});
}

void EventSender::hear() {
  std::array<uint8_t, gvcp::kMaxDatagram> buffer;
  while (const std::optional<Received> received = socket_.receive(buffer)) {
    const auto ack = gvcp::parse_ack(ConstBytes(buffer.data(), received->size));
    if (!ack || (ack->command != gvcp::kEventAck && ack->command != gvcp::kEventDataAck)) continue;
    const auto found = std::find_if(waiting_.begin(), waiting_.end(), [&](const Waiting& waiting) {
      return waiting.id == ack->ack_id && waiting.to == received->from;
    });
    if (found == waiting_.end()) continue;
    count(counters_.events_acknowledged);
    waiting_.erase(found);
  }
}

void EventSender::run(uint64_t now_ns) {
  std::erase_if(waiting_,
                [&](const Waiting& waiting) { return waiting.due_ns <= now_ns && waiting.tries_left == 0; });
  for (Waiting& waiting : waiting_) {
    if (waiting.due_ns > now_ns) continue;
    --waiting.tries_left;
    waiting.due_ns = now_ns + waiting.timeout_ns;
    count(counters_.events_sent_again);
    socket_.send(waiting.message, waiting.to);
  }
}

uint64_t EventSender::next_due() const {
  uint64_t next = kNever;
  for (const Waiting& waiting : waiting_) next = std::min(next, waiting.due_ns);
  return next;
}

}  // namespace gw::sim
