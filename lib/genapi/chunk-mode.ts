// Switching a camera's chunk data on and off by its own features (genapi.md 5.2, 6.1).

import { featureError } from './errors.js'
import { switchSelected } from './selected-switches.js'
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
  return await switchSelected(map, { selector: 'ChunkSelector', what: 'chunk', wanted }, async (isWanted) => {
    // Some chunks, the image above all, are always on.
    if ((await map.node('ChunkEnable').access()) === 'RW') await map.set('ChunkEnable', isWanted)
    return (await map.get('ChunkEnable')) === true
  })
}

export async function disableChunks(map: NodeMap): Promise<void> {
  await map.set('ChunkModeActive', false)
}
