// The same again and again: threads and descriptors go with what they belonged to, at once and not when the garbage collector comes
// by; memory goes with it.
//
// Native memory is what malloc() has given out, as malloc-in-use.cc asks it. Between a fifth of the cycles and all of them it grew
// by 15 to 60 kB (worker: 75 to 100 kB), so the limits find a leak of 0.33 kB in each of 500 cycles, of 0.55 kB in each of 300, and
// of 8 kB in each worker; a leak of 1 kB at each open, put in on purpose, grew it by 270 to 430 kB.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

const MEBI = 1 << 20
// Freed memory goes back to the system at once, as far as it can: the resident memory means something, too.
const MALLOC = { MALLOC_ARENA_MAX: '1', MALLOC_TRIM_THRESHOLD_: '0', MALLOC_MMAP_THRESHOLD_: '131072' }

const require = createRequire(import.meta.url)

let net: Namespace
let built: string
let helper: string

describeWith(['netns', 'g++'], 'cycles', () => {
  beforeAll(() => {
    built = mkdtempSync(path.join(tmpdir(), 'gigewire-malloc-'))
    helper = path.join(built, 'malloc-in-use.node')
    const headers = path.join(path.dirname(require.resolve('node-api-headers/package.json')), 'include')
    const source = fileURLToPath(new URL('./malloc-in-use.cc', import.meta.url))
    execFileSync('g++', ['-shared', '-fPIC', '-I', headers, source, '-o', helper])
    net = new Namespace()
  })
  afterAll(() => {
    net?.[Symbol.dispose]()
    rmSync(built, { recursive: true })
  })

  const cycles = [
    { what: 'open, stream, close', count: 500 },
    { what: 'open, negotiate, abort, close', count: 300 },
    { what: 'discover', count: 300 },
    { what: 'simulator', count: 300 },
    { what: 'open in vain', count: 300 },
    { what: 'worker', count: 40 },
  ]
  for (const { what, count } of cycles) {
    const limit = what === 'worker' ? MEBI / 4 : MEBI / 8
    it(`of '${what}', ${count} times, leave nothing behind`, { timeout: 120_000 }, async () => {
      const { warm, end, collected, midStart } = await run(
        net,
        async ({ discover, openCamera, startSimulator }, { what, count, limit, helper, reader, entry }) => {
          const { readdirSync, readFileSync, readlinkSync } = await import('node:fs')
          const { Worker } = await import('node:worker_threads')
          const gc = globalThis.gc as () => void
          const mallocInUse = (await import('node:module')).createRequire(helper)(helper) as () => number
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
          // Until nothing more is given back, or what is left is little enough: V8 frees buffers, and memory for compiling, on
          // threads of its own, whenever these have their turn.
          const collect = async (enough = 0) => {
            let least = Infinity
            const end = performance.now() + (enough > 0 ? 10_000 : 0)
            for (let quiet = 0; quiet < 10 || (least > enough && performance.now() < end); quiet++) {
              gc()
              await new Promise((resolve) => setImmediate(resolve))
              const now = mallocInUse()
              if (now < least - 1024) quiet = 0
              least = Math.min(least, now)
            }
            return { ...sample(), malloc: least }
          }
          const work = cycle[what] as (n: number) => Promise<unknown>
          const before = Math.ceil(count / 5)
          for (let n = 0; n < before; n++) await work(n)
          const warm = await collect()
          for (let n = before; n < count; n++) await work(n)
          const end = sample()
          const collected = await collect(warm.malloc + limit)
          await holder?.close()
          await shared?.close()
          await simulator.stop()
          return { warm, end, collected, midStart }
        },
        { what, count, limit, helper },
        { nodeArgs: ['--expose-gc', '--max-semi-space-size=1'], env: MALLOC, timeout: 110_000 },
      )
      const grown = (key: 'malloc' | 'heap' | 'rss') => ((collected[key] - warm[key]) / 1024).toFixed(0)
      console.info(
        `${what}: ${end.threads.length} threads, ${end.descriptors.length} descriptors before and after; ` +
          `grown by ${grown('malloc')} KiB (malloc), ${grown('heap')} KiB (JavaScript), ${grown('rss')} KiB (resident)`,
      )
      if (what === 'open, negotiate, abort, close') expect(midStart).toBeGreaterThan(count / 10)
      expect(end.threads).toEqual(warm.threads)
      expect(end.descriptors).toEqual(warm.descriptors)
      expect(collected.malloc - warm.malloc).toBeLessThanOrEqual(limit)
      expect(collected.heap - warm.heap).toBeLessThan(1.5 * MEBI)
      expect(collected.rss - warm.rss).toBeLessThan(16 * MEBI)
    })
  }
})
