#include "sim/send_batch.h"

#include <cerrno>

#include "wire/gvsp.h"

namespace gw::sim {

namespace {

constexpr size_t kMaxSegments = 64;      // the kernel's limit
constexpr size_t kMaxSegmented = 65507;  // bytes of one IP packet less IP and UDP headers

bool means_no_segmentation(int error) {
  return error == EINVAL || error == EMSGSIZE || error == EIO || error == EOPNOTSUPP || error == ENOPROTOOPT;
}

}  // namespace

SendBatch::SendBatch(Counters& counters, bool segmentation)
    : counters_(counters), segmentation_wanted_(segmentation), segmentation_(segmentation) {
  parts_.reserve(kCapacity * 3);
  messages_.reserve(kCapacity);
  message_first_.reserve(kCapacity + 1);
}

size_t SendBatch::build(size_t first_packet) {
  parts_.clear();
  messages_.clear();
  message_first_.clear();
  size_t run_segments = 0, run_bytes = 0;
  uint32_t segment = 0;
  bool run_open = false;  // more packets of the same size may join
  for (size_t i = first_packet; i < count_; ++i) {
    Packet& packet = packets_[i];
    const uint32_t size = packet.size();
    const bool joins = segmentation_ && run_open && size <= segment && run_segments < kMaxSegments &&
                       run_bytes + size <= kMaxSegmented;
    const size_t first_part = parts_.size();  // reserved: pointers into parts_ stay valid
    parts_.push_back({packet.head.data(), packet.head_size});
    for (const ConstBytes body : packet.body) {
      if (!body.empty()) parts_.push_back({body.data(), body.size()});
    }
    if (joins) {
      OutMessage& message = messages_.back();
      message.part_count += parts_.size() - first_part;
      message.segment = static_cast<uint16_t>(segment);
      ++run_segments;
      run_bytes += size;
      run_open = size == segment;  // only the last segment may be shorter
    } else {
      messages_.push_back({parts_.data() + first_part, parts_.size() - first_part, 0});
      message_first_.push_back(i);
      run_segments = 1;
      run_bytes = segment = size;
      run_open = true;
    }
  }
  message_first_.push_back(count_);
  return messages_.size();
}

void SendBatch::account(size_t first_packet, size_t packets, int error) {
  uint64_t by_kind[4] = {}, bytes = 0;
  for (size_t i = first_packet; i < first_packet + packets; ++i) {
    ++by_kind[static_cast<size_t>(kinds_[i])];
    bytes += packets_[i].size() + gvsp::kIpUdpHeaders;
  }
  if (error != 0) {
    count(counters_.send_errors, packets);
    count(counters_.send_errors_stream, by_kind[0]);
    counters_.last_send_errno.store(error, std::memory_order_relaxed);
    return;
  }
  count(counters_.packets_sent, by_kind[0]);
  count(counters_.bytes_sent, bytes);
  if (by_kind[0] == packets) return;
  count(counters_.duplicates, by_kind[1]);
  count(counters_.packets_resent, by_kind[2]);
  count(counters_.resend_refused, by_kind[3]);
}

void SendBatch::flush(CameraSocket& socket, const Endpoint& to) {
  size_t first = 0;
  while (first < count_) {
    const size_t total = build(first);
    size_t at = 0;
    bool rebuild = false;
    while (at < total && !rebuild) {
      const auto [sent, error] = socket.send_batch(std::span(messages_).subspan(at), to);
      if (sent > 0) account(message_first_[at], message_first_[at + sent] - message_first_[at], 0);
      at += sent;
      if (error == 0) continue;
      if (messages_[at].segment != 0 && means_no_segmentation(error)) {
        segmentation_ = false;
        rebuild = true;
      } else {
        account(message_first_[at], message_first_[at + 1] - message_first_[at], error);
        ++at;
      }
    }
    first = message_first_[at];
  }
  count_ = 0;
}

}  // namespace gw::sim
