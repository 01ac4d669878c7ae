// What a negotiation tried, as probes: one for each size.

import type { NativeNegotiation } from '../../../binding.js'
import type { CounterDelta, TestPacketProbe } from '../facts.js'

export interface AttemptContext {
  punched: boolean
  dontFragment: boolean
  destination: string
  port: number
  nic: string
  ms: number
  /** Of the whole negotiation: told only where it tried a single size. */
  counters?: CounterDelta
}

/** Of a negotiation to which nothing came: all that it fired, as if of the smallest size. */
export function blindProbe(
  { tried }: NativeNegotiation,
  { nic, ...context }: AttemptContext,
): TestPacketProbe {
  const refused = tried.find(({ status }) => status !== 0)?.status
  const fired = tried.reduce((sum, one) => sum + one.fired, 0)
  return {
    probe: 'test-packet',
    size: Math.min(...tried.map(({ size }) => size)),
    fired,
    arrived: 0,
    fragmented: 0,
    ...(fired === 0 && refused !== undefined && { refused }),
    interface: nic,
    ...context,
  }
}

export function probesOf(
  negotiation: NativeNegotiation,
  { punched, dontFragment, destination, port, nic, ms, counters }: AttemptContext,
): TestPacketProbe[] {
  const attempts = bySize(negotiation)
  const alone = attempts.length === 1
  return attempts.map(({ size, fired, arrived, fragmented, status, actual, ms: took }) => ({
    probe: 'test-packet',
    size: arrived && actual > 0 ? actual : size,
    dontFragment,
    punched,
    fired,
    arrived: arrived ? 1 : 0,
    fragmented: fragmented ? 1 : 0,
    ...(status !== 0 && { refused: status }),
    destination,
    port,
    interface: nic,
    ms: alone ? ms : Math.round(took),
    ...(alone && counters && { counters }),
  }))
}

function bySize({ tried }: NativeNegotiation): NativeNegotiation['tried'] {
  const sizes = new Map<number, NativeNegotiation['tried'][number]>()
  for (const one of tried) {
    const before = sizes.get(one.size)
    sizes.set(
      one.size,
      before
        ? {
            ...one,
            arrived: before.arrived || one.arrived,
            fired: before.fired + one.fired,
            ms: before.ms + one.ms,
            actual: Math.max(before.actual, one.actual),
          }
        : one,
    )
  }
  return [...sizes.values()]
}
