// What the wire does to packets, and what must come of it: with resend every frame whole and right for little traffic; without
// it exactly what was lost counted as missing, and no frame called complete with a byte missing. The simulator counts what it
// really lost, and nftables what it took away itself; the simulator's pattern makes every byte checkable.

import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SimulatorFaults } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { brokenAgainstSimulator, type SimulateOptions } from '../helpers/tools.mjs'

let host: Namespace
beforeAll(() => {
  host = new Namespace()
})
afterAll(() => {
  host?.[Symbol.dispose]()
})

/** Simulator and receiver in one child process on a loopback of their own. */
async function run(options: SimulateOptions, where = host) {
  const result = await insideOk(
    where,
    (gigewire, argument: SimulateOptions, tools) => tools.simulate(gigewire, argument),
    options,
  )
  expect(result.timeout).toBeUndefined()
  expect(result.wrong).toEqual([])
  expect(result.sums).toEqual([])
  expect(result.stats.kernelDrops).toBe(0)
  expect(brokenAgainstSimulator(result.stats, result.simulator)).toEqual([])
  expect(result.control).toMatchObject({ resendsSent: result.stats.resendRequests, resendsFailed: 0 })
  expect(result.events.starved).toBe(0)
  return result
}

const count = (length: number) => Array.from({ length }, (_, i) => i + 1)

// 1 % at random, bursts of 20, leaders and tails: about 1.3 % of the packets.
const LOSS: SimulatorFaults = {
  loss: 0.01,
  burstLoss: 0.0001,
  burstLength: 20,
  loseLeader: 0.01,
  loseTail: 0.01,
}

