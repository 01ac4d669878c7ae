// A camera without a camera: native, in this process, on threads of its own. For tests, demonstrations, and as the load of
// benchmarks.

import { constants } from 'node:os'
import { GigeError, invalidArgument } from './errors.js'
import { native } from './native.js'
import { checkFaults, checkSimulatorOptions } from './simulator-options.js'

/** Probabilities 0..1 for each packet unless said otherwise; the same seed loses the same packets. */
export interface SimulatorFaults {
  loss?: number
  /** Chance that a burst of `burstLength` (20) lost packets starts. */
  burstLoss?: number
  burstLength?: number
  /** Chosen packets: block by ordinal since the acquisition began (all if missing), packet id, number of sends to drop. */
  drop?: { block?: number | bigint; packet: number; count?: number }[]
  /** Per block. */
  loseLeader?: number
  loseTrailer?: number
  /** Per block: its last `tailLength` (3) packets, trailer included. */
  loseTail?: number
  tailLength?: number
  /** Per block: nothing of it is sent. */
  loseBlock?: number
  duplicate?: number
  reorder?: number
  reorderDistance?: number
  delay?: number
  delayUs?: number
  /** Half of the payload is cut off. */
  truncate?: number
  wrongId?: number
  corruptHeader?: number
  /** A packet that looks right comes from another port first. */
  foreign?: number
  /** Losses also hit resent packets. */
  onResend?: boolean
  /** IP packets above it vanish, as behind a narrow switch. */
  pathMtu?: number
  packetSize?:
    | 'none'
    | 'clamp'
    | 'round'
    | 'ignore'
    | 'no-test-packet'
    | 'fire-once'
    | 'ignore-df'
    | 'silent-clamp'
    | 'unaligned'
  clampSize?: number
  roundTo?: number
  resend?: 'none' | 'silent' | 'unavailable' | 'not-yet-first' | 'removed-previous' | 'plain-status'
  resendDelayUs?: number
  /** From the request to each test packet. */
  testPacketDelayMs?: number
  controlStallMs?: number
  controlStallAfter?: number
  controlStallDrops?: boolean
  controlLoss?: number
  controlRequestLoss?: number
  controlDuplicate?: number
  controlStaleAcks?: number
  pendingAckMs?: number
  pendingAckCount?: number
  crashAfterBlocks?: number
  rebootAfterBlocks?: number
  rebootMs?: number
  noScsp?: boolean
  noDiscovery?: boolean
  shortReadMemAck?: boolean
}

export interface SimulatorOptions {
  /** One of this machine's addresses, default 127.0.0.1; several cameras need several addresses. */
  address?: string
  serial?: string
  model?: string
  manufacturer?: string
  userName?: string
  width?: number
  height?: number
  /** PFNC name, default Mono8. */
  pixelFormat?: string
  /** Checkable (default): each byte is a function of seed, block id and offset. TestCard: something to look at. */
  testPattern?: 'Checkable' | 'TestCard' | 'GreyHorizontalRampMoving' | 'Black' | 'White'
  /** Frames per second, default 30; 0 = as fast as it can. */
  frameRate?: number
  extendedIds?: boolean
  firstBlockId?: number | bigint
  seed?: number | bigint
  /** Initial GevSCPSPacketSize (0: none until the host sets one), and its limits. */
  packetSize?: number
  packetSizeMin?: number
  packetSizeMax?: number
  packetSizeIncrement?: number
  /** Default true; false: it neither sends nor describes them. */
  testPackets?: boolean
  resend?: boolean
  resendHistoryBlocks?: number
  chunkMode?: boolean
  variableHeight?: boolean
  allIn?: boolean
  payloadType?: number
  paddingX?: number
  concatenation?: boolean
  writeMemory?: boolean
  pendingAck?: boolean
  /** Description as zip (default) or plain. */
  zip?: boolean
  heartbeatTimeout?: number
  discoveryDelay?: number
  subnetMask?: string
  gateway?: string
  /** false: UDP checksum 0, as cameras commonly send. */
  udpChecksum?: boolean
  gso?: boolean
  /** Pacing inside a frame, bits per second on the IP level; 0 = one burst. */
  lineRateBps?: number | bigint
  /** So many packets at once and then a longer gap, at the same `lineRateBps`; default 1. */
  burstPackets?: number
  /** Blocks for which sendTimes() is kept, up to 1048576; default 0. */
  sendTimes?: number
  /** Packet times held by spinning: exact, costs a core. */
  spin?: boolean
  faults?: SimulatorFaults
}

/** Counters by name, and the camera's state; see native/sim/options.h. */
export interface SimulatorStats {
  blocksSent: number
  packetsPlanned: number
  packetsSent: number
  packetsLost: number
  packetsResent: number
  resendRequests: number
  streaming: boolean
  silent: boolean
  packetSize: number
  controlPrivilege: number
  controller: { address: string; port: number } | undefined
  destination: { address: string; port: number } | undefined
  lastBlockId: bigint
  [counter: string]: unknown
}

export interface Simulator extends AsyncDisposable {
  readonly address: string
  readonly serial: string
  readonly seed: bigint
  stats(): SimulatorStats
  /**
   * When the last packet of each block was given to the system: block id, then nanoseconds of the host's monotonic clock
   * (process.hrtime.bigint()), and so on, in no order.
   */
  sendTimes(): BigUint64Array
  setFaults(faults: SimulatorFaults): void
  /** Silent for good. */
  crash(): void
  /** Silent for `ms`, then back with its power-up settings. */
  reboot(ms?: number): void
  /** No answers to commands for `ms`; the stream goes on. */
  stallControl(ms: number): void
  /** As if the heartbeat had expired. */
  loseControl(): void
  trigger(): void
  stop(): Promise<void>
}

/** A camera goes on until it is stopped, whether or not anybody still holds its object. */
const running = new Set<object>()

function create(options: SimulatorOptions) {
  try {
    return new native.NativeSimulator(options)
  } catch (error) {
    if (!(error instanceof GigeError) || error.errno !== constants.errno.EADDRINUSE) throw error
    throw Object.assign(error, {
      hint: 'Another camera or program on this machine has that port. Give each simulated camera another { address }, such as 127.0.0.2.',
    })
  }
}

/** Errors: ERR_GIGE_NETWORK when the address is not this machine's or another camera uses it; ERR_GIGE_INVALID_ARGUMENT. */
export async function startSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  checkSimulatorOptions(options)
  const camera = create(options)
  running.add(camera)
  const stop = async () => {
    running.delete(camera)
    camera.stop()
  }
  return {
    address: options.address ?? '127.0.0.1',
    serial: options.serial ?? 'GW-SIM-1',
    seed: BigInt(options.seed ?? 1),
    stats: () => camera.stats() as unknown as SimulatorStats,
    sendTimes: () => camera.sendTimes(),
    setFaults: (faults) => {
      checkFaults(faults)
      camera.setFaults(faults)
    },
    crash: () => camera.inject('crash'),
    reboot: (ms) => camera.inject('reboot', ms),
    stallControl: (ms) => camera.inject('stall', ms),
    loseControl: () => camera.inject('loseControl'),
    trigger: () => camera.inject('trigger'),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

/** Offset of the first byte that is not the simulator's Checkable pattern, or -1 when all are right. */
export function firstWrongByte(image: Uint8Array, blockId: bigint, seed: bigint): number {
  if (typeof blockId !== 'bigint' || typeof seed !== 'bigint')
    throw invalidArgument('blockId and seed must be bigint')
  return native.firstWrongByte(image, blockId, seed)
}
