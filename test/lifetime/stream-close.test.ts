// Closing a stream when something is wrong: with a listener, with the shared memory, with the camera. Whatever it is, each step
// of the way back is tried, and what failed is told.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns'], 'closing a stream', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  for (const way of ['camera.close()', 'abort'] as const) {
    it(`by ${way} gives the camera back although a listener of 'end' throws, and the throw is not swallowed`, async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, { way }, { until }) => {
          const thrown: string[] = []
          process.on('uncaughtException', (error) => thrown.push(error.message))
          process.on('unhandledRejection', () => thrown.push('a rejection'))
          const simulator = await startSimulator({ width: 64, height: 64 })
          const camera = await openCamera(simulator.address)
          const control = new AbortController()
          const stream = camera.stream({ signal: control.signal })
          stream.on('end', () => {
            throw new Error('mine')
          })
          await stream.start()
          if (way === 'abort') {
            control.abort()
            await until(() => thrown.length > 0, 'the throw')
          }
          const closed = await camera.close().then(
            () => 'closed',
            (error: Error) => error.message,
          )
          await until(() => thrown.length > 0, 'the throw')
          const { controlPrivilege } = simulator.stats()
          await simulator.stop()
          return { thrown, closed, controlPrivilege }
        },
        { way },
      )
      expect(result).toEqual({ thrown: ['mine'], closed: 'closed', controlPrivilege: 0 })
    })
  }

  it('stops the camera although a consumer wrote nonsense into the ring; who waits gets an error', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, { memory }) => {
        const { writeRingTail } = (await import(memory)) as typeof import('./memory.mjs')
        const simulator = await startSimulator({ width: 64, height: 64, frameRate: 200 })
        const camera = await openCamera(simulator.address)
        const code = (error: { code: string }) => error.code
        // One reader waits when it happens, the other stream is closed without being read.
        const read = camera.stream()
        await read.start()
        writeRingTail(read.share(), 0x7fffffff)
        const next = await read[Symbol.asyncIterator]()
          .next()
          .then(() => 'a frame', code)
        const afterRead = simulator.stats().destination?.port ?? 0
        const unread = camera.stream()
        await unread.start()
        writeRingTail(unread.share(), 0x7fffffff)
        const closed = await unread.close().then(() => 'closed', code)
        const { destination } = simulator.stats()
        const locked = await camera.features.get('TLParamsLocked')
        await camera.close()
        const { controlPrivilege } = simulator.stats()
        await simulator.stop()
        return { next, afterRead, closed, port: destination?.port ?? 0, locked, controlPrivilege }
      },
      {},
    )
    expect(result).toEqual({
      next: 'ERR_GIGE_INVALID_ARGUMENT',
      afterRead: 0,
      closed: 'closed',
      port: 0,
      locked: 0,
      controlPrivilege: 0,
    })
  })

  it('unlocks the parameters also when it comes while they are being locked', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const simulator = await startSimulator({ width: 64, height: 64 })
        const camera = await openCamera(simulator.address)
        const { features } = camera
        const stream = camera.stream()
        const set = features.set.bind(features)
        let locks = 0
        features.set = async (name, value) => {
          // As when another feature is being read, and this one has to wait for its turn.
          if (name === 'TLParamsLocked' && value === 1 && ++locks === 1) void stream.close()
          await set(name, value)
        }
        const started = await stream.start().then(
          () => 'started',
          (error: { code: string }) => error.code,
        )
        const locked = await features.get('TLParamsLocked')
        await camera.close()
        await simulator.stop()
        return { locks, started, locked }
      },
      {},
    )
    expect(result).toEqual({ locks: 1, started: 'ERR_GIGE_CLOSED', locked: 0 })
  })

  it('tells what happened last: the events that no knock has brought yet, before the end', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const simulator = await startSimulator({
          ...{ width: 64, height: 64, frameRate: 200, faults: { drop: [{ packet: 1, count: 9 }] } },
        })
        const camera = await openCamera(simulator.address)
        const stream = camera.stream({ resend: false })
        let told = 0
        let afterEnd = 0
        let ended = 0
        stream.on('incomplete', () => {
          told++
          afterEnd += ended
          void stream.close() // closing from within is no second closing
        })
        stream.on('end', () => ended++)
        await stream.start()
        const sleeper = new Int32Array(new SharedArrayBuffer(4))
        while (stream.stats().blocksIncomplete < 5) Atomics.wait(sleeper, 0, 0, 5)
        await stream.close()
        const { blocksIncomplete, eventsLost } = stream.stats()
        await camera.close()
        await simulator.stop()
        return { told, afterEnd, ended, expected: blocksIncomplete, eventsLost }
      },
      {},
    )
    expect(result.expected).toBeGreaterThanOrEqual(5)
    expect(result).toEqual({
      told: result.expected,
      afterEnd: 0,
      ended: 1,
      expected: result.expected,
      eventsLost: 0,
    })
  })

  it('warns when the camera did not confirm that it stops, and only then', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const simulator = await startSimulator({ width: 64, height: 64 })
        const attempt = async (deaf: boolean) => {
          const camera = await openCamera(simulator.address)
          const stream = camera.stream()
          const told: string[] = []
          stream.on('warning', ({ code, message, hint }) => told.push(code, message, hint))
          stream.on('end', () => told.push('end'))
          await stream.start()
          if (deaf) simulator.setFaults({ controlRequestLoss: 1 })
          await camera.close()
          simulator.setFaults({})
          return told
        }
        const usual = await attempt(false)
        const deaf = await attempt(true)
        await simulator.stop()
        return { usual, deaf }
      },
      {},
      { timeout: 60_000 },
    )
    expect(result.usual).toEqual(['end'])
    expect(result.deaf).toEqual([
      'not-stopped',
      expect.stringMatching(/did not confirm that it stopped sending: .+/),
      expect.stringContaining('heartbeat'),
      'end',
    ])
  })
})
