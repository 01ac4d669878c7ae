// One run of one load with one receiver: starts both processes, lets them settle, looks at both ends' counters before and after, and
// ends them.

import { fileURLToPath } from 'node:url'
import type { CameraTask, SentCounters } from './camera-process.js'
import { LineProcess } from './line-process.js'
import type { Latency, Load, Receiver, Run } from './model.js'
import type { Ends } from './network.js'
import type { Received, ReceiverTask } from './receiver-process.js'
import { quantile } from './statistics.js'

const SETTLE_MS = 300
const SEND_TIMES = 1 << 18 // as many as a receiver notes
/** Segments of one full segmented send: what a NIC that moderates its interrupts hands on at once. */
const BURST_BYTES = 65_000

const script = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export function burstPackets(packetSize: number): number {
  return Math.max(1, Math.floor(BURST_BYTES / packetSize))
}

function cameraTask(load: Load, addresses: string[]): CameraTask {
  const paced = load.gigabits !== undefined && load.pacing !== 'unpaced'
  return {
    addresses,
    options: {
      width: load.width,
      height: load.height,
      frameRate: load.frameRate ?? 0,
      udpChecksum: load.checksum ?? true,
      resend: load.faults !== undefined,
      spin: load.spin ?? true,
      sendTimes: SEND_TIMES,
      ...(paced && { lineRateBps: Math.round((load.gigabits! * 1e9) / addresses.length) }),
      ...(load.pacing === 'bursts' && { burstPackets: burstPackets(load.packetSize) }),
      ...(load.faults && { faults: load.faults }),
    },
  }
}

function receiverCommand(receiver: Receiver, load: Load, addresses: string[]): string[] {
  if (receiver.kind === 'peer') {
    return [...receiver.command, addresses[0]!, String(load.packetSize), String(load.width * load.height)]
  }
  const task: ReceiverTask = {
    addresses,
    stream: { packetSize: load.packetSize, ...receiver.stream },
    stall: receiver.stall ?? 0,
  }
  return [process.execPath, script('receiver-process.js'), JSON.stringify(task)]
}

export async function oneRun(ends: Ends, load: Load, receiver: Receiver, seconds: number): Promise<Run> {
  const addresses = ends.cameras(load.cameras ?? 1)
  const task = JSON.stringify(cameraTask(load, addresses))
  await using camera = new LineProcess(
    'camera',
    ends.camera([process.execPath, script('camera-process.js'), task]),
  )
  await camera.answer()
  await using taker = new LineProcess(
    `receiver (${receiver.name})`,
    ends.receiver(receiverCommand(receiver, load, addresses), receiver.privileged),
  )
  const { port } = await taker.answer<{ port?: number }>()
  if (receiver.kind === 'peer' && !receiver.opensCamera) {
    await camera.ask('point', { port, address: ends.host, packetSize: load.packetSize })
  }
  await sleep(SETTLE_MS)
  const sentBefore = await camera.ask<SentCounters>('sent')
  await taker.ask('measure')
  if (receiver.kind === 'gigewire' && receiver.stall) {
    await sleep(200)
    await taker.ask('stall')
  }
  await sleep(seconds * 1000)
  const sentAfter = await camera.ask<SentCounters>('sent')
  const received = await taker.ask<Received>('stop')
  const { times } = received.seen?.length ? await camera.ask<{ times: number[] }>('times') : { times: [] }
  return combine(load, received, sentBefore, sentAfter, times)
}

function combine(
  load: Load,
  received: Received,
  before: SentCounters,
  after: SentCounters,
  times: number[],
): Run {
  const { seen, ready, woken, ...rest } = received
  const seconds = (after.timeNs - before.timeNs) / 1e9
  const latency = seen?.length ? latencyOf(times, seen, ready, woken) : undefined
  return {
    ...rest,
    senderNs: after.cpuNs - before.cpuNs,
    sent: ((after.bytes - before.bytes) * 8) / seconds / 1e9,
    arrived: (received.packets * load.packetSize * 8) / received.seconds / 1e9,
    ...(latency && { latency }),
  }
}

/** Block ids of 16 bits come again: a frame is that of the last block which had its id before it was seen. */
function latencyOf(times: number[], seen: number[], ready?: number[], woken?: number[]): Latency | undefined {
  const sent = new Map<number, number[]>()
  for (let i = 0; i < times.length; i += 2) {
    const list = sent.get(times[i]!)
    if (list) list.push(times[i + 1]!)
    else sent.set(times[i]!, [times[i + 1]!])
  }
  const took: number[] = []
  const tookThread: number[] = []
  const tookWake: number[] = []
  for (let i = 0; i < seen.length; i += 2) {
    const at = Math.max(...(sent.get(seen[i]!) ?? []).filter((time) => time <= seen[i + 1]!))
    if (!Number.isFinite(at)) continue
    took.push((seen[i + 1]! - at) / 1000)
    if (ready) tookThread.push((ready[i / 2]! - at) / 1000)
    if (woken) tookWake.push((woken[i / 2]! - at) / 1000)
  }
  if (took.length === 0) return undefined
  for (const list of [took, tookThread, tookWake]) list.sort((a, b) => a - b)
  return {
    p50: quantile(took, 0.5),
    p99: quantile(took, 0.99),
    p999: quantile(took, 0.999),
    ...(ready && { completeP50: quantile(tookThread, 0.5) }),
    ...(woken && { wokenP50: quantile(tookWake, 0.5) }),
    frames: took.length,
  }
}
