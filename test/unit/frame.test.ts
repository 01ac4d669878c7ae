// What a frame says about itself, from slots written by hand.

import { describe, expect, it } from 'vitest'
import { LeasedFrame } from '../../lib/frame.js'
import { CONST, type SLOT } from '../../lib/layout.js'
import { native } from '../../lib/native.js'
import { Region } from '../../lib/region.js'
import { makeRegion } from './region-fixture.js'

type Fields = Partial<Record<keyof typeof SLOT, number | bigint>>

function frame(fields: Fields, { tickFrequency = 0n, arrived = [] as number[] } = {}): LeasedFrame {
  const fixture = makeRegion(2)
  fixture.push(1, fields)
  const map = new Uint8Array(fixture.memory, fixture.mapAt(1))
  for (const packet of arrived) map[packet >>> 3]! |= 1 << (packet & 7)
  const region = new Region(fixture.memory, 0)
  const lease = region.take()
  if (!lease) throw new Error('nothing to take')
  return new LeasedFrame(region, lease, {
    tickFrequency,
    chunkValues: () => Promise.resolve(new Map()),
    onRelease: () => {},
  })
}

const code = (name: string) => native.pixelFormat(name)?.code ?? 0

describe('a frame', () => {
  it('has the facts of its slot', () => {
    const it = frame(
      {
        blockId: 2n ** 40n,
        timestamp: 2n ** 60n,
        hostTimeNs: 5n,
        readyTimeNs: 6n,
        payloadBytes: 1200n,
        payloadType: 1,
        pixelFormat: code('Mono8'),
        width: 40,
        height: 30,
        offsetX: 3,
        offsetY: 4,
        paddingX: 0,
        paddingY: 2,
        packetsExpected: 14,
        packetsReceived: 14,
        packetsResent: 3,
        flags: CONST.frameComplete,
      },
      { tickFrequency: 8_000_000n },
    )
    expect(it).toMatchObject({
      blockId: 2n ** 40n,
      timestamp: 2n ** 60n,
      timestampNs: 2n ** 60n * 125n,
      hostTimeNs: 5n,
      readyTimeNs: 6n,
      width: 40,
      height: 30,
      offsetX: 3,
      offsetY: 4,
      paddingX: 0,
      paddingY: 2,
      stride: 40,
      pixelFormat: 'Mono8',
      pixelFormatCode: 0x01080001,
      bitsPerPixel: 8,
      payloadType: 'image',
      complete: true,
      missing: [],
      packets: { expected: 14, received: 14, resent: 3 },
    })
    expect(it.data.length).toBe(1200)
  })

  it('has no time in nanoseconds where the camera has no clock', () => {
    expect(frame({ timestamp: 1n }).timestampNs).toBeUndefined()
  })

  const strides: [string, number, number, number][] = [
    ['Mono8', 10, 0, 10],
    ['Mono8', 10, 2, 12],
    ['Mono16', 10, 0, 20],
    ['RGB8', 10, 0, 30],
    ['BayerRG8', 7, 1, 8],
    ['Mono12p', 10, 0, 15],
    ['Mono12p', 11, 0, 0], // lines do not begin at bytes
    ['Mono12p', 11, 1, 18],
    ['Mono10p', 4, 0, 5],
    ['Mono12Packed', 10, 0, 15],
    ['Mono12Packed', 11, 2, 20],
  ]
  for (const [name, width, paddingX, stride] of strides) {
    it(`of ${width} pixels ${name} and padding ${paddingX} has lines of ${stride} bytes`, () => {
      expect(frame({ pixelFormat: code(name), width, paddingX }).stride).toBe(stride)
    })
  }

  it('names what it does not know by number', () => {
    expect(frame({ pixelFormat: 0x81080fff }).pixelFormat).toBe('0x81080FFF')
    expect(frame({ pixelFormat: 0 }).pixelFormat).toBe('')
    const types: [number, string][] = [
      [1, 'image'],
      [0x4001, 'image+chunks'],
      [4, 'chunk'],
      [6, 'jpeg'],
      [10, 'multi-part'],
      [0x8001, '0x8001'],
      [0x3f, '0x003f'],
    ]
    for (const [type, name] of types) expect(frame({ payloadType: type }).payloadType).toBe(name)
  })

  it('tells which bytes are missing, in ranges, the last one cut at its end', () => {
    const fields: Fields = { payloadBytes: 950n, dataSize: 100, flags: 0 }
    const all = Array.from({ length: 12 }, (_, i) => i)
    const without = (...ids: number[]) => all.filter((id) => !ids.includes(id))
    expect(frame(fields, { arrived: without(3, 4, 7, 10) }).missing).toEqual([
      { offset: 200, length: 200 },
      { offset: 600, length: 100 },
      { offset: 900, length: 50 },
    ])
    expect(frame(fields, { arrived: without(0) }).missing).toEqual([]) // only the leader: no byte is missing
    expect(frame(fields, { arrived: [] }).missing).toEqual([{ offset: 0, length: 950 }])
    expect(frame({ ...fields, flags: CONST.frameExplicitOffsets }, { arrived: all }).missing).toEqual([
      { offset: 0, length: 950 },
    ])
    expect(frame({ ...fields, flags: CONST.frameComplete }, { arrived: [] }).missing).toEqual([])
  })

  it('never shows more than its slot holds', () => {
    expect(frame({ payloadBytes: 2n ** 63n }).data.length).toBe(4000)
  })
})
