// The binary in several environments of one process: main and workers, and two copies of the package.

import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { run } from './child.js'
import { copyPackage } from './package-copy.js'

const ownCamera = fileURLToPath(new URL('./own-camera.mjs', import.meta.url))

let net: Namespace

describeWith(['netns'], 'several environments', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net[Symbol.dispose]())

  it('main and two workers have a camera each; the end of one is none of the others', async () => {
    const result = await run(
      net,
      async ({ startSimulator, openCamera, firstWrongByte }, { entry, ownCamera }, { until }) => {
        const { Worker } = await import('node:worker_threads')
        const addresses = ['127.0.0.2', '127.0.0.3']
        const workers = addresses.map((address) => {
          const worker = new Worker(new URL(`file://${ownCamera}`), {
            execArgv: [],
            workerData: { entry, address, frames: 50 },
          })
          const report = new Promise((resolve, reject) => {
            worker.once('message', resolve)
            worker.once('error', reject)
          })
          return { worker, report }
        })
        const simulator = await startSimulator({ width: 160, height: 120, frameRate: 300 })
        const camera = await openCamera(simulator.address)
        let wrong = 0
        const read = async (count: number) => {
          const stream = camera.stream({ frames: count })
          for await (const frame of stream) {
            if (firstWrongByte(frame.data, frame.blockId, 1n) >= 0) wrong++
            frame.release()
          }
        }
        const reading = read(100)
        const reports = await Promise.all(workers.map(({ report }) => report))
        await reading
        const codes: number[] = []
        for (const { worker } of workers) {
          const between = read(50)
          codes.push(await worker.terminate())
          await between
        }
        const streaming = await until(() => !simulator.stats().streaming, 'the end of the acquisition').then(
          () => false,
        )
        await camera.close()
        await simulator.stop()
        return { reports, codes, wrong, streaming }
      },
      { ownCamera },
    )
    const report = (serial: string) => ({ serial, wrong: 0, refused: [true, 'ERR_GIGE_ACCESS_DENIED'] })
    expect(result).toEqual({
      reports: [report('127.0.0.2'), report('127.0.0.3')],
      codes: [1, 1],
      wrong: 0,
      streaming: false,
    })
  })

  it('two copies of the package work side by side, and do not take each other for themselves', async () => {
    const copy = copyPackage()
    try {
      const result = await run(
        net,
        async (one, { other }) => {
          const two = (await import(other)) as typeof one
          const first = await one.startSimulator({ width: 160, height: 120, frameRate: 200 })
          const second = await two.startSimulator({
            address: '127.0.0.2',
            width: 160,
            height: 120,
            frameRate: 200,
            seed: 2,
          })
          // Each opens the camera of the other.
          const cameras = [await two.openCamera('127.0.0.1'), await one.openCamera('127.0.0.2')] as const
          const wrong: number[] = []
          const streams = cameras.map((camera) => camera.stream({ frames: 50 }))
          await Promise.all(
            streams.map(async (stream, i) => {
              for await (const frame of stream) {
                wrong.push(one.firstWrongByte(frame.data, frame.blockId, BigInt(i + 1)))
                frame.release()
              }
            }),
          )
          const error = await two.openCamera('127.0.0.2').catch((error) => error)
          const kinds = [error instanceof two.GigeError, error instanceof one.GigeError, error.code]
          const stream = cameras[0].stream()
          await stream.start()
          const foreign = (() => {
            try {
              one.attachStream(stream.share()).close()
              return 'attached'
            } catch (error) {
              return (error as { code: string }).code
            }
          })()
          await Promise.all(cameras.map((camera) => camera.close()))
          await first.stop()
          await second.stop()
          return {
            differ: one.GigeError !== two.GigeError,
            wrong: wrong.filter((at) => at >= 0).length,
            frames: wrong.length,
            kinds,
            foreign,
          }
        },
        { other: copy.entry },
      )
      expect(result).toEqual({
        differ: true,
        wrong: 0,
        frames: 100,
        kinds: [true, false, 'ERR_GIGE_ACCESS_DENIED'],
        foreign: 'ERR_GIGE_CLOSED', // a stream belongs to the binary that receives it
      })
    } finally {
      copy[Symbol.dispose]()
    }
  })
})
