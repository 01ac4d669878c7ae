// What crosses the boundary between native code and JavaScript, and what JavaScript itself spends on a frame: taking and
// releasing a ready frame, its data, the counters, one step of the iterator where frames are ready (goal: at most 1 us, without
// frame memory), the wake from a finished frame to the loop's body, reading a feature and a register. By the `benchmark`
// package, which states its uncertainty (RME); medians over its samples.
//
//   unshare -n sh -c 'ip link set lo up; node bench/boundary.mjs [--only TEXT] [--json]'
//
// The frames of all cases but the wake are put into a real stream's memory by this program, where the receive thread idles
// (acquisition: 'manual'); what that costs is a case of its own and not subtracted. No packet leaves the machine.

import { parseArgs } from 'node:util'
import Benchmark from 'benchmark'
import { openCamera, startSimulator } from '../dist/index.js'
import { CONST, HEADER, SLOT } from '../dist/layout.js'
import { Region } from '../dist/region.js'

const { values: flags } = parseArgs({
  options: { only: { type: 'string', default: '' }, json: { type: 'boolean', default: false } },
})

const SLOTS = 512
/** Frames of one measured pass through the iterator: several turns of the event loop, as at full load. */
const PASS = SLOTS
const WAKES = 2000

const rows = []
await withCamera({}, measureFrames)
await withCamera({ frameRate: 1000 }, measureWake)
await withCamera({}, measureControl)
if (flags.json) console.log(JSON.stringify({ node: process.version, rows }, null, 2))

async function withCamera(options, work) {
  const simulator = await startSimulator({ width: 64, height: 64, ...options })
  const camera = await openCamera(simulator.address)
  await work(camera)
  await camera.close()
  await simulator.stop()
}

/** A stream whose receive thread waits for a camera that sends nothing, and a writer of frames in its place. */
async function measureFrames(camera) {
  const stream = camera.stream({ buffers: SLOTS, acquisition: 'manual' })
  await stream.start()
  const push = frameWriter(stream.share())
  const { memory, baseOffset } = stream.share()
  const region = new Region(memory, baseOffset)
  const frames = stream[Symbol.asyncIterator]()

  await measure('a frame put into the memory (by this program)', 1, () => {
    push()
    region.release(region.take())
  })
  const first = push() && (await frames.next()).value
  await measure('frame.data', 1, () => first.data)
  await measure('frame.data, one byte read', 1, () => first.data[100])
  first.release()
  await measure('stream.stats()', 1, () => stream.stats())
  const before = process.memoryUsage().arrayBuffers
  await measure(`iterator step, ${PASS} frames ready: next() and release()`, PASS, async () => {
    for (let i = 0; i < PASS; i++) push()
    for (let i = 0; i < PASS; i++) (await frames.next()).value.release()
  })
  const grown = process.memoryUsage().arrayBuffers - before
  if (!flags.json) console.log(`memory of array buffers grew by ${grown} bytes meanwhile`)
  rows.push({ name: 'growth of array buffers', bytes: grown })
  await stream.close()
}

/** Does what native/core/path/slot_pool.cc does when a frame is finished; every frame is released before SLOTS more follow. */
function frameWriter({ memory, baseOffset }) {
  const words = new Int32Array(memory, baseOffset, (memory.byteLength - baseOffset) >>> 2)
  const ring = words[HEADER.ringOffset / 4] / 4
  const mask = words[HEADER.ringCapacity / 4] - 1
  const slots = words[HEADER.slotsOffset / 4] / 4
  let head = 0
  return () => {
    const slot = head % SLOTS
    const at = slots + (slot * SLOT.size) / 4
    const word = (words[at] & ~CONST.stateMask) + (CONST.stateMask + 1)
    words[at + SLOT.flags / 4] = CONST.frameComplete
    words[at + SLOT.blockId / 4] = head + 1
    words[at + SLOT.width / 4] = 64
    words[at + SLOT.height / 4] = 64
    words[at + SLOT.payloadBytes / 4] = 4096
    words[at + SLOT.holder / 4] = CONST.unclaimed | (word >>> 2)
    words[ring + (head & mask)] = slot
    words[at] = word | CONST.slotReady
    Atomics.store(words, HEADER.ringHead / 4, ++head)
    return true
  }
}

/** From the moment that the receive thread finished a frame to the body of the loop; the process has nothing else to do. */
async function measureWake(camera) {
  const name = 'wake: frame finished to loop body'
  if (!name.includes(flags.only)) return
  const waits = []
  for await (const frame of camera.stream({ coalesce: 0, frames: WAKES })) {
    waits.push(Number(process.hrtime.bigint() - frame.readyTimeNs))
    frame.release()
  }
  waits.sort((a, b) => a - b)
  const quantile = (q) => waits[Math.floor(q * (waits.length - 1))]
  const row = {
    name,
    medianNs: quantile(0.5),
    p90Ns: quantile(0.9),
    p99Ns: quantile(0.99),
    samples: waits.length,
  }
  rows.push(row)
  if (flags.json) return
  const us = (ns) => `${(ns / 1000).toFixed(1)} us`
  console.log(`${name.padEnd(58)} p50 ${us(row.medianNs)}, p90 ${us(row.p90Ns)}, p99 ${us(row.p99Ns)}`)
}

async function measureControl(camera) {
  const width = camera.features.node('Width')
  await measure('feature read, cached', 1, async () => await width.get())
  await measure('feature read, not cached', 1, async () => await width.get({ ignoreCache: true }))
  await measure('register read, round trip on loopback', 1, async () => await camera.readRegister(0))
}

/** Runs one case; `work` does `count` of what is measured, and may give a promise. */
async function measure(name, count, work) {
  if (!name.includes(flags.only)) return
  const asynchronous = work.constructor.name === 'AsyncFunction'
  const run = asynchronous ? (deferred) => work().then(() => deferred.resolve()) : work
  const { stats, error } = await new Promise((resolve) => {
    const benchmark = new Benchmark(name, run, { defer: asynchronous, maxTime: 2, minSamples: 20 })
    benchmark.on('complete', () => resolve(benchmark)).run({ async: true })
  })
  if (error) throw error
  const sorted = [...stats.sample].sort((a, b) => a - b)
  const medianNs = (sorted[sorted.length >> 1] * 1e9) / count
  rows.push({ name, medianNs, rmePercent: stats.rme, samples: sorted.length })
  if (flags.json) return
  const figures = `${medianNs.toFixed(medianNs < 100 ? 1 : 0)} ns`.padStart(10)
  console.log(`${name.padEnd(58)} ${figures}  +-${stats.rme.toFixed(1)} %  (${sorted.length} samples)`)
}
