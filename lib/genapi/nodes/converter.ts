// Converter and IntConverter: another node's value in other units, both ways (genapi.md 2.12).

import { type AccessMode, combine } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import { NodeRef } from '../node-ref.js'
import { MISSING, type Session } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import { type Domain, floats, integers, type Limits } from './domain.js'
import { FloatBase } from './float-base.js'
import { Formulas } from './formulas.js'
import { IntegerBase } from './integer-base.js'
import type { GenApiNode } from './node.js'

/** The conversion itself, in either world of numbers. TO is the value of the target, FROM that of the user. */
class Conversion<T extends bigint | number> {
  readonly #formulas: Formulas<T>
  readonly #target: NodeRef
  readonly #domain: Domain<T>
  readonly #slope: string
  readonly #isLinear: boolean

  constructor(owner: GenApiNode, element: XmlElement, domain: Domain<T>) {
    const target = NodeRef.in(owner.graph, element, 'pValue')
    if (!target) {
      throw descriptionError(`Line ${element.line}: ${owner.name} has no pValue.`, { line: element.line })
    }
    this.#formulas = new Formulas(owner, element, domain)
    this.#target = target
    this.#domain = domain
    this.#slope = element.textOf('Slope') ?? 'Automatic'
    this.#isLinear = element.textOf('IsLinear') === 'Yes'
  }

  access(s: Session): AccessMode {
    return combine(this.#target.node.access(s), this.#formulas.access(s))
  }

  read(s: Session): T {
    return this.#fromTarget(s, this.#domain.readPointed(this.#target.node, s))
  }

  write(s: Session, value: T): void {
    const converted = this.#formulas.evaluate('FormulaTo', s, { name: 'FROM', value })
    this.#domain.write(this.#target.node, s, converted)
  }

  /** The target's limits seen through the formula. */
  limits(s: Session): Limits<T> {
    const { widest } = this.#domain
    if (this.#slope === 'Varying') return { ...widest }
    const target = this.#domain.limits(this.#target.node, s)
    const low = target.min === widest.min ? undefined : this.#probe(s, target.min, target.inc, 1)
    const high = target.max === widest.max ? undefined : this.#probe(s, target.max, target.inc, -1)
    const falling = this.#isFalling(s, low, high, target)
    const [min, max]: (T | undefined)[] = falling ? [high, low] : [low, high]
    return {
      min: min ?? widest.min,
      max: max ?? widest.max,
      ...this.#increment(s, target, low),
      ...this.#validValues(s, target),
    }
  }

  #validValues(s: Session, { valid }: Limits<T>): { valid?: T[] } {
    if (!valid) return {}
    const converted = valid
      .map((value) => this.#tryFromTarget(s, value))
      .filter((value) => value !== undefined)
    return { valid: converted.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) }
  }

  /** Converted end of the target's range, or of its neighbour: formulas often divide by the value itself. */
  #probe(s: Session, end: T, inc: T | undefined, direction: 1 | -1): T | undefined {
    const { arithmetic, negate, ofInteger } = this.#domain
    const step = inc ?? ofInteger(1n)
    for (const value of [end, arithmetic.binary['+'](end, direction > 0 ? step : negate(step))]) {
      const converted = this.#tryFromTarget(s, value)
      if (converted !== undefined) return converted
    }
    return undefined
  }

  #isFalling(s: Session, low: T | undefined, high: T | undefined, target: Limits<T>): boolean {
    if (this.#slope === 'Decreasing') return true
    if (this.#slope === 'Increasing') return false
    if (low !== undefined && high !== undefined) return low > high
    if (low === undefined && high === undefined) return false
    // One end is open: two points beside each other at the other end tell the direction.
    const { arithmetic, ofInteger } = this.#domain
    const one = ofInteger(1n)
    const [left, right]: [T, T] =
      low === undefined
        ? [arithmetic.binary['-'](target.max, one), target.max]
        : [target.min, arithmetic.binary['+'](target.min, one)]
    const a = this.#tryFromTarget(s, left)
    const b = this.#tryFromTarget(s, right)
    return a !== undefined && b !== undefined && a > b
  }

  #increment(s: Session, target: Limits<T>, low: T | undefined): { inc?: T } {
    if (!this.#isLinear || target.inc === undefined || low === undefined) return {}
    const { arithmetic, negate, ofInteger } = this.#domain
    const next = this.#tryFromTarget(s, arithmetic.binary['+'](target.min, target.inc))
    if (next === undefined) return {}
    const inc = arithmetic.binary['-'](next, low)
    const zero = ofInteger(0n)
    return inc === zero ? {} : { inc: inc < zero ? negate(inc) : inc }
  }

  /** Undefined where the formula has no result; limits must not fail for that. */
  #tryFromTarget(s: Session, value: T): T | undefined {
    try {
      const converted = this.#fromTarget(s, value)
      return Number.isNaN(converted) ? undefined : converted
    } catch (error) {
      if (error === MISSING) throw error
      return undefined
    }
  }

  #fromTarget(s: Session, value: T): T {
    return this.#formulas.evaluate('FormulaFrom', s, { name: 'TO', value })
  }
}

export class ConverterNode extends FloatBase {
  readonly #conversion: Conversion<number>

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#conversion = new Conversion(this, spec.element, floats)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#conversion.access(s)
  }

  protected override computeFloat(s: Session): number {
    return this.#conversion.read(s)
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    return this.#conversion.limits(s)
  }

  protected storeFloat(s: Session, value: number): void {
    this.#conversion.write(s, value)
  }
}

export class IntConverterNode extends IntegerBase {
  readonly #conversion: Conversion<bigint>

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#conversion = new Conversion(this, spec.element, integers)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#conversion.access(s)
  }

  protected override computeInteger(s: Session): bigint {
    return this.#conversion.read(s)
  }

  protected override computeIntegerLimits(s: Session): Limits<bigint> {
    return { inc: 1n, ...this.#conversion.limits(s) }
  }

  protected storeInteger(s: Session, value: bigint): void {
    this.#conversion.write(s, value)
  }
}
