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
        const stream = cameras[i]!.stream({
          threads: 'shared',
          packetSize: 1500,
          buffers: 64,
          resend: { timeout: 1000 },
        })
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
      const named = (more: number) => threads().some((name) => name.endsWith(`+${more}`))
      await until(() => named(5), 'the thread bears its name')
      const together = threads()
      await until(() => frames.every((n) => n >= 40), '40 frames of each')
      await streams[0]!.close()
      const before = [...frames]
      await until(() => frames.slice(1).every((n, i) => n >= before[i + 1]! + 10), '10 more of the others')
      await until(() => named(4), 'the thread bears its new name')
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

  it('are those that ask for it, as many as one thread can take in', async () => {
    const result = await insideOk(net, async (gigewire, _, { until }) => {
      const { readdirSync, readFileSync } = await import('node:fs')
      const names = () =>
        readdirSync('/proc/self/task')
          .map((task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim())
          .filter((name) => name.startsWith('gw-rx'))
          .map((name) => name.replace(/\d+/, 'port'))
          .sort()
      const cameras: import('../../lib/index.js').Camera[] = []
      const simulators: import('../../lib/index.js').Simulator[] = []
      // Of small frames, one third of what a thread is said to take in; nothing is sent, they only say so.
      const frameRate = 700_000 / 3 / 5
      for (let i = 1; i <= 5; i++) {
        const address = `127.0.0.${i}`
        const options = { address, serial: address, width: 64, height: 64, frameRate: Math.floor(frameRate) }
        simulators.push(await gigewire.startSimulator(options))
        cameras.push(await gigewire.openCamera(address))
      }
      const granted: unknown[] = []
      for (const [i, camera] of cameras.entries()) {
        const stream = camera.stream({
          ...(i > 0 && { threads: 'shared' as const }),
          packetSize: 1500,
          acquisition: 'manual',
        })
        stream.on('warning', () => {})
        await stream.start()
        granted.push(stream.granted?.threads)
      }
      // Threads name themselves.
      await until(() => names().join() === 'gw-rx-port,gw-rx-port,gw-rx-port+2', 'three threads').catch(
        () => {},
      )
      const threads = names()
      for (const camera of cameras) await camera.close()
      for (const simulator of simulators) await simulator.stop()
      return { granted, threads, left: names() }
    })
    expect(result.granted).toEqual(['own', 'shared', 'shared', 'shared', 'shared'])
    // 4096 bytes are 3 packets of data, with leader and trailer 5.
    expect(result.threads).toEqual(['gw-rx-port', 'gw-rx-port', 'gw-rx-port+2'])
    expect(result.left).toEqual([])
  })
})
