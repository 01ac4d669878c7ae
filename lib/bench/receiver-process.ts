// The receiving process of a benchmark when this package is what is measured: one stream for each camera, every frame taken by the
// iterator and given back. What is measured lies between "measure" and "stop".

import { createInterface } from 'node:readline'
import { openCamera } from '../camera.js'
import { FrameQueue } from '../frame-queue.js'
import { startSimulator } from '../simulator.js'
import type { StreamStats } from '../stats.js'
import type { Camera, Frame, FrameStream, StreamOptions } from '../types.js'
import { type CpuTimes, cpuTimes, monotonicBase, threadNs } from './cpu.js'
import { HEARTBEAT_MS, serve } from './serve.js'

export interface ReceiverTask {
  addresses: string[]
  stream: StreamOptions
  stall: number
}

/** What every receiver answers to "stop". */
export interface Received {
  seconds: number
  packets: number
  frames: number
  lost: number
  framesLost: number
  cpuNs: number
  threadNs: number
  mainNs: number
  /** Block id, monotonic time when the reader had it, block id, ... of the first camera. */
  seen?: number[]
  /** When each of these was complete, by the receive thread; same clock. */
  ready?: number[]
  /** When JavaScript was woken for it, or was awake already and took it; same clock. */
  woken?: number[]
  engine?: string
  packetsPerRead?: number
  packetsResent?: number
  grown?: number
}

const SEEN = 1 << 18 // frames
const WARM_UP_FRAMES = 8000
const WARM_UP = { address: '127.0.0.200', width: 64, height: 64, frameRate: 20_000, resend: false }

const task = JSON.parse(process.argv[2]!) as ReceiverTask
const cameras: Camera[] = []
const streams: FrameStream[] = []
const loops: Promise<void>[] = []
const seen = new Float64Array(SEEN * 2)
const ready = new Float64Array(SEEN)
const woken = new Float64Array(SEEN)
let seenCount = 0
let frames = 0
let watching = false
let failure: unknown
const clockBase = monotonicBase()

const now = () => performance.now() * 1e6 + clockBase

/** The first thing that JavaScript does for a frame, which nobody outside of the stream can see. */
let knocked = 0
const { wake } = FrameQueue.prototype
FrameQueue.prototype.wake = function (this: FrameQueue) {
  if (watching) knocked = now()
  wake.call(this)
}

async function consume(stream: FrameStream, first: boolean): Promise<void> {
  for await (const frame of stream) {
    if (first && watching && seenCount < SEEN) note(frame)
    frames++
    frame.release()
  }
}

function note(frame: Frame): void {
  seen[2 * seenCount] = Number(frame.blockId)
  const [at, complete] = [now(), Number(frame.readyTimeNs)]
  seen[2 * seenCount + 1] = at
  ready[seenCount] = complete
  woken[seenCount] = knocked > complete ? knocked : at
  seenCount++
}

function total(): StreamStats {
  const sum = { ...streams[0]!.stats() }
  for (const stream of streams.slice(1)) {
    for (const [name, value] of Object.entries(stream.stats())) sum[name as keyof StreamStats] += value
  }
  return sum
}

function memory(): number {
  const { arrayBuffers, external } = process.memoryUsage()
  return arrayBuffers + external
}

interface Snapshot {
  cpu: CpuTimes
  time: number
  stats: StreamStats
  frames: number
  memory: number
}

/** CPU is read last at the beginning and first at the end: what reading the rest takes is not measured. */
function snapshotBefore(): Snapshot {
  const rest = { memory: memory(), stats: total(), frames }
  return { ...rest, cpu: cpuTimes(), time: performance.now() }
}

function snapshotAfter(): Snapshot {
  const cpu = cpuTimes()
  return { cpu, time: performance.now(), stats: total(), frames, memory: memory() }
}

/**
 * Some thousand small frames from a camera of its own, so that V8 has compiled what handles frames: a program that runs for minutes is
 * measured, not one that has just begun. Once as they gather, several for each time that JavaScript is woken, and once each by itself.
 */
async function warmUp(): Promise<void> {
  if (process.platform !== 'linux') return // other systems have no such addresses without being told
  await handleFrames(task.stream)
  await handleFrames({ ...task.stream, coalesce: 0 })
}

async function handleFrames(options: StreamOptions): Promise<void> {
  await using simulator = await startSimulator(WARM_UP)
  await using camera = await openCamera(simulator.address)
  const stream = camera.stream({
    ...options,
    engine: 'auto',
    packetSize: 1500,
    buffers: 256,
    frames: WARM_UP_FRAMES,
  })
  watching = true
  await consume(stream, true)
  watching = false
  frames = 0
  seenCount = 0
}

let begin: Snapshot

function difference(end: Snapshot): Received {
  const moved = (name: keyof StreamStats) => end.stats[name] - begin.stats[name]
  return {
    seconds: (end.time - begin.time) / 1000,
    packets: moved('datagrams'),
    frames: end.frames - begin.frames,
    lost: Math.max(moved('packetsMissing'), moved('kernelDrops')),
    framesLost: moved('blocksIncomplete') + moved('blocksNoSlot') + moved('blocksMissed'),
    cpuNs: end.cpu.processNs - begin.cpu.processNs,
    threadNs: threadNs(begin.cpu, end.cpu, 'gw-rx'),
    mainNs: end.cpu.mainNs - begin.cpu.mainNs,
    seen: [...seen.subarray(0, seenCount * 2)],
    ready: [...ready.subarray(0, seenCount)],
    woken: [...woken.subarray(0, seenCount)],
    engine: streams[0]!.engine ?? '',
    packetsPerRead: moved('datagrams') / Math.max(1, moved('batches')),
    packetsResent: moved('packetsResent'),
    grown: end.memory - begin.memory,
  }
}

await serve(createInterface({ input: process.stdin }), {
  start: async () => {
    await warmUp()
    for (const address of task.addresses) {
      const camera = await openCamera(address, { heartbeatTimeout: HEARTBEAT_MS })
      cameras.push(camera)
      const stream = camera.stream(task.stream)
      for (const event of ['incomplete', 'starved', 'missed', 'warning'] as const) stream.on(event, () => {})
      streams.push(stream)
      await stream.start()
    }
    for (const [i, stream] of streams.entries()) {
      const loop = consume(stream, i === 0)
      loop.catch((error) => {
        failure ??= error
      })
      loops.push(loop)
    }
    return { ready: true }
  },
  measure: () => {
    begin = snapshotBefore()
    watching = true
    return { measuring: true }
  },
  stall: () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, task.stall)
    return { stalled: true }
  },
  stop: () => {
    if (failure) throw failure
    watching = false
    return difference(snapshotAfter())
  },
})
for (const camera of cameras) await camera.close()
