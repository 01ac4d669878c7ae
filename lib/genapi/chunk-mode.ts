// Switching a camera's chunk data on and off by its own features (genapi.md 5.2, 6.1).

import { featureError } from './errors.js'
import { Selectors } from './selections.js'
import type { NodeMap } from './types.js'

/**
 * Makes the camera attach chunks to its payloads: those whose names ChunkSelector has for them, or all that it offers. Returns the names
 * that are on. Payloads grow, so this comes before the stream. Throws ERR_GIGE_FEATURE where the camera has no chunks, or not these.
 */
export async function enableChunks(map: NodeMap, wanted?: readonly string[]): Promise<string[]> {
  if (!(await map.firstOf(['ChunkModeActive']))) {
    throw featureError('ChunkModeActive', 'not-implemented', 'This camera attaches no chunk data.')
  }
  await map.set('ChunkModeActive', true)
  const selector = await map.firstOf(['ChunkSelector'], 'Enumeration')
  if (!selector) return []
  const offered = (await selector.entries()).filter(({ available }) => available).map(({ name }) => name)
  const unknown = wanted?.find((name) => !offered.includes(name))
  if (unknown !== undefined) {
    throw featureError(
      'ChunkSelector',
      'no-such-entry',
      `This camera has no chunk ${unknown}.`,
      `It has: ${offered.join(', ')}.`,
      { entries: offered },
    )
  }
  const enabled: string[] = []
  const selectors = new Selectors(map)
  await selectors.restoring(async () => {
    for (const name of offered) {
      await selectors.set('ChunkSelector', name)
      const isWanted = wanted === undefined || wanted.includes(name)
      // Some chunks, the image above all, are always on.
      if ((await map.node('ChunkEnable').access()) === 'RW') await map.set('ChunkEnable', isWanted)
      if (await map.get('ChunkEnable')) enabled.push(name)
    }
  })
  return enabled
}

export async function disableChunks(map: NodeMap): Promise<void> {
  await map.set('ChunkModeActive', false)
}
