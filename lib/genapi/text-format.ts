// Values as text, in the form that the description asks for (genapi.md 2.5, 2.8).

import { parseBoolean, parseInteger } from './literals.js'

/** Integer by Representation; decimal where that says nothing special. */
export function formatInteger(value: bigint, representation: string): string {
  switch (representation) {
    case 'Boolean':
      return value === 0n ? 'false' : 'true'
    case 'HexNumber':
      return `0x${BigInt.asUintN(64, value).toString(16)}`
    case 'IPV4Address':
      return bytesOf(value, 4).join('.')
    case 'MACAddress':
      return bytesOf(value, 6)
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join(':')
    default:
      return value.toString()
  }
}

/** Counterpart of `formatInteger`: its own forms, and decimal and hexadecimal numbers always. Undefined: neither. */
export function parseIntegerText(text: string, representation: string): bigint | undefined {
  const trimmed = text.trim()
  if (representation === 'Boolean') {
    const flag = parseBoolean(trimmed)
    if (flag !== undefined) return flag ? 1n : 0n
  }
  if (representation === 'IPV4Address') {
    const bytes = trimmed.split('.').map((part) => (/^\d{1,3}$/.test(part) ? Number(part) : 256))
    if (bytes.length === 4 && bytes.every((byte) => byte < 256)) return fromBytes(bytes)
  }
  if (representation === 'MACAddress' && /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i.test(trimmed)) {
    return fromBytes(trimmed.split(/[:-]/).map((part) => Number.parseInt(part, 16)))
  }
  return parseInteger(trimmed)
}

const fromBytes = (bytes: number[]): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n)

/** Most significant byte first. */
function bytesOf(value: bigint, count: number): number[] {
  return Array.from({ length: count }, (_, index) =>
    Number((value >> BigInt(8 * (count - 1 - index))) & 0xffn),
  )
}

export interface FloatFormat {
  /** Automatic, Fixed, Scientific; anything else counts as Automatic. */
  notation: string
  /** Significant digits (Automatic) or digits after the point. */
  precision: number
  min: number
  max: number
}

/** Float by notation. What is printed lies within the limits, even where rounding would leave them. */
export function formatFloat(value: number, format: FloatFormat): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? 'INF' : '-INF'
  const text = print(value, format)
  const shown = Number(text)
  const inside = value >= format.min && value <= format.max
  if (!inside || (shown >= format.min && shown <= format.max)) return text
  return print(shown - Math.sign(shown - value) * lastDigit(value, format), format)
}

const digitsOf = ({ precision }: FloatFormat): number =>
  Math.min(100, Math.max(0, Math.trunc(precision) || 0))

function print(value: number, format: FloatFormat): string {
  const digits = digitsOf(format)
  const { notation } = format
  if (notation === 'Fixed') return value.toFixed(digits)
  if (notation === 'Scientific') return value.toExponential(digits)
  return value
    .toPrecision(Math.max(1, digits))
    .replace(/(\.\d*?)0+(?=e|$)/, '$1')
    .replace(/\.(?=e|$)/, '')
}

/** Weight of the last digit that `print` shows. */
function lastDigit(value: number, format: FloatFormat): number {
  const precision = digitsOf(format)
  const { notation } = format
  if (notation === 'Fixed') return 10 ** -precision
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  return 10 ** (exponent - (notation === 'Scientific' ? precision : precision - 1))
}
