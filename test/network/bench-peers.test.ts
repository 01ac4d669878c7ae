// The comparison programs of bench/peers take part in the harness: they are built, pointed at a camera or open it themselves, and
// count what arrives. The harness starts processes of the built package, so it is taken from there.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { Networks } from '../../dist/bench/network.js'
import { oneRun } from '../../dist/bench/one-run.js'
import type { Load, PeerReceiver } from '../../lib/bench/model.js'
import { describeWith } from '../helpers/requirements.js'

const LOAD: Load = {
  name: 'slow',
  place: 'cable',
  packetSize: 1500,
  width: 320,
  height: 240,
  pacing: 'unpaced',
  frameRate: 200,
}
/** Leader, trailer, and what 76,800 bytes of image make. */
const PACKETS = 2 + Math.ceil((320 * 240) / (1500 - 36))

describeWith(['netns', 'cc', 'aravis-0.8'], 'peers of the benchmarks', () => {
  let list: Record<string, PeerReceiver>
  let networks: Networks

  beforeAll(async () => {
    const built = await import('../../bench/peers/build.mjs')
    const made = built.peers()
    expect(made.missing).toEqual({})
    list = made.list
    networks = new Networks(undefined)
  }, 60_000)
  afterAll(() => networks?.[Symbol.dispose]())

  it.each(['discard', 'dgram', 'aravis-default'])('%s receives what is sent', async (name) => {
    const run = await oneRun(networks.at('cable'), LOAD, list[name]!, 0.3)
    expect(run.packets).toBeGreaterThan(10 * PACKETS)
    expect(run.cpuNs).toBeGreaterThan(0)
    expect(run.threadNs).toBeGreaterThan(0)
    if (name === 'discard') return // it looks into no packet
    // Packets and frames are counted by different threads, and read between any two packets: a few frames may be on their way.
    expect(Math.abs(run.packets - run.frames * PACKETS)).toBeLessThan(5 * PACKETS)
    expect(run.latency!.frames).toBeGreaterThan(run.frames - 5)
    expect(run.latency!.p50).toBeGreaterThan(0)
  })
})
