// When frames come faster than they are taken: what is dropped, what is told, and what the event loop gets. And frames that
// nobody gives back.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns'], 'backpressure', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  const handlings = [
    { bufferHandling: 'OldestFirst', ids: [1, 2, 3, 4], noSlot: 6, overwritten: 0 },
    { bufferHandling: 'OldestFirstOverwrite', ids: [7, 8, 9, 10], noSlot: 0, overwritten: 6 },
    { bufferHandling: 'NewestOnly', ids: [10], noSlot: 0, overwritten: 9 },
  ] as const
  for (const { bufferHandling, ids, noSlot, overwritten } of handlings) {
    it(`${bufferHandling}: of ten frames in four buffers ${ids.join(', ')} are delivered`, async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, firstWrongByte }, { bufferHandling }, { until, brokenSums }) => {
          const simulator = await startSimulator({ width: 160, height: 120, frameRate: 200 })
          const camera = await openCamera(simulator.address)
          await camera.features.set('AcquisitionMode', 'MultiFrame')
          await camera.features.set('AcquisitionFrameCount', 10)
          const stream = camera.stream({ buffers: 4, bufferHandling })
          const starved: number[] = []
          stream.on('starved', ({ blockId }) => starved.push(Number(blockId)))
          await stream.start()
          await until(() => stream.stats().blocksExpected === 10, 'ten blocks')
          const ids: number[] = []
          let wrong = 0
          const frames = stream[Symbol.asyncIterator]()
          while (
            stream.stats().framesTaken + stream.stats().framesOverwritten <
            stream.stats().framesQueued
          ) {
            const { value } = await frames.next()
            if (!value) break
            ids.push(Number(value.blockId))
            if (firstWrongByte(value.data, value.blockId, 1n) >= 0) wrong++
            value.release()
          }
          await stream.close()
          const { blocksComplete, blocksNoSlot, framesOverwritten, framesQueued } = stream.stats()
          const sums = brokenSums(stream.stats())
          await camera.close()
          await simulator.stop()
          return { ids, wrong, blocksComplete, blocksNoSlot, framesOverwritten, framesQueued, sums, starved }
        },
        { bufferHandling },
      )
      expect(result).toEqual({
        ids,
        wrong: 0,
        blocksComplete: 10 - noSlot,
        blocksNoSlot: noSlot,
        framesOverwritten: overwritten,
        framesQueued: 10 - noSlot,
        sums: [],
        starved: noSlot === 0 ? [] : [5, 6, 7, 8, 9, 10],
      })
    })
  }

  it('tells `starved` when all slots are leased, never takes a leased one, and goes on when one is released', async () => {
    const handlings = ['OldestFirst', 'OldestFirstOverwrite', 'NewestOnly'] as const
    const result = await run(
      net,
      async ({ startSimulator, openCamera, firstWrongByte }, { handlings }, { until }) => {
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 300 })
        const camera = await openCamera(simulator.address)
        const outcome: unknown[] = []
        for (const bufferHandling of handlings) {
          const stream = camera.stream({ buffers: 3, bufferHandling })
          const events: number[] = []
          stream.on('starved', ({ buffers }) => events.push(buffers))
          const frames = stream[Symbol.asyncIterator]()
          const held = []
          for (let i = 0; i < 3; i++) held.push((await frames.next()).value)
          await until(() => events.length >= 5 && stream.stats().blocksNoSlot >= 5, 'starved')
          const wrong = held.filter(
            (frame) => !frame || firstWrongByte(frame.data, frame.blockId, 1n) >= 0,
          ).length
          held[0]?.release()
          const again = (await frames.next()).value
          outcome.push([
            events.every((buffers) => buffers === 3),
            wrong,
            again !== undefined && again.blockId > (held[2]?.blockId ?? 0n),
          ])
          for (const frame of [...held, again]) frame?.release()
          await stream.close()
        }
        await camera.close()
        await simulator.stop()
        return outcome
      },
      { handlings },
    )
    expect(result).toEqual(handlings.map(() => [true, 0, true]))
  })

  it('reports a forgotten frame once, with the place where the stream is read, and gives its slot back', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { memory }, { until }) => {
        const { slotStates, LEASED } = (await import(memory)) as typeof import('./memory.mjs')
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 300 })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ buffers: 4 })
        const leaks: { blockId: bigint; taken: string }[] = []
        stream.on('leak', (leak) => leaks.push(leak))
        let starved = 0
        stream.on('starved', () => starved++)
        async function forgetsTheFirst() {
          const ids: bigint[] = []
          for await (const frame of stream) {
            ids.push(frame.blockId)
            if (ids.length > 1) frame.release()
            if (ids.length === 3) return ids // the loop's end closes the stream...
            if (ids.length === 2) await collected()
          }
          return ids
        }
        const gc = globalThis.gc as () => void
        async function collected() {
          await until(() => {
            gc()
            return leaks.length > 0
          }, 'the report')
          for (let i = 0; i < 5; i++) {
            gc()
            await new Promise(setImmediate)
          }
        }
        const ids = await forgetsTheFirst()
        const share = stream.share()
        const { framesLeaked } = stream.stats()
        await camera.close()
        await simulator.stop()
        return {
          reported: leaks.map((leak) => leak.blockId === ids[0]),
          place: leaks[0]?.taken.includes('forgetsTheFirst'),
          framesLeaked,
          leased: slotStates(share).filter((state) => state === LEASED).length,
          starved: starved > 0,
        }
      },
      {},
      { nodeArgs: ['--expose-gc'] },
    )
    expect(result).toMatchObject({ reported: [true], place: true, framesLeaked: 1, leased: 0 })
  })

  it('warns on stderr, once for a stream, where nobody listens for leaks; not for frames of a closed stream', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, _, { until }) => {
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 300 })
        const camera = await openCamera(simulator.address)
        const warnings: string[] = []
        process.removeAllListeners('warning') // Node's own, which prints
        process.on('warning', (warning) =>
          warnings.push(`${(warning as { code?: string }).code} ${warning.message.includes('Frame')}`),
        )
        const gc = globalThis.gc as () => void
        const grabbed = async () => (await camera.grab()).width
        await grabbed()
        const stream = camera.stream({ buffers: 6 })
        await stream.start()
        await (async () => {
          const frames = stream[Symbol.asyncIterator]()
          for (let i = 0; i < 3; i++) await frames.next()
        })()
        await until(() => {
          gc()
          return stream.stats().framesLeaked === 3
        }, 'three leaks')
        await camera.close()
        await simulator.stop()
        return warnings
      },
      {},
      { nodeArgs: ['--expose-gc'] },
    )
    expect(result).toEqual(['GIGE_FRAME_LEAK true'])
  })

  it('has nothing to do with the garbage collector where nobody holds a camera, its stream or a simulator', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const gc = globalThis.gc as () => void
        await (async () => void (await startSimulator({ width: 64, height: 64, frameRate: 300 })))()
        const frames = await (async () =>
          (await openCamera('127.0.0.1')).stream({ buffers: 4 })[Symbol.asyncIterator]())()
        let seen = 0
        for (; seen < 50; seen++) {
          const { value } = await frames.next()
          if (!value) break
          value.release()
          if (seen % 5 === 0) gc()
        }
        return seen
      },
      {},
      { nodeArgs: ['--expose-gc'] },
    )
    expect(result).toBe(50)
  })

  it('lets the event loop turn while frames are always ready', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const simulator = await startSimulator({ width: 32, height: 32, frameRate: 0 })
        const camera = await openCamera(simulator.address)
        await camera.features.set('AcquisitionMode', 'MultiFrame')
        await camera.features.set('AcquisitionFrameCount', 1000)
        const stream = camera.stream({ buffers: 1000, frames: 1000 })
        await stream.start()
        // Blocks this thread until all are there: from now on there is no wait for a frame that could let others in.
        const clock = new Int32Array(new SharedArrayBuffer(4))
        while (stream.stats().framesQueued < 1000) Atomics.wait(clock, 0, 0, 5)
        let breaths = 0
        let over = false
        const breathe = () => {
          breaths++
          if (!over) setImmediate(breathe)
        }
        setImmediate(breathe)
        let frames = 0
        for await (const frame of stream) {
          frame.release()
          frames++
        }
        over = true
        await camera.close()
        await simulator.stop()
        return { frames, breaths }
      },
      {},
    )
    expect(result.frames).toBe(1000)
    expect(result.breaths).toBeGreaterThanOrEqual(15) // one for each 64 frames
  })

  it('does not swallow what a listener throws, and delivers frames all the same', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, _, { until }) => {
        const simulator = await startSimulator({ width: 64, height: 64, frameRate: 300 })
        const camera = await openCamera(simulator.address, { heartbeatTimeout: 600 })
        const uncaught: string[] = []
        process.on('uncaughtException', (error) => uncaught.push(error.message))
        camera.on('lost', () => {
          throw new Error('of lost')
        })
        const stream = camera.stream({ buffers: 2 })
        stream.on('starved', () => {
          throw new Error('of starved')
        })
        const frames = stream[Symbol.asyncIterator]()
        const held = [(await frames.next()).value, (await frames.next()).value]
        await until(() => uncaught.length > 0, 'the exception')
        const waiting = frames.next()
        for (const frame of held) frame?.release()
        const frame = (await waiting).value
        frame?.release()
        simulator.crash()
        await until(() => uncaught.includes('of lost'), 'the other exception')
        await camera.close()
        await simulator.stop()
        return { uncaught: [...new Set(uncaught)], came: frame !== undefined }
      },
      {},
    )
    expect(result).toEqual({ uncaught: ['of starved', 'of lost'], came: true })
  })
})
