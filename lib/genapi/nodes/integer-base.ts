// Everything whose own value is an int64: Integer, IntReg, MaskedIntReg, IntSwissKnife, IntConverter. Range and
// increment are checked here, once for all, before anything is planned (genapi.md 2.5).

import { featureError } from '../errors.js'
import { INT64_MAX, roundHalfAway, toPublicInteger } from '../literals.js'
import type { Session } from '../session.js'
import { formatInteger, parseIntegerText } from '../text-format.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { type Limits, toFloatLimits } from './domain.js'
import { GenApiNode } from './node.js'

export abstract class IntegerBase extends GenApiNode {
  readonly type: InterfaceType = 'Integer'

  /** Plans the write of a value that was checked. */
  protected abstract storeInteger(s: Session, value: bigint): void

  protected override computeFloat(s: Session): number {
    return Number(this.readInteger(s))
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    return toFloatLimits(this.integerLimits(s))
  }

  protected override putInteger(s: Session, value: bigint): void {
    if (s.verify) this.#check(s, value)
    this.storeInteger(s, value)
  }

  /** A float lands on the nearest value of the grid Min + k * Inc. */
  protected override putFloat(s: Session, value: number): void {
    if (!Number.isFinite(value)) {
      throw featureError(
        s.subject,
        'out-of-range',
        `${s.subject}: ${value} cannot be written to ${this.name}.`,
      )
    }
    this.putInteger(s, nearestOnGrid(value, this.integerLimits(s)))
  }

  override getValue(s: Session): FeatureValue {
    return toPublicInteger(this.readInteger(s))
  }

  override setValue(s: Session, value: FeatureValue): void {
    this.writeInteger(s, this.#fromPublic(s, value))
  }

  override getText(s: Session): string {
    return formatInteger(this.readInteger(s), this.inheritedText('Representation'))
  }

  override parseText(s: Session, text: string): FeatureValue {
    const value = parseIntegerText(text, this.inheritedText('Representation'))
    if (value === undefined) throw this.wrongType(s, text, 'a decimal number, or a hexadecimal one after 0x')
    return value
  }

  #fromPublic(s: Session, value: FeatureValue): bigint {
    if (typeof value === 'bigint') return value
    if (typeof value === 'boolean') return value ? 1n : 0n
    if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
    throw this.wrongType(s, value, 'an integer (a bigint beyond 2^53)')
  }

  #check(s: Session, value: bigint): void {
    const { min, max, inc = 1n, valid } = this.integerLimits(s)
    const where = this.name === s.subject ? '' : ` (limits of ${this.name})`
    const details = { min: toPublicInteger(min), max: toPublicInteger(max), inc: toPublicInteger(inc) }
    if (value < min || value > max) {
      throw featureError(
        s.subject,
        'out-of-range',
        `${s.subject}: ${value} is outside of ${min} to ${max}${where}.`,
        min > max
          ? 'Nothing can be set at present; other features decide.'
          : `Give a value from ${min} to ${max}.`,
        details,
      )
    }
    if (valid && !valid.includes(value)) {
      const accepted = valid.map(toPublicInteger)
      throw featureError(
        s.subject,
        'bad-increment',
        `${s.subject}: ${value} is none of the valid values${where}.`,
        `Give one of ${accepted.slice(0, 20).join(', ')}.`,
        { ...details, valid: accepted },
      )
    }
    if (!valid && (inc === 0n || (value - min) % inc !== 0n)) {
      const near = inc === 0n ? [] : neighbours(value, min, max, inc)
      throw featureError(
        s.subject,
        'bad-increment',
        `${s.subject}: ${value} is not ${min} plus a multiple of ${inc}${where}.`,
        near.length > 0 ? `The nearest values are ${near.join(' and ')}.` : 'Nothing can be set at present.',
        details,
      )
    }
  }
}

function neighbours(value: bigint, min: bigint, max: bigint, inc: bigint): bigint[] {
  const below = value - ((value - min) % inc)
  return below + inc > max ? [below] : [below, below + inc]
}

/** Rounds to the grid; stays below Max when only the last, incomplete step would pass it. */
export function nearestOnGrid(value: number, { min, max, inc = 1n }: Limits<bigint>): bigint {
  if (inc <= 1n) return BigInt(roundHalfAway(value))
  const floor = BigInt(Math.floor(value))
  const beyond = (floor - min) % inc
  const below = floor - (beyond < 0n ? beyond + inc : beyond)
  const above = below + inc
  if (above > max && value <= Number(max) && max !== INT64_MAX) return below
  return value - Number(below) < Number(above) - value ? below : above
}
