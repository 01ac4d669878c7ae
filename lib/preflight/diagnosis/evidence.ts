// What the facts come to: the few answers that the rules of diagnosis ask for, each worked out once. Pure. Letters are those of
// reference/firewall.md section 6: B broadcast, U unicast, T a small test packet without a way opened, TP with one, J larger ones.

import { inSubnet } from '../../ipv4.js'
import type {
  AccessProbe,
  BroadcastProbe,
  BurstProbe,
  CounterDelta,
  Facts,
  InterfaceFacts,
  Probe,
  TestPacketProbe,
  UnicastProbe,
} from '../facts.js'

/** Sizes up to this pass wherever IP does. */
export const SMALL = 576

export interface Shots {
  fired: number
  arrived: number
  refused: number | undefined
  counters: CounterDelta
  ms: number
}

export interface Evidence {
  facts: Facts
  /** '' where no camera was asked for. */
  camera: string
  /** The NIC that its packets come in by, as far as known. */
  nic: InterfaceFacts | undefined
  broadcast: BroadcastProbe | undefined
  /** undefined: not tried. */
  B: boolean | undefined
  unicast: UnicastProbe | undefined
  U: boolean | undefined
  access: AccessProbe | undefined
  T: Shots | undefined
  TP: Shots | undefined
  /** Sizes of test packets that came whole, and that were fired and did not. */
  sizes: { arrived: number[]; lost: number[]; fragmented: number[] }
  /** Of those that came in fragments when that was allowed. */
  inPieces: number | undefined
  burst: BurstProbe | undefined
  neighbour: 'complete' | 'incomplete' | undefined
  /**
   * Of packets dropped here in so many ms, how many may be anybody's (groups that nobody has joined, say): by what was dropped while all of the
   * camera's came through.
   */
  noise(ms: number): number
  /** Such a time was there. */
  noiseKnown: boolean
}

function last<Kind extends Probe['probe']>(
  facts: Facts,
  kind: Kind,
): Extract<Probe, { probe: Kind }> | undefined {
  return facts.probes.filter((one): one is Extract<Probe, { probe: Kind }> => one.probe === kind).at(-1)
}

function shots(packets: TestPacketProbe[]): Shots | undefined {
  if (packets.length === 0) return undefined
  const counters: CounterDelta = {}
  for (const { counters: one = {} } of packets) {
    for (const [name, value] of Object.entries(one)) {
      if (typeof value !== 'number') continue
      const key = name as Exclude<keyof CounterDelta, 'driver'>
      counters[key] = (counters[key] ?? 0) + value
    }
  }
  const sum = (pick: (one: TestPacketProbe) => number) => packets.reduce((total, one) => total + pick(one), 0)
  return {
    fired: sum((one) => one.fired),
    arrived: sum((one) => one.arrived),
    refused: packets.find(({ refused }) => refused !== undefined)?.refused,
    counters,
    ms: sum(({ ms }) => ms),
  }
}

/** While a probe of at least so many ms went well. */
const LONG_ENOUGH_MS = 100

function noiseOf({ probes }: Facts, camera: string): Pick<Evidence, 'noise' | 'noiseKnown'> {
  const wentWell = (one: Probe) =>
    (one.probe === 'broadcast' && one.answers.some(({ address }) => address === camera)) ||
    (one.probe === 'burst' && one.stream.packetsReceived > 0)
  const rates = probes
    .filter((one) => one.ms >= LONG_ENOUGH_MS && wentWell(one))
    .map(({ ms, counters }) => (counters?.fwDrop ?? 0) / ms)
  const rate = Math.max(0, ...rates)
  return { noise: (ms) => Math.ceil(2 * rate * ms), noiseKnown: rates.length > 0 }
}

export function evidence(facts: Facts): Evidence {
  const camera = facts.camera?.address ?? ''
  const { interfaces, route, neighbours } = facts.host
  const all = facts.probes.filter((one): one is TestPacketProbe => one.probe === 'test-packet')
  const packets = all.filter(({ dontFragment }) => dontFragment)
  const small = packets.filter(({ size }) => size <= SMALL)
  const unicast = last(facts, 'unicast')
  const broadcast = last(facts, 'broadcast')
  const fired = packets.filter((one) => one.fired > 0 && one.refused === undefined)
  const sizesOf = (some: TestPacketProbe[]) =>
    [...new Set(some.map(({ size }) => size))].sort((a, b) => a - b)
  return {
    facts,
    camera,
    nic:
      interfaces.find(({ name }) => name !== '' && name === route?.interface) ??
      interfaces.find((nic) => camera !== '' && inSubnet(camera, nic)),
    broadcast,
    B: broadcast && camera !== '' ? broadcast.answers.some(({ address }) => address === camera) : undefined,
    unicast,
    U: unicast && unicast.answers > 0,
    access: last(facts, 'access'),
    T: shots(small.filter(({ punched }) => !punched)),
    TP: shots(small.filter(({ punched }) => punched)),
    sizes: {
      arrived: sizesOf(packets.filter((one) => one.arrived > 0 && one.fragmented === 0)),
      lost: sizesOf(fired.filter((one) => one.arrived === 0)),
      fragmented: sizesOf(packets.filter((one) => one.fragmented > 0)),
    },
    inPieces: all.find((one) => !one.dontFragment && one.fragmented > 0)?.size,
    burst: last(facts, 'burst'),
    neighbour: neighbours.find(({ address }) => address === camera)?.state,
    ...noiseOf(facts, camera),
  }
}
