// Statistics of a stream, in shared memory. Purpose: every packet and every block counted once, under its
// cause. Threads: written by the receive thread once per batch, under a sequence lock, so that a reader
// anywhere sees sums that hold. Source of the identities: docs/statistics.md; a test checks each of them
// after every scenario.
//
//   datagrams        = accepted + duplicate + late + foreign + malformed + test + refused
//   accepted         = packetsReceived + packetsCut + packets of open blocks
//   packetsExpected  = packetsReceived + packetsMissing              (of closed blocks)
//   packetsMissing   = missingRefused + missingExhausted + missingNotRequested
//   blocksExpected   = blocksComplete + blocksIncomplete + blocksNoSlot + blocksMissed
//   framesQueued     = blocksComplete + incomplete ones delivered
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

namespace gw {

// X(field): the order is the layout; lib/layout.ts has the same list.
#define GW_STREAM_COUNTERS(X)                                                                     \
  X(datagrams) /* taken from the socket */                                                        \
  X(bytes)     /* UDP payload bytes of them */                                                    \
  X(accepted)  /* first copy of a packet of an open block */                                      \
  X(duplicate) /* a further copy */                                                               \
  X(late)      /* its block was closed already */                                                 \
  X(foreign)   /* from another address than the camera's */                                       \
  X(malformed) /* too short, contradictory, beyond the block, or of a stray block id */           \
  X(test)      /* test packets: block id 0 */                                                     \
  X(refused)   /* the camera's answers that a packet is not available */                          \
  X(packets_expected)                                                                             \
  X(packets_received)                                                                             \
  X(packets_missing)                                                                              \
  X(missing_refused)       /* the camera had it no more */                                        \
  X(missing_exhausted)     /* requested, never came */                                            \
  X(missing_not_requested) /* resend off, or no budget or time for it */                          \
  X(packets_resent)        /* arrived after they were requested */                                \
  X(resend_requests)       /* messages */                                                         \
  X(resend_requested)      /* packets asked for, repeats included */                              \
  X(blocks_expected)                                                                              \
  X(blocks_complete)                                                                              \
  X(blocks_incomplete)                                                                            \
  X(blocks_no_slot)                                                                               \
  X(blocks_missed)      /* no packet arrived at all */                                            \
  X(blocks_cut)         /* still open when the stream was stopped: no loss */                     \
  X(packets_cut)        /* packets of those */                                                    \
  X(frames_queued)      /* handed to consumers */                                                 \
  X(frames_overwritten) /* taken back unseen, as OldestFirstOverwrite and NewestOnly ask */       \
  X(kernel_drops)       /* datagrams that found the socket's queue, or the engine's ring, full */ \
  X(fragments)          /* datagrams in IP fragments that the engine does not put together */     \
  X(resyncs)            /* block ids jumped or began anew */                                      \
  X(batches)            /* reads that brought packets */                                          \
  X(batch_max)          /* most packets one read brought */                                       \
  X(in_place)           /* packets that the kernel put where they belong, with no copy of ours */ \
  X(rests)              /* times the socket was left alone for packets to gather */               \
  X(manner)             /* how packets are taken from the kernel now: net/packet_source.h */      \
  X(events_lost)        /* events nobody fetched in time */                                       \
  X(keepalives)         /* datagrams sent to hold a stateful firewall open */                     \
  X(last_block_id)

struct StreamCounters {
#define GW_FIELD(name) uint64_t name = 0;
  GW_STREAM_COUNTERS(GW_FIELD)
#undef GW_FIELD
};
constexpr uint32_t kCounterCount = sizeof(StreamCounters) / sizeof(uint64_t);

struct StatsPage {
  uint32_t sequence;  // atomic; odd while being written
  uint32_t count;
  uint64_t values[kCounterCount];
};
constexpr uint32_t kStatsPageSize = (sizeof(StatsPage) + 63) / 64 * 64;

// Receive thread only.
inline void publish(StatsPage& page, const StreamCounters& counters) {
  std::atomic_ref<uint32_t> sequence(page.sequence);
  const uint32_t now = sequence.load(std::memory_order_relaxed);
  sequence.store(now + 1, std::memory_order_relaxed);
  // Release on each value, for a fence is what ThreadSanitizer does not understand: who reads one of them
  // sees the odd number, too.
  const auto* from = reinterpret_cast<const uint64_t*>(&counters);
  for (uint32_t i = 0; i < kCounterCount; ++i) {
    std::atomic_ref<uint64_t>(page.values[i]).store(from[i], std::memory_order_release);
  }
  sequence.store(now + 2, std::memory_order_release);
}

// Any thread. Spins while a write is under way, which takes nanoseconds.
inline StreamCounters snapshot(StatsPage& page) {
  StreamCounters counters;
  auto* to = reinterpret_cast<uint64_t*>(&counters);
  std::atomic_ref<uint32_t> sequence(page.sequence);
  for (;;) {
    const uint32_t before = sequence.load(std::memory_order_acquire);
    for (uint32_t i = 0; i < kCounterCount; ++i) {
      to[i] = std::atomic_ref<uint64_t>(page.values[i]).load(std::memory_order_acquire);
    }
    if ((before & 1) == 0 && sequence.load(std::memory_order_relaxed) == before) return counters;
  }
}

}  // namespace gw
