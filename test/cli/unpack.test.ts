// Unpacking against models written the other way round: samples packed bit by bit, as the format's rule says.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Pixels, unpack } from '../../lib/cli/unpack.js'

/** `p`: bit n of the run is bit n % 8 of byte n / 8; a sample's low bit comes first. */
function packBits(samples: number[], bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((samples.length * bits) / 8))
  samples.forEach((sample, i) => {
    for (let b = 0; b < bits; b++) {
      const bit = i * bits + b
      if ((sample >> b) & 1) out[bit >> 3]! |= 1 << (bit & 7)
    }
  })
  return out
}

/** Packed: high 8 bits of the first, the low bits of both (first in the low nibble), high 8 bits of the second. */
function packPairs(samples: number[], bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(samples.length / 2) * 3)
  const low = bits - 8
  for (let i = 0; i < samples.length; i += 2) {
    const [a, b] = [samples[i]!, samples[i + 1] ?? 0]
    const at = (i / 2) * 3
    out[at] = a >> low
    out[at + 1] = (a & ((1 << low) - 1)) | ((b & ((1 << low) - 1)) << 4)
    out[at + 2] = b >> low
  }
  return out
}

function pixels(
  pixelFormat: string,
  width: number,
  height: number,
  stride: number,
  data: Uint8Array,
): Pixels {
  return { pixelFormat, width, height, stride, data }
}

const image = (bits: number) =>
  fc
    .record({ width: fc.integer({ min: 1, max: 17 }), height: fc.integer({ min: 1, max: 5 }) })
    .chain(({ width, height }) =>
      fc.record({
        width: fc.constant(width),
        height: fc.constant(height),
        samples: fc.array(fc.integer({ min: 0, max: 2 ** bits - 1 }), {
          minLength: width * height,
          maxLength: width * height,
        }),
      }),
    )

describe('unpacking', () => {
  it.each([10, 12, 14])('Mono%ip is one run of bits when lines have no padding', (bits) => {
    fc.assert(
      fc.property(image(bits), ({ width, height, samples }) => {
        const stride = (width * bits) % 8 === 0 ? (width * bits) / 8 : 0
        const got = unpack(pixels(`Mono${bits}p`, width, height, stride, packBits(samples, bits)))!
        expect(got.depth).toBe(16)
        expect([...got.samples]).toEqual(samples.map((sample) => sample << (16 - bits)))
      }),
    )
  })

  it.each([1, 2, 4])('Mono%ip fills 8 bits', (bits) => {
    fc.assert(
      fc.property(image(bits), ({ width, height, samples }) => {
        const stride = (width * bits) % 8 === 0 ? (width * bits) / 8 : 0
        const got = unpack(pixels(`Mono${bits}p`, width, height, stride, packBits(samples, bits)))!
        expect(got.depth).toBe(8)
        expect([...got.samples]).toEqual(samples.map((sample) => sample << (8 - bits)))
      }),
    )
  })

  it.each([10, 12])('Mono%iPacked holds two samples in three bytes', (bits) => {
    fc.assert(
      fc.property(image(bits), ({ width, height, samples }) => {
        const stride = width % 2 === 0 ? (width / 2) * 3 : 0
        const got = unpack(pixels(`Mono${bits}Packed`, width, height, stride, packPairs(samples, bits)))!
        expect([...got.samples]).toEqual(samples.map((sample) => sample << (16 - bits)))
      }),
    )
  })

  it('16-bit samples are little-endian', () => {
    const got = unpack(pixels('Mono16', 2, 1, 4, Uint8Array.of(0x34, 0x12, 0xcd, 0xab)))!
    expect([...got.samples]).toEqual([0x1234, 0xabcd])
  })

  it('skips what stands behind each line', () => {
    const data = Uint8Array.of(1, 2, 99, 3, 4, 99)
    expect([...unpack(pixels('Mono8', 2, 2, 3, data))!.samples]).toEqual([1, 2, 3, 4])
  })

  it('begins each padded line of a bit run on a byte', () => {
    const line = [...packBits([1, 1023, 512], 10), 0, 0]
    const got = unpack(pixels('Mono10p', 3, 2, line.length, Uint8Array.from([...line, ...line])))!
    expect([...got.samples].map((sample) => sample >> 6)).toEqual([1, 1023, 512, 1, 1023, 512])
  })

  it.each([
    ['RGB8', 'RGB', 3],
    ['BGR8', 'BGR', 3],
    ['RGBa8', 'RGBA', 4],
    ['BGRa8', 'BGRA', 4],
    ['BayerRG8', 'RGGB', 1],
    ['BayerGB12p', 'GBRG', 1],
  ])('knows the layout of %s', (format, layout, channels) => {
    const got = unpack(pixels(format, 2, 2, 0, new Uint8Array(32)))!
    expect(got.layout).toBe(layout)
    expect(got.samples).toHaveLength(4 * channels)
  })

  it('reads a truncated image as far as it goes', () => {
    expect([...unpack(pixels('Mono8', 3, 1, 3, Uint8Array.of(7)))!.samples]).toEqual([7, 0, 0])
  })

  it.each(['YUV422_8', 'Coord3D_ABC16', '0x81234567', '', 'RGB10V1Packed', 'Mono8s'])(
    'refuses %s',
    (format) => {
      expect(unpack(pixels(format, 2, 2, 2, new Uint8Array(64)))).toBeUndefined()
    },
  )
})
