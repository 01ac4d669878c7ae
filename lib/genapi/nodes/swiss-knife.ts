// SwissKnife and IntSwissKnife: values that a formula makes of other nodes (genapi.md 2.12).

import { type AccessMode, combine } from '../access.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import { floats, integers, type Limits } from './domain.js'
import { FloatBase } from './float-base.js'
import { Formulas } from './formulas.js'
import { IntegerBase } from './integer-base.js'

export class SwissKnifeNode extends FloatBase {
  readonly #formulas: Formulas<number>

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#formulas = new Formulas(this, spec.element, floats)
  }

  protected baseAccess(s: Session): AccessMode {
    return combine('RO', this.#formulas.access(s))
  }

  protected override computeFloat(s: Session): number {
    return this.#formulas.evaluate('Formula', s)
  }

  protected override computeFloatLimits(): Limits<number> {
    return { ...floats.widest }
  }

  protected storeFloat(): void {
    throw this.lacks('a way to be written')
  }
}

export class IntSwissKnifeNode extends IntegerBase {
  readonly #formulas: Formulas<bigint>

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#formulas = new Formulas(this, spec.element, integers)
  }

  protected baseAccess(s: Session): AccessMode {
    return combine('RO', this.#formulas.access(s))
  }

  protected override computeInteger(s: Session): bigint {
    return this.#formulas.evaluate('Formula', s)
  }

  protected override computeIntegerLimits(): Limits<bigint> {
    return { ...integers.widest, inc: 1n }
  }

  protected storeInteger(): void {
    throw this.lacks('a way to be written')
  }
}
