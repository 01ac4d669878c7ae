// Types of tools.mjs.

import type * as Gigewire from '../../lib/index.js'
import type {
  Camera,
  CameraTarget,
  FeatureValue,
  Frame,
  FrameStream,
  OpenOptions,
  PacketSizeResult,
  Simulator,
  SimulatorOptions,
  SimulatorStats,
  StreamOptions,
  StreamStats,
} from '../../lib/index.js'

export * from './pattern.mjs'

export interface ReceiveOptions {
  camera: CameraTarget
  open?: OpenOptions
  features?: Record<string, FeatureValue>
  stream?: StreamOptions
  /** Ends after so many frames, or when so many blocks are closed. */
  frames?: number
  blocks?: number
  /** 'aravis', or the seed of the simulator. */
  check?: 'aravis' | number
  settle?: (stats: StreamStats) => boolean
  limit?: number
  onFrame?: (frame: Frame, stream: FrameStream, camera: Camera, simulator: Simulator) => unknown
  onStream?: (stream: FrameStream, camera: Camera, simulator: Simulator) => unknown
}

export interface Received {
  ids: number[]
  wrong: string[]
  incomplete: number[]
  events: { incomplete: number; starved: number; missed: number; leak: number }
  warnings: string[]
  lost: string[]
  timeout?: string
  stats: StreamStats
  packetSize?: PacketSizeResult
  control: Record<string, number>
  sums: string[]
}

export interface SimulateOptions extends Omit<ReceiveOptions, 'camera'> {
  simulator?: SimulatorOptions
  /** Blocks to send, where they are not the number to wait for. */
  send?: number
  prepare?: (simulator: Simulator) => unknown
}

export function until<T>(
  condition: () => T | Promise<T>,
  what: string,
  limit?: number,
): Promise<NonNullable<T>>
export function quietFor(ms: number): (stats: StreamStats) => boolean
export function brokenSums(stats: StreamStats): string[]
export function aboutTheCamera(warnings: string[]): string[]
export function brokenAgainstSimulator(stats: StreamStats, simulator: SimulatorStats): string[]
export function aravisWrongByte(
  data: Uint8Array,
  width: number,
  height: number,
  blockId: bigint | number,
): number
export function wrongAboutMissing(frame: Frame, right: Uint8Array): string
export function receive(gigewire: typeof Gigewire, options: ReceiveOptions): Promise<Received>
export function simulate(
  gigewire: typeof Gigewire,
  options: SimulateOptions,
): Promise<Received & { simulator: SimulatorStats & Record<string, number> }>
