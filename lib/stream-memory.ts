// How much memory a stream needs, and getting it. The camera says how large its blocks are; what it says is not believed blindly,
// since all of it is touched before the first frame.

import { GigeError } from './errors.js'
import type { NodeMap } from './genapi/index.js'
import { native } from './native.js'
import type { StreamWarning } from './types.js'

const MEBI = 1 << 20
/** Of the memory that this process may still have. */
const LARGEST_SHARE = 0.5
/** That much is asked of the system in any case: what it calls available is an estimate. */
const ALWAYS_TRIED = 64 * MEBI

/** Bytes of one block at most. */
export async function payloadBytes(
  features: NodeMap,
  warn: (warning: StreamWarning) => void,
): Promise<number> {
  const read = async (name: string): Promise<number> => {
    if (!features.has(name)) return 0
    return Number(await features.node(name).getInteger({ ignoreCache: true }))
  }
  const payload = await read('PayloadSize')
  if (payload > 0) return payload
  const [width, height, format] = [await read('Width'), await read('Height'), await read('PixelFormat')]
  const bits = format > 0 ? (native.pixelFormat(format)?.bitsPerPixel ?? 0) : 0
  const bytes = Math.ceil((width * height * (bits || 16)) / 8)
  if (bytes === 0) {
    throw new GigeError('ERR_GIGE_DESCRIPTION', 'The camera tells neither PayloadSize nor Width and Height', {
      hint: 'Its description may be incomplete; set Width, Height and PixelFormat first.',
    })
  }
  warn({
    code: 'payload-size',
    message: `The camera tells no PayloadSize; ${bytes} bytes were computed from its image format`,
    hint: 'Blocks larger than that are dropped as malformed.',
  })
  return bytes
}

/**
 * Memory for `slots` blocks. Error: ERR_GIGE_INVALID_ARGUMENT where that is more than half of what is available, in bytes, or
 * more than the system gives.
 */
export function allocateStream(
  slots: number,
  slotBytes: number,
  packetSize: number,
  available = process.availableMemory(),
): SharedArrayBuffer {
  const { totalSize, page } = native.streamLayout(slots, slotBytes, packetSize)
  const needed = totalSize + page
  const mebi = (bytes: number) => `${Math.ceil(bytes / MEBI)} MiB`
  const refuse = (than: string, cause?: unknown) => {
    throw new GigeError(
      'ERR_GIGE_INVALID_ARGUMENT',
      `${slots} buffers for blocks of ${slotBytes} bytes (PayloadSize) need ${mebi(needed)}, more than ${than}`,
      {
        hint: "Ask for fewer `buffers`, or make the camera's image smaller (Width, Height, PixelFormat). A PayloadSize that does not fit its image is a fault of the camera.",
        ...(cause !== undefined && { cause }),
        details: { buffers: slots, payloadSize: slotBytes, needed, available },
      },
    )
  }
  if (needed > Math.max(available * LARGEST_SHARE, ALWAYS_TRIED))
    return refuse(`half of the ${mebi(available)} that are available`)
  try {
    return new SharedArrayBuffer(needed)
  } catch (cause) {
    return refuse('the system gives', cause)
  }
}
