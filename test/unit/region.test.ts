// Shared memory is read as something that another consumer may have filled with nonsense: every outcome is a value inside of the
// memory or a GigeError; nothing else is thrown, nothing is read elsewhere, nothing takes for ever.

import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GigeError } from '../../lib/errors.js'
import { LeasedFrame } from '../../lib/frame.js'
import { FrameQueue } from '../../lib/frame-queue.js'
import { CONST, EVENT, HEADER, SLOT, STATS } from '../../lib/layout.js'
import { Region } from '../../lib/region.js'
import { makeRegion } from './region-fixture.js'

const regionEntry = fileURLToPath(new URL('../../dist/region.js', import.meta.url))

const owner = {
  tickFrequency: 1_000_000_000n,
  chunkValues: () => Promise.resolve(new Map()),
  onRelease: () => {},
}

describe('a region', () => {
  it('hands out each ready frame once, oldest first, and knows whose lease is over', () => {
    const fixture = makeRegion(4)
    const region = new Region(fixture.memory, 0)
    expect(region.take()).toBeUndefined()
    fixture.push(2, { blockId: 7n })
    fixture.push(0, { blockId: 8n })
    const [first, second] = [region.take(), region.take()]
    expect([first?.slot, second?.slot, region.take(), region.framesTaken]).toEqual([2, 0, undefined, 2])
    if (!first || !second) throw new Error('no lease')
    expect([region.holds(first), region.release(first), region.release(first), region.holds(first)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    fixture.push(2, { blockId: 9n })
    const again = region.take()
    expect(again?.slot).toBe(2)
    expect([region.release(first), again && region.holds(again)]).toEqual([false, true]) // a stale lease does nothing
  })

  it('writes who holds a slot', () => {
    const fixture = makeRegion(2)
    const region = new Region(fixture.memory, 0)
    region.holder = 7
    fixture.push(1)
    region.take()
    expect(region.slotU32(1, SLOT.holder)).toBe(7)
  })

  it('loses no slot to a worker that is terminated while it takes frames', async () => {
    const slots = 4096
    const unknown: string[] = []
    for (let round = 0; round < 40; round++) {
      const fixture = makeRegion(slots)
      for (let slot = 0; slot < slots; slot++) fixture.push(slot)
      const words = new Int32Array(fixture.memory)
      const worker = new Worker(new URL('./region-consumer.mjs', import.meta.url), {
        workerData: { entry: regionEntry, memory: fixture.memory, holder: 7 },
      })
      const goal = 10 + 20 * round
      while (Atomics.load(words, HEADER.framesTaken / 4) < goal) await new Promise(setImmediate)
      await worker.terminate()
      // Each slot is free, nobody's and in the ring, or known to be that worker's, whose end gives it back. The one that it took
      // last may still be in the ring: the next reader passes over it.
      let unclaimed = 0
      let claimed = 0
      for (let slot = 0; slot < slots; slot++) {
        const state = (words[fixture.slotAt(slot) / 4] as number) & CONST.stateMask
        if (state === CONST.slotFree) continue
        const holder = words[(fixture.slotAt(slot) + SLOT.holder) / 4] as number
        if (holder === 7) claimed++
        else if (holder < 0 && state === CONST.slotReady) unclaimed++
        else unknown.push(`round ${round}: slot ${slot} in state ${state} of ${holder}`)
      }
      const region = new Region(fixture.memory, 0)
      let left = 0
      while (region.take()) left++
      if (left !== unclaimed || claimed > 1) unknown.push(`round ${round}: ${left}, ${unclaimed}, ${claimed}`)
    }
    expect(unknown).toEqual([])
  })

  it('goes on where 32-bit counts wrap', () => {
    const fixture = makeRegion(4)
    fixture.u32(HEADER.ringHead, 0xffffffff)
    fixture.u32(HEADER.ringTail, 0xfffffffe)
    for (const slot of [0, 1, 2]) {
      fixture.u32(fixture.ringAt + 4 * ((2 + slot) % 4), slot)
      fixture.u32(fixture.slotAt(slot) + SLOT.holder, CONST.unclaimed)
    }
    const region = new Region(fixture.memory, 0)
    expect(region.take()).toBeDefined()
    expect(region.ready).toBe(false)
    fixture.u32(HEADER.ringHead, 1)
    expect([region.take() !== undefined, region.take() !== undefined, region.take()]).toEqual([
      true,
      true,
      undefined,
    ])
  })

  it('is refused where the memory is none', () => {
    const { memory } = makeRegion()
    const make =
      (what: unknown, offset: unknown = 0) =>
      () =>
        new Region(what as SharedArrayBuffer, offset as number)
    for (const attempt of [
      make(undefined),
      make(new ArrayBuffer(memory.byteLength)),
      make(new SharedArrayBuffer(0)),
      make(new SharedArrayBuffer(HEADER.size)),
      make(new SharedArrayBuffer(100_000)),
      ...[-8, 4, 1.5, Number.NaN, memory.byteLength, memory.byteLength + 8, 2 ** 60, '0', undefined].map(
        (offset) => make(memory, offset ?? null),
      ),
    ]) {
      expect(attempt).toThrow(GigeError)
    }
    expect(make(memory)).not.toThrow()
  })

  it('does not wait for ever for counters that never come to rest', () => {
    const fixture = makeRegion()
    fixture.u32(fixture.statsAt + STATS.sequence, 1)
    const region = new Region(fixture.memory, 0)
    expect(() => region.counters()).toThrow(GigeError)
  })

  it('survives any header, slot, ring and event', () => {
    const whole = makeRegion(4)
    const limit = whole.memory.byteLength
    const near = (value: number) => fc.integer({ min: Math.max(0, value - 9), max: value + 9 })
    const word = fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          0,
          1,
          2,
          3,
          4,
          7,
          8,
          63,
          64,
          255,
          256,
          4095,
          4096,
          0x7fffffff,
          0x80000000,
          0xffffffff,
        ),
      },
      { weight: 2, arbitrary: near(limit) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffffffff }) },
    )
    const slots = whole.slotAt(0)
    const place = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: 0, max: HEADER.size / 4 - 1 }).map((i) => i * 4) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: SLOT.size - 1 }).map((i) => slots + i * 4) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }).map((i) => whole.ringAt + i * 4) },
      {
        weight: 1,
        arbitrary: fc.integer({ min: 0, max: (EVENT.size * 4) / 4 - 1 }).map((i) => whole.eventAt(0) + i * 4),
      },
    )
    const accepted = { regions: 0, frames: 0, refused: 0 }
    fc.assert(
      fc.property(fc.array(fc.tuple(place, word), { maxLength: 6 }), fc.boolean(), (writes, late) => {
        const fixture = makeRegion(4)
        fixture.push(0, { payloadBytes: 4000n, dataSize: 100, flags: 0, width: 10, height: 10 })
        fixture.push(1, { payloadBytes: 4000n, flags: CONST.frameComplete })
        const guarded = <T>(work: () => T): T | undefined => {
          try {
            return work()
          } catch (error) {
            if (!(error instanceof GigeError)) throw error
            accepted.refused++
            return undefined
          }
        }
        const spoil = () => {
          for (const [at, value] of writes) if (at !== fixture.statsAt) fixture.u32(at, value)
        }
        // Before the first look at it, or after it was found right.
        if (!late) spoil()
        const region = guarded(() => new Region(fixture.memory, 0))
        if (late) spoil()
        if (!region) return
        accepted.regions++
        guarded(() => region.counters())
        guarded(() => [...region.drainEvents()])
        for (let i = 0; i < 6; i++) {
          const lease = guarded(() => region.take())
          if (!lease) break
          const frame = guarded(() => new LeasedFrame(region, lease, owner))
          if (!frame) continue
          accepted.frames++
          const data = guarded(() => frame.data)
          if (data) {
            expect(data.byteOffset + data.byteLength).toBeLessThanOrEqual(fixture.memory.byteLength)
            expect(data.byteOffset).toBeGreaterThanOrEqual(HEADER.size)
          }
          for (const { offset, length } of guarded(() => frame.missing) ?? []) {
            expect(offset + length).toBeLessThanOrEqual(region.slotCapacity)
          }
          void [frame.stride, frame.pixelFormat, frame.payloadType, frame.bitsPerPixel, frame.timestampNs]
          frame.release()
        }
        guarded(() => new FrameQueue(region, 0n, { ref: () => {}, onLeak: () => {} }).releaseReady())
      }),
      { numRuns: 3000 },
    )
    // Not vacuous: all kinds of outcomes came about.
    expect(accepted.regions).toBeGreaterThan(300)
    expect(accepted.frames).toBeGreaterThan(300)
    expect(accepted.refused).toBeGreaterThan(100)
  })
})
