// What a measurement of a real camera knows, and what it may conclude. Facts are plain numbers, so that they can be recorded, sent
// with a report and judged anywhere; what could not be known is undefined, and `unknown` says why.

import type { StreamStats } from '../../stats.js'
import type { PacketSizeResult, StreamEngine } from '../../types.js'

/** Microseconds. */
export interface Distribution {
  count: number
  p50: number
  p99: number
  max: number
}

/** What the camera says of itself; names are those of SFNC where there is one. */
export interface CameraSettings {
  triggerMode?: string
  /** Frames per second as they were asked for; undefined where the camera runs freely. */
  acquisitionFrameRate?: number
  /** The most that its settings allow, by its own calculation. */
  resultingFrameRate?: number
  exposureTimeUs?: number
  /** Bits per second, where the limit is switched on. */
  throughputLimit?: number
  /** GevSCPD in microseconds. */
  packetDelayUs?: number
  /** Mbit/s, by GevLinkSpeed or DeviceLinkSpeed. */
  linkSpeed?: number
  payloadBytes?: number
  /** By GVCP capability; undefined where it does not tell. */
  canResend?: boolean
}

/** What was counted in the measured time. */
export interface NicCounters {
  dropped?: number
  missed?: number
  fifo?: number
}

export interface CameraBenchFacts {
  camera: CameraSettings
  interface: { name: string; mtu: number; speed?: number }
  engine: StreamEngine | undefined
  packetSize: PacketSizeResult | undefined
  /** Measured, without the time that it took to settle. */
  seconds: number
  /** Blocks that the camera sent per second, whatever became of them. */
  blockRate: number
  /** The pace of the camera by the mean of its frame intervals, which may differ by turns; blockRate where there are none. */
  cameraRate: number
  /** Frames per second that were taken. */
  frameRate: number
  frames: number
  /** Bits per second on the cable: Ethernet, IP, UDP and GVSP headers, preambles and gaps included. */
  wireRate: number
  /** The difference between beginning and end. */
  stats: StreamStats
  /** Queue of the stream socket, where the kernel granted less than was asked for. */
  receiveBuffer: string | undefined
  nic: NicCounters
  /** Of all cores and networks of the machine. */
  softnet: { dropped?: number; squeezed?: number }
  cpu: {
    /** Of one core, 0..1. */
    process: number
    receiveThread?: number
    mainThread?: number
    perPacketNs: number
    perFrameUs: number
  }
  /** Times per second that the receive thread had slept. */
  wakeUps?: number
  /** How much later than asked for timers of this process came. */
  eventLoopDelay: Distribution
  /** From frame to frame. */
  jitter: {
    camera: Distribution | undefined
    host: Distribution
    /** How far host and camera intervals of the same frames differ. */
    difference: Distribution | undefined
  }
  /** From a block's first packet to its end. */
  spread: Distribution
  /** The same, of frames that needed packets to be sent again. */
  repairedSpread: Distribution
  /** From the end of a block to the body of the loop. */
  delivery: Distribution
  /** Times that no slot was free for a frame, as told by events. */
  starved: number
  /** What could not be known here, and why. */
  unknown: string[]
}

/** The chain from the sensor to the program, in the order of a frame's way. */
export type ChainLink =
  | 'camera'
  | 'throughput'
  | 'link'
  | 'nic'
  | 'kernel'
  | 'receive-thread'
  | 'javascript'
  | 'resend'

export interface BenchFinding {
  code: string
  link: ChainLink
  /** error: frames are lost; warning: it costs, or will soon; info: what sets the rate, and how things are. */
  severity: 'error' | 'warning' | 'info'
  summary: string
  evidence: string[]
  /** What to do next. */
  next: string
}
