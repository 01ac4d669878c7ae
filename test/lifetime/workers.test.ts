// Streams shared with worker threads: the same memory, each frame to exactly one reader, and no end of a worker that hurts the
// stream.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns'], 'a stream in workers', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  it('is the same memory there: nothing is copied, and every byte is right', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { reader, entry }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const simulator = await startSimulator({ width: 320, height: 240, frameRate: 200 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream()
        await stream.start()
        const share = stream.share()
        const worker = new Worker(new URL(`file://${reader}`), {
          execArgv: [],
          workerData: { entry, share, hold: 2, mark: true },
        })
        const frames: { id: number; wrong: number; offset: number; shared: boolean }[] = []
        worker.on('message', (message) => message.kind === 'frame' && frames.push(message))
        await until(() => frames.length >= 10, 'frames in the worker')
        // The first two are still leased there: what the worker wrote into them is seen here, at the same place.
        const wrong = frames.filter((frame) => frame.wrong !== -1 || !frame.shared)
        const ids = frames.slice(0, 2).map((frame) => frame.id)
        // A frame of the same simulator with the worker's mark taken back is right again.
        const { firstWrongByte } = await import(entry)
        const restored = frames.slice(0, 2).map(({ id, offset }) => {
          const image = new Uint8Array(share.memory, offset, 320 * 240)
          const marked = firstWrongByte(image, BigInt(id), 1n)
          const copy = image.slice()
          copy[0]! ^= 0xff
          return [marked, firstWrongByte(copy, BigInt(id), 1n)]
        })
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        await camera.close()
        const exit = await ended
        await simulator.stop()
        return { wrong, distinct: new Set(ids).size, restored, exit }
      },
      {},
    )
    expect(result).toEqual({
      wrong: [],
      distinct: 2,
      restored: [
        [0, -1],
        [0, -1],
      ],
      exit: 0,
    })
  })

  it('goes to main and three workers, each frame to exactly one of them', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera, firstWrongByte }, { reader, entry }, { until, brokenSums }) => {
        const { Worker } = await import('node:worker_threads')
        const blocks = 400
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 1000 })
        const camera = await openCamera(simulator.address)
        await camera.features.set('AcquisitionMode', 'MultiFrame')
        await camera.features.set('AcquisitionFrameCount', blocks)
        const stream = camera.stream({ buffers: 512, acquisition: 'manual' })
        await stream.start()
        const readers = Array.from({ length: 3 }, () => {
          const worker = new Worker(new URL(`file://${reader}`), {
            execArgv: [],
            workerData: { entry, share: stream.share(), pauseAfter: 1 },
          })
          const messages: { kind: string; id: number; wrong: number }[] = []
          worker.on('message', (message) => messages.push(message))
          return { worker, messages, exit: new Promise<number>((resolve) => worker.once('exit', resolve)) }
        })
        await until(() => readers.every(({ messages }) => messages.length > 0), 'attached workers')
        const taken = (messages: { kind: string }[]) => messages.some(({ kind }) => kind === 'frame')
        const mine: number[] = []
        let wrong = 0
        // Each of the four stops after its first frame until all have one; then they take what is left as they can.
        const reading = (async () => {
          for await (const frame of stream) {
            mine.push(Number(frame.blockId))
            if (firstWrongByte(frame.data, frame.blockId, 1n) >= 0) wrong++
            frame.release()
            if (mine.length > 1) continue
            await until(() => readers.every(({ messages }) => taken(messages)), 'a frame for each worker')
            for (const { worker } of readers) worker.postMessage('go on')
          }
        })()
        await camera.features.execute('AcquisitionStart')
        await until(() => stream.stats().framesTaken === blocks, 'all frames taken')
        await stream.close()
        await reading
        const exits = await Promise.all(readers.map(({ exit }) => exit))
        const theirs = readers.map(({ messages }) => messages.filter((message) => message.kind === 'frame'))
        wrong += theirs.flat().filter((frame) => frame.wrong !== -1).length
        const all = [...mine, ...theirs.flat().map((frame) => frame.id)].sort((a, b) => a - b)
        const sums = brokenSums(stream.stats())
        await camera.close()
        await simulator.stop()
        return { all, wrong, exits, sums, shares: [mine.length, ...theirs.map((frames) => frames.length)] }
      },
      {},
    )
    expect(result.all).toEqual(Array.from({ length: 400 }, (_, i) => i + 1))
    expect(result).toMatchObject({ wrong: 0, exits: [0, 0, 0], sums: [] })
    expect(Math.min(...result.shares)).toBeGreaterThan(0)
  })

  it('gets its slots back from a worker that releases them late', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { reader, entry, memory }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const { slotStates, LEASED } = (await import(memory)) as typeof import('./memory.mjs')
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 200 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ buffers: 4 })
        await stream.start()
        const share = stream.share()
        const worker = new Worker(new URL(`file://${reader}`), {
          execArgv: [],
          workerData: { entry, share, hold: 4 },
        })
        let frames = 0
        worker.on('message', (message) => message.kind === 'frame' && frames++)
        const starved = new Promise<{ buffers: number }>((resolve) => stream.once('starved', resolve))
        await until(() => slotStates(share).every((state) => state === LEASED), 'all slots held')
        const { buffers } = await starved
        const before = frames
        worker.postMessage('release')
        await until(() => frames > before + 10, 'frames again')
        const exit = new Promise((resolve) => worker.once('exit', resolve))
        await camera.close()
        await simulator.stop()
        return { before, buffers, exit: await exit, states: slotStates(share) }
      },
      {},
    )
    expect(result).toEqual({ before: 4, buffers: 4, exit: 0, states: [0, 0, 0, 0] })
  })

  it('gets its slots back from a worker that is terminated with them, and goes on', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera, firstWrongByte }, { reader, entry, memory }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const { slotStates, LEASED } = (await import(memory)) as typeof import('./memory.mjs')
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 200 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ buffers: 6 })
        await stream.start()
        const share = stream.share()
        const leased = () => slotStates(share).filter((state) => state === LEASED).length
        const mine = (await stream[Symbol.asyncIterator]().next()).value
        const counts: number[] = []
        for (let round = 0; round < 5; round++) {
          const worker = new Worker(new URL(`file://${reader}`), {
            execArgv: [],
            workerData: { entry, share, hold: 5 },
          })
          await until(() => leased() === 6, 'all slots held')
          await worker.terminate()
          counts.push(leased())
        }
        // What another holds is not touched.
        const still = mine ? firstWrongByte(mine.data, mine.blockId, 1n) : 0
        mine?.release()
        let seen = 0
        for await (const frame of stream) {
          if (firstWrongByte(frame.data, frame.blockId, 1n) < 0) seen++
          frame.release()
          if (seen === 50) break
        }
        await camera.close()
        await simulator.stop()
        return { counts, still, seen, states: slotStates(share) }
      },
      {},
    )
    expect(result).toEqual({ counts: [1, 1, 1, 1, 1], still: -1, seen: 50, states: [0, 0, 0, 0, 0, 0] })
  })

  it('gets every slot back from workers that are terminated while they take frames, while it goes on', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { reader, entry, memory }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const { slotStates, framesWaiting } = (await import(memory)) as typeof import('./memory.mjs')
        const buffers = 64
        const simulator = await startSimulator({ width: 64, height: 16, frameRate: 5000 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ buffers })
        await stream.start()
        const share = stream.share()
        const left: string[] = []
        for (let round = 0; round < 20; round++) {
          // Nobody reads: a slot that does not wait for a reader in the end is lost.
          await until(() => framesWaiting(share) === buffers, `all slots in round ${round}`)
          const worker = new Worker(new URL(`file://${reader}`), {
            execArgv: [],
            workerData: { entry, share, greedy: round % 2 === 0, hold: round % 4 },
          })
          const before = stream.stats().framesTaken
          await until(() => stream.stats().framesTaken > before + round, 'frames taken')
          await worker.terminate()
          const leased = slotStates(share).filter((state) => state === 3).length
          if (leased > 0) left.push(`round ${round}: ${leased} leased`)
        }
        await until(() => framesWaiting(share) === buffers, 'all slots at the end')
        await camera.close()
        await simulator.stop()
        return { left, states: slotStates(share) }
      },
      {},
      { timeout: 60_000 },
    )
    expect(result).toEqual({ left: [], states: new Array(64).fill(0) })
  })

  it('ends in a worker that waits when its owner closes it, and cannot be attached to afterwards', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera, attachStream, GigeError }, { reader, entry }) => {
        const { Worker } = await import('node:worker_threads')
        const simulator = await startSimulator({ width: 64, height: 64 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ acquisition: 'manual' }) // nothing ever comes
        await stream.start()
        const share = stream.share()
        const worker = new Worker(new URL(`file://${reader}`), { execArgv: [], workerData: { entry, share } })
        const messages: string[] = []
        await new Promise<void>((resolve) => worker.once('message', () => resolve()))
        worker.on('message', (message) => messages.push(message.kind))
        const exit = new Promise((resolve) => worker.once('exit', resolve))
        await stream.close()
        const code = await exit
        const outcome = (work: () => unknown) => {
          try {
            return work() && 'attached'
          } catch (error) {
            return error instanceof GigeError ? error.code : String(error)
          }
        }
        const late = outcome(() => attachStream(share))
        const garbage = [
          {},
          undefined,
          { ...share, memory: new ArrayBuffer(8) },
          { ...share, baseOffset: 3 },
          { ...share, id: 'x' },
        ]
        const refused = garbage.map((what) => outcome(() => attachStream(what as typeof share)))
        await camera.close()
        await simulator.stop()
        return { messages, code, late, refused }
      },
      {},
    )
    const invalid = 'ERR_GIGE_INVALID_ARGUMENT'
    expect(result).toEqual({
      messages: ['end'],
      code: 0,
      late: 'ERR_GIGE_CLOSED',
      refused: [invalid, invalid, invalid, invalid, invalid],
    })
  })

  it('is left by a worker that closes its end; what it holds stays valid until then and is given back', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { reader, entry, memory }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const { slotStates, LEASED } = (await import(memory)) as typeof import('./memory.mjs')
        const simulator = await startSimulator({ width: 64, height: 64, frameRate: 200 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ buffers: 4 })
        await stream.start()
        const share = stream.share()
        const worker = new Worker(new URL(`file://${reader}`), {
          execArgv: [],
          workerData: { entry, share, hold: 2 },
        })
        let ended = false
        worker.on('message', (message) => {
          ended ||= message.kind === 'end'
        })
        const exit = new Promise((resolve) => worker.once('exit', resolve))
        const leased = () => slotStates(share).filter((state) => state === LEASED).length
        await until(() => leased() >= 2, 'two held')
        worker.postMessage('close')
        await until(() => ended, 'the end of the loop')
        const code = await exit // it never released the two: its end does
        const left = leased()
        await camera.close()
        await simulator.stop()
        return { code, left }
      },
      {},
    )
    expect(result).toEqual({ code: 0, left: 0 })
  })
})
