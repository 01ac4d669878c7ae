// Pixels of the wire as samples of 8 or 16 bits. PFNC names say how they lie: `…p` formats are a run of bits, least
// significant first; `…10Packed` and `…12Packed` are GigE Vision's older three bytes for two pixels; 16-bit samples are
// little-endian. Samples of 9 to 15 bits are shifted up to 16, so that a picture of them is not black.

import type { Frame } from '../types.js'

export type Samples = Uint8Array | Uint16Array
export type Layout = 'grey' | 'RGGB' | 'GRBG' | 'GBRG' | 'BGGR' | 'RGB' | 'BGR' | 'RGBA' | 'BGRA'

export interface Image {
  width: number
  height: number
  layout: Layout
  /** Interleaved, without padding. */
  samples: Samples
  /** 8 or 16. */
  depth: 8 | 16
}

/** What unpacking needs of a frame. */
export type Pixels = Pick<Frame, 'data' | 'width' | 'height' | 'stride' | 'pixelFormat'>

const BAYER: Record<string, Layout> = { RG: 'RGGB', GR: 'GRBG', GB: 'GBRG', BG: 'BGGR' }
const COLOUR: Record<string, Layout> = { RGB: 'RGB', BGR: 'BGR', RGBa: 'RGBA', BGRa: 'BGRA' }

type Packing = 'plain' | 'bits' | 'pairs'

interface Format {
  layout: Layout
  channels: number
  bits: number
  packing: Packing
}

function parseFormat(name: string): Format | undefined {
  const match = /^(Mono|Bayer(?:RG|GR|GB|BG)|RGBa?|BGRa?)(\d+)(p|Packed)?$/.exec(name)
  if (!match) return undefined
  const [, family = '', digits, suffix] = match
  const bits = Number(digits)
  const layout = family.startsWith('Bayer') ? BAYER[family.slice(5)] : (COLOUR[family] ?? 'grey')
  const channels = layout === 'RGB' || layout === 'BGR' ? 3 : layout === 'RGBA' || layout === 'BGRA' ? 4 : 1
  if (!layout || bits < 1 || bits > 16) return undefined
  if (suffix === 'Packed') {
    // RGB8Packed and its kin are old names of plain formats.
    if (bits === 8) return { layout, channels, bits, packing: 'plain' }
    return channels === 1 && (bits === 10 || bits === 12)
      ? { layout, channels, bits, packing: 'pairs' }
      : undefined
  }
  return { layout, channels, bits, packing: suffix === 'p' ? 'bits' : 'plain' }
}

/** The frame's image, or undefined where its format is none that can be shown. */
export function unpack(pixels: Pixels): Image | undefined {
  const format = parseFormat(pixels.pixelFormat)
  if (!format || pixels.width === 0 || pixels.height === 0) return undefined
  const { width, height } = pixels
  const perLine = width * format.channels
  const depth = format.bits > 8 ? 16 : 8
  const samples = depth === 16 ? new Uint16Array(perLine * height) : new Uint8Array(perLine * height)
  const read = reader(pixels.data, format)
  const shift = depth - format.bits
  // Without a stride lines follow each other without regard to bytes: one long line.
  const lines = pixels.stride > 0 ? height : 1
  const lineSamples = pixels.stride > 0 ? perLine : perLine * height
  for (let line = 0; line < lines; line++) {
    const from = line * pixels.stride
    const to = line * lineSamples
    for (let i = 0; i < lineSamples; i++) samples[to + i] = read(from, i) << shift
  }
  return { width, height, layout: format.layout, samples, depth }
}

/** Gives sample `i` of the line that begins at byte `from`; what is not there reads as 0. */
function reader(data: Uint8Array, { bits, packing }: Format): (from: number, i: number) => number {
  const byte = (at: number): number => data[at] ?? 0
  if (packing === 'pairs') {
    const low = bits - 8
    const mask = (1 << low) - 1
    return (from, i) => {
      const at = from + (i >> 1) * 3
      const second = i & 1
      return (byte(at + 2 * second) << low) | ((byte(at + 1) >> (4 * second)) & mask)
    }
  }
  if (packing === 'plain') {
    return bits > 8
      ? (from, i) => byte(from + 2 * i) | (byte(from + 2 * i + 1) << 8)
      : (from, i) => byte(from + i)
  }
  const mask = (1 << bits) - 1
  return (from, i) => {
    const bit = i * bits
    const at = from + Math.floor(bit / 8)
    return (((byte(at + 2) << 16) | (byte(at + 1) << 8) | byte(at)) >> (bit & 7)) & mask
  }
}
