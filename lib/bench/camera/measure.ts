// Measures a camera as a program would use it: one stream over the public API, each frame looked at and released, facts of the
// system before and after. Incomplete frames are delivered, so that what arrives of them is measured, too; what settles at the
// beginning (threads, memory, the engine's choice) is left out.

import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Camera, Frame, FrameStream, StreamOptions } from '../../types.js'
import { threadNs } from '../cpu.js'
import { Durations } from './distribution.js'
import type { CameraBenchFacts } from './facts.js'
import { readSettings } from './settings.js'
import { difference, linkSpeed, snapshot } from './system.js'

const SETTLE_MS = 300
/** ms that the first frame may take, however short the measurement is. */
const FIRST_FRAME_MS = 3000
const LOOP_RESOLUTION_MS = 10
/** Ethernet around each IP packet: preamble 8, header 14, checksum 4, gap 12. */
const ETHERNET_BYTES = 38
const IP_UDP_BYTES = 28

export interface MeasureOptions {
  /** ms, without what it takes to settle. */
  duration: number
  /** Ends after so many measured frames, if that is sooner. */
  frames?: number
  stream?: StreamOptions
  signal?: AbortSignal
  onStart?: (stream: FrameStream) => void
  /** 0..1; called for each frame. */
  onProgress?: (done: number, frames: number) => void
}

/** Errors: those of a stream. Where no frame comes, the facts say `frames: 0`. */
export async function measureCamera(camera: Camera, options: MeasureOptions): Promise<CameraBenchFacts> {
  const settings = await readSettings(camera)
  const stream = camera.stream({ incomplete: 'deliver', ...options.stream })
  let receiveBuffer: string | undefined
  let starved = 0
  stream.on('warning', ({ code, message }) => {
    if (code === 'receive-buffer') receiveBuffer = message
  })
  stream.on('starved', () => starved++)
  const stop = () => void stream.close()
  options.signal?.addEventListener('abort', stop, { once: true })
  let limit: NodeJS.Timeout | undefined
  const loop = monitorEventLoopDelay({ resolution: LOOP_RESOLUTION_MS })
  const nic = camera.info.interface.name
  const now = () => ({ time: performance.now(), stats: stream.stats(), starved, system: snapshot(nic) })
  try {
    await stream.start()
    options.onStart?.(stream)
    const started = performance.now()
    limit = setTimeout(stop, Math.max(FIRST_FRAME_MS, options.duration))
    let begin = now()
    let end = begin
    let times = new Times()
    let settling = true
    for await (const frame of stream) {
      times.add(frame)
      frame.release()
      if (settling) {
        if (performance.now() - started < SETTLE_MS) continue
        settling = false
        times = new Times(times)
        clearTimeout(limit)
        limit = setTimeout(() => {
          end = now()
          void stream.close()
        }, options.duration)
        begin = now()
        loop.enable()
        continue
      }
      const done = Math.max(
        (performance.now() - begin.time) / options.duration,
        times.frames / (options.frames ?? Number.POSITIVE_INFINITY),
      )
      options.onProgress?.(Math.min(done, 1), times.frames)
      if (times.frames === options.frames) {
        end = now()
        break
      }
    }
    loop.disable()
    // Ended by a signal, or by itself: what is known to the end counts.
    if (end === begin || end.time < begin.time) end = now()
    const stats = difference(begin.stats, end.stats)
    const seconds = (end.time - begin.time) / 1000
    const counted = {
      nic: difference(begin.system.nic, end.system.nic),
      softnet: difference(begin.system.softnet, end.system.softnet),
    }
    const link = linkSpeed(nic)
    const interval = times.meanInterval
    const cpuNs = end.system.cpu.processNs - begin.system.cpu.processNs
    const threads = end.system.cpu.threads.size > 0 && process.platform === 'linux'
    const share = (ns: number) => ns / 1e9 / seconds
    const wireBytes = stats.bytes + stats.datagrams * (IP_UDP_BYTES + ETHERNET_BYTES)
    return {
      camera: settings,
      interface: {
        name: nic,
        mtu: camera.info.interface.mtu,
        ...(link.speed !== undefined && { speed: link.speed }),
      },
      engine: stream.engine,
      packetSize: stream.packetSize,
      seconds,
      blockRate: stats.blocksExpected / seconds,
      cameraRate: interval > 0 ? 1e6 / interval : stats.blocksExpected / seconds,
      frameRate: times.frames / seconds,
      frames: settling ? 0 : times.frames,
      wireRate: (wireBytes * 8) / seconds,
      stats,
      receiveBuffer,
      ...counted,
      cpu: {
        process: share(cpuNs),
        ...(threads && {
          receiveThread: share(threadNs(begin.system.cpu, end.system.cpu, 'gw-rx')),
          mainThread: share(end.system.cpu.mainNs - begin.system.cpu.mainNs),
        }),
        perPacketNs: cpuNs / Math.max(stats.datagrams, 1),
        perFrameUs: cpuNs / 1000 / Math.max(times.frames, 1),
      },
      ...(begin.system.sleeps !== undefined &&
        end.system.sleeps !== undefined && { wakeUps: (end.system.sleeps - begin.system.sleeps) / seconds }),
      eventLoopDelay: loopDelay(loop),
      ...times.result,
      starved: end.starved - begin.starved,
      unknown: unknown(link.unknown, counted, threads),
    }
  } finally {
    clearTimeout(limit)
    loop.disable()
    options.signal?.removeEventListener('abort', stop)
    await stream.close()
  }
}

