// The camera's registers as lib/genapi sees them, and the way from a connected camera to its node map.

import type { CameraControl } from '../binding.js'
import type { CameraLife } from './camera-life.js'
import { GigeError } from './errors.js'
import {
  createNodeMap,
  loadDescription,
  type NodeMap,
  type Port,
  parseDescriptionUrl,
} from './genapi/index.js'

const URL_ADDRESSES = [0x0200, 0x0400]
const URL_SIZE = 512
const MAX_DESCRIPTION = 16 << 20

const DEVICE_MODE = 0x0004
const BIG_ENDIAN = 0x80000000

/** `isBigEndian`: the camera keeps numbers most significant byte first, as nearly all do. */
export function cameraPort(control: CameraControl, life: CameraLife, isBigEndian = false): Port {
  // Some descriptions (Basler's, of file access) name addresses with a second word above the 32 bits that GVCP has; the camera means
  // the lower one.
  const at = (address: number | bigint): number =>
    address <= 0xffff_ffff ? Number(address) : Number(BigInt.asUintN(32, BigInt(address)))
  return {
    assertUsable: () => life.assertUsable(),
    read: (address, length) => life.call(() => control.readMemory(at(address), length)),
    write: (address, data) => life.call(() => control.writeMemory(at(address), data)),
    readRegister: async (address) =>
      (await life.call(() => control.readRegisters([at(address)])))[0] as number,
    writeRegister: (address, value) => life.call(() => control.writeRegister(at(address), value)),
    readRegisters: (addresses) => life.call(() => control.readRegisters(addresses.map(at))),
    registersAreBytes: isBigEndian,
  }
}

/** By the camera's own word; false where it gives none. */
async function isBigEndian(control: CameraControl): Promise<boolean> {
  try {
    const [mode = 0] = await control.readRegisters([DEVICE_MODE])
    return (mode & BIG_ENDIAN) !== 0
  } catch (error) {
    if (isGone(error)) throw error
    return false
  }
}

/**
 * Downloads the description that the camera points to: that of its second URL where the first leads to nothing of use. `File:` and
 * `http:` are not followed: a camera does not choose what we open.
 */
export async function readNodeMap(control: CameraControl, life: CameraLife): Promise<NodeMap> {
  const refused: string[] = []
  const broken: { url: string; error: unknown }[] = []
  for (const address of URL_ADDRESSES) {
    let url = ''
    try {
      url = await readUrl(control, address)
      const place = url.trim() === '' ? undefined : localPlace(url)
      if (place) return await readFrom(control, life, place)
      if (url.trim() !== '') refused.push(url)
    } catch (error) {
      if (isGone(error)) throw error
      broken.push({ url, error })
    }
  }
  const [first] = broken
  if (first && refused.length === 0) throw first.error
  const urls = [...refused, ...broken.map(({ url }) => url).filter((url) => url !== '')]
  throw new GigeError(
    'ERR_GIGE_DESCRIPTION',
    `The camera offers no description that can be read from it: ${urls.join(', ') || 'both URLs are empty'}`,
    {
      hint: 'Descriptions that lie in a file or on a web server are not followed.',
      details: { urls },
      ...(first && { cause: first.error }),
    },
  )
}

async function readUrl(control: CameraControl, address: number): Promise<string> {
  const bytes = await control.readMemory(address, URL_SIZE)
  const end = bytes.indexOf(0)
  return Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('latin1')
}

interface Place {
  address: number
  length: number
}

/** Undefined: not in the camera. */
function localPlace(text: string): Place | undefined {
  const url = parseDescriptionUrl(text)
  if (url?.kind !== 'local') return undefined
  if (url.length <= MAX_DESCRIPTION) return url
  throw new GigeError(
    'ERR_GIGE_DESCRIPTION',
    `The description has ${url.length} bytes by its URL; ${MAX_DESCRIPTION} is the limit`,
  )
}

async function readFrom(
  control: CameraControl,
  life: CameraLife,
  { address, length }: Place,
): Promise<NodeMap> {
  const file = await control.readMemory(address, length)
  const port = cameraPort(control, life, await isBigEndian(control))
  const map = createNodeMap(loadDescription(file).xml, port)
  await map.settleEndianness()
  return map
}

/** Nobody is left to be asked for the second one. */
function isGone(error: unknown): boolean {
  return error instanceof GigeError && ['ERR_GIGE_CLOSED', 'ERR_GIGE_CONTROL_LOST'].includes(error.code)
}
