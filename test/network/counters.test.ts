// Every counter is moved by what causes it, and by nothing else. Each scenario names all counters that may differ from zero beside
// those of a flawless stream; at the end no counter may be left that no scenario has moved.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { StreamStats } from '../../lib/index.js'
import { insideOk, type Tools } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { brokenAgainstSimulator, type Received } from '../helpers/tools.mjs'

type Gigewire = typeof import('../../lib/index.js')
type Outcome = Awaited<ReturnType<Tools['simulate']>>
type Moves = Partial<Record<keyof StreamStats, number | 'some'>>

interface Scenario {
  name: string
  run: (gigewire: Gigewire, argument: null, tools: Tools) => Promise<Outcome>
  /** Counters it moves beyond those of a flawless stream, and how far. */
  moves: Moves
  /** Of those of a flawless stream, the ones it does not move; and those that depend on the machine. */
  still?: (keyof StreamStats)[]
  maybe?: (keyof StreamStats)[]
  events?: Partial<Received['events']>
  nodeArgs?: string[]
  /** Not each datagram that was sent can be accounted for. */
  unaccounted?: true
}

const FLAWLESS: (keyof StreamStats)[] = [
  ...([
    'datagrams',
    'bytes',
    'accepted',
    'packetsExpected',
    'packetsReceived',
    'blocksExpected',
    'blocksComplete',
  ] as const),
  ...(['framesQueued', 'framesTaken', 'batches', 'batchMax', 'lastBlockId'] as const),
]
/** Whether packets were left to gather is a matter of time, in any scenario but its own. */
const TIMING: (keyof StreamStats)[] = ['rests']
const ONE_LOST: Moves = { packetsLost: 1, lostOnWire: 1 }
const ONE_MISSING: Moves = { ...ONE_LOST, packetsMissing: 1, blocksIncomplete: 1 }

