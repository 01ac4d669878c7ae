// Colour from a Bayer mosaic, bilinear: each missing colour is the mean of its nearest neighbours. For looking at a picture,
// not for measuring in it.

import type { Image, Samples } from './unpack.js'

/** Where the red sample lies in each square of four. */
const RED_AT: Record<string, readonly [x: number, y: number]> = {
  RGGB: [0, 0],
  GRBG: [1, 0],
  GBRG: [0, 1],
  BGGR: [1, 1],
}

/** A Bayer image as RGB; any other as it is. */
export function debayer(image: Image): Image {
  const red = RED_AT[image.layout]
  if (!red) return image
  const { width, height, samples } = image
  const out: Samples =
    image.depth === 16 ? new Uint16Array(width * height * 3) : new Uint8Array(width * height * 3)
  // At the edges the neighbour on the other side stands in: it has the same colour.
  const mirror = (value: number, size: number) => {
    const inside = value < 0 ? -value : value >= size ? 2 * size - 2 - value : value
    return Math.min(Math.max(inside, 0), size - 1)
  }
  for (let y = 0; y < height; y++) {
    const row = y * width
    const up = mirror(y - 1, height) * width
    const down = mirror(y + 1, height) * width
    const redRow = (y & 1) === red[1]
    for (let x = 0; x < width; x++) {
      const left = mirror(x - 1, width)
      const right = mirror(x + 1, width)
      const here = samples[row + x] as number
      const sides = ((samples[row + left] as number) + (samples[row + right] as number)) >> 1
      const ends = ((samples[up + x] as number) + (samples[down + x] as number)) >> 1
      const redColumn = (x & 1) === red[0]
      const at = (row + x) * 3
      if (redRow === redColumn) {
        // A red or a blue sample: green beside and above it, the other colour at its corners.
        const corners =
          ((samples[up + left] as number) +
            (samples[up + right] as number) +
            (samples[down + left] as number) +
            (samples[down + right] as number)) >>
          2
        out[at] = redRow ? here : corners
        out[at + 1] = (sides + ends) >> 1
        out[at + 2] = redRow ? corners : here
      } else {
        out[at] = redRow ? sides : ends
        out[at + 1] = here
        out[at + 2] = redRow ? ends : sides
      }
    }
  }
  return { ...image, layout: 'RGB', samples: out }
}
