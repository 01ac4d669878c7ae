// The two number systems of formulas (genapi.md 4.6): int64 with wrap-around for IntSwissKnife and IntConverter,
// double for SwissKnife and Converter. Bit operations of doubles go through int64, as JavaScript's own are 32 bits.

import { roundHalfAway } from '../literals.js'
import type { BinaryOperator, FunctionName, UnaryOperator } from './program.js'

/** A formula met values it has no result for: a division by zero, say. Turned into a feature error above. */
export class FormulaValueError extends Error {}

export interface Arithmetic<T> {
  literal(text: string): T
  ofBoolean(value: boolean): T
  isTrue(value: T): boolean
  readonly unary: Record<UnaryOperator, (a: T) => T>
  readonly binary: Record<BinaryOperator, (a: T, b: T) => T>
  readonly functions: Partial<Record<FunctionName, (...args: T[]) => T>>
  readonly constants: { PI: T; E: T }
}

const wrap = (value: bigint): bigint => BigInt.asIntN(64, value)
const bit = (value: boolean): bigint => (value ? 1n : 0n)

function divisor(value: bigint): bigint {
  if (value === 0n) throw new FormulaValueError('division by zero')
  return value
}

function integerPower(base: bigint, exponent: bigint): bigint {
  if (exponent < 0n) {
    if (base === 1n) return 1n
    if (base === -1n) return exponent % 2n === 0n ? 1n : -1n
    return 1n / divisor(base) // 0: truncated
  }
  let result = 1n
  let square = base
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = wrap(result * square)
    square = wrap(square * square)
  }
  return result
}

/** Number to int64 by truncation. Throws FormulaValueError for NaN and infinities. */
export function toInt64(value: number): bigint {
  if (!Number.isFinite(value)) throw new FormulaValueError(`${value} has no integer value`)
  return wrap(BigInt(Math.trunc(value)))
}

export const integerArithmetic: Arithmetic<bigint> = {
  literal: (text) => (/^(\d+|0[xX].*)$/.test(text) ? wrap(BigInt(text)) : toInt64(Number(text))),
  ofBoolean: bit,
  isTrue: (value) => value !== 0n,
  unary: { '-': (a) => wrap(-a), '+': (a) => a, '~': (a) => ~a },
  binary: {
    '**': integerPower,
    '*': (a, b) => wrap(a * b),
    '/': (a, b) => wrap(a / divisor(b)),
    '%': (a, b) => a % divisor(b),
    '+': (a, b) => wrap(a + b),
    '-': (a, b) => wrap(a - b),
    // Counts beyond the width behave as 64-bit machines do: modulo 64.
    '<<': (a, b) => wrap(a << (b & 63n)),
    '>>': (a, b) => a >> (b & 63n),
    '<': (a, b) => bit(a < b),
    '>': (a, b) => bit(a > b),
    '<=': (a, b) => bit(a <= b),
    '>=': (a, b) => bit(a >= b),
    '=': (a, b) => bit(a === b),
    '<>': (a, b) => bit(a !== b),
    '&': (a, b) => a & b,
    '^': (a, b) => a ^ b,
    '|': (a, b) => a | b,
  },
  functions: {
    SGN: (a) => (a > 0n ? 1n : a < 0n ? -1n : 0n),
    NEG: (a) => wrap(-a),
    ABS: (a) => wrap(a < 0n ? -a : a),
  },
  constants: { PI: 3n, E: 2n },
}

type IntegerOperator = '<<' | '>>' | '&' | '^' | '|'

const viaInt64 =
  (operator: IntegerOperator) =>
  (a: number, b: number): number =>
    Number(integerArithmetic.binary[operator](toInt64(a), toInt64(b)))

function floatDivisor(value: number): number {
  if (value === 0) throw new FormulaValueError('division by zero')
  return value
}

/** ROUND(x, digits): halves away from zero; negative digits round before the point. */
function roundTo(value: number, digits: number): number {
  const places = Math.trunc(digits)
  if (!(Math.abs(places) <= 300)) return places > 0 ? value : 0
  if (places >= 0) {
    const scaled = value * 10 ** places
    return Number.isFinite(scaled) ? roundHalfAway(scaled) / 10 ** places : value
  }
  return roundHalfAway(value / 10 ** -places) * 10 ** -places
}

export const floatArithmetic: Arithmetic<number> = {
  // Hexadecimal is a bit pattern: it wraps as in integer formulas, so that masks keep their meaning.
  literal: (text) => (/^0[xX]/.test(text) ? Number(wrap(BigInt(text))) : Number(text)),
  ofBoolean: Number,
  isTrue: (value) => value !== 0,
  unary: { '-': (a) => -a, '+': (a) => a, '~': (a) => Number(~toInt64(a)) },
  binary: {
    '**': (a, b) => a ** b,
    '*': (a, b) => a * b,
    '/': (a, b) => a / floatDivisor(b),
    '%': (a, b) => a % floatDivisor(b),
    '+': (a, b) => a + b,
    '-': (a, b) => a - b,
    '<<': viaInt64('<<'),
    '>>': viaInt64('>>'),
    '<': (a, b) => Number(a < b),
    '>': (a, b) => Number(a > b),
    '<=': (a, b) => Number(a <= b),
    '>=': (a, b) => Number(a >= b),
    '=': (a, b) => Number(a === b),
    '<>': (a, b) => Number(a !== b),
    '&': viaInt64('&'),
    '^': viaInt64('^'),
    '|': viaInt64('|'),
  },
  functions: {
    SGN: Math.sign,
    NEG: (a) => -a,
    ABS: Math.abs,
    TRUNC: Math.trunc,
    FLOOR: Math.floor,
    CEIL: Math.ceil,
    FRAC: (a) => a - Math.trunc(a),
    ROUND: (a, digits = 0) => roundTo(a, digits),
    SQRT: Math.sqrt,
    EXP: Math.exp,
    LN: Math.log,
    LG: Math.log10,
    SIN: Math.sin,
    COS: Math.cos,
    TAN: Math.tan,
    ASIN: Math.asin,
    ACOS: Math.acos,
    ATAN: Math.atan,
  },
  constants: { PI: Math.PI, E: Math.E },
}
