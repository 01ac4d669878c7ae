// Packets on their way to one sendmmsg. Purpose: runs of equal-sized packets become one segmented send, and
// every packet is counted when, and only when, the system took it. Thread: the stream thread. Owner:
// StreamSender.
#pragma once

#include <array>
#include <vector>

#include "sim/packetizer.h"
#include "sim/sim_socket.h"

namespace gw::sim {

enum class SendKind : uint8_t { kFirst, kDuplicate, kResend, kRefusal };

class SendBatch {
 public:
  static constexpr size_t kCapacity = 352;  // eight full segmented sends at 1500 bytes

  SendBatch(Counters& counters, bool segmentation);

  // A place to make a packet in; kept by commit(), reused otherwise. There must be one: full() is false.
  Packet& slot() { return packets_[count_]; }
  void commit(SendKind kind) { kinds_[count_++] = kind; }
  bool full() const { return count_ == kCapacity; }
  bool empty() const { return count_ == 0; }
  size_t size() const { return count_; }

  // Sends all and is empty again. The bodies of the packets must have stayed valid until now.
  void flush(CameraSocket& socket, const Endpoint& to);
  // Segmentation is given up when the system refuses it (packets above the MTU); another size or route may
  // work again.
  void retry_segmentation() { segmentation_ = segmentation_wanted_; }

 private:
  size_t build(size_t first_packet);  // messages_ from that packet on
  void account(size_t first_packet, size_t packets, int error);

  Counters& counters_;
  const bool segmentation_wanted_;
  bool segmentation_;
  size_t count_ = 0;
  std::array<Packet, kCapacity> packets_;
  std::array<SendKind, kCapacity> kinds_{};
  std::vector<Part> parts_;
  std::vector<OutMessage> messages_;
  std::vector<size_t> message_first_;  // packet with which each message begins, and one past the last
};

}  // namespace gw::sim
