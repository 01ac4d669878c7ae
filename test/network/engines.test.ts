// One suite over all manners of taking packets from the kernel: whatever happens to the packets, each of them must come to the same
// frames, bit by bit, and to counters that add up; and a stream left to itself must find the right one. Those of a socket have
// their camera on the loopback, those below the IP stack at the other end of a cable.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SimulatorFaults, SimulatorStats, StreamEngine } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { brokenAgainstSimulator, type Received, type SimulateOptions } from '../helpers/tools.mjs'

const HOST = '10.99.0.1'
const CAMERA = '10.99.0.2'

let host: Namespace
let far: Namespace
beforeAll(() => {
  host = new Namespace()
  far = new Namespace()
  const near = { device: 'v0', cidr: `${HOST}/24` }
  cable(host, near, far, { device: 'v1', cidr: `${CAMERA}/24` }, { mtu: 9000 })
})
afterAll(() => {
  host?.[Symbol.dispose]()
  far?.[Symbol.dispose]()
})

type Outcome = Received & { simulator: SimulatorStats; engine: string | undefined }

function expectRight({ timeout, wrong, sums, stats, simulator }: Outcome): void {
  expect(timeout).toBeUndefined()
  expect(wrong).toEqual([])
  expect(sums).toEqual([])
  expect(stats.kernelDrops).toBe(0)
  expect(brokenAgainstSimulator(stats, simulator)).toEqual([])
}

async function onLoopback(options: SimulateOptions): Promise<Outcome> {
  return await insideOk(
    host,
    async (gigewire, argument: SimulateOptions, tools) => {
      let engine: string | undefined
      const outcome = await tools.simulate(gigewire, {
        ...argument,
        onFrame: (_, stream) => {
          engine = stream.engine
        },
      })
      return { ...outcome, engine }
    },
    options,
  )
}

async function overCable({ simulator: camera, stream, blocks }: SimulateOptions): Promise<Outcome> {
  const simulator = await remoteSimulator(far, {
    width: 320,
    height: 240,
    ...camera,
    seed: 1,
    address: CAMERA,
  })
  try {
    const result = await insideOk(
      host,
      async (gigewire, { target, ...argument }, tools) => {
        let engine: string | undefined
        const outcome = await tools.receive(gigewire, {
          camera: target,
          check: 1,
          ...argument,
          features: { AcquisitionMode: 'MultiFrame', AcquisitionFrameCount: argument.blocks ?? 0 },
          settle: tools.quietFor(100),
          onFrame: (_, stream) => {
            engine = stream.engine
          },
        })
        return { ...outcome, engine }
      },
      { target: CAMERA, ...(stream && { stream }), ...(blocks && { blocks }) },
    )
    return { ...result, simulator: await simulator.stats() }
  } finally {
    await simulator.stop()
  }
}

async function run(options: SimulateOptions): Promise<Outcome> {
  const result = await onLoopback(options)
  expectRight(result)
  return result
}

const FAULTS: Record<string, SimulatorFaults> = {
  'no fault': {},
  loss: {
    loss: 0.02,
    burstLoss: 0.001,
    burstLength: 10,
    loseLeader: 0.02,
    loseTrailer: 0.02,
    loseTail: 0.02,
  },
  'copies, another order, delay': { duplicate: 0.02, reorder: 0.05, delay: 0.01, delayUs: 2000 },
  'damaged packets': { truncate: 0.01, wrongId: 0.002, corruptHeader: 0.005, foreign: 0.01 },
  'all at once': {
    loss: 0.01,
    burstLoss: 0.0005,
    loseTail: 0.01,
    onResend: true,
    duplicate: 0.01,
    reorder: 0.02,
    truncate: 0.005,
    wrongId: 0.001,
    foreign: 0.005,
  },
}
const ENGINES: [StreamEngine, (options: SimulateOptions) => Promise<Outcome>][] = [
  ['copy', onLoopback],
  ['scatter', onLoopback],
  ['aggregate', onLoopback],
  ['packet-ring', overCable],
  ['xdp', overCable],
]

describeWith(['netns'], 'engines', () => {
  for (const [engine, receive] of ENGINES) {
    for (const [name, faults] of Object.entries(FAULTS)) {
      for (const [packetSize, extendedIds] of [
        [1500, false],
        [8000, true],
      ] as const) {
        it(`${engine}, ${name}, packets of ${packetSize}`, async () => {
          const result = await receive({
            simulator: { extendedIds, faults, frameRate: 100 },
            stream: { engine, packetSize, resend: { timeout: 1000 } },
            blocks: 150,
          })
          expectRight(result)
          const { stats } = result
          expect(result.engine).toBe(engine)
          expect(stats.packetsMissing).toBe(0)
          expect(stats.blocksComplete).toBe(150)
          if (engine === 'scatter') expect(stats.inPlace).toBeGreaterThan(stats.accepted / 4)
          else expect(stats.inPlace).toBe(0)
        })
      }
    }
  }

  for (const [what, udpChecksum, packetSize, expected] of [
    ['packets that the kernel puts together', true, 1500, 'aggregate'],
    ['small packets that it does not: UDP checksum 0', false, 1500, 'copy'],
    ['large ones', false, 8000, 'scatter'],
  ] as const) {
    it(`finds out by itself: ${what}`, async () => {
      const result = await run({
        simulator: { udpChecksum, frameRate: 100 },
        stream: { packetSize },
        blocks: 60,
      })
      expect(result.engine).toBe(expected)
      expect(result.stats.blocksComplete).toBe(60)
    })
  }

  it('without coalescing nothing is left waiting; with it, the reads are fewer', async () => {
    const paced = { width: 640, height: 480, lineRateBps: 1_000_000_000, frameRate: 0, udpChecksum: false }
    const stream = { packetSize: 1500, engine: 'copy' as const }
    const without = await run({ simulator: paced, stream: { ...stream, coalesce: 0 }, blocks: 60 })
    const with_ = await run({ simulator: paced, stream: { ...stream, coalesce: 0.25 }, blocks: 60 })
    expect(without.stats.rests).toBe(0)
    expect(with_.stats.rests).toBeGreaterThan(100)
    expect(with_.stats.blocksComplete).toBe(60)
    expect(with_.stats.batches).toBeLessThan(without.stats.batches)
  })
})
