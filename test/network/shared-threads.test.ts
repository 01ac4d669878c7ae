// Several streams on one receive thread: every frame bit by bit, whatever happens to one of them; and who has a thread of its own.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

let net: Namespace

describeWith(['netns'], 'streams that share a receive thread', () => {
  beforeAll(() => {
    net = new Namespace()
  })
  afterAll(() => net?.[Symbol.dispose]())

  it('are served by one thread, bit by bit, and go each by itself', async () => {
    const result = await insideOk(net, async (gigewire, _, { brokenSums, until }) => {
      const { readdirSync, readFileSync } = await import('node:fs')
      const threads = () =>
        readdirSync('/proc/self/task')
          .map((task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim())
          .filter((name) => name.startsWith('gw-rx'))
      const count = 6
      const simulators = []
      const streams = []
      const cameras = []
      for (let i = 0; i < count; i++) {
        const address = `127.0.0.${i + 1}`
        // The first floods as fast as its rate lets it, the second loses packets and gets them again.
        simulators.push(
          await gigewire.startSimulator({
            ...{ address, serial: address, seed: i + 1, width: 320, height: 240 },
            frameRate: i === 0 ? 2000 : 50,
            faults: i === 1 ? { loss: 0.02, loseTail: 0.05 } : {},
          }),
        )
        cameras.push(await gigewire.openCamera(address))
        const stream = cameras[i]!.stream({ packetSize: 1500, buffers: 64, resend: { timeout: 1000 } })
        stream.on('warning', () => {})
        await stream.start()
        streams.push(stream)
      }
      const wrong: string[] = []
      const frames = streams.map(() => 0)
      const reading = streams.map(async (stream, i) => {
        for await (const frame of stream) {
          const at = gigewire.firstWrongByte(frame.data, frame.blockId, BigInt(i + 1))
          if (at >= 0) wrong.push(`camera ${i}, block ${frame.blockId}: byte ${at}`)
          frames[i]!++
          frame.release()
        }
      })
      const granted = streams.map((stream) => stream.granted?.threads)
      const together = threads()
      await until(() => frames.every((n) => n >= 40), '40 frames of each')
      await streams[0]!.close()
      const before = [...frames]
      await until(() => frames.slice(1).every((n, i) => n >= before[i + 1]! + 10), '10 more of the others')
      const later = threads()
      for (const camera of cameras) await camera.close()
      await Promise.all(reading)
      const sums = streams.flatMap((stream) => brokenSums(stream.stats()))
      const resent = streams[1]!.stats().packetsResent
      const incomplete = streams.map((stream) => stream.stats().blocksIncomplete)
      for (const simulator of simulators) await simulator.stop()
      return { wrong, granted, together, later, sums, resent, incomplete, left: threads() }
    })
    expect(result.wrong).toEqual([])
    expect(result.granted).toEqual(Array(6).fill('shared'))
    expect(result.together).toEqual([expect.stringMatching(/^gw-rx-\d+\+5$/)])
    expect(result.later).toEqual([expect.stringMatching(/^gw-rx-\d+\+4$/)])
    expect(result.sums).toEqual([])
    expect(result.resent).toBeGreaterThan(0)
    expect(result.incomplete.slice(1)).toEqual([0, 0, 0, 0, 0])
    expect(result.left).toEqual([])
  })

  it('are those whose load is foreseen and that asked for nothing else', async () => {
    const result = await insideOk(net, async (gigewire) => {
      const simulator = await gigewire.startSimulator({ width: 64, height: 64, frameRate: 100 })
      const camera = await gigewire.openCamera(simulator.address)
      const threads = async (options: import('../../lib/index.js').StreamOptions) => {
        const stream = camera.stream(options)
        stream.on('warning', () => {})
        await stream.start()
        const { threads } = stream.granted!
        await stream.close()
        return threads
      }
      const known = await threads({})
      const own = await threads({ threads: 'own' })
      const bound = await threads({ tuning: { cpu: [0] } })
      await camera.features.set('AcquisitionFrameRateEnable', false)
      const unknown = await threads({})
      const insisted = await threads({ threads: 'shared' })
      await camera.close()
      await simulator.stop()
      return { known, own, bound, unknown, insisted }
    })
    expect(result).toEqual({
      ...{ known: 'shared', own: 'own', bound: 'own', unknown: 'own', insisted: 'shared' },
    })
  })
})
