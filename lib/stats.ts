// Statistics of a stream for people and programs. Every packet and block is counted once, under its cause; what adds up to
// what is written at each field and checked by tests.

import type { RawCounters } from './region.js'

export interface StreamStats {
  /** Taken from the socket = accepted + duplicate + late + foreign + malformed + test + refused. */
  datagrams: number
  bytes: number
  /** First copies of packets of open blocks = packetsReceived + packetsCut, once the stream has ended. */
  accepted: number
  duplicate: number
  /** Their block was closed already. */
  late: number
  /** Not from the camera's address and stream port. */
  foreign: number
  /** Too short, contradictory, or beyond the block. */
  malformed: number
  test: number
  /** The camera's answers that a packet is not available any more. */
  refused: number

  /** Of all closed blocks, leaders and trailers included = packetsReceived + packetsMissing. */
  packetsExpected: number
  packetsReceived: number
  /** = missingRefused + missingExhausted + missingNotRequested. */
  packetsMissing: number
  /** The camera had it no more. */
  missingRefused: number
  /** Requested, never came. */
  missingExhausted: number
  /** Resend off, or no budget or time for it. */
  missingNotRequested: number
  /** Arrived after they were requested. */
  packetsResent: number
  /** Did not arrive at first = packetsMissing + packetsResent = lostInKernel + lostInFragments + lostOnWire. */
  packetsLost: number
  /** The queue of the stream socket, or the ring, was full, as far as that explains packetsLost. */
  lostInKernel: number
  /** Came in IP fragments that the engine does not put together, as far as that explains the rest. */
  lostInFragments: number
  lostOnWire: number
  /** All that the kernel dropped on this socket, or for want of room in the ring, whatever it was. */
  kernelDrops: number
  /** Datagrams that came in IP fragments and were not put together: engine 'packet-ring' only. */
  fragments: number
  resendRequests: number
  /** Packets asked for, repeats included. */
  resendRequested: number

  /** = blocksComplete + blocksIncomplete + blocksNoSlot + blocksMissed. */
  blocksExpected: number
  blocksComplete: number
  blocksIncomplete: number
  /** No free slot when they began. */
  blocksNoSlot: number
  /** Not a single packet arrived. */
  blocksMissed: number
  /** Still open when the stream was stopped; in none of the numbers above. */
  blocksCut: number
  packetsCut: number

  /** Handed over = framesTaken + framesOverwritten + framesReturned + waiting. */
  framesQueued: number
  framesTaken: number
  /** Taken back unseen, as OldestFirstOverwrite and NewestOnly ask. */
  framesOverwritten: number
  /** Given back unseen when the stream was closed; known to the stream's owner only, as framesLeaked is to each consumer. */
  framesReturned: number
  /** Given away by garbage collection instead of release(). */
  framesLeaked: number
  /** The camera's block ids jumped or began anew. */
  resyncs: number
  /** Reads that brought packets, and the most packets that one brought. */
  batches: number
  batchMax: number
  /** Packets that the kernel put at their final place itself: no copy of ours. */
  inPlace: number
  /** Times that packets were left to gather before the next read. */
  rests: number
  eventsLost: number
  keepalives: number
  lastBlockId: number
}

/** What consumers know and the receive thread does not. */
export type ConsumerCounters = Pick<StreamStats, 'framesTaken' | 'framesReturned' | 'framesLeaked'>

export function streamStats(raw: RawCounters, consumed: ConsumerCounters): StreamStats {
  const packetsLost = raw.packets_missing + raw.packets_resent
  const lostInKernel = Math.min(raw.kernel_drops, packetsLost)
  const lostInFragments = Math.min(raw.fragments, packetsLost - lostInKernel)
  return {
    datagrams: raw.datagrams,
    bytes: raw.bytes,
    accepted: raw.accepted,
    duplicate: raw.duplicate,
    late: raw.late,
    foreign: raw.foreign,
    malformed: raw.malformed,
    test: raw.test,
    refused: raw.refused,
    packetsExpected: raw.packets_expected,
    packetsReceived: raw.packets_received,
    packetsMissing: raw.packets_missing,
    missingRefused: raw.missing_refused,
    missingExhausted: raw.missing_exhausted,
    missingNotRequested: raw.missing_not_requested,
    packetsResent: raw.packets_resent,
    packetsLost,
    lostInKernel,
    lostInFragments,
    lostOnWire: packetsLost - lostInKernel - lostInFragments,
    kernelDrops: raw.kernel_drops,
    fragments: raw.fragments,
    resendRequests: raw.resend_requests,
    resendRequested: raw.resend_requested,
    blocksExpected: raw.blocks_expected,
    blocksComplete: raw.blocks_complete,
    blocksIncomplete: raw.blocks_incomplete,
    blocksNoSlot: raw.blocks_no_slot,
    blocksMissed: raw.blocks_missed,
    blocksCut: raw.blocks_cut,
    packetsCut: raw.packets_cut,
    framesQueued: raw.frames_queued,
    framesTaken: consumed.framesTaken,
    framesOverwritten: raw.frames_overwritten,
    framesReturned: consumed.framesReturned,
    framesLeaked: consumed.framesLeaked,
    resyncs: raw.resyncs,
    batches: raw.batches,
    batchMax: raw.batch_max,
    inPlace: raw.in_place,
    rests: raw.rests,
    eventsLost: raw.events_lost,
    keepalives: raw.keepalives,
    lastBlockId: raw.last_block_id,
  }
}

export function emptyStats(): StreamStats {
  return streamStats(new Proxy({} as RawCounters, { get: () => 0 }), {
    framesTaken: 0,
    framesReturned: 0,
    framesLeaked: 0,
  })
}