/** Node's histogram holds the whole time between two looks at the clock. */
function loopDelay(loop: ReturnType<typeof monitorEventLoopDelay>) {
  const us = (ns: number) => Math.max(0, Math.round(ns / 1000 - LOOP_RESOLUTION_MS * 1000))
  if (loop.count === 0) return { count: 0, p50: 0, p99: 0, max: 0 }
  return { count: loop.count, p50: us(loop.percentile(50)), p99: us(loop.percentile(99)), max: us(loop.max) }
}

function unknown(
  speed: string | undefined,
  counted: Pick<CameraBenchFacts, 'nic' | 'softnet'>,
  threads: boolean,
): string[] {
  return [
    speed,
    Object.keys(counted.nic).length === 0
      ? "the NIC's drops: this system does not show its counters"
      : undefined,
    counted.softnet.dropped === undefined
      ? 'drops before the socket: there is no /proc/net/softnet_stat'
      : undefined,
    threads ? undefined : 'CPU of single threads: this system tells only that of the process',
  ].filter((text) => text !== undefined)
}

/** What the frames' own times say. */
class Times {
  frames = 0
  private readonly camera = new Durations()
  private readonly host = new Durations()
  private readonly difference = new Durations()
  private readonly spread = new Durations()
  private readonly repaired = new Durations()
  private readonly delivery = new Durations()
  private last: Pick<Frame, 'blockId' | 'timestampNs' | 'hostTimeNs'> | undefined

  /** Goes on where another one stopped. */
  constructor(before?: Times) {
    this.last = before?.last
  }

  add(frame: Frame): void {
    const { blockId, timestampNs, hostTimeNs, readyTimeNs } = frame
    this.frames++
    this.delivery.addNs(process.hrtime.bigint() - readyTimeNs)
    if (frame.complete) {
      const { resent } = frame.packets
      ;(resent > 0 ? this.repaired : this.spread).addNs(readyTimeNs - hostTimeNs)
    }
    const { last } = this
    this.last = { blockId, timestampNs, hostTimeNs }
    if (last?.blockId !== blockId - 1n) return // not the one before: what lies between is no interval
    const host = hostTimeNs - last.hostTimeNs
    this.host.addNs(host)
    if (timestampNs === undefined || last.timestampNs === undefined) return
    const camera = timestampNs - last.timestampNs
    this.camera.addNs(camera)
    this.difference.addNs(host > camera ? host - camera : camera - host)
  }

  /** In microseconds; by the camera's clock where it has one. */
  get meanInterval(): number {
    return this.camera.mean || this.host.mean
  }

  get result(): Pick<CameraBenchFacts, 'jitter' | 'spread' | 'repairedSpread' | 'delivery'> {
    const camera = this.camera.result
    return {
      jitter: {
        camera: camera.count > 0 ? camera : undefined,
        host: this.host.result,
        difference: camera.count > 0 ? this.difference.result : undefined,
      },
      spread: this.spread.result,
      repairedSpread: this.repaired.result,
      delivery: this.delivery.result,
    }
  }
}
