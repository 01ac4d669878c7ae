// What a stream did, in numbers: for people as a few aligned lines, for programs as an object. Losses by cause are those of
// lib/stats.ts; docs/statistics.md tells what they mean and how they add up.

import type { StreamStats } from '../stats.js'
import type { FrameStream, PacketSizeResult, StreamEngine, StreamGrants, XdpMode } from '../types.js'
import type { Styler } from './style.js'
import { table } from './table.js'

/** Rates over the time from the first frame's leader to the last one's. */
export class RateMeter {
  frames = 0
  bytes = 0
  private first: bigint | undefined
  private last = 0n

  add(hostTimeNs: bigint, bytes: number): void {
    this.first ??= hostTimeNs
    this.last = hostTimeNs
    this.frames++
    this.bytes += bytes
  }

  get seconds(): number {
    return this.first === undefined ? 0 : Number(this.last - this.first) / 1e9
  }

  /** Intervals, not frames: two frames one second apart are one per second. */
  get framesPerSecond(): number {
    return this.seconds > 0 ? (this.frames - 1) / this.seconds : 0
  }

  /** Image data, without headers. */
  get megabytesPerSecond(): number {
    if (this.seconds === 0) return 0
    return (this.bytes * (1 - 1 / this.frames)) / this.seconds / 1e6
  }
}

export interface StreamSummary {
  frames: number
  seconds: number
  framesPerSecond: number
  megabytesPerSecond: number
  packetSize: PacketSizeResult | undefined
  engine: StreamEngine | undefined
  granted: StreamGrants | undefined
  xdpMode?: XdpMode | undefined
  stats: StreamStats
}

export function summarize(
  meter: RateMeter,
  stream: Pick<FrameStream, 'packetSize' | 'engine' | 'xdpMode' | 'granted' | 'stats'>,
): StreamSummary {
  const round = (value: number) => Math.round(value * 1000) / 1000
  return {
    frames: meter.frames,
    seconds: round(meter.seconds),
    framesPerSecond: round(meter.framesPerSecond),
    megabytesPerSecond: round(meter.megabytesPerSecond),
    packetSize: stream.packetSize,
    engine: stream.engine,
    granted: stream.granted,
    ...(stream.xdpMode && { xdpMode: stream.xdpMode }),
    stats: stream.stats(),
  }
}

/** `16384 bytes, limited by the camera; 2 test packets in 3 ms`. */
export function describePacketSize(result: PacketSizeResult | undefined): string {
  if (!result) return 'not negotiated'
  const limits = {
    'interface-mtu': 'the MTU of the network interface',
    path: 'the path to the camera',
    camera: 'the camera',
    option: 'the option given',
  }
  const size = `${result.packetSize} bytes, limited by ${limits[result.limitedBy]}`
  if (result.tried.length === 0) return `${size}; not probed`
  const arrived = result.tried.filter((one) => one.arrived).length
  const probes = `${arrived} of ${result.tried.length} test packets arrived, ${Math.round(result.ms)} ms`
  return `${size}; ${result.confirmed ? probes : `unconfirmed (${probes})`}`
}

interface LossRow {
  label: string
  count: number
  meaning: string
  /** A number to be glad of. */
  good?: boolean
}

function lossRows(stats: StreamStats): LossRow[] {
  return [
    {
      label: 'packets lost on the wire',
      count: stats.lostOnWire,
      meaning: 'they never reached the stream socket',
    },
    {
      label: "packets lost in the kernel's queue",
      count: stats.lostInKernel,
      meaning: 'the stream socket (or the ring) was full: raise --receive-buffer',
    },
    {
      label: 'packets lost in IP fragments',
      count: stats.lostInFragments,
      meaning: 'the engine does not put them together: lower --packet-size',
    },
    { label: '  of these: received after all', count: stats.packetsResent, meaning: 'by resend', good: true },
    {
      label: '  of these: not asked for again',
      count: stats.missingNotRequested,
      meaning: 'resend is off, or had no budget or time left',
    },
    { label: '  of these: asked for in vain', count: stats.missingExhausted, meaning: 'they never came' },
    { label: '  of these: gone at the camera', count: stats.missingRefused, meaning: 'it had them no more' },
    { label: 'frames incomplete', count: stats.blocksIncomplete, meaning: 'packets of them are missing' },
    {
      label: 'frames without a free slot',
      count: stats.blocksNoSlot,
      meaning: 'they came faster than they were dealt with: raise --buffers',
    },
    { label: 'frames missed whole', count: stats.blocksMissed, meaning: 'not one packet of them arrived' },
    { label: 'frames overwritten', count: stats.framesOverwritten, meaning: 'by newer ones, as asked' },
  ]
}

const count = (value: number) => value.toLocaleString('en-US')

/** One for each cause, whether or not it came about. */
export function lossLines(stats: StreamStats, style: Styler): string[] {
  const losses = lossRows(stats)
  const digits = Math.max(...losses.map((loss) => count(loss.count).length))
  return table(
    losses.map(({ label, count: value, meaning, good }) => [
      `  ${label}`,
      style.paint(value > 0 && !good ? 'yellow' : 'green', count(value).padStart(digits)),
      value > 0 ? style.paint('dim', meaning) : '',
    ]),
  )
}

/** Of what was asked of the machine; nothing where nothing was. */
function grantLines(granted: StreamGrants | undefined, style: Styler): string[] {
  const { threads: _, receiveBuffer: __, ...asked } = granted ?? {}
  const told = Object.entries(asked).map(([name, grant]) => {
    const value = grant?.granted === undefined ? 'not granted' : String(grant.granted)
    return grant?.reason === undefined ? `${name} ${value}` : `${name} ${value} of ${grant.asked}`
  })
  return told.length === 0 ? [] : [`${style.paint('bold', 'tuning')}      ${told.join('; ')}`]
}

export function summaryLines(summary: StreamSummary, style: Styler): string[] {
  const { stats } = summary
  const megabits = summary.megabytesPerSecond * 8
  const lines = [
    `${style.paint('bold', 'received')}    ${count(summary.frames)} frames in ${summary.seconds.toFixed(2)} s: ` +
      `${summary.framesPerSecond.toFixed(2)} fps, ${summary.megabytesPerSecond.toFixed(1)} MB/s (${megabits.toFixed(0)} Mbit/s)`,
    `${style.paint('bold', 'packets')}     ${count(stats.packetsExpected)} expected = ${count(stats.packetsReceived)} received + ` +
      `${count(stats.packetsMissing)} missing`,
    `${style.paint('bold', 'packet size')} ${describePacketSize(summary.packetSize)}`,
    `${style.paint('bold', 'engine')}      ${summary.engine ?? 'none'}${summary.xdpMode ? ` (${summary.xdpMode})` : ''}: ${(stats.datagrams / Math.max(stats.batches, 1)).toFixed(1)} packets per read`,
    ...grantLines(summary.granted, style),
    style.paint('bold', 'losses by cause'),
  ]
  lines.push(...lossLines(stats, style))
  const ignored = [
    [stats.duplicate, 'duplicate'],
    [stats.late, 'late'],
    [stats.foreign, 'foreign'],
    [stats.malformed, 'malformed'],
  ].filter(([value]) => (value as number) > 0)
  if (ignored.length > 0) {
    lines.push(
      `${style.paint('bold', 'ignored')}     ${ignored.map(([value, what]) => `${count(value as number)} ${what}`).join(', ')}`,
    )
  }
  return lines
}
