// A stream's statistics as facts: as far as they tell a cause.

import type { StreamStats } from '../stats.js'
import type { StreamFacts } from './facts.js'

export function streamFactsOf(stats: StreamStats, seconds: number): StreamFacts {
  return {
    seconds,
    framesComplete: stats.blocksComplete,
    framesIncomplete: stats.blocksIncomplete,
    packetsExpected: stats.packetsExpected,
    packetsReceived: stats.packetsReceived,
    lostInKernel: stats.lostInKernel,
    lostOnWire: stats.lostOnWire,
    blocksNoSlot: stats.blocksNoSlot,
    foreign: stats.foreign,
    malformed: stats.malformed,
  }
}
