// Packets from memory. Purpose: the same packet path without a network: tests, fuzzing, recorded bug reports.
// Lands packets where the path asks for it, as a scattering socket would. Thread: push() before or while
// another thread reads is not allowed; one thread. Owner: the test.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "net/packet_source.h"

namespace gw {

class ReplaySource final : public PacketSource {
 public:
  void push(std::vector<uint8_t> bytes, uint32_t source_address = 0, uint16_t source_port = 0,
            bool truncated = false) {
    packets_.push_back({std::move(bytes), source_address, source_port, truncated});
  }
  size_t size() const { return packets_.size(); }
  bool empty() const { return packets_.empty(); }

  ReadResult read(std::span<PacketView> batch, const ReadRequest& request) override {
    const size_t count = std::min({batch.size(), packets_.size(), kBatch});
    if (held_.size() < count) held_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Packet& packet = packets_.front();
      held_[i].assign(packet.bytes.size(), 0);
      batch[i] = {.data = held_[i].data(),
                  .size = static_cast<uint32_t>(packet.bytes.size()),
                  .source_address = packet.address,
                  .source_port = packet.port,
                  .truncated = packet.truncated};
      const auto& landings = request.plan.landings;
      land(batch[i], packet.bytes, i < landings.size() ? landings[i] : Landing{}, request.plan.head);
      packets_.pop_front();
    }
    return {count, !packets_.empty(), false, 0};
  }
  void interrupt() override {}
  uint64_t kernel_drops() const override { return 0; }
  Manner manner() const override { return Manner::kScatter; }

 private:
  static constexpr size_t kBatch = 64;

  struct Packet {
    std::vector<uint8_t> bytes;
    uint32_t address;
    uint16_t port;
    bool truncated;
  };
  std::deque<Packet> packets_;
  std::vector<std::vector<uint8_t>> held_;
};

}  // namespace gw