describeWith(['netns'], 'loss', () => {
  for (const extendedIds of [false, true]) {
    const ids = extendedIds ? 'extended ids' : 'standard ids'

    it(`${ids}: 1000 of 1000 frames whole and right, for little resend traffic`, async () => {
      const { stats, simulator, ...result } = await run({
        simulator: { extendedIds, faults: LOSS },
        blocks: 1000,
      })
      expect(result.ids).toEqual(count(1000))
      expect(stats).toMatchObject({
        blocksComplete: 1000,
        blocksExpected: 1000,
        packetsMissing: 0,
        framesQueued: 1000,
      })
      for (const cause of ['lostRandom', 'lostBurst', 'lostLeader', 'lostTail'])
        expect(simulator[cause]).toBeGreaterThan(0)
      console.info(
        `${ids}: ${simulator.packetsLost} of ${stats.packetsExpected} packets lost, resent ${simulator.packetsResent}: ` +
          `${((100 * simulator.packetsResent) / stats.packetsExpected).toFixed(2)} % of the stream, ` +
          `${(simulator.packetsResent / simulator.packetsLost).toFixed(3)} x the loss`,
      )
      expect(stats.packetsExpected).toBe(simulator.packetsPlanned)
      expect(stats.packetsResent).toBeGreaterThanOrEqual(simulator.packetsLost)
      expect(simulator.packetsResent).toBeLessThanOrEqual(0.02 * stats.packetsExpected)
      expect(simulator.packetsResent).toBeLessThanOrEqual(1.5 * simulator.packetsLost)
      expect(stats.resendRequested).toBeLessThanOrEqual(1.5 * simulator.packetsLost)
    })

    it(`${ids}, resend off: what was lost is missing, to the packet`, async () => {
      const { stats, simulator, ...result } = await run({
        simulator: { extendedIds, faults: LOSS },
        stream: { resend: false, frameTimeout: 500 },
        blocks: 1000,
      })
      expect(simulator.packetsLost).toBeGreaterThan(500)
      expect(stats).toMatchObject({
        packetsExpected: simulator.packetsPlanned,
        packetsReceived: simulator.packetsSent,
        packetsMissing: simulator.packetsLost,
        missingNotRequested: simulator.packetsLost,
        packetsResent: 0,
        resendRequests: 0,
        blocksExpected: 1000,
        blocksMissed: 0,
      })
      expect(stats.blocksIncomplete).toBe(result.events.incomplete)
      expect(result.ids).toHaveLength(1000 - stats.blocksIncomplete)
      expect(stats.blocksIncomplete).toBeGreaterThan(200)
    })

    it(`${ids}, incomplete frames delivered: their missing ranges are right, zero, and all that is wrong`, async () => {
      const result = await insideOk(
        host,
        async (gigewire, extended, tools) => {
          const images = new Map<bigint, Uint8Array>()
          const blocks = 100
          const simulator = { extendedIds: extended, width: 322, height: 123 }
          await tools.simulate(gigewire, {
            simulator,
            blocks,
            onFrame: (frame) => images.set(frame.blockId, frame.copy()),
          })
          const about: string[] = []
          const told = new Map<bigint, number>()
          let bytes = 0
          const lossy = await tools.simulate(gigewire, {
            simulator: { ...simulator, faults: { loss: 0.05, burstLoss: 0.001, loseTail: 0.1 } },
            stream: { incomplete: 'deliver', resend: false, frameTimeout: 500 },
            blocks,
            onStream: (stream) => {
              stream.on('incomplete', ({ blockId, missing }) => told.set(blockId, missing))
            },
            onFrame: (frame) => {
              if (frame.complete) return
              const wrong = tools.wrongAboutMissing(frame, images.get(frame.blockId) ?? new Uint8Array())
              if (wrong !== '') about.push(`block ${frame.blockId}: ${wrong}`)
              const missing = frame.packets.expected - frame.packets.received
              if (told.get(frame.blockId) !== missing)
                about.push(`block ${frame.blockId}: ${missing} packets`)
              for (const range of frame.missing) bytes += range.length
            },
          })
          const missing = [...told.values()].reduce((sum, packets) => sum + packets, 0)
          return { ...lossy, about, bytes, missing, images: images.size }
        },
        extendedIds,
      )
      expect(result.images).toBe(100)
      expect(result.about).toEqual([])
      expect(result.wrong).toEqual([])
      expect(result.sums).toEqual([])
      expect(result.incomplete.length).toBeGreaterThan(50)
      expect(result.missing).toBe(result.stats.packetsMissing)
      expect(result.stats.packetsMissing).toBe(result.simulator.packetsLost)
      expect(result.bytes).toBeGreaterThan(0)
      expect(result.stats.framesQueued).toBe(result.stats.blocksComplete + result.incomplete.length)
    })
  }

  it('a frame without its leader is not delivered: nobody knows what it shows', async () => {
    const { stats, ...result } = await run({
      simulator: { faults: { drop: [{ block: 3, packet: 0 }] } },
      stream: { incomplete: 'deliver', resend: false },
      blocks: 10,
    })
    expect(result.ids).toEqual(count(10).filter((id) => id !== 4))
    expect(stats).toMatchObject({ blocksIncomplete: 1, packetsMissing: 1, framesQueued: 9 })
  })

  it('whole blocks: asked for again, or counted as missed', async () => {
    // With this seed the first one is among them: nothing of the stream has arrived then.
    const simulator = { faults: { loseBlock: 0.05 }, seed: 26 }
    const resent = await run({ simulator, blocks: 200 })
    expect(resent.simulator.blocksLost).toBeGreaterThan(3)
    expect(resent.ids).toEqual(count(200))
    expect(resent.stats).toMatchObject({ blocksComplete: 200, blocksMissed: 0 })
    const lost = await run({ simulator, blocks: 200, stream: { resend: false } })
    expect(lost.ids).not.toContain(1)
    expect(lost.stats).toMatchObject({
      blocksMissed: lost.simulator.blocksLost,
      blocksComplete: lost.simulator.blocksSent,
      packetsMissing: lost.simulator.packetsLost,
    })
    expect(lost.events.missed).toBe(lost.stats.blocksMissed)
  })

  it('resend answers are lost as well: asked for again', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { loss: 0.1, onResend: true } },
      blocks: 200,
    })
    expect(simulator.resendLost).toBeGreaterThan(50)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ blocksComplete: 200, packetsMissing: 0 })
  })

  it('the camera is deaf to requests for a while: nothing is lost', async () => {
    const { deaf, ...result } = await insideOk(host, async (gigewire, _, tools) => {
      let deaf = 0
      const received = await tools.simulate(gigewire, {
        simulator: { faults: { loss: 0.01 } },
        stream: { buffers: 64 },
        blocks: 300,
        onFrame: (frame, _stream, _camera, simulator) => {
          if (frame.blockId % 50n !== 0n) return
          simulator.stallControl(50)
          deaf++
        },
      })
      return { ...received, deaf }
    })
    expect(deaf).toBe(6)
    expect(result.timeout).toBeUndefined()
    expect([result.wrong, result.sums]).toEqual([[], []])
    expect(result.ids).toEqual(count(300))
    expect(result.stats).toMatchObject({ packetsMissing: 0, blocksComplete: 300 })
    expect(result.stats.resendRequested).toBeLessThan(4 * result.simulator.packetsLost)
  })

  it('one request for packets in a row: both ends count the same', async () => {
    const drop = [
      { block: 3, packet: 5 },
      { block: 3, packet: 6 },
      { block: 3, packet: 30 },
      { block: 6, packet: 0 },
    ]
    const { stats, simulator, control, ...result } = await run({
      simulator: { faults: { drop } },
      blocks: 10,
    })
    expect(result.ids).toEqual(count(10))
    expect(stats).toMatchObject({ resendRequests: 3, resendRequested: 4, packetsResent: 4, packetsLost: 4 })
    expect(simulator).toMatchObject({ resendCmd: 3, resendPacketsRequested: 4, packetsResent: 4 })
    expect(control).toMatchObject({ resendsSent: 3, resendsFailed: 0 })
  })

  it('the camera cannot resend: nothing is asked', async () => {
    const { stats, simulator } = await run({
      simulator: { resend: false, faults: { loss: 0.02 } },
      blocks: 50,
    })
    expect(stats).toMatchObject({ resendRequests: 0, packetsMissing: simulator.packetsLost })
    expect(simulator.resendCmd).toBe(0)
  })
})

