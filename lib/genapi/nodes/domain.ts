// The two worlds of numbers that nodes live in, so that value sources, formulas and converters are written once.

import { type Arithmetic, floatArithmetic, integerArithmetic } from '../formula/arithmetic.js'
import { INT64_MAX, INT64_MIN, parseFloatLiteral, parseInteger, roundHalfAway } from '../literals.js'
import type { Session } from '../session.js'
import type { GenApiNode } from './node.js'

/** What a value may be now. `valid` replaces the increment where it is given. */
export interface Limits<T> {
  min: T
  max: T
  inc?: T
  valid?: T[]
}

export interface Domain<T> {
  readonly arithmetic: Arithmetic<T>
  readonly widest: { min: T; max: T }
  parse(text: string): T | undefined
  /** The node's own value. */
  read(node: GenApiNode, s: Session): T
  /** The node's value as seen through pValue, which differs for enumerations. */
  readPointed(node: GenApiNode, s: Session): T
  write(node: GenApiNode, s: Session, value: T): void
  limits(node: GenApiNode, s: Session): Limits<T>
  ofInteger(value: bigint): T
  negate(value: T): T
}

export const integers: Domain<bigint> = {
  arithmetic: integerArithmetic,
  widest: { min: INT64_MIN, max: INT64_MAX },
  parse: parseInteger,
  read: (node, s) => node.readInteger(s),
  readPointed: (node, s) => node.readPointedInteger(s),
  write: (node, s, value) => node.writeInteger(s, value),
  limits: (node, s) => node.integerLimits(s),
  ofInteger: (value) => value,
  negate: (value) => -value,
}

export const floats: Domain<number> = {
  arithmetic: floatArithmetic,
  widest: { min: -Number.MAX_VALUE, max: Number.MAX_VALUE },
  parse: parseFloatLiteral,
  read: (node, s) => node.readFloat(s),
  readPointed: (node, s) => node.readFloat(s),
  write: (node, s, value) => node.writeFloat(s, value),
  limits: (node, s) => node.floatLimits(s),
  ofInteger: Number,
  negate: (value) => -value,
}

/** int64 limits as doubles; the ends of int64 mean "no limit" and become the ends of double. */
export function toFloatLimits(limits: Limits<bigint>): Limits<number> {
  return {
    min: limits.min === INT64_MIN ? floats.widest.min : Number(limits.min),
    max: limits.max === INT64_MAX ? floats.widest.max : Number(limits.max),
    ...(limits.inc === undefined ? {} : { inc: Number(limits.inc) }),
    ...(limits.valid ? { valid: limits.valid.map(Number) } : {}),
  }
}

/** Integers within float limits: bounds move inwards, the increment is rounded. */
export function toIntegerLimits(limits: Limits<number>): Limits<bigint> {
  const step = roundHalfAway(limits.inc ?? 1)
  return {
    min: clampToInt64(Math.ceil(limits.min)),
    max: clampToInt64(Math.floor(limits.max)),
    inc: step >= 1 ? clampToInt64(step) : 1n, // and where it is no number
  }
}

/** The lowest where it is no number. */
export function clampToInt64(value: number): bigint {
  if (Number.isNaN(value) || value <= Number(INT64_MIN)) return INT64_MIN
  return value >= Number(INT64_MAX) ? INT64_MAX : BigInt(value)
}
