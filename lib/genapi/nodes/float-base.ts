// Everything whose own value is a double: Float, FloatReg, SwissKnife, Converter (genapi.md 2.8).

import { featureError } from '../errors.js'
import { INT64_MAX, INT64_MIN, parseFloatLiteral, roundHalfAway } from '../literals.js'
import type { Session } from '../session.js'
import { formatFloat } from '../text-format.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { type Limits, toIntegerLimits } from './domain.js'
import { GenApiNode } from './node.js'

export abstract class FloatBase extends GenApiNode {
  readonly type: InterfaceType = 'Float'

  /** Plans the write of a value that was checked. */
  protected abstract storeFloat(s: Session, value: number): void

  /** Rounded; what int64 cannot hold is an error. */
  protected override computeInteger(s: Session): bigint {
    const value = roundHalfAway(this.readFloat(s))
    if (value >= Number(INT64_MIN) && value < Number(INT64_MAX)) return BigInt(value)
    throw featureError(s.subject, 'out-of-range', `${this.name}: ${value} does not fit a 64-bit integer.`)
  }

  protected override computeIntegerLimits(s: Session): Limits<bigint> {
    return toIntegerLimits(this.floatLimits(s))
  }

  protected override putInteger(s: Session, value: bigint): void {
    this.putFloat(s, Number(value))
  }

  /** The increment is informative: only the range is checked. */
  protected override putFloat(s: Session, value: number): void {
    if (s.verify) this.#check(s, value)
    this.storeFloat(s, value)
  }

  override getValue(s: Session): FeatureValue {
    return this.readFloat(s) + 0 // never -0, which formulas make and nobody wants to see
  }

  override setValue(s: Session, value: FeatureValue): void {
    if (typeof value !== 'number' && typeof value !== 'bigint') throw this.wrongType(s, value, 'a number')
    this.writeFloat(s, Number(value))
  }

  override getText(s: Session): string {
    return formatFloat(this.readFloat(s), {
      notation: this.inheritedText('DisplayNotation'),
      precision: Number(this.inheritedText('DisplayPrecision') || 6),
      ...this.floatLimits(s),
    })
  }

  override parseText(s: Session, text: string): FeatureValue {
    const value = parseFloatLiteral(text)
    if (value === undefined) throw this.wrongType(s, text, 'a number')
    return value
  }

  #check(s: Session, value: number): void {
    const { min, max, inc } = this.floatLimits(s)
    if (value >= min && value <= max) return
    const where = this.name === s.subject ? '' : ` (limits of ${this.name})`
    throw featureError(
      s.subject,
      'out-of-range',
      `${s.subject}: ${value} is outside of ${min} to ${max}${where}.`,
      min > max
        ? 'Nothing can be set at present; other features decide.'
        : `Give a value from ${min} to ${max}.`,
      { min, max, ...(inc === undefined ? {} : { inc }) },
    )
  }
}