// Losses that no program of ours makes or counts.
describeWith(['netns', 'nft'], 'loss by nftables', () => {
  const BLOCKS = 300

  /** One in a hundred packets is lost where it reaches the host, and one in ten of those that come again. */
  async function lossy(resend: false | { timeout: number }) {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.2/24' })
    // Block id 0 is that of test packets: they belong to no block, so that none of them may count as one that was dropped.
    host.nft(`table netdev loss {
      counter dropped {}
      counter again {}
      chain ingress {
        type filter hook ingress device "v0" priority 0;
        udp sport 3956 accept
        ip protocol udp @th,80,16 0 accept
        ip protocol udp @th,64,16 0x0100 numgen random mod 10 < 1 counter name "again" drop
        ip protocol udp @th,64,16 != 0x0100 numgen random mod 100 < 1 counter name "dropped" drop
      }
    }`)
    // Else many packets are one to nftables.
    const shape = { width: 320, height: 240, frameRate: 200, gso: false }
    const simulator = await remoteSimulator(camera, { address: '10.99.0.2', ...shape })
    const result = await insideOk(
      host,
      (gigewire, { resend, blocks }, tools) =>
        tools.receive(gigewire, {
          camera: '10.99.0.2',
          features: { AcquisitionMode: 'MultiFrame', AcquisitionFrameCount: blocks },
          stream: { packetSize: 1500, buffers: 64, frameTimeout: 500, resend },
          blocks,
          check: 1,
          settle: tools.quietFor(300),
        }),
      { resend, blocks: BLOCKS },
    )
    expect(result.timeout).toBeUndefined()
    expect([result.wrong, result.sums]).toEqual([[], []])
    const sent = await simulator.stats()
    expect(sent.packetsSent).toBe(sent.packetsPlanned)
    expect(result.stats).toMatchObject({ packetsExpected: sent.packetsSent, kernelDrops: 0, blocksNoSlot: 0 })
    const dropped = host.counted('dropped')
    expect(dropped).toBeGreaterThan(50)
    return { ...result, sent, dropped, again: host.counted('again') }
  }

  it('with resend: every frame whole and right, and just as many packets came again as were dropped', async () => {
    const { stats, sent, dropped, again, ids } = await lossy({ timeout: 500 })
    expect(ids).toEqual(count(BLOCKS))
    expect(stats).toMatchObject({
      ...{ packetsLost: dropped, packetsResent: dropped, packetsMissing: 0 },
      ...{ blocksComplete: BLOCKS, blocksIncomplete: 0, blocksMissed: 0 },
    })
    expect(again).toBeGreaterThan(0)
    expect(sent.packetsResent).toBeGreaterThanOrEqual(dropped + again)
  })

  it('without: just as many packets are missing as were dropped', async () => {
    const { stats, sent, dropped, ids, events } = await lossy(false)
    expect(stats).toMatchObject({
      ...{ packetsLost: dropped, packetsMissing: dropped, missingNotRequested: dropped, packetsResent: 0 },
      ...{ packetsReceived: sent.packetsSent - dropped, blocksExpected: BLOCKS, blocksMissed: 0 },
    })
    expect(ids).toHaveLength(BLOCKS - stats.blocksIncomplete)
    expect(stats.blocksIncomplete).toBeGreaterThan(30)
    expect(events.incomplete).toBe(stats.blocksIncomplete)
  })

  it("the camera's own system refuses to send some: counted there, and missing here", async () => {
    using net = new Namespace()
    // the seventh packet of each block: a packet id is in the last 24 bits of a header
    net.nft(`table inet refuse { chain output { type filter hook output priority 0;
      udp sport != 3956 udp dport != 3956 udp length > 100 @th,104,24 7 drop
    }; }`)
    const { stats, simulator } = await run(
      { simulator: { gso: false }, stream: { resend: false }, blocks: 50 },
      net,
    )
    expect(simulator).toMatchObject({ sendErrors: 50, sendErrorsStream: 50, packetsLost: 0 })
    expect(stats).toMatchObject({ packetsMissing: 50, packetsLost: 50, blocksIncomplete: 50 })
  })

  it('requests that our own system refuses to send: counted, and given up', async () => {
    using net = new Namespace()
    net.nft(`table inet refuse {
      counter refused {}
      chain output { type filter hook output priority 0;
        udp dport 3956 @th,80,16 0x0040 counter name "refused" drop
      }
    }`)
    const { stats, simulator, control, ...result } = await insideOk(net, (gigewire, _, tools) =>
      tools.simulate(gigewire, { simulator: { faults: { loss: 0.01 } }, blocks: 50 }),
    )
    expect([result.timeout, result.wrong, result.sums]).toEqual([undefined, [], []])
    const refused = net.counted('refused')
    expect(refused).toBeGreaterThan(0)
    expect(control).toMatchObject({ resendsSent: 0, resendsFailed: refused })
    expect(stats).toMatchObject({ resendRequests: refused, packetsMissing: simulator.packetsLost })
    expect(stats.missingExhausted).toBeGreaterThan(0)
    expect(simulator.resendCmd).toBe(0)
  })
})

