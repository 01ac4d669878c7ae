// What a simulated camera's options and faults may be. Native code checks them as well; names it does not know it never sees.

import * as argument from './arguments.js'
import type { SimulatorFaults, SimulatorOptions } from './simulator.js'

const PACKET_SIZE = 'none clamp round ignore no-test-packet fire-once ignore-df silent-clamp unaligned'.split(
  ' ',
)
const RESEND = 'none silent unavailable not-yet-first removed-previous plain-status'.split(' ')
type FaultKind = 'chance' | 'count' | 'flag' | 'chosen' | readonly string[]

/** What each fault takes; the command line reads it by this, too. */
export const FAULTS: Record<keyof SimulatorFaults, FaultKind> = {
  loss: 'chance',
  burstLoss: 'chance',
  burstLength: 'count',
  drop: 'chosen',
  loseLeader: 'chance',
  loseTrailer: 'chance',
  loseTail: 'chance',
  tailLength: 'count',
  loseBlock: 'chance',
  duplicate: 'chance',
  reorder: 'chance',
  reorderDistance: 'count',
  delay: 'chance',
  delayUs: 'count',
  truncate: 'chance',
  wrongId: 'chance',
  corruptHeader: 'chance',
  foreign: 'chance',
  onResend: 'flag',
  pathMtu: 'count',
  packetSize: PACKET_SIZE,
  clampSize: 'count',
  roundTo: 'count',
  resend: RESEND,
  resendDelayUs: 'count',
  testPacketDelayMs: 'count',
  controlStallMs: 'count',
  controlStallAfter: 'count',
  controlStallDrops: 'flag',
  controlLoss: 'chance',
  controlRequestLoss: 'chance',
  controlDuplicate: 'chance',
  controlStaleAcks: 'chance',
  pendingAckMs: 'count',
  pendingAckCount: 'count',
  crashAfterBlocks: 'count',
  rebootAfterBlocks: 'count',
  rebootMs: 'count',
  noScsp: 'flag',
  noDiscovery: 'flag',
  shortReadMemAck: 'flag',
}

const count = argument.whole(0, 0xffff_ffff)

const DROP: argument.Rules<NonNullable<SimulatorFaults['drop']>[number]> = {
  block: argument.natural,
  packet: count,
  count: argument.whole(1, 0xffff_ffff),
}

function faultRule(kind: FaultKind): argument.Rule {
  if (kind === 'chance') return argument.range(0, 1)
  if (kind === 'count') return count
  if (kind === 'flag') return argument.flag
  if (kind !== 'chosen') return argument.oneOf(kind)
  return argument.listOf((_, value) =>
    argument.checkOptions('drop', value as { packet: number }, DROP, ['packet']),
  )
}

const FAULT_RULES = Object.fromEntries(
  Object.entries(FAULTS).map(([name, kind]) => [name, faultRule(kind)]),
) as argument.Rules<SimulatorFaults>

export function checkFaults(faults: SimulatorFaults): void {
  argument.checkOptions('fault', faults, FAULT_RULES)
}

const SIMULATOR: argument.Rules<SimulatorOptions> = {
  address: argument.address,
  serial: argument.string,
  model: argument.string,
  manufacturer: argument.string,
  userName: argument.string,
  width: count,
  height: count,
  pixelFormat: argument.string,
  testPattern: argument.oneOf(['Checkable', 'TestCard', 'GreyHorizontalRampMoving', 'Black', 'White']),
  frameRate: argument.range(0, 1e6),
  extendedIds: argument.flag,
  firstBlockId: argument.natural,
  seed: argument.natural,
  packetSize: count,
  packetSizeMin: count,
  packetSizeMax: count,
  packetSizeIncrement: count,
  testPackets: argument.flag,
  resend: argument.flag,
  resendHistoryBlocks: count,
  chunkMode: argument.flag,
  variableHeight: argument.flag,
  allIn: argument.flag,
  payloadType: argument.whole(0, 65535),
  paddingX: argument.whole(0, 65535),
  concatenation: argument.flag,
  writeMemory: argument.flag,
  pendingAck: argument.flag,
  zip: argument.flag,
  heartbeatTimeout: count,
  discoveryDelay: count,
  subnetMask: argument.address,
  gateway: argument.address,
  udpChecksum: argument.flag,
  gso: argument.flag,
  lineRateBps: argument.natural,
  burstPackets: argument.whole(1, 65535),
  sendTimes: argument.whole(0, 1 << 20),
  spin: argument.flag,
  faults: (_, value) => checkFaults(value as SimulatorFaults),
}

export function checkSimulatorOptions(options: SimulatorOptions): void {
  argument.checkOptions('simulator', options, SIMULATOR)
}