const scenarios: Scenario[] = [
  {
    name: 'nothing happens',
    run: (gigewire, _, tools) => tools.simulate(gigewire, { blocks: 20 }),
    moves: {},
  },
  {
    name: 'duplicate: packets come twice',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { seed: 27, height: 60, faults: { duplicate: 0.01 } },
        blocks: 10,
      }),
    moves: { duplicate: 4 },
  },
  {
    name: 'late: a packet comes after its block was closed',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { seed: 32, height: 60, faults: { duplicate: 0.01 } },
        blocks: 10,
      }),
    moves: { late: 1 },
  },
  {
    name: 'foreign: packets from somewhere else',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, { simulator: { faults: { foreign: 0.1 } }, blocks: 10 }),
    moves: { foreign: 'some' },
  },
  {
    name: 'test: a test packet while the stream runs',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        blocks: 10,
        onStream: async (stream, camera) => {
          await stream.start()
          await camera.writeRegister(0x0d04, (0xc0000000 | 1500) >>> 0)
          await tools.until(() => stream.stats().test > 0, 'a test packet')
        },
      }),
    moves: { test: 1 },
  },
  {
    name: 'malformed: a packet is cut short, which also loses it',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { faults: { truncate: 0.02 } },
        stream: { resend: false },
        blocks: 20,
      }),
    moves: {
      ...{ malformed: 'some', packetsMissing: 'some', missingNotRequested: 'some', packetsLost: 'some' },
      ...{ lostOnWire: 'some', blocksIncomplete: 'some' },
    },
  },
  {
    name: 'packetsResent: a lost packet comes again',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, { simulator: { faults: { drop: [{ block: 3, packet: 5 }] } }, blocks: 10 }),
    moves: { ...ONE_LOST, packetsResent: 1, resendRequests: 1, resendRequested: 1 },
  },
  {
    name: 'missingRefused: the camera has it no more',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { faults: { drop: [{ block: 3, packet: 5 }], resend: 'unavailable' } },
        blocks: 10,
      }),
    moves: { ...ONE_MISSING, missingRefused: 1, refused: 1, resendRequests: 1, resendRequested: 1 },
    events: { incomplete: 1 },
  },
  {
    name: 'missingExhausted: asked for, never came',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { faults: { drop: [{ block: 3, packet: 5 }], resend: 'silent' } },
        stream: { resend: { maxTries: 2 } },
        blocks: 10,
      }),
    moves: { ...ONE_MISSING, missingExhausted: 1, resendRequests: 'some', resendRequested: 'some' },
    events: { incomplete: 1 },
  },
  {
    name: 'missingNotRequested: resend is off',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { faults: { drop: [{ block: 3, packet: 5 }] } },
        stream: { resend: false },
        blocks: 10,
      }),
    moves: { ...ONE_MISSING, missingNotRequested: 1 },
    events: { incomplete: 1 },
  },
  {
    name: 'blocksMissed: nothing of a block arrives',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { height: 4, faults: { drop: [0, 1, 2].map((packet) => ({ block: 4, packet })) } },
        stream: { resend: false },
        blocks: 10,
      }),
    moves: { blocksMissed: 1, packetsMissing: 3, missingNotRequested: 3, packetsLost: 3, lostOnWire: 3 },
    events: { missed: 1 },
  },
  {
    name: 'blocksNoSlot: the frames are held',
    run: async (gigewire, _, tools) => {
      const held: { release(): void }[] = []
      return await tools.simulate(gigewire, {
        stream: { buffers: 2 },
        blocks: 10,
        // Two frames are never given back, so the others find no room.
        onFrame: (frame) => {
          held.push(frame)
          frame.release = () => undefined
        },
      })
    },
    moves: { blocksNoSlot: 8 },
    events: { starved: 8 },
  },
  ...(['OldestFirstOverwrite', 'NewestOnly'] as const).map((bufferHandling) => ({
    name: `framesOverwritten: nobody reads, ${bufferHandling}`,
    run: (bufferHandling === 'NewestOnly'
      ? (gigewire, _, tools) =>
          tools.simulate(gigewire, {
            stream: { buffers: 4, bufferHandling: 'NewestOnly' },
            blocks: 10,
            onStream: async (stream) => {
              await stream.start()
              await tools.until(() => stream.stats().blocksExpected === 10, 'ten blocks')
            },
          })
      : (gigewire, _, tools) =>
          tools.simulate(gigewire, {
            stream: { buffers: 4, bufferHandling: 'OldestFirstOverwrite' },
            blocks: 10,
            onStream: async (stream) => {
              await stream.start()
              await tools.until(() => stream.stats().blocksExpected === 10, 'ten blocks')
            },
          })) as Scenario['run'],
    moves: { framesOverwritten: bufferHandling === 'NewestOnly' ? 9 : 6 },
  })),
  {
    name: 'framesReturned: the stream is closed before all are read',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        blocks: 10,
        onStream: async (stream) => {
          await stream.start()
          await tools.until(() => stream.stats().blocksExpected === 10, 'ten blocks')
        },
        onFrame: (frame, stream) => {
          if (frame.blockId === 3n) void stream.close()
        },
      }),
    moves: { framesReturned: 7 },
  },
  {
    name: 'framesLeaked: a frame is forgotten',
    nodeArgs: ['--expose-gc'],
    run: async (gigewire, _, tools) => {
      let forgotten = 0
      return await tools.simulate(gigewire, {
        blocks: 10,
        onFrame: async (frame, stream) => {
          if (forgotten++ === 3) frame.release = () => undefined
          if (forgotten < 8) return
          await tools.until(() => {
            ;(globalThis as { gc?: () => void }).gc?.()
            return stream.stats().framesLeaked > 0
          }, 'garbage collection')
        },
      })
    },
    moves: { framesLeaked: 1 },
    events: { leak: 1 },
  },
  {
    name: 'kernelDrops: the queue of the socket is too short',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { width: 640, height: 480 },
        // One by one, so that the kernel's count is one of packets.
        stream: { receiveBufferBytes: 4096, resend: false, frameTimeout: 200, engine: 'copy' },
        send: 50,
        blocks: 40,
        settle: tools.quietFor(300),
      }),
    moves: {
      ...{ kernelDrops: 'some', lostInKernel: 'some', packetsLost: 'some', packetsMissing: 'some' },
      ...{ missingNotRequested: 'some', blocksIncomplete: 'some' },
    },
    maybe: ['blocksComplete', 'blocksMissed', 'framesQueued', 'framesTaken'],
  },
  {
    name: 'fragments: the engine below the IP stack does not put them together',
    run: async (gigewire, _, tools) => {
      const { execFileSync } = await import('node:child_process')
      const mtu = (bytes: string) => execFileSync('ip', ['link', 'set', 'lo', 'mtu', bytes])
      mtu('1500')
      try {
        return await tools.simulate(gigewire, {
          simulator: { faults: { packetSize: 'ignore-df' } },
          stream: { engine: 'packet-ring', packetSize: 4000, resend: false, frameTimeout: 200 },
          blocks: 5,
        })
      } finally {
        mtu('65536')
      }
    },
    moves: {
      ...{ fragments: 'some', lostInFragments: 'some', packetsLost: 'some', packetsMissing: 'some' },
      ...{ missingNotRequested: 'some', blocksIncomplete: 5 },
    },
    still: ['blocksComplete', 'framesQueued', 'framesTaken'],
  },
  {
    name: 'inPlace: large packets are scattered',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { width: 640, height: 480 },
        stream: { engine: 'scatter', packetSize: 8000 },
        blocks: 10,
      }),
    moves: { inPlace: 'some' },
  },
  {
    name: 'rests: packets come one by one',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { lineRateBps: 1_000_000_000, udpChecksum: false, width: 640, height: 480 },
        stream: { packetSize: 1500 },
        blocks: 10,
      }),
    moves: { rests: 'some' },
  },
  {
    name: 'blocksCut: the stream is closed in the middle of a block',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { lineRateBps: 5_000_000 },
        features: { AcquisitionMode: 'Continuous' },
        blocks: 3,
        settle: (stats) => stats.accepted % 55 > 10 && stats.accepted % 55 < 40,
      }),
    moves: { blocksCut: 1, packetsCut: 'some' },
    unaccounted: true,
  },
  {
    name: 'resyncs: the block ids begin anew',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        features: { TriggerMode: 'On', TriggerSource: 'Software' },
        blocks: 20,
        settle: () => true,
        onStream: async (stream, camera) => {
          await stream.start()
          for (let block = 0; block < 20; block++) {
            // The camera counts from 1 when its stream is opened.
            if (block === 10) await camera.writeRegister(0x0d00, await camera.readRegister(0x0d00))
            await camera.features.execute('TriggerSoftware')
            await tools.until(() => stream.stats().blocksExpected === block + 1, `block ${block}`)
          }
        },
      }),
    moves: { resyncs: 1 },
  },
  {
    name: 'eventsLost: nobody listens for long',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        simulator: { height: 60, frameRate: 400, faults: { drop: [{ packet: 0, count: 9 }] } },
        stream: { resend: false },
        blocks: 400,
        onStream: async (stream) => {
          await stream.start()
          const sleeper = new Int32Array(new SharedArrayBuffer(4))
          while (stream.stats().blocksExpected < 399) Atomics.wait(sleeper, 0, 0, 20)
        },
      }),
    moves: {
      ...{ eventsLost: 'some', blocksIncomplete: 400, packetsMissing: 400, missingNotRequested: 400 },
      ...{ packetsLost: 400, lostOnWire: 400 },
    },
    still: ['blocksComplete', 'framesQueued', 'framesTaken'],
  },
  {
    name: 'keepalives: ten seconds have passed',
    run: (gigewire, _, tools) =>
      tools.simulate(gigewire, {
        features: { TriggerMode: 'On', TriggerSource: 'Software' },
        blocks: 1,
        onStream: async (stream, camera) => {
          await stream.start()
          await tools.until(() => stream.stats().keepalives === 1, 'a keep-alive')
          await camera.features.execute('TriggerSoftware')
        },
      }),
    moves: { keepalives: 1 },
  },
]

