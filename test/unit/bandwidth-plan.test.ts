// The bandwidth plan as a property: whatever cameras there are, what it allows them fits the link, by an account of the wire that is
// kept here packet by packet.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CameraBandwidthFacts, planBandwidth } from '../../lib/bandwidth-plan.js'

const size = fc.record({
  min: fc.constant(220),
  max: fc.integer({ min: 576, max: 16_000 }),
  increment: fc.constantFrom(1, 4, 8),
})
const camera = fc.record(
  {
    name: fc.string(),
    payloadSize: fc.integer({ min: 1, max: 50_000_000 }),
    packetSize: size,
    frameRate: fc.double({ min: 0.1, max: 2000, noNaN: true }),
    extendedIds: fc.boolean(),
    linkSpeed: fc.constantFrom(1e8, 1e9, 1e10),
    packetDelay: fc.record({ tickFrequency: fc.constantFrom(1e6, 66_666_667, 125e6, 1e9) }),
  },
  { requiredKeys: ['name', 'payloadSize', 'packetSize', 'packetDelay'] },
)
const options = fc.record({
  linkSpeed: fc.constantFrom(1e8, 1e9, 2.5e9, 1e10),
  headroom: fc.double({ min: 0, max: 0.9, noNaN: true }),
  mtu: fc.constantFrom(1500, 9000),
})

/** Bytes of every packet of a frame on the wire: preamble 8, header 14, checksum 4, gap 12; no frame is shorter than 64 + 20. */
function packetsOnTheWire({ payloadSize, extendedIds = false }: CameraBandwidthFacts, packetSize: number) {
  const headers = 20 + 8 + (extendedIds ? 20 : 8)
  const wire = (ip: number) => Math.max(ip + 38, 84)
  const packets = [wire(headers + 36)]
  for (let left = payloadSize; left > 0; left -= packetSize - headers)
    packets.push(wire(Math.min(left, packetSize - headers) + headers))
  packets.push(wire(headers + 8))
  return packets
}

describe('bandwidth plan', () => {
  it('never lets all cameras together send more than the link carries', () => {
    fc.assert(
      fc.property(fc.array(camera, { minLength: 1, maxLength: 16 }), options, (cameras, given) => {
        const plan = planBandwidth(cameras as CameraBandwidthFacts[], given)
        const capacity = (given.linkSpeed / 8) * (1 - given.headroom)
        let sum = 0
        for (const [i, share] of plan.cameras.entries()) {
          const facts = cameras[i] as CameraBandwidthFacts
          const { tickFrequency } = facts.packetDelay!
          expect(share.packetSize).toBeLessThanOrEqual(Math.min(given.mtu, facts.packetSize.max))
          expect((share.packetSize - 220) % facts.packetSize.increment!).toBe(0)
          expect(Number.isInteger(share.packetDelay)).toBe(true)
          expect(share.packetDelay).toBeGreaterThanOrEqual(0)
          // The camera's own clock: each packet takes its time on the camera's link, then the delay.
          const own = facts.linkSpeed === undefined ? 0 : 8 / facts.linkSpeed
          const wire = Math.max(share.packetSize + 38, 84)
          sum += wire / (wire * own + share.packetDelay! / tickFrequency)
        }
        // Only where a register's range ends it may be more; then the plan says so.
        if (plan.cameras.every((share) => share.packetDelay! < 0xffff_ffff))
          expect(sum).toBeLessThanOrEqual(capacity * (1 + 1e-9))
        if (plan.feasible) expect(sum).toBeLessThanOrEqual(capacity * (1 + 1e-9))
      }),
    )
  })

  it('says feasible exactly where every camera can send its frames in time', () => {
    fc.assert(
      fc.property(fc.array(camera, { minLength: 1, maxLength: 8 }), options, (cameras, given) => {
        const plan = planBandwidth(cameras as CameraBandwidthFacts[], given)
        for (const [i, share] of plan.cameras.entries()) {
          const facts = cameras[i] as CameraBandwidthFacts
          const own = facts.linkSpeed === undefined ? 0 : 8 / facts.linkSpeed
          const delay = share.packetDelay! / facts.packetDelay!.tickFrequency
          if (facts.payloadSize < 1e6) {
            const seconds = packetsOnTheWire(facts, share.packetSize).reduce(
              (time, wire) => time + wire * own + delay,
              0,
            )
            expect(1 / seconds).toBeGreaterThanOrEqual(share.frameRate * (1 - 1e-9))
          }
          if (share.problem === undefined && facts.frameRate !== undefined)
            expect(share.frameRate).toBeGreaterThanOrEqual(facts.frameRate * 0.999)
        }
        if (plan.feasible)
          expect(plan.cameras.map(({ problem }) => problem)).not.toContainEqual(expect.anything())
      }),
    )
  })

  it('divides a gigabit among four equal cameras', () => {
    const facts = (name: string): CameraBandwidthFacts => ({
      name,
      payloadSize: 1936 * 1216,
      frameRate: 10,
      packetSize: { min: 220, max: 9000, increment: 4 },
      linkSpeed: 1e9,
      packetDelay: { tickFrequency: 1e9 },
    })
    const plan = planBandwidth(['a', 'b', 'c', 'd'].map(facts), { mtu: 1500 })
    expect(plan.feasible).toBe(true)
    // 1538 bytes take 12.304 us at 1 Gbit/s; a quarter of nine tenths of that is one packet in 54.684 us.
    expect(plan.cameras.map(({ packetDelay }) => packetDelay)).toEqual([42_381, 42_381, 42_381, 42_381])
    expect(plan.cameras[0]!.frameRate).toBeCloseTo(11.35, 2)
    const tooFast = planBandwidth(
      ['a', 'b', 'c', 'd'].map((name) => ({ ...facts(name), frameRate: 15 })),
      { mtu: 1500 },
    )
    expect(tooFast.feasible).toBe(false)
    expect(tooFast.cameras[0]!.problem).toBe('11.35 frames per second fit instead of 15')
  })

  it('uses a throughput limit where there is no delay, and says where there is neither', () => {
    const facts = { payloadSize: 1e6, packetSize: { max: 1500 }, frameRate: 5 }
    const plan = planBandwidth(
      [
        { ...facts, name: 'limit', throughputLimit: { min: 1000, increment: 1000 } },
        { ...facts, name: 'neither' },
        { ...facts, name: 'too coarse', throughputLimit: { min: 100e6 } },
      ],
      { linkSpeed: 1e9 },
    )
    const [limit, neither, coarse] = plan.cameras
    // A third of nine tenths of 125 MB/s, in data bytes.
    expect(limit).toMatchObject({ throughputLimit: Math.floor((37.5e6 * 1464) / 1538 / 1000) * 1000 })
    expect(limit!.problem).toBeUndefined()
    expect(neither!.problem).toBe('it has neither an inter-packet delay nor a throughput limit')
    expect(coarse!.problem).toBe('its range of settings does not reach so low a rate')
    expect(plan.feasible).toBe(false)
  })

  it('refuses facts that make no sense', () => {
    const facts = { name: 'x', payloadSize: 1000, packetSize: { max: 1500 } }
    for (const wrong of [{ payloadSize: 0 }, { frameRate: -1 }, { packetSize: { max: 30 } }]) {
      expect(() => planBandwidth([{ ...facts, ...wrong }])).toThrow(
        expect.objectContaining({ code: 'ERR_GIGE_INVALID_ARGUMENT' }),
      )
    }
    expect(() => planBandwidth([facts], { headroom: 1 })).toThrow('headroom')
    expect(planBandwidth([])).toMatchObject({ feasible: true, used: 0 })
  })
})
