// How many frames a camera means to send. Purpose: one order of the features that may tell.

import type { NodeMap } from './genapi/index.js'

/** What it can keep up is worth more than what it was asked for. */
const FRAME_RATES = ['AcquisitionResultingFrameRate', 'ResultingFrameRate', 'AcquisitionFrameRate']

/** Frames per second; undefined where the camera does not tell. */
export async function readFrameRate(features: NodeMap): Promise<number | undefined> {
  for (const name of FRAME_RATES) {
    if (!features.has(name)) continue
    const rate = Number(await features.get(name).catch(() => 0))
    if (rate > 0) return rate
  }
  return undefined
}
