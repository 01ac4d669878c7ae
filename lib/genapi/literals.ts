// Numbers and keywords as descriptions write them (genapi.md 2.1): padded, hexadecimal or decimal, never
// octal. Each parser returns undefined for what it cannot read; the caller knows whose fault that is.

import type { AccessMode } from './access.js'

export const INT64_MIN = -(2n ** 63n)
export const INT64_MAX = 2n ** 63n - 1n

/** int64 from `-?digits` or `0x` digits; hexadecimal above 2^63-1 wraps to negative, decimal is refused. */
export function parseInteger(text: string): bigint | undefined {
  const trimmed = text.trim()
  if (trimmed.length > 80) return undefined // BigInt would take seconds over megabytes of digits
  if (/^0[xX][0-9a-fA-F]+$/.test(trimmed)) return BigInt.asIntN(64, BigInt(trimmed))
  if (!/^[+-]?\d+$/.test(trimmed)) return undefined
  const value = BigInt(trimmed.replace('+', ''))
  return value < INT64_MIN || value > INT64_MAX ? undefined : value
}

/** XML float: decimal, exponent, INF, -INF, NaN; hexadecimal integers are let through. */
export function parseFloatLiteral(text: string): number | undefined {
  const trimmed = text.trim()
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(trimmed)) return Number(trimmed)
  if (trimmed === 'NaN') return Number.NaN
  const infinite = /^([+-]?)INF$/i.exec(trimmed)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const integer = parseInteger(trimmed)
  return integer === undefined ? undefined : Number(integer)
}

export function parseBoolean(text: string): boolean | undefined {
  switch (text.trim().toLowerCase()) {
    case 'true':
    case '1':
      return true
    case 'false':
    case '0':
      return false
    default:
      return undefined
  }
}

/** ChunkID and EventID: hexadecimal without prefix, any number of digits; compared as numbers. */
export function parseHexId(text: string): number | undefined {
  const digits = /^(?:0[xX])?([0-9a-fA-F]{1,8})$/.exec(text.trim())
  return digits ? Number.parseInt(digits[1]!, 16) : undefined
}

const ACCESS_SPELLINGS: Record<string, AccessMode> = {
  RO: 'RO',
  R: 'RO',
  WO: 'WO',
  W: 'WO',
  NA: 'NA',
  NI: 'NI',
}

export const isAccessMode = (text: string): boolean =>
  Object.hasOwn(ACCESS_SPELLINGS, text.trim().toUpperCase()) || /^(RW|WR)$/i.test(text.trim())

/** RO, WO, RW and the spellings R, W, WR of real files; anything else counts as RW. */
export function parseAccessMode(text: string): AccessMode {
  return ACCESS_SPELLINGS[text.trim().toUpperCase()] ?? 'RW'
}

/** Public form of an int64: number while exact, bigint beyond 2^53. */
export function toPublicInteger(value: bigint): number | bigint {
  const asNumber = Number(value)
  return Number.isSafeInteger(asNumber) ? asNumber : value
}

/** Nearest integer, halves away from zero (genapi.md 4.3); Math.round would send -5.5 to -5. Adding a half would round large numbers first. */
export function roundHalfAway(value: number): number {
  const whole = Math.trunc(value)
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole
}
