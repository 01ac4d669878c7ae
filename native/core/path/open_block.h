// One block while it is being put together. Purpose: stores packets at their final place, knows what is
// missing, and decides when the block is complete. Knows neither slots' states nor time-outs nor resends.
// Thread: receive thread only. Owner: BlockAssembler, which reuses a fixed set of these.
#pragma once

#include <cstdint>
#include <utility>

#include "path/packet_bitmap.h"
#include "wire/gvsp.h"

namespace gw {

struct BlockLimits {
  uint64_t capacity = 0;      // bytes of a slot
  uint64_t payload_size = 0;  // PayloadSize feature, 0 unknown
  uint32_t packet_size = 0;   // SCPS
};

class OpenBlock {
 public:
  enum class Stage : uint8_t { kUnused, kOpen, kComplete, kGivenUp };
  enum class Stored : uint8_t { kNew, kDuplicate, kMalformed };

  explicit OpenBlock(uint32_t map_bits) : received(map_bits), abandoned(map_bits) {}

  void open(uint64_t sequence, uint64_t block_id, bool extended, uint64_t now_ns);

  // data: the slot's memory, or nullptr where there was no free slot: then everything is counted and nothing
  // copied. size_trusted: full packets are known to be data_size() long. landed: body is in the slot already.
  // Returns what to count the packet as.
  Stored store_leader(ConstBytes body, uint64_t now_ns);
  Stored store_trailer(uint32_t packet_id, uint16_t status, ConstBytes body);
  Stored store_data(const gvsp::Header& header, ConstBytes body, const BlockLimits& limits, bool size_trusted,
                    uint8_t* data, bool landed);
  Stored store_all_in(ConstBytes body, const BlockLimits& limits, uint8_t* data, uint64_t now_ns);

  // True when leader, trailer and every packet between are here and the bytes add up. A last packet that is
  // too short for the image is taken back (see take_taken_back()) so that it counts as missing.
  bool check_complete(const BlockLimits& limits);
  // The same for a block that stays incomplete: half a last packet must not pass for a whole one.
  void check_end(const BlockLimits& limits);
  // Packets that were stored and then turned out to be wrong, since the last call.
  uint32_t take_taken_back() { return std::exchange(taken_back_, 0); }

  // Packet ids of the block, leader and trailer included; a guess as long as the trailer is missing.
  uint32_t expected_packets(const BlockLimits& limits) const;
  // Height as really sent. The leader's is believed unless the packets contradict it and agree with the
  // trailer's: trailers with a wrong count exist.
  uint32_t lines() const;
  uint64_t payload_bytes(const BlockLimits& limits) const;
  // More than a slot holds, by its leader: it can never become complete.
  bool too_large(const BlockLimits& limits) const;
  // SCPS as the full packets of this block have it; for blocks of two and more data packets.
  uint32_t packet_size() const;
  // Zeroes every byte whose packet is missing.
  void zero_missing(uint8_t* data, const BlockLimits& limits) const;

  Stage stage = Stage::kUnused;
  uint64_t sequence = 0;
  uint64_t block_id = 0;
  bool extended = false;

  bool has_leader = false;
  bool has_trailer = false;
  bool all_in = false;
  bool ended = false;             // its trailer or a later block was seen
  bool explicit_offsets = false;  // packets carry their own place: multi-part, multi-zone, GenDC
  gvsp::Leader leader;
  gvsp::Trailer trailer;
  uint16_t trailer_status = 0;
  uint32_t trailer_id = 0;
  uint32_t data_size = 0;  // bytes of a full packet of this block; 0 until the first one came
  uint32_t high = 0;       // one above the highest packet id seen
  PacketBitmap received;
  PacketBitmap abandoned;  // the camera said it has them no more

  int32_t slot = -1;
  bool no_slot = false;
  uint64_t first_time = 0;
  uint64_t last_time = 0;
  uint64_t ended_time = 0;
  uint64_t host_time = 0;

  // Owned by ResendPolicy. Ids below `frontier` were asked for where missing, and all from `tail_from` on.
  static constexpr uint32_t kMaxTries = 16;
  static constexpr uint32_t kNoTail = ~uint32_t{0};
  struct Resend {
    uint64_t due = 0;  // when the gaps below `planned` are asked for; 0: none is waiting
    uint32_t planned = 0;
    bool more = false;  // gaps above `planned` were seen
    uint32_t frontier = 0;
    uint32_t repeat_frontier = 0;  // ids below wait for their answers since repeat_time; 0: none does
    uint64_t repeat_time = 0;
    uint32_t resume = 0;              // where a repeat stopped for lack of budget; 0: none did
    uint32_t rounds[kMaxTries] = {};  // the repeat_frontier of each of the last rounds of repeats
    uint32_t round_count = 0;
    uint32_t silent_rounds = 0;  // since something came that was asked for
    uint32_t dead = 0;           // ids below were asked for as often as allowed, and long enough ago
    uint32_t tail_from = kNoTail;
    uint32_t tail_tries = 0;
    uint64_t tail_time = 0;
    bool tail_dead = false;
    bool end_noted = false;
    uint32_t removed_below = 0;  // the camera said it has nothing below
    uint64_t last_request = 0;
    uint64_t longest_pause = 0;  // between packets that followed each other
    bool hopeless = false;       // cannot become complete any more
  } resend;
  uint32_t resent = 0;

 private:
  uint64_t expected_bytes(uint32_t lines) const;
  uint64_t stored_bytes() const;  // of all packets up to the trailer, supposing that none is missing
  bool fits(uint32_t lines) const;
  uint32_t lines_before_chunks() const;
  bool reaches_end(uint64_t bytes, const BlockLimits& limits) const;
  bool settle_size(uint32_t packet_id, uint32_t size, const BlockLimits& limits, uint8_t* data);
  bool take_back(uint32_t packet_id);
  void mark(uint32_t packet_id);

  uint8_t data_format_ = 0;    // of the data packets; 0 until the first one came
  bool size_settled_ = false;  // data_size is certain, not a guess from the first packet
  uint32_t lone_id_ = 0;       // not settled: the one data packet there is
  uint32_t lone_size_ = 0;
  uint32_t short_id_ = 0;  // the one packet that is shorter than a full one: the last, if all is well
  uint32_t short_size_ = 0;
  uint64_t bytes_end_ = 0;
  uint32_t all_in_lines_ = 0;
  uint32_t taken_back_ = 0;
};

}  // namespace gw
