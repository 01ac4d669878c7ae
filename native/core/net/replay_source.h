// Packets from memory. Purpose: the same packet path without a network: tests, fuzzing, recorded bug reports.
// Thread: push() before or while another thread reads is not allowed; one thread. Owner: the test.
#pragma once

#include <algorithm>
#include <deque>
#include <vector>

#include "net/packet_source.h"

namespace gw {

class ReplaySource final : public PacketSource {
 public:
  void push(std::vector<uint8_t> bytes, uint32_t source_address = 0, uint16_t source_port = 0) {
    packets_.push_back({std::move(bytes), source_address, source_port});
  }
  bool empty() const { return packets_.empty(); }

  ReadResult read(std::span<PacketView> batch, uint64_t /*deadline_ns*/) override {
    held_.clear();
    while (held_.size() < batch.size() && !packets_.empty()) {
      held_.push_back(std::move(packets_.front()));
      packets_.pop_front();
    }
    for (size_t i = 0; i < held_.size(); ++i) {
      const Packet& packet = held_[i];
      batch[i] = {packet.bytes.data(), static_cast<uint32_t>(packet.bytes.size()), packet.address,
                  packet.port, false};
    }
    return {held_.size(), !packets_.empty(), false, 0};
  }
  void interrupt() override {}
  uint64_t kernel_drops() const override { return 0; }

 private:
  struct Packet {
    std::vector<uint8_t> bytes;
    uint32_t address;
    uint16_t port;
  };
  std::deque<Packet> packets_;
  std::deque<Packet> held_;
};

}  // namespace gw
