// Values as text, in the form that the description asks for (genapi.md 2.5, 2.8).

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

function print(value: number, { notation, precision }: FloatFormat): string {
  const digits = Math.min(100, Math.max(0, Math.trunc(precision) || 0))
  if (notation === 'Fixed') return value.toFixed(digits)
  if (notation === 'Scientific') return value.toExponential(digits)
  return value
    .toPrecision(Math.max(1, digits))
    .replace(/(\.\d*?)0+(?=e|$)/, '$1')
    .replace(/\.(?=e|$)/, '')
}

/** Weight of the last digit that `print` shows. */
function lastDigit(value: number, { notation, precision }: FloatFormat): number {
  if (notation === 'Fixed') return 10 ** -precision
  const exponent = value === 0 ? 0 : Math.floor(Math.log10(Math.abs(value)))
  return 10 ** (exponent - (notation === 'Scientific' ? precision : precision - 1))
}
