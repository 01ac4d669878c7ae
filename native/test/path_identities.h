// The identities of path/stream_stats.h in one place, for unit tests and fuzz targets. Thread: any.
#pragma once

#include "path/stream_stats.h"

namespace gw::test {

// nullptr when all hold, else the one that does not. open_packets: accepted packets of blocks that are still
// open. incomplete_delivered: frames queued that were not complete.
inline const char* broken_identity(const StreamCounters& c, uint64_t open_packets,
                                   uint64_t incomplete_delivered) {
#define GW_IDENTITY(condition) \
  if (!(condition)) return #condition;
  GW_IDENTITY(c.datagrams == c.accepted + c.duplicate + c.late + c.foreign + c.malformed + c.test + c.refused)
  GW_IDENTITY(c.accepted == c.packets_received + c.packets_cut + open_packets)
  GW_IDENTITY(c.packets_expected == c.packets_received + c.packets_missing)
  GW_IDENTITY(c.packets_missing == c.missing_refused + c.missing_exhausted + c.missing_not_requested)
  GW_IDENTITY(c.blocks_expected ==
              c.blocks_complete + c.blocks_incomplete + c.blocks_no_slot + c.blocks_missed)
  GW_IDENTITY(c.frames_queued == c.blocks_complete + incomplete_delivered)
  GW_IDENTITY(incomplete_delivered <= c.blocks_incomplete)
  GW_IDENTITY(c.frames_overwritten <= c.frames_queued)
  GW_IDENTITY(c.resend_requests <= c.resend_requested)
#undef GW_IDENTITY
  return nullptr;
}

}  // namespace gw::test
