// From the bytes that lie in the camera to the text of the description: unzip, decode.

import { createHash } from 'node:crypto'
import { endianness } from 'node:os'
import { descriptionError } from './errors.js'
import { isZip, MAX_INFLATED, unzipDescription } from './zip.js'

export interface LoadedDescription {
  xml: string
  /** Name inside the archive; undefined for a plain description. */
  entry?: string
  encoding: 'utf-8' | 'utf-16' | 'windows-1252'
  /** SHA-256 of the text's bytes. The one identity to key caches by: vendors reuse VersionGuid. */
  hash: string
}

/**
 * Unzips where the bytes are an archive (by signature: names lie) and decodes. Bytes that claim UTF-8 and are
 * not are read as windows-1252, which is what such files contain (genapi.md 1.5). Text ends at the first NUL.
 * Throws ERR_GIGE_DESCRIPTION for a damaged archive, for excess and for emptiness.
 */
export function loadDescription(bytes: Uint8Array): LoadedDescription {
  const zipped = isZip(bytes) ? unzipDescription(bytes) : undefined
  const data = zipped ? zipped.data : bytes
  if (data.length > MAX_INFLATED) {
    throw descriptionError(`The description has ${data.length} bytes; ${MAX_INFLATED} is the limit.`)
  }
  const { xml, encoding } = decode(data)
  if (xml.trim() === '') {
    throw descriptionError('The description is empty.', {}, 'Read it again; try the second URL (0x400).')
  }
  const hash = createHash('sha256').update(data).digest('hex')
  return { xml, encoding, hash, ...(zipped ? { entry: zipped.name } : {}) }
}

function decode(data: Uint8Array): { xml: string; encoding: LoadedDescription['encoding'] } {
  if ((data[0] === 0xff && data[1] === 0xfe) || (data[0] === 0xfe && data[1] === 0xff)) {
    return { xml: cutAtNul(decodeUtf16(data)), encoding: 'utf-16' }
  }
  const nul = data.indexOf(0)
  const text = nul < 0 ? data : data.subarray(0, nul)
  try {
    return { xml: new TextDecoder('utf-8', { fatal: true }).decode(text), encoding: 'utf-8' }
  } catch {
    return { xml: decodeWindows1252(text), encoding: 'windows-1252' }
  }
}

// 0x80 to 0x9f; the five bytes that the code page leaves out stand for themselves.
const WINDOWS_1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178'

/** By hand: TextDecoder('windows-1252') of several Node versions decodes these bytes as Latin-1. */
function decodeWindows1252(data: Uint8Array): string {
  const units = new Uint16Array(data.length)
  data.forEach((byte, at) => {
    units[at] = byte >= 0x80 && byte <= 0x9f ? WINDOWS_1252.charCodeAt(byte - 0x80) : byte
  })
  return new TextDecoder(endianness() === 'LE' ? 'utf-16le' : 'utf-16be').decode(units)
}

function decodeUtf16(data: Uint8Array): string {
  return new TextDecoder(data[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(data)
}

function cutAtNul(text: string): string {
  const nul = text.indexOf('\0')
  return nul < 0 ? text : text.slice(0, nul)
}
