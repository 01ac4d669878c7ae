// Float and FloatReg (genapi.md 2.8).

import type { AccessMode } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import { decodeFloat, encodeFloat } from '../registers/codec.js'
import type { Session } from '../session.js'
import { floats, type Limits } from './domain.js'
import { FloatBase } from './float-base.js'
import { property } from './property.js'
import { RegisterLocation } from './register-location.js'
import { ValueSource } from './value-source.js'

export class FloatNode extends FloatBase {
  readonly #source: ValueSource<number>
  readonly #min
  readonly #max
  readonly #inc

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#source = new ValueSource(graph, spec.element, floats)
    this.#min = property(graph, spec.element, 'Min', floats)
    this.#max = property(graph, spec.element, 'Max', floats)
    this.#inc = property(graph, spec.element, 'Inc', floats)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#source.access(s)
  }

  protected override computeFloat(s: Session): number {
    return this.#source.read(s)
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    const inherited = this.#source.limits(s, floats)
    const inc = this.#inc ? this.#inc(s) : inherited.inc
    return {
      min: this.#min ? this.#min(s) : inherited.min,
      max: this.#max ? this.#max(s) : inherited.max,
      ...(inc === undefined ? {} : { inc }),
      ...(inherited.valid ? { valid: inherited.valid } : {}),
    }
  }

  protected storeFloat(s: Session, value: number): void {
    this.#source.write(s, value)
  }
}

const FLOAT32_MAX = 3.4028234663852886e38

export class FloatRegNode extends FloatBase {
  readonly location: RegisterLocation

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.location = new RegisterLocation(this, spec.element)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.location.access(s)
  }

  protected override computeFloat(s: Session): number {
    const length = this.#length(s)
    return decodeFloat(this.location.read(s), this.location.byteOrder(length))
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    const max = this.#length(s) === 4 ? FLOAT32_MAX : Number.MAX_VALUE
    return { min: -max, max }
  }

  protected storeFloat(s: Session, value: number): void {
    const length = this.#length(s)
    this.location.write(s, encodeFloat(value, length, this.location.byteOrder(length)))
  }

  /** Checked at access: a pLength may change. */
  #length(s: Session): number {
    const length = this.location.length(s)
    if (length === 4 || length === 8) return length
    throw descriptionError(`${this.name}: a float of ${length} bytes; 4 and 8 exist.`, { feature: s.subject })
  }
}
