// What a stream is told before it starts. Purpose: plain values, fixed for the life of the stream.
// Thread: written before the receive thread starts, read-only afterwards.
#pragma once

#include <cstdint>

#include "base/clock.h"

namespace gw {

enum class BufferHandling : uint8_t { kOldestFirst, kOldestFirstOverwrite, kNewestOnly };

struct ResendConfig {
  bool enabled = false;
  uint64_t initial_delay_ns = kNsPerMs;          // a gap in mid block may be mere reordering
  uint64_t response_timeout_ns = 10 * kNsPerMs;  // until measured; then it follows the camera
  uint64_t idle_delay_ns = 20 * kNsPerMs;        // the newest block went quiet: its tail may be lost
  uint64_t block_timeout_ns =
      100 * kNsPerMs;  // from the block's end on; later blocks wait no longer than this
  uint32_t max_tries = 8;
  // Traffic budget, in packets asked for: so many of a hundred packets received, with some in advance.
  uint32_t budget_percent = 25;
  uint32_t budget_burst = 2048;
};

struct StreamConfig {
  uint32_t camera_address = 0;      // host order; packets from elsewhere are foreign. 0: any (tests)
  uint16_t camera_port = 0;         // its stream port; 0: that of the first packet is taken for it
  bool camera_port_proven = false;  // a test packet came from there: no other is ever believed
  uint16_t channel = 0;
  bool channel_is_new = false;  // opened for this stream: the camera's block ids begin at 1
  uint32_t packet_size = 0;     // SCPS; the data size of full packets follows from it
  bool packet_size_confirmed =
      false;                  // a test packet of that length arrived: shorter full packets are a fault
  uint64_t payload_size = 0;  // PayloadSize feature; 0 when unknown
  bool deliver_incomplete = false;
  BufferHandling handling = BufferHandling::kOldestFirst;
  ResendConfig resend;
  uint64_t reorder_grace_ns = 3 * kNsPerMs;     // resend off: how long an ended block may wait for stragglers
  uint64_t frame_timeout_ns = 2000 * kNsPerMs;  // a block that stays quiet this long is over
  // Most that a packet may be left in the socket so that more gather and one wake-up serves them; 0: none.
  uint64_t coalesce_ns = kNsPerMs / 4;
  uint64_t queue_bytes = 212'992;              // of the socket, as granted
  uint64_t keep_alive_ns = 10'000 * kNsPerMs;  // 0: none. Conntrack forgets after 30 s
};

}  // namespace gw