describeWith(['netns'], 'counters', () => {
  let host: Namespace
  beforeAll(() => {
    host = new Namespace()
  })
  afterAll(() => {
    host?.[Symbol.dispose]()
  })

  const moved = new Set<string>()
  for (const { name, run, moves, still = [], maybe = [], events = {}, nodeArgs, unaccounted } of scenarios) {
    it(name, async () => {
      const result = await insideOk(host, run, null, { ...(nodeArgs && { nodeArgs }) })
      const { stats } = result
      expect(result.timeout).toBeUndefined()
      expect(result.wrong).toEqual([])
      expect(result.sums).toEqual([])
      if (!unaccounted) expect(brokenAgainstSimulator(stats, result.simulator)).toEqual([])
      const nonzero = Object.entries(stats).filter(([, value]) => value !== 0)
      for (const [counter] of nonzero) moved.add(counter)
      const expected = [...FLAWLESS.filter((counter) => !still.includes(counter)), ...Object.keys(moves)]
      const unsure: string[] = [...maybe, ...TIMING.filter((counter) => !(counter in moves))]
      const certain = (counter: string) => !unsure.includes(counter)
      const found = nonzero.map(([counter]) => counter)
      expect(found.filter(certain).sort()).toEqual(expected.filter(certain).sort())
      for (const [counter, by] of Object.entries(moves)) {
        if (by !== 'some') expect([counter, stats[counter as keyof StreamStats]]).toEqual([counter, by])
      }
      if (!('eventsLost' in moves)) {
        const {
          blocksIncomplete: incomplete,
          blocksNoSlot: starved,
          blocksMissed: missed,
          framesLeaked: leak,
        } = stats
        expect(result.events).toEqual({ incomplete, starved, missed, leak })
      }
      expect(result.events).toMatchObject(events)
    })
  }

  it('none is left that nothing moves', async () => {
    const all = await insideOk(host, async (gigewire) => {
      const simulator = await gigewire.startSimulator()
      const camera = await gigewire.openCamera('127.0.0.1')
      const stats = camera.stream().stats()
      await camera.close()
      await simulator.stop()
      return stats
    })
    expect(Object.values(all).every((value) => value === 0)).toBe(true)
    expect([...moved].sort()).toEqual(Object.keys(all).sort())
  })
})
