// The chunks at the end of a payload (genapi.md 6.1): data, then an id and a length, one chunk behind the other. Only the last one's
// place is known, so the walk goes backwards from the end of what was received.

/** Id and length, behind the data. */
const TRAILER = 8

export interface ParsedChunks {
  /** Data by id, views on the payload. Of two chunks with one id the last in the payload counts. */
  chunks: Map<number, Uint8Array>
  /** Bytes in front of the first chunk: a whole number of chunks leaves none. */
  rest: number
  /** Why the walk ended before the beginning; undefined: it did not. What was found until then stands. */
  problem: string | undefined
}

/** Never reads outside of `payload`, whatever the lengths in it say. Chunks without data are legal. */
export function parseChunks(payload: Uint8Array): ParsedChunks {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength)
  const chunks = new Map<number, Uint8Array>()
  let end = payload.length
  while (end >= TRAILER) {
    const id = view.getUint32(end - TRAILER)
    const length = view.getUint32(end - TRAILER + 4)
    const start = end - TRAILER - length
    if (start < 0) {
      const problem = `chunk 0x${id.toString(16)} claims ${length} bytes, where ${end - TRAILER} are left`
      return { chunks, rest: end, problem }
    }
    if (!chunks.has(id)) chunks.set(id, payload.subarray(start, start + length))
    end = start
  }
  const problem = end > 0 ? `${end} bytes are too few for a chunk` : undefined
  return { chunks, rest: end, problem }
}
