// The camera's registers as lib/genapi sees them, and the way from a connected camera to its node map.

import type { CameraControl } from '../binding.js'
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

export function cameraPort(control: CameraControl): Port {
  const at = (address: number | bigint): number => {
    const value = Number(address)
    if (value < 0 || value > 0xffffffff) {
      throw new GigeError(
        'ERR_GIGE_DESCRIPTION',
        `The description names address ${address}, which GigE Vision does not have`,
      )
    }
    return value
  }
  return {
    read: async (address, length) => await control.readMemory(at(address), length),
    write: async (address, data) => await control.writeMemory(at(address), data),
    readRegister: async (address) => (await control.readRegisters([at(address)]))[0] as number,
    writeRegister: async (address, value) => await control.writeRegister(at(address), value),
  }
}

/** Downloads the description the camera points to. `File:` and `http:` are not followed: a camera does not choose what we open. */
export async function readNodeMap(control: CameraControl): Promise<NodeMap> {
  const refused: string[] = []
  for (const address of URL_ADDRESSES) {
    const bytes = await control.readMemory(address, URL_SIZE)
    const end = bytes.indexOf(0)
    const text = Buffer.from(bytes.subarray(0, end < 0 ? bytes.length : end)).toString('latin1')
    if (text.trim() === '') continue
    const url = parseDescriptionUrl(text)
    if (url?.kind !== 'local') {
      refused.push(text)
      continue
    }
    if (url.length === 0 || url.length > MAX_DESCRIPTION) {
      refused.push(`${text} (${url.length} bytes)`)
      continue
    }
    const file = await control.readMemory(Number(url.address), url.length)
    return createNodeMap(loadDescription(file).xml, cameraPort(control))
  }
  throw new GigeError(
    'ERR_GIGE_DESCRIPTION',
    `The camera offers no description that can be read from it: ${refused.join(', ') || 'both URLs are empty'}`,
    {
      hint: 'Descriptions that lie in a file or on a web server are not followed.',
      details: { urls: refused },
    },
  )
}