describeWith(['netns'], 'refusals to resend', () => {
  const faults = (resend: NonNullable<SimulatorFaults['resend']>): SimulatorFaults => ({ loss: 0.01, resend })

  it('unavailable: obeyed, once for each packet, and counted', async () => {
    const { stats, simulator } = await run({ simulator: { faults: faults('unavailable') }, blocks: 200 })
    expect(stats.packetsMissing).toBe(simulator.packetsLost)
    expect(stats.missingRefused).toBeGreaterThan(0)
    expect(stats.missingExhausted).toBe(
      stats.packetsMissing - stats.missingRefused - stats.missingNotRequested,
    )
    expect(stats.refused).toBe(simulator.resendRefused)
    expect(stats.packetsResent).toBe(0)
    // Without one packet the frame is lost: the others of it are not asked for again and again.
    expect(stats.resendRequested).toBeLessThanOrEqual(simulator.packetsLost)
    expect(stats.blocksIncomplete).toBeGreaterThan(0)
  })

  it('removed, and everything before: obeyed', async () => {
    const { stats, simulator } = await run({ simulator: { faults: faults('removed-previous') }, blocks: 200 })
    expect(stats.packetsMissing).toBe(simulator.packetsLost)
    expect(stats.missingRefused).toBeGreaterThan(0)
    expect(stats.resendRequested).toBeLessThanOrEqual(simulator.packetsLost)
  })

  it('not yet: asked again, and then it comes', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: faults('not-yet-first') },
      blocks: 200,
    })
    expect(result.ids).toEqual(count(200))
    expect(stats.refused).toBe(simulator.resendRefused)
    expect(stats.refused).toBeGreaterThan(0)
    expect(stats).toMatchObject({ packetsMissing: 0, blocksComplete: 200 })
  })

  it('silence: asked again so many times, then given up', async () => {
    const { stats, simulator } = await run({
      simulator: { faults: faults('silent') },
      stream: { resend: { maxTries: 3 } },
      blocks: 200,
    })
    expect(stats).toMatchObject({
      packetsMissing: simulator.packetsLost,
      missingRefused: 0,
      packetsResent: 0,
    })
    expect(stats.missingExhausted).toBeGreaterThan(0)
    expect(stats.resendRequested).toBeGreaterThan(simulator.packetsLost)
    expect(stats.resendRequested).toBeLessThanOrEqual(4 * simulator.packetsLost)
  })

  it('resent packets that do not say so: accepted', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: faults('plain-status') },
      blocks: 200,
    })
    expect(result.ids).toEqual(count(200))
    expect(stats.packetsResent).toBeGreaterThanOrEqual(simulator.packetsLost)
  })
})

