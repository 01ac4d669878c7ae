// Several cameras on one link: how fast each may send so that all of them fit, whenever their frames coincide. Purpose: a pure
// function from facts to packet sizes, inter-packet delays or throughput limits, and the frame rates that these permit. What a
// camera sends in a burst counts, not its average: frames of all cameras may begin at the same time.

import { invalidArgument } from './errors.js'

/** Bytes that Ethernet adds to an IP packet: preamble 8, header 14, checksum 4, gap 12. */
const ETHERNET = 38
/** Smallest frame with preamble and gap. */
const SHORTEST = 84
/** IP, UDP and GVSP headers in front of the data; with extended ids 12 more. */
const HEADERS = 36
const EXTENDED = 12
const LARGEST_DELAY = 0xffff_ffff
const GIGABIT = 1e9
/** Of a frame rate: what rounding a delay up to a tick may take away. */
const RATE_TOLERANCE = 0.001

export interface CameraBandwidthFacts {
  /** To tell the cameras apart in the plan: address or serial. */
  name: string
  /** Bytes of a frame (PayloadSize). */
  payloadSize: number
  /** Frames per second that are wanted; left out: as many as the link permits. */
  frameRate?: number
  /** Bytes of an IP packet: limits and step of GevSCPSPacketSize. */
  packetSize: { min?: number; max: number; increment?: number }
  extendedIds?: boolean
  /** bit/s of the camera's own link; left out: unknown. */
  linkSpeed?: number
  /** GevSCPD: ticks per second, and the largest value; left out: the camera has no usable delay. */
  packetDelay?: { tickFrequency: number; max?: number }
  /** DeviceLinkThroughputLimit in byte/s; used where there is no delay. */
  throughputLimit?: { min?: number; max?: number; increment?: number }
}

export interface PlanOptions {
  /** bit/s of the link that all share; default 1e9. */
  linkSpeed?: number
  /** Share of the link that is left for resends and others, 0 to 0.9; default 0.1. */
  headroom?: number
  /** Of the link; default 1500. */
  mtu?: number
}

export interface CameraShare {
  name: string
  packetSize: number
  /** GevSCPD, ticks between packets. */
  packetDelay?: number
  /** DeviceLinkThroughputLimit, byte/s. */
  throughputLimit?: number
  /** byte/s on the wire that the camera sends at most, Ethernet overhead included; Infinity where nothing holds it back. */
  wireRate: number
  /** Frames per second that this permits. */
  frameRate: number
  /** Why the camera cannot do what is wanted of it; undefined where it can. */
  problem?: string
}

export interface BandwidthPlan {
  /** All cameras together stay within the link, each with the frame rate that is wanted. */
  feasible: boolean
  /** byte/s on the wire: what the cameras may use, and what they use at most. */
  capacity: number
  used: number
  cameras: CameraShare[]
}

/** Bytes that an IP packet takes on the wire, with everything that Ethernet adds. */
function wireBytes(ipBytes: number): number {
  return Math.max(ipBytes + ETHERNET, SHORTEST)
}

