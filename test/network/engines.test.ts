// One suite over all manners of taking packets from the kernel: whatever happens to the packets, each of them must come to the same
// frames, bit by bit, and to counters that add up; and a stream left to itself must find the right one.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SimulatorFaults, StreamEngine } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { brokenAgainstSimulator, type SimulateOptions } from '../helpers/tools.mjs'

let host: Namespace
beforeAll(() => {
  host = new Namespace()
})
afterAll(() => {
  host?.[Symbol.dispose]()
})

async function run(options: SimulateOptions) {
  const result = await insideOk(
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
  expect(result.timeout).toBeUndefined()
  expect(result.wrong).toEqual([])
  expect(result.sums).toEqual([])
  expect(result.stats.kernelDrops).toBe(0)
  expect(brokenAgainstSimulator(result.stats, result.simulator)).toEqual([])
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
const ENGINES: StreamEngine[] = ['copy', 'scatter', 'aggregate']

describeWith(['netns'], 'engines', () => {
  for (const engine of ENGINES) {
    for (const [name, faults] of Object.entries(FAULTS)) {
      for (const [packetSize, extendedIds] of [
        [1500, false],
        [8000, true],
      ] as const) {
        it(`${engine}, ${name}, packets of ${packetSize}`, async () => {
          const { stats, ...result } = await run({
            simulator: { extendedIds, faults, frameRate: 100 },
            stream: { engine, packetSize, resend: { timeout: 1000 } },
            blocks: 150,
          })
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
