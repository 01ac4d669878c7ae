// The integer inside a register: a run of bits with a sign rule. A whole register is the widest such run, so
// IntReg and MaskedIntReg share this (genapi.md 2.6, 2.7).

import { INT64_MAX } from '../literals.js'
import type { ByteOrder } from './codec.js'

export interface BitField {
  /** Weight of the lowest bit is 2^lsb. */
  lsb: number
  width: number
  signed: boolean
}

/**
 * Places the bits numbered `lsb`..`msb` in a register of `length` bytes. LittleEndian numbers count from the
 * least significant bit, BigEndian ones from the most significant. Undefined: they reach out of the register.
 */
export function bitField(
  lsb: number,
  msb: number,
  length: number,
  order: ByteOrder,
  signed: boolean,
): BitField | undefined {
  const last = 8 * length - 1
  if (lsb < 0 || msb < 0 || lsb > last || msb > last) return undefined
  const [a, b] = order === 'BigEndian' ? [last - lsb, last - msb] : [lsb, msb]
  return { lsb: Math.min(a, b), width: Math.abs(b - a) + 1, signed }
}

export function extract(register: bigint, field: BitField): bigint {
  const raw = register >> BigInt(field.lsb)
  if (field.signed) return BigInt.asIntN(field.width, raw)
  // GenApi knows no uint64: the top half of 64 unsigned bits reads as negative, as everywhere else.
  return BigInt.asIntN(64, BigInt.asUintN(field.width, raw))
}

export function insert(register: bigint, field: BitField, value: bigint): bigint {
  const lsb = BigInt(field.lsb)
  const mask = ((1n << BigInt(field.width)) - 1n) << lsb
  return (register & ~mask) | ((value << lsb) & mask)
}

/** What the field can hold; 64 unsigned bits end at 2^63-1. */
export function naturalRange(field: BitField): { min: bigint; max: bigint } {
  const width = BigInt(field.width)
  if (field.signed) return { min: -(1n << (width - 1n)), max: (1n << (width - 1n)) - 1n }
  const max = (1n << width) - 1n
  return { min: 0n, max: max > INT64_MAX ? INT64_MAX : max }
}
