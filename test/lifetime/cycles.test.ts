// The same again and again: threads and descriptors go with what they belonged to, at once and not when the garbage collector comes
// by; memory goes with it.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

const MEBI = 1 << 20

let net: Namespace

interface Sample {
  threads: string[]
  descriptors: string[]
  rss: number
  heap: number
}

describeWith(['netns'], 'cycles', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  const cycles = [
    { what: 'open, stream, close', count: 500 },
    { what: 'open, negotiate, abort, close', count: 100 },
    { what: 'discover', count: 100 },
    { what: 'simulator', count: 100 },
    { what: 'open in vain', count: 100 },
    { what: 'worker', count: 40 },
  ]
  for (const { what, count } of cycles) {
    it(`of '${what}', ${count} times, leave nothing behind`, { timeout: 120_000 }, async () => {
      const { samples, midStart } = await run(
        net,
        async ({ discover, openCamera, startSimulator }, { what, count, reader, entry }) => {
          const { readdirSync, readFileSync, readlinkSync } = await import('node:fs')
          const { Worker } = await import('node:worker_threads')
          const gc = globalThis.gc as () => void
          const simulator = await startSimulator({ width: 640, height: 480, frameRate: 500 })
          const [info] = await discover({ addresses: [simulator.address], until: (all) => all.length > 0 })
          if (!info) throw new Error('nothing found')
          const shared = what === 'worker' ? (await openCamera(info)).stream() : undefined
          await shared?.start()
          let midStart = 0
          const cycle: Record<string, (n: number) => Promise<unknown>> = {
            'open, stream, close': async () => {
              const camera = await openCamera(info)
              for await (const frame of camera.stream({ buffers: 4, frames: 2 })) frame.release()
              await camera.close()
            },
            'open, negotiate, abort, close': async (n) => {
              const camera = await openCamera(info)
              await camera.negotiatePacketSize()
              const control = new AbortController()
              const stream = camera.stream({ signal: control.signal })
              let settled = false
              const starting = stream.start().then(
                () => false,
                () => true,
              )
              void starting.finally(() => {
                settled = true
              })
              // Aborts when the camera has had so many commands of the start; some come in bursts.
              const asked = () => Number(simulator.stats().requests)
              const before = asked()
              while (!settled && asked() < before + (n % 20)) await new Promise(setImmediate)
              const begun = asked() > before
              control.abort()
              if ((await starting) && begun) midStart++
              await camera.close()
            },
            discover: async () =>
              await discover({ addresses: [simulator.address], until: (all) => all.length > 0 }),
            simulator: async () => {
              const another = await startSimulator({ address: '127.0.0.2', frameRate: 0 })
              await another.stop()
            },
            // Refused after the channel is open: somebody else has control.
            'open in vain': async () =>
              await openCamera(info).then(
                () => Promise.reject(new Error('opened')),
                () => {},
              ),
            worker: async () => {
              const worker = new Worker(new URL(`file://${reader}`), {
                execArgv: [],
                workerData: { entry, share: shared?.share() },
              })
              await new Promise((resolve) =>
                worker.on('message', (message) => message.kind === 'frame' && resolve(0)),
              )
              await worker.terminate()
            },
          }
          const holder = what === 'open in vain' ? await openCamera(info) : undefined
          const sample = () => ({
            threads: readdirSync('/proc/self/task')
              .map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
              .sort(),
            descriptors: readdirSync('/proc/self/fd')
              .flatMap((fd) => {
                try {
                  return readlinkSync(`/proc/self/fd/${fd}`).replace(/\d+/g, '')
                } catch {
                  return [] // that of readdir itself
                }
              })
              .sort(),
            rss: process.memoryUsage().rss,
            heap: process.memoryUsage().heapUsed,
          })
          const collect = async () => {
            for (let i = 0; i < 4; i++) {
              gc()
              await new Promise((resolve) => setImmediate(resolve))
            }
          }
          const work = cycle[what] as (n: number) => Promise<unknown>
          const before = Math.ceil(count / 5)
          for (let n = 0; n < before; n++) await work(n)
          await collect()
          const warm = sample()
          for (let n = before; n < count; n++) await work(n)
          const end = sample()
          await collect()
          const collected = sample()
          await holder?.close()
          await shared?.close()
          await simulator.stop()
          return { samples: [warm, end, collected] as [Sample, Sample, Sample], midStart }
        },
        { what, count },
        { nodeArgs: ['--expose-gc'], timeout: 110_000 },
      )
      const [warm, end, collected] = samples
      if (what === 'open, negotiate, abort, close') expect(midStart).toBeGreaterThan(count / 10)
      expect(end.threads).toEqual(warm.threads)
      expect(end.descriptors).toEqual(warm.descriptors)
      expect(collected.heap - warm.heap).toBeLessThan(3 * MEBI)
      expect(collected.rss - warm.rss).toBeLessThan(32 * MEBI)
    })
  }
})
