// Whether the kernel is asked to put packets of one sender together (UDP_GRO). Purpose: it saves most of the
// cost per packet where it happens, and costs a few percent where it does not: cameras that send UDP checksum
// 0, drivers that poll for each packet. Tried when the stream begins, and again when packets pile up. Pure:
// what was read, and the time, come from outside. Thread: receive thread only. Owner: the source.
// Figures: docs/performance.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace gw {

class Aggregation {
 public:
  enum class Turn : uint8_t { kStay, kOn, kOff };

  bool on() const { return on_; }
  void begin(bool on) {
    on_ = on;
    alone_ = 0;
  }

  // After each read: datagrams as the kernel handed them over, how many of them were several packets in one,
  // and whether more waited than one read could take.
  Turn note(size_t datagrams, size_t aggregates, bool full, uint64_t now_ns) {
    if (!on_) {
      if (!full || now_ns - since_ <= kPause) return Turn::kStay;
      since_ = now_ns;
      return Turn::kOn;
    }
    since_ = now_ns;
    alone_ = aggregates != 0 ? 0 : alone_ + datagrams;
    return alone_ >= kPatience ? Turn::kOff : Turn::kStay;
  }

 private:
  static constexpr size_t kPatience = 256;              // datagrams in a row that came alone
  static constexpr uint64_t kPause = 5'000'000'000ULL;  // ns between tries

  bool on_ = false;
  size_t alone_ = 0;
  uint64_t since_ = 0;
};

}  // namespace gw
