// Takes the description out of a ZIP archive in memory. The central directory is read here, because local
// headers may leave the sizes to a data descriptor; the inflating is zlib's, which stops at a limit of ours
// whatever size the archive declares.

import { inflateRawSync } from 'node:zlib'
import { descriptionError } from './errors.js'

export const MAX_COMPRESSED = 4 * 1024 * 1024
export const MAX_INFLATED = 32 * 1024 * 1024
/** Inflated to compressed size, beyond the first 64 KiB; real descriptions have 10 to 20. */
export const MAX_RATIO = 250

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50
const LOCAL_HEADER = 0x04034b50
const SMALL = 64 * 1024

interface ZipEntry {
  name: string
  method: number
  compressedSize: number
  localHeader: number
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && view(bytes).getUint32(0, true) === LOCAL_HEADER
}

/** Contents of the description's entry. Throws ERR_GIGE_DESCRIPTION for damage and for excess. */
export function unzipDescription(bytes: Uint8Array): { name: string; data: Uint8Array } {
  if (bytes.length > MAX_COMPRESSED) {
    throw descriptionError(
      `The zipped description has ${bytes.length} bytes; ${MAX_COMPRESSED} is the limit.`,
    )
  }
  try {
    const entry = choose(readDirectory(bytes))
    return { name: entry.name, data: extract(bytes, entry) }
  } catch (error) {
    // Offsets that point outside the archive surface as a RangeError of DataView.
    if (error instanceof RangeError) throw damaged('an offset points outside of it')
    throw error
  }
}

/** First XML that is not an artefact of macOS, else the first file. */
function choose(entries: ZipEntry[]): ZipEntry {
  const files = entries.filter((entry) => !entry.name.endsWith('/'))
  const own = files.filter((entry) => !/(^|\/)__MACOSX\//.test(entry.name) && !/(^|\/)\._/.test(entry.name))
  const chosen = own.find((entry) => /\.xml$/i.test(entry.name)) ?? own[0] ?? files[0]
  if (!chosen) throw damaged('it holds no file')
  return chosen
}

function readDirectory(bytes: Uint8Array): ZipEntry[] {
  const data = view(bytes)
  const end = findEndOfDirectory(data)
  const count = data.getUint16(end + 10, true)
  const entries: ZipEntry[] = []
  let at = data.getUint32(end + 16, true)
  for (let index = 0; index < count; index++) {
    if (data.getUint32(at, true) !== DIRECTORY_ENTRY) throw damaged('its directory is broken')
    const nameLength = data.getUint16(at + 28, true)
    entries.push({
      name: new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength)),
      method: data.getUint16(at + 10, true),
      compressedSize: data.getUint32(at + 20, true),
      localHeader: data.getUint32(at + 42, true),
    })
    at += 46 + nameLength + data.getUint16(at + 30, true) + data.getUint16(at + 32, true)
  }
  return entries
}

/** Searched backwards: cameras round the length up, so padding may follow. */
function findEndOfDirectory(data: DataView): number {
  for (let at = data.byteLength - 22; at >= 0; at--) {
    if (data.getUint32(at, true) === END_OF_DIRECTORY) return at
  }
  throw damaged('its directory is missing, as if it were cut short')
}

function extract(bytes: Uint8Array, entry: ZipEntry): Uint8Array {
  const data = view(bytes)
  if (data.getUint32(entry.localHeader, true) !== LOCAL_HEADER) throw damaged('its directory is broken')
  const start =
    entry.localHeader +
    30 +
    data.getUint16(entry.localHeader + 26, true) +
    data.getUint16(entry.localHeader + 28, true)
  const packed = bytes.subarray(start, start + entry.compressedSize)
  if (packed.length !== entry.compressedSize) throw damaged('it is cut short')
  if (entry.method === 0) return packed
  if (entry.method !== 8) throw damaged(`it is compressed by method ${entry.method}, not by deflate`)
  return inflate(packed)
}

function inflate(packed: Uint8Array): Uint8Array {
  const limit = Math.min(MAX_INFLATED, SMALL + MAX_RATIO * packed.length)
  try {
    return inflateRawSync(packed, { maxOutputLength: limit })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw descriptionError(
        `The description inflates to more than ${limit} bytes, from ${packed.length}; that is no camera's.`,
      )
    }
    throw damaged(`inflating it failed (${message})`)
  }
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const damaged = (why: string) =>
  descriptionError(
    `The zipped description is damaged: ${why}.`,
    {},
    'Read it again; try the second URL (0x400).',
  )
