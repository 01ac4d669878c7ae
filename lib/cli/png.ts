// A frame as PNG: grey or colour, 8 or 16 bits a sample.

import { encode } from 'fast-png'
import { GigeError } from '../errors.js'
import type { Frame } from '../types.js'
import { debayer } from './debayer.js'
import { type Image, unpack } from './unpack.js'

/** PNG knows no BGR. Changes the image in place. */
function redFirst(image: Image): Image {
  if (image.layout !== 'BGR' && image.layout !== 'BGRA') return image
  const { samples } = image
  const channels = image.layout === 'BGR' ? 3 : 4
  for (let at = 0; at < samples.length; at += channels) {
    const blue = samples[at] as number
    samples[at] = samples[at + 2] as number
    samples[at + 2] = blue
  }
  return { ...image, layout: channels === 3 ? 'RGB' : 'RGBA' }
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT for frames that are no picture. */
export function encodePng(frame: Frame): Uint8Array {
  const unpacked = unpack(frame)
  if (!unpacked) {
    const what =
      frame.width > 0 && frame.pixelFormat
        ? `pixel format ${frame.pixelFormat}`
        : `payload '${frame.payloadType}'`
    throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', `A frame with ${what} cannot be written as PNG`, {
      hint: 'Write it as .raw, or choose another PixelFormat: Mono and Bayer of 8 to 16 bits, RGB, BGR and their kin can.',
    })
  }
  const image = redFirst(debayer(unpacked))
  const channels = image.layout === 'RGB' ? 3 : image.layout === 'RGBA' ? 4 : 1
  return encode({
    width: image.width,
    height: image.height,
    data: image.samples,
    depth: image.depth,
    channels,
  })
}
