// How many frames a camera sends in a second. Purpose: one reading of the features that may tell.

import type { NodeMap } from './genapi/index.js'

/** What its settings come to, all things considered. */
const RESULTING = ['AcquisitionResultingFrameRate', 'ResultingFrameRate']
const ENABLE = 'AcquisitionFrameRateEnable'

/** Frames per second that it was asked for; undefined where it was asked for none, or does not tell. */
export async function wantedFrameRate(features: NodeMap): Promise<number | undefined> {
  if (features.has(ENABLE) && !(await features.get(ENABLE).catch(() => false))) return undefined
  return await read(features, 'AcquisitionFrameRate')
}

/** Frames per second to be expected; undefined where nobody knows. */
export async function expectedFrameRate(features: NodeMap): Promise<number | undefined> {
  for (const name of RESULTING) {
    const rate = await read(features, name)
    if (rate !== undefined) return rate
  }
  return await wantedFrameRate(features)
}

async function read(features: NodeMap, name: string): Promise<number | undefined> {
  if (!features.has(name)) return undefined
  const rate = Number(await features.get(name).catch(() => 0))
  return rate > 0 ? rate : undefined
}
