// Colour from Bayer mosaics, and PNG files that another decoder reads back.

import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import { debayer } from '../../lib/cli/debayer.js'
import { encodePng } from '../../lib/cli/png.js'
import type { Image } from '../../lib/cli/unpack.js'
import type { Frame } from '../../lib/types.js'

const COLOUR = { R: 200, G: 90, B: 30 }
const ROWS: Record<string, ['RG' | 'GR' | 'GB' | 'BG', 'RG' | 'GR' | 'GB' | 'BG']> = {
  RGGB: ['RG', 'GB'],
  GRBG: ['GR', 'BG'],
  GBRG: ['GB', 'RG'],
  BGGR: ['BG', 'GR'],
}

function mosaic(layout: string, width: number, height: number, scale = 1): Image {
  const samples = scale === 1 ? new Uint8Array(width * height) : new Uint16Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const letter = ROWS[layout]![(y & 1) as 0 | 1][x & 1] as 'R' | 'G' | 'B'
      samples[y * width + x] = COLOUR[letter] * scale
    }
  }
  return { width, height, layout: layout as Image['layout'], samples, depth: scale === 1 ? 8 : 16 }
}

describe('debayer', () => {
  it.each(Object.keys(ROWS))('gives a plain %s surface its colour everywhere, edges included', (layout) => {
    for (const [width, height] of [
      [2, 2],
      [6, 4],
      [7, 5],
    ] as const) {
      for (const scale of [1, 257]) {
        const { samples } = debayer(mosaic(layout, width, height, scale))
        expect(samples).toHaveLength(width * height * 3)
        for (let at = 0; at < samples.length; at += 3) {
          expect([...samples.slice(at, at + 3)]).toEqual([COLOUR.R, COLOUR.G, COLOUR.B].map((c) => c * scale))
        }
      }
    }
  })

  it('keeps every sample that was measured', () => {
    const image: Image = {
      ...mosaic('RGGB', 4, 4),
      samples: Uint8Array.from({ length: 16 }, (_, i) => i * 10),
    }
    const { samples } = debayer(image)
    const channel = [0, 1, 1, 2]
    for (let y = 0; y < 4; y++) {
      for (let x = 0; x < 4; x++) {
        const at = y * 4 + x
        expect(samples[at * 3 + channel[(y & 1) * 2 + (x & 1)]!]).toBe(at * 10)
      }
    }
  })

  it('leaves other images alone', () => {
    const grey: Image = { width: 1, height: 1, layout: 'grey', samples: Uint8Array.of(5), depth: 8 }
    expect(debayer(grey)).toBe(grey)
  })
})

function frame(pixelFormat: string, width: number, height: number, stride: number, bytes: number[]): Frame {
  return { pixelFormat, width, height, stride, data: Uint8Array.from(bytes), payloadType: 'image' } as Frame
}

describe('PNG', () => {
  it('keeps 8-bit grey byte for byte', () => {
    const png = decode(encodePng(frame('Mono8', 3, 2, 3, [0, 1, 2, 253, 254, 255])))
    expect(png).toMatchObject({ width: 3, height: 2, channels: 1, depth: 8 })
    expect([...png.data]).toEqual([0, 1, 2, 253, 254, 255])
  })

  it('stretches 12 bits to 16', () => {
    const png = decode(encodePng(frame('Mono12p', 2, 1, 3, [0xff, 0x1f, 0x00])))
    expect(png).toMatchObject({ channels: 1, depth: 16 })
    expect([...png.data]).toEqual([0xfff0, 0x0010])
  })

  it('puts red first', () => {
    expect([...decode(encodePng(frame('RGB8', 1, 1, 3, [9, 8, 7]))).data]).toEqual([9, 8, 7])
    expect([...decode(encodePng(frame('BGR8', 1, 1, 3, [7, 8, 9]))).data]).toEqual([9, 8, 7])
    expect([...decode(encodePng(frame('BGRa8', 1, 1, 4, [7, 8, 9, 6]))).data]).toEqual([9, 8, 7, 6])
  })

  it('shows Bayer in colour', () => {
    const png = decode(encodePng(frame('BayerRG8', 2, 2, 2, [200, 90, 90, 30])))
    expect(png.channels).toBe(3)
    expect([...png.data.slice(0, 3)]).toEqual([200, 90, 30])
  })

  it('refuses what is no picture, by name', () => {
    expect(() => encodePng(frame('YUV422_8', 2, 2, 4, []))).toThrow(/YUV422_8/)
    expect(() => encodePng({ ...frame('', 0, 0, 0, []), payloadType: 'file' })).toThrow(/'file'/)
  })
})
