// Frames are leases: who holds a slot, for how long, and what every way of ending does to the camera and to the slots.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns'], 'leases', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  describe('a frame', () => {
    it('gives its data while it is leased, and throws afterwards, also when its slot holds a later image', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, firstWrongByte, GigeError }) => {
          const simulator = await startSimulator({ width: 64, height: 64, frameRate: 200 })
          const camera = await openCamera(simulator.address)
          const stream = camera.stream({ buffers: 1 })
          const code = (work: () => unknown) => {
            try {
              return work() && 'nothing thrown'
            } catch (error) {
              return error instanceof GigeError && error.hint !== '' ? error.code : String(error)
            }
          }
          const frames = stream[Symbol.asyncIterator]()
          const next = async () => {
            const { value } = await frames.next()
            if (!value) throw new Error('the stream ended')
            return value
          }
          const first = await next()
          const copy = first.copy()
          const id = first.blockId
          const right = firstWrongByte(first.data, id, 1n)
          first.release()
          const afterRelease = [code(() => first.data), code(() => first.copy())]
          const facts = [first.width, first.height, first.pixelFormat, first.complete, first.missing.length]
          const second = await next() // in the one slot there is
          first.release()
          first[Symbol.dispose]()
          const stale = code(() => first.data)
          const still = firstWrongByte(second.data, second.blockId, 1n)
          const copied = firstWrongByte(copy, id, 1n)
          second[Symbol.dispose]()
          const disposed = code(() => second.data)
          await camera.close()
          await simulator.stop()
          return { right, afterRelease, facts, stale, still, copied, disposed, sameView: copy.length }
        },
        {},
      )
      expect(result).toEqual({
        right: -1,
        afterRelease: ['ERR_GIGE_FRAME_RELEASED', 'ERR_GIGE_FRAME_RELEASED'],
        facts: [64, 64, 'Mono8', true, 0],
        stale: 'ERR_GIGE_FRAME_RELEASED',
        still: -1,
        copied: -1,
        disposed: 'ERR_GIGE_FRAME_RELEASED',
        sameView: 64 * 64,
      })
    })

    it('of grab() stays valid after its stream and its camera are closed', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, firstWrongByte }, _, { until }) => {
          const simulator = await startSimulator({ width: 640, height: 480, frameRate: 100 })
          const camera = await openCamera(simulator.address)
          const frames = [await camera.grab(), await camera.grab()]
          const streaming = await until(
            () => !simulator.stats().streaming,
            'the end of the acquisition',
            2000,
          ).then(
            () => false,
            () => true,
          )
          const { destination } = simulator.stats()
          await camera.close()
          await simulator.stop()
          const wrong = frames.map((frame) => firstWrongByte(frame.data, frame.blockId, 1n))
          for (const frame of frames) frame.release()
          return { wrong, streaming, port: destination?.port }
        },
        {},
      )
      expect(result).toEqual({ wrong: [-1, -1], streaming: false, port: 0 })
    })
  })

  describe('the end of a loop', () => {
    for (const way of [
      'break',
      'throw',
      'return',
      'abort',
      'close',
      'return() of the iterator',
      'camera.close()',
    ] as const) {
      it(`by ${way} stops the acquisition, closes the channel and gives every slot back`, async () => {
        const result = await run(
          net,
          async ({ startSimulator, openCamera }, { way, memory }, { until }) => {
            const { slotStates } = (await import(memory)) as typeof import('./memory.mjs')
            const simulator = await startSimulator({ width: 320, height: 240, frameRate: 500 })
            const camera = await openCamera(simulator.address)
            const control = new AbortController()
            const executed: string[] = []
            const { features } = camera
            const execute = features.execute.bind(features)
            features.execute = (name, ...rest) => {
              executed.push(name)
              return execute(name, ...rest)
            }
            const stream = camera.stream({ buffers: 4, signal: control.signal })
            let ended = 0
            stream.on('end', () => ended++)
            await stream.start()
            const share = stream.share()
            let seen = 0
            let kept: { release(): void; readonly data: Uint8Array } | undefined
            // One more is ready that nobody will take.
            const another = () =>
              until(() => stream.stats().framesQueued > stream.stats().framesTaken, 'a ready frame')
            const read = async () => {
              if (way === 'return() of the iterator') {
                const frames = stream[Symbol.asyncIterator]()
                kept = (await frames.next()).value as typeof kept
                await another()
                return await frames.return?.()
              }
              for await (const frame of stream) {
                seen++
                if (seen === 1) {
                  kept = frame // on purpose still leased when the loop ends
                  continue
                }
                frame.release()
                await another()
                if (way === 'break') break
                if (way === 'throw') throw new Error('mine')
                if (way === 'return') return
                if (way === 'abort') control.abort(new Error('enough'))
                if (way === 'close') void stream.close()
                if (way === 'camera.close()') void camera.close()
              }
            }
            const outcome = await read().then(
              () => 'ended',
              (error: Error) => error.message,
            )
            // The sender notices between two packets.
            const streaming = await until(
              () => !simulator.stats().streaming,
              'the end of the acquisition',
              2000,
            ).then(
              () => false,
              () => true,
            )
            const { destination } = simulator.stats()
            const states = slotStates(share)
            const readable = kept?.data.length
            kept?.release()
            const { framesQueued, framesTaken, framesOverwritten, framesReturned } = stream.stats()
            const locked = way === 'camera.close()' ? 0 : await features.get('TLParamsLocked')
            const commands = executed.splice(0)
            const again = way === 'camera.close()' ? -1 : (await camera.grab()).data.length // a new stream finds the camera ready
            await camera.close()
            await simulator.stop()
            return {
              outcome,
              streaming,
              port: destination?.port ?? 0,
              leased: states.filter((state) => state !== 0),
              readable,
              afterwards: slotStates(share),
              waiting: framesQueued - framesTaken - framesOverwritten - framesReturned,
              returned: framesReturned > 0,
              unseen: framesTaken - Math.max(seen, 1),
              commands,
              locked,
              ended,
              again,
            }
          },
          { way },
        )
        expect(result).toEqual({
          outcome: way === 'throw' ? 'mine' : way === 'abort' ? 'enough' : 'ended',
          streaming: false,
          port: 0,
          leased: [3],
          readable: 320 * 240,
          afterwards: [0, 0, 0, 0],
          waiting: 0,
          returned: true,
          unseen: 0,
          commands: ['AcquisitionStart', 'AcquisitionStop'],
          locked: 0,
          ended: 1,
          again: way === 'camera.close()' ? -1 : 320 * 240,
        })
      })
    }

    it('comes by itself after `frames`, also with several calls of next() under way', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, _, { until }) => {
          const simulator = await startSimulator({ width: 64, height: 64, frameRate: 500 })
          const camera = await openCamera(simulator.address)
          const looped: number[] = []
          for await (const frame of camera.stream({ frames: 5 })) {
            looped.push(Number(frame.blockId))
            frame.release()
          }
          const idle = await until(() => !simulator.stats().streaming, 'the end of the acquisition', 2000)
          const frames = camera.stream({ frames: 3 })[Symbol.asyncIterator]()
          const results = await Promise.all(Array.from({ length: 6 }, () => frames.next()))
          const ids = results.map((result) => (result.done ? 'done' : Number(result.value.blockId)))
          for (const result of results) if (!result.done) result.value.release()
          const after = await frames.next()
          await camera.close()
          await simulator.stop()
          return { looped, idle, ids, after: after.done }
        },
        {},
      )
      expect(result).toEqual({
        looped: [1, 2, 3, 4, 5],
        idle: true,
        ids: [1, 2, 3, 'done', 'done', 'done'],
        after: true,
      })
    })

    it('comes for every waiting next() when the stream is closed', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }) => {
          const simulator = await startSimulator({ width: 64, height: 64 })
          const camera = await openCamera(simulator.address)
          const stream = camera.stream({ acquisition: 'manual' })
          await stream.start()
          const frames = stream[Symbol.asyncIterator]()
          const waiting = [frames.next(), frames.next(), frames.next()]
          await stream.close()
          const done = (await Promise.all(waiting)).map((result) => result.done)
          await camera.close()
          await simulator.stop()
          return done
        },
        {},
      )
      expect(result).toEqual([true, true, true])
    })
  })

  describe('an abort signal', () => {
    it('that is aborted already refuses before anything is touched, and leaves the camera free', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, discover }) => {
          const simulator = await startSimulator({ width: 64, height: 64 })
          const signal = AbortSignal.abort(new Error('never mind'))
          const message = (error: Error) => error.message
          const [opened, discovered] = await Promise.all([
            openCamera(simulator.address, { signal }).then(() => 'opened', message),
            discover({ signal }).then(() => 'searched', message),
          ])
          const { requests, controlPrivilege } = simulator.stats()
          const camera = await openCamera(simulator.address)
          const stream = camera.stream({ signal })
          const started = await stream.start().then(() => 'started', message)
          const frame = await camera.grab()
          frame.release()
          const grabbed = await camera.grab({ signal }).then(() => 'grabbed', message)
          await camera.close()
          await simulator.stop()
          return { opened, discovered, requests, controlPrivilege, started, grabbed, bytes: frame.width }
        },
        {},
      )
      expect(result).toEqual({
        opened: 'never mind',
        discovered: 'never mind',
        requests: 0,
        controlPrivilege: 0,
        started: 'never mind',
        grabbed: 'never mind',
        bytes: 64,
      })
    })

    it('ends an opening at every step with its reason, and control is not kept', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, discover }) => {
          const simulator = await startSimulator({ width: 64, height: 64 })
          const [info] = await discover({ addresses: [simulator.address], until: (all) => all.length > 0 })
          if (!info) throw new Error('nothing found')
          const outcomes: string[] = []
          let free = true
          // Aborts at ever later moments, told by the camera's own count of commands; the first one at once.
          for (let after = 0; after < 40; after += 2) {
            const control = new AbortController()
            const before = Number(simulator.stats().requests)
            const opening = openCamera(info, { signal: control.signal }).then(
              (camera) => camera.close().then(() => 'opened'),
              (error: Error) => error.message,
            )
            let settled = false
            void opening.finally(() => {
              settled = true
            })
            while (!settled && Number(simulator.stats().requests) < before + after)
              await new Promise(setImmediate)
            control.abort(new Error('stop'))
            const outcome = await opening
            outcomes.push(outcome)
            free &&= simulator.stats().controlPrivilege === 0
          }
          await simulator.stop()
          return { outcomes, free }
        },
        {},
      )
      expect(result.free).toBe(true)
      expect(result.outcomes[0]).toBe('stop')
      expect(new Set([...result.outcomes, 'opened'])).toEqual(new Set(['stop', 'opened']))
    })

    it('ends an opening that waits for a camera which does not answer, at once', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, discover }) => {
          const simulator = await startSimulator({ width: 64, height: 64 })
          const [info] = await discover({ addresses: [simulator.address], until: (all) => all.length > 0 })
          if (!info) throw new Error('nothing found')
          simulator.crash()
          const control = new AbortController()
          const opening = openCamera(info, { signal: control.signal }).catch((error: Error) => error.message)
          setImmediate(() => control.abort(new Error('stop')))
          const begin = performance.now()
          const outcome = await opening
          const ms = performance.now() - begin
          await simulator.stop()
          return { outcome, ms }
        },
        {},
      )
      expect(result.outcome).toBe('stop')
      expect(result.ms).toBeLessThan(500) // all tries would take a second
    })

    it('ends a stream at every step of its start with its reason, and nothing stays open', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, _, { until }) => {
          const simulator = await startSimulator({ width: 64, height: 64, frameRate: 100 })
          const camera = await openCamera(simulator.address)
          const outcomes: string[] = []
          const left: string[] = []
          for (let after = 0; after < 40; after += 2) {
            const control = new AbortController()
            const before = Number(simulator.stats().requests)
            const stream = camera.stream({ signal: control.signal })
            let settled = false
            const starting = stream.start().then(
              () => 'started',
              (error: Error) => error.message,
            )
            void starting.finally(() => {
              settled = true
            })
            while (!settled && Number(simulator.stats().requests) < before + after)
              await new Promise(setImmediate)
            control.abort(new Error('stop'))
            const outcome = await starting
            await stream.close()
            outcomes.push(outcome)
            const streaming = await until(
              () => !simulator.stats().streaming,
              'the end of the acquisition',
              2000,
            ).then(
              () => false,
              () => true,
            )
            const { destination } = simulator.stats()
            const locked = await camera.features.get('TLParamsLocked')
            if (streaming || destination?.port || locked !== 0)
              left.push(`${after}: ${streaming} ${destination?.port} ${locked}`)
          }
          const frame = await camera.grab()
          frame.release()
          await camera.close()
          await simulator.stop()
          return { outcomes, left, bytes: frame.width }
        },
        {},
      )
      expect(result).toMatchObject({ left: [], bytes: 64 })
      expect(result.outcomes[0]).toBe('stop')
      expect(new Set([...result.outcomes, 'started'])).toEqual(new Set(['stop', 'started']))
    })

    it('ends a negotiation that waits for test packets without waiting for them', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, _, { until }) => {
          const simulator = await startSimulator({
            width: 64,
            height: 64,
            faults: { packetSize: 'no-test-packet' },
          })
          const camera = await openCamera(simulator.address)
          const control = new AbortController()
          const stream = camera.stream({ signal: control.signal })
          const starting = stream.start().catch((error: Error) => error.message)
          // The camera has the command that fires: what is waited for now is the first test packet.
          await until(() => simulator.stats().packetSize === 576, 'the first size')
          const begin = performance.now()
          control.abort(new Error('stop'))
          const outcome = await starting
          const ms = performance.now() - begin
          const { destination } = simulator.stats()
          await camera.close()
          await simulator.stop()
          return { outcome, ms, port: destination?.port ?? 0 }
        },
        {},
      )
      expect(result).toMatchObject({ outcome: 'stop', port: 0 })
      expect(result.ms).toBeLessThan(300) // one test packet alone is waited for 500 ms
    })
  })

  describe('the camera', () => {
    it('that dies in mid-stream: what is complete is delivered, then ERR_GIGE_CONTROL_LOST; closing is quick', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera, firstWrongByte, GigeError }, _, { until }) => {
          const simulator = await startSimulator({
            width: 320,
            height: 240,
            frameRate: 50,
            faults: { crashAfterBlocks: 5 },
          })
          const camera = await openCamera(simulator.address, { heartbeatTimeout: 600 })
          const losses: string[] = []
          camera.on('lost', ({ reason }) => losses.push(reason))
          const stream = camera.stream({ buffers: 16 })
          await stream.start()
          await until(() => losses.length > 0, 'the loss') // nobody reads until it is known
          const ids: number[] = []
          let wrong = 0
          let code = 'none'
          try {
            for await (const frame of stream) {
              ids.push(Number(frame.blockId))
              if (firstWrongByte(frame.data, frame.blockId, 1n) >= 0) wrong++
              frame.release()
            }
          } catch (error) {
            code = error instanceof GigeError ? error.code : String(error)
          }
          const later = await camera.readRegister(0).catch((error: { code: string }) => error.code)
          const again = await camera.grab().catch((error: { code: string }) => error.code)
          const begin = performance.now()
          await stream.close()
          await camera.close()
          await camera.close()
          const ms = performance.now() - begin
          await simulator.stop()
          return { ids, wrong, code, later, again, losses, ms }
        },
        {},
      )
      expect(result).toMatchObject({
        ids: [1, 2, 3, 4, 5],
        wrong: 0,
        code: 'ERR_GIGE_CONTROL_LOST',
        later: 'ERR_GIGE_CONTROL_LOST',
        again: 'ERR_GIGE_CONTROL_LOST',
        losses: ['timeout'],
      })
      expect(result.ms).toBeLessThan(600)
    })

    it('that died and was not missed yet: close() settles within its heartbeat, without an error or `lost`, but with a warning', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }) => {
          const simulator = await startSimulator({ width: 320, height: 240, frameRate: 50 })
          const camera = await openCamera(simulator.address)
          let lost = 0
          camera.on('lost', () => lost++)
          let begin = 0
          let closing: Promise<void> | undefined
          const stream = camera.stream()
          const warnings: string[] = []
          stream.on('warning', ({ code }) => warnings.push(code))
          for await (const frame of stream) {
            frame.release()
            if (closing) continue // it was on its way
            simulator.crash()
            begin = performance.now()
            closing = camera.close() // AcquisitionStop and what follows is never answered
          }
          await closing
          const ms = performance.now() - begin
          await new Promise((resolve) => setImmediate(resolve)) // what another thread told is heard by now
          await simulator.stop()
          return { lost, warnings, ms }
        },
        {},
      )
      expect(result.lost).toBe(0)
      expect(result.warnings).toEqual(['not-stopped'])
      expect(result.ms).toBeLessThan(3000)
    })

    it('that died and was not missed yet: break settles within its heartbeat; the camera is still open, so `lost` is told', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, _, { until }) => {
          const simulator = await startSimulator({ width: 320, height: 240, frameRate: 50 })
          const camera = await openCamera(simulator.address)
          let lost = 0
          camera.on('lost', () => lost++)
          let begin = 0
          for await (const frame of camera.stream()) {
            frame.release()
            simulator.crash()
            begin = performance.now()
            break // AcquisitionStop and what follows is never answered
          }
          const ms = performance.now() - begin
          await until(() => lost > 0, 'the loss')
          await camera.close()
          await simulator.stop()
          return { lost, ms }
        },
        {},
      )
      expect(result.lost).toBe(1)
      expect(result.ms).toBeLessThan(3000)
    })

    it('has one stream at a time, and none beside a negotiation', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }) => {
          const simulator = await startSimulator({ width: 64, height: 64, frameRate: 100 })
          const camera = await openCamera(simulator.address)
          const code = (error: { code: string }) => error.code
          const attempt = (work: () => unknown) => {
            try {
              work()
              return 'nothing thrown'
            } catch (error) {
              return code(error as { code: string })
            }
          }
          const stream = camera.stream()
          const second = attempt(() => camera.stream())
          const grab = await camera.grab().then(() => 'grabbed', code)
          const size = await camera.negotiatePacketSize().then(() => 'negotiated', code)
          const closing = stream.close()
          await closing
          const negotiation = camera.negotiatePacketSize()
          const beside = attempt(() => camera.stream())
          const twice = await camera.negotiatePacketSize().then(() => 'negotiated', code)
          const { packetSize } = await negotiation
          const frame = await camera.grab()
          frame.release()
          await camera.close()
          const closed = [attempt(() => camera.stream()), await camera.readRegister(0).then(String, code)]
          await simulator.stop()
          return { second, grab, size, beside, twice, packetSize, closed }
        },
        {},
      )
      const refused = 'ERR_GIGE_INVALID_ARGUMENT'
      expect(result).toEqual({
        second: refused,
        grab: refused,
        size: refused,
        beside: refused,
        twice: refused,
        packetSize: 16384,
        closed: ['ERR_GIGE_CLOSED', 'ERR_GIGE_CLOSED'],
      })
    })

    it('is closed and started concurrently in every order, and nothing stays open', async () => {
      const result = await run(
        net,
        async ({ startSimulator, openCamera }, _, { until }) => {
          const simulator = await startSimulator({ width: 64, height: 64, frameRate: 100 })
          const camera = await openCamera(simulator.address)
          const code = (error: { code?: string; message: string }) => error.code ?? error.message
          const outcomes: unknown[] = []
          const orders = [
            ['start', 'close'],
            ['close', 'start'],
            ['start', 'start', 'close', 'close'],
            ['close', 'close'],
            ['next', 'close', 'next'],
          ] as const
          for (const order of orders) {
            const stream = camera.stream()
            const frames = stream[Symbol.asyncIterator]()
            const work = {
              start: () => stream.start(),
              close: () => stream.close(),
              next: () => frames.next(),
            }
            outcomes.push(await Promise.all(order.map((step) => work[step]().then(() => 'done', code))))
            const streaming = await until(
              () => !simulator.stats().streaming,
              'the end of the acquisition',
              2000,
            ).then(
              () => false,
              () => true,
            )
            if (streaming || simulator.stats().destination?.port) outcomes.push(`left after ${order.join()}`)
          }
          await camera.close()
          await simulator.stop()
          return outcomes
        },
        {},
      )
      expect(result).toEqual([
        ['ERR_GIGE_CLOSED', 'done'],
        ['done', 'ERR_GIGE_CLOSED'],
        ['ERR_GIGE_CLOSED', 'ERR_GIGE_CLOSED', 'done', 'done'],
        ['done', 'done'],
        ['ERR_GIGE_CLOSED', 'done', 'ERR_GIGE_CLOSED'],
      ])
    })
  })
})
