// Why a feature cannot be read or written now, told with its access and, where another node decides, that node's name.

import type { GigeError } from '../errors.js'
import type { AccessMode } from './access.js'
import { descriptionError, featureError } from './errors.js'
import type { InterfaceType } from './types.js'

const REFUSALS = {
  NI: ['not-implemented', 'this camera does not have it', 'Check with has() and access() before use.'],
  NA: [
    'not-available',
    "the camera's present settings exclude it",
    'Other features decide whether it is available.',
  ],
  WO: ['write-only', 'it can only be written', 'Its value cannot be known.'],
  RO: [
    'read-only',
    'it can only be read now',
    'The description gives no condition under which it is writable.',
  ],
} as const

const LISTENING = 'The camera was opened to listen only; open it with control.'

export interface Refusal {
  name: string
  type: InterfaceType
  access: AccessMode
  verb: 'read' | 'written'
  /** Node that decides, where one does. */
  by: string | undefined
  /** The whole camera can only be read. */
  isListening: boolean
}

export function refused({ name, type, access, verb, by, isListening }: Refusal): GigeError {
  if (access === 'RW') throw descriptionError(`${name} refused without a reason.`)
  const [reason, why, general] = REFUSALS[access]
  const isStructure = type === 'Category' || type === 'Port' || type === 'Node'
  let hint: string = by === undefined ? general : decidedBy(by)
  if (isListening) hint = LISTENING
  if (isStructure) hint = 'It has no value to set.'
  const message = `${name} (${type}) cannot be ${verb}: ${why} (access ${access}).`
  return featureError(name, reason, message, hint, { access, ...(by === undefined ? {} : { by }) })
}

const decidedBy = (by: string): string =>
  by === 'TLParamsLocked'
    ? 'It is locked while a stream runs (TLParamsLocked): close the stream first.'
    : `${by} decides about it now.`
