// What a device made of a value that was written to it.

import { featureError } from './errors.js'
import type { FeatureValue } from './types.js'

/** Throws ERR_GIGE_FEATURE ('differs') where `value`, read from the device, is not what was asked for. */
export function assertTaken(feature: string, asked: FeatureValue, value: FeatureValue): void {
  if (isTaken(asked, value)) return
  throw featureError(
    feature,
    'differs',
    `${feature}: ${shown(asked)} was written, and the camera made it ${shown(value)}.`,
    'Cameras round to what they can do, and other features may bound the value.',
    { asked, value },
  )
}

/** Numbers are compared whatever their type, and to single precision: that is what most float registers hold. */
export function isTaken(asked: FeatureValue, value: FeatureValue): boolean {
  if (asked instanceof Uint8Array) {
    // A shorter value was written to the register's beginning.
    return value instanceof Uint8Array && asked.every((byte, index) => byte === value[index])
  }
  if (typeof asked === 'string' || typeof value === 'string' || value instanceof Uint8Array)
    return asked === value
  if (typeof asked === 'bigint' && typeof value === 'bigint') return asked === value
  // One that is a bigint is beyond 2^53: no register of single precision is in question.
  if (typeof asked === 'bigint' || typeof value === 'bigint') return Number(asked) === Number(value)
  const [a, b] = [Number(asked), Number(value)]
  return a === b || (!Number.isSafeInteger(a) && Math.fround(a) === Math.fround(b))
}

function shown(value: FeatureValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return typeof value === 'string' ? `"${value}"` : String(value)
}