describeWith(['netns'], 'other disorder', () => {
  it('reordered: every frame whole and right', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { reorder: 0.05 } },
      blocks: 200,
    })
    expect(simulator.reordered).toBeGreaterThan(100)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ packetsMissing: 0, malformed: 0, blocksComplete: 200 })
  })

  it('reordered without resend: what came too late is late and missing, nothing else', async () => {
    const { stats, simulator } = await run({
      simulator: { faults: { reorder: 0.05 } },
      stream: { resend: false },
      blocks: 200,
    })
    expect(simulator.reordered).toBeGreaterThan(100)
    expect(stats).toMatchObject({ packetsMissing: stats.late, malformed: 0, duplicate: 0 })
    expect(stats.blocksComplete).toBeGreaterThan(150)
  })

  it('delayed: every frame whole and right', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { delay: 0.02, delayUs: 5000 } },
      blocks: 200,
    })
    expect(simulator.delayed).toBeGreaterThan(100)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ packetsMissing: 0, malformed: 0 })
  })

  it('duplicated: taken once', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { duplicate: 0.1 } },
      stream: { resend: false },
      blocks: 200,
    })
    expect(result.ids).toEqual(count(200))
    expect(stats.duplicate).toBeGreaterThan(500)
    // A copy of a frame's last packet finds the frame closed.
    expect(stats.duplicate + stats.late).toBe(simulator.duplicates)
    expect(stats).toMatchObject({ packetsMissing: 0, packetsReceived: simulator.packetsSent })
  })

  it('cut short: malformed, and asked for again', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { truncate: 0.02 } },
      blocks: 200,
    })
    expect(simulator.truncated).toBeGreaterThan(100)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ malformed: simulator.truncated, packetsMissing: 0 })
    expect(stats.packetsResent).toBeGreaterThanOrEqual(simulator.truncated ?? 0)
  })

  it('cut short without resend: malformed and missing, and no frame says complete', async () => {
    const { stats, simulator } = await run({
      simulator: { faults: { truncate: 0.02 } },
      stream: { resend: false },
      blocks: 200,
    })
    expect(stats).toMatchObject({
      malformed: simulator.truncated,
      packetsMissing: simulator.truncated,
      packetsReceived: simulator.packetsSent - (simulator.truncated ?? 0),
    })
  })

  it('headers that make no sense: malformed, and asked for again', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { corruptHeader: 0.02 } },
      blocks: 200,
    })
    expect(simulator.corrupted).toBeGreaterThan(100)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ malformed: simulator.corrupted, packetsMissing: 0 })
  })

  for (const extendedIds of [false, true]) {
    it(`block ids far off (${extendedIds ? 'extended' : 'standard'}): malformed, and asked for again`, async () => {
      const { stats, simulator, ...result } = await run({
        simulator: { extendedIds, faults: { wrongId: 0.005 } },
        blocks: 200,
      })
      expect(simulator.wrongIds).toBeGreaterThan(20)
      expect(result.ids).toEqual(count(200))
      expect(stats).toMatchObject({ malformed: simulator.wrongIds, packetsMissing: 0, resyncs: 0 })
    })
  }

  it('packets that look right from another port of the camera: foreign, and never in a frame', async () => {
    const { stats, simulator, ...result } = await run({
      simulator: { faults: { foreign: 0.1 } },
      blocks: 200,
    })
    expect(simulator.foreign).toBeGreaterThan(500)
    expect(result.ids).toEqual(count(200))
    expect(stats).toMatchObject({ foreign: simulator.foreign, packetsMissing: 0, duplicate: 0 })
  })

  it('everything at once: no frame is wrong, and the sums hold', async () => {
    const { stats } = await run({
      simulator: {
        faults: {
          ...LOSS,
          reorder: 0.02,
          delay: 0.01,
          duplicate: 0.02,
          truncate: 0.01,
          corruptHeader: 0.01,
          wrongId: 0.002,
          foreign: 0.05,
          loseBlock: 0.01,
          onResend: true,
        },
        seed: 7,
      },
      blocks: 300,
    })
    expect(stats.blocksComplete).toBeGreaterThan(250)
  })
})