/** Packets of a frame: leader, data, trailer. */
function packetsOfFrame(payloadSize: number, packetSize: number, extendedIds = false): number {
  return Math.ceil(payloadSize / (packetSize - HEADERS - (extendedIds ? EXTENDED : 0))) + 2
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT for facts that make no sense. */
export function planBandwidth(
  cameras: readonly CameraBandwidthFacts[],
  options: PlanOptions = {},
): BandwidthPlan {
  const { linkSpeed = GIGABIT, headroom = 0.1, mtu = 1500 } = options
  positive('linkSpeed', linkSpeed)
  positive('mtu', mtu)
  if (!(headroom >= 0 && headroom <= 0.9))
    throw invalidArgument(`headroom must be from 0 to 0.9, not ${headroom}`)
  const capacity = (linkSpeed / 8) * (1 - headroom)
  const sized = cameras.map((camera) => {
    checkFacts(camera)
    const packetSize = packetSizeFor(camera, mtu)
    // A delay follows each packet, however short: they all count as full ones.
    const packets = packetsOfFrame(camera.payloadSize, packetSize, camera.extendedIds)
    const frame = packets * wireBytes(packetSize)
    return { camera, packetSize, frame, demand: (camera.frameRate ?? 0) * frame }
  })
  const rates = share(
    sized.map(({ camera, demand }) => (camera.frameRate === undefined ? undefined : demand)),
    capacity,
  )
  const shares = sized.map(({ camera, packetSize, frame }, i) =>
    shareOf(camera, packetSize, frame, rates[i] as number),
  )
  const used = shares.reduce((sum, { wireRate }) => sum + wireRate, 0)
  const feasible = used <= capacity && shares.every(({ problem }) => problem === undefined)
  return { feasible, capacity, used, cameras: shares }
}

function positive(name: string, value: number): void {
  if (!(value > 0 && value < Number.POSITIVE_INFINITY))
    throw invalidArgument(`${name} must be a number above 0, not ${value}`)
}

function checkFacts({
  name,
  payloadSize,
  frameRate,
  packetSize,
  linkSpeed,
  packetDelay,
}: CameraBandwidthFacts) {
  positive(`payloadSize of ${name}`, payloadSize)
  positive(`packetSize.max of ${name}`, packetSize.max)
  if (frameRate !== undefined) positive(`frameRate of ${name}`, frameRate)
  if (linkSpeed !== undefined) positive(`linkSpeed of ${name}`, linkSpeed)
  if (packetDelay !== undefined) positive(`packetDelay.tickFrequency of ${name}`, packetDelay.tickFrequency)
}

/** As large as camera and link can: fewer packets are less overhead for everybody. */
function packetSizeFor({ packetSize, extendedIds, name }: CameraBandwidthFacts, mtu: number): number {
  const { min = 0, max, increment = 1 } = packetSize
  const largest = Math.min(max, mtu)
  const size = min + Math.floor((largest - min) / increment) * increment
  if (size < Math.max(min, HEADERS + (extendedIds ? EXTENDED : 0) + 1))
    throw invalidArgument(`No packet size of ${name} fits an MTU of ${mtu}`)
  return size
}

/**
 * Who wants a frame rate gets in proportion to it; cameras without a wish share what the others leave, as if each wanted an equal
 * part of the link; where that is nothing, the link is divided by heads.
 */
function share(demands: (number | undefined)[], capacity: number): number[] {
  const wanted = demands.reduce<number>((sum, demand) => sum + (demand ?? 0), 0)
  const open = demands.filter((demand) => demand === undefined).length
  const left = capacity - wanted
  const each = open === 0 ? 0 : left > 0 ? left / open : capacity / demands.length
  const total = wanted + open * each
  return demands.map((demand) => (capacity * (demand ?? each)) / total)
}

function shareOf(camera: CameraBandwidthFacts, packetSize: number, frame: number, rate: number): CameraShare {
  const packet = wireBytes(packetSize)
  const own = camera.linkSpeed === undefined ? Number.POSITIVE_INFINITY : camera.linkSpeed / 8
  const { held, ...setting } = hold(camera, packetSize, packet, own, rate)
  const wireRate = Math.min(held, own)
  const frameRate = wireRate === Number.POSITIVE_INFINITY ? Number.POSITIVE_INFINITY : wireRate / frame
  const problem = problemOf(camera, { held: wireRate, rate, frameRate })
  return {
    name: camera.name,
    packetSize,
    ...setting,
    wireRate,
    frameRate,
    ...(problem !== undefined && { problem }),
  }
}

/** Which setting keeps the camera at `rate` or, where its range ends, nearest to it; and what it holds the camera to. */
function hold(
  { packetDelay, throughputLimit, extendedIds }: CameraBandwidthFacts,
  packetSize: number,
  packet: number,
  own: number,
  rate: number,
): { held: number; packetDelay?: number; throughputLimit?: number } {
  if (packetDelay) {
    const { tickFrequency, max = LARGEST_DELAY } = packetDelay
    const ticks = Math.ceil(Math.max(packet / rate - packet / own, 0) * tickFrequency)
    const delay = Math.min(ticks, Math.floor(max))
    return { held: packet / (packet / own + delay / tickFrequency), packetDelay: delay }
  }
  if (throughputLimit) {
    const { min = 0, max = Number.POSITIVE_INFINITY, increment = 1 } = throughputLimit
    // Whether a camera counts data, IP or wire bytes is its maker's choice: counting the fewest is safe.
    const data = packetSize - HEADERS - (extendedIds ? EXTENDED : 0)
    const bytes = Math.min((rate * data) / packet, max)
    const limit = Math.max(min + Math.floor((bytes - min) / increment) * increment, min)
    return { held: (limit * packet) / data, throughputLimit: limit }
  }
  return { held: Number.POSITIVE_INFINITY }
}

function problemOf(
  camera: CameraBandwidthFacts,
  { held, rate, frameRate }: { held: number; rate: number; frameRate: number },
): string | undefined {
  // Rounding is not a fault of the camera.
  if (held > rate * (1 + 1e-9)) {
    return camera.packetDelay || camera.throughputLimit
      ? 'its range of settings does not reach so low a rate'
      : 'it has neither an inter-packet delay nor a throughput limit'
  }
  const { frameRate: wanted } = camera
  if (wanted !== undefined && frameRate < wanted * (1 - RATE_TOLERANCE))
    return `${frameRate.toFixed(2)} frames per second fit instead of ${wanted}`
  return undefined
}
