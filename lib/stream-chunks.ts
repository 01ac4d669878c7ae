// Chunk data of a stream: switched on before it and off behind it, and the values of a frame, by the camera's own definitions.

import { GigeError } from './errors.js'
import { disableChunks, enableChunks, type FeatureOutcome, type NodeMap } from './genapi/index.js'

/** By feature name, such as ChunkExposureTime; what could not be read has an `error` instead of a `value`. */
export type ChunkValues = ReadonlyMap<string, FeatureOutcome>

/** The camera attaches these chunks, or all that it has, until what is returned is called; left as it is where it did already. */
export async function switchChunksOn(
  features: NodeMap,
  wanted: true | readonly string[],
): Promise<() => Promise<void>> {
  const before = features.has('ChunkModeActive') && (await features.get('ChunkModeActive')) === true
  const undo = before ? async () => {} : () => disableChunks(features)
  try {
    await enableChunks(features, wanted === true ? undefined : wanted)
    return undo
  } catch (error) {
    await undo().catch(() => {}) // the first cause counts
    throw error
  }
}

/** Where frames are taken without the camera they come from. */
export function noChunkValues(): Promise<ChunkValues> {
  return Promise.reject(
    new GigeError(
      'ERR_GIGE_FEATURE',
      "Chunk values need the camera's description, which only the thread that opened it has",
      {
        hint: "Take the chunks apart by parseChunks(frame.data) of 'gigewire/genapi', or give createNodeMap() there the description.",
      },
    ),
  )
}
