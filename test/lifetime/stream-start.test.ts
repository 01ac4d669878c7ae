// Starting a stream on a camera that goes away, and on one that says strange things: a typed error, and nothing left behind.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'

let net: Namespace

describeWith(['netns'], 'starting a stream', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  it('fails when the camera is lost meanwhile, however late, also where nothing is asked of it any more', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }, _, { until }) => {
        const simulator = await startSimulator({ width: 64, height: 64 })
        const camera = await openCamera(simulator.address, { heartbeatTimeout: 500 })
        const payload = camera.features.node('PayloadSize')
        const getInteger = payload.getInteger.bind(payload)
        let reads = 0
        // The second reading is the last that a start without acquisition wants of its camera.
        payload.getInteger = async (options) => {
          const value = await getInteger(options)
          if (++reads === 2) {
            let lost = false
            camera.once('lost', () => {
              lost = true
            })
            simulator.loseControl()
            await until(() => lost, 'the loss')
          }
          return value
        }
        const stream = camera.stream({ acquisition: 'manual' })
        const outcome = (work: Promise<unknown>) =>
          work.then(
            () => 'no error',
            (error: { code: string }) => error.code,
          )
        const next = await outcome(stream[Symbol.asyncIterator]().next())
        const started = await outcome(stream.start())
        await camera.close()
        await simulator.stop()
        return { reads, next, started }
      },
      {},
      { timeout: 10_000 },
    )
    expect(result).toEqual({ reads: 2, next: 'ERR_GIGE_CONTROL_LOST', started: 'ERR_GIGE_CONTROL_LOST' })
  })

  it('fails with the numbers where the camera claims blocks that no memory holds, and leaves the camera free', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera }) => {
        const simulator = await startSimulator({ width: 64, height: 64 })
        const camera = await openCamera(simulator.address)
        const payload = camera.features.node('PayloadSize')
        payload.getInteger = async () => 2 ** 29 - 1
        const refused = await camera
          .stream({ buffers: 4096 })
          .start()
          .then(
            () => undefined,
            ({ code, message, hint }) => ({ code, message, hint }),
          )
        const port = simulator.stats().destination?.port ?? 0
        await camera.close()
        await simulator.stop()
        return { refused, port }
      },
      {},
    )
    expect(result).toEqual({
      refused: {
        code: 'ERR_GIGE_INVALID_ARGUMENT',
        message: expect.stringMatching(/4096 buffers for blocks of 536870911 bytes.* need 209\d{4} MiB/),
        hint: expect.stringContaining('buffers'),
      },
      port: 0,
    })
  })
})
