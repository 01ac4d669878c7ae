// Integer: a host variable, another node's value, or one of several chosen by an index (genapi.md 2.5).

import type { AccessMode } from '../access.js'
import type { Graph } from '../graph.js'
import { parseInteger } from '../literals.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import { integers, type Limits } from './domain.js'
import { IntegerBase } from './integer-base.js'
import { property } from './property.js'
import { ValueSource } from './value-source.js'

export class IntegerNode extends IntegerBase {
  readonly #source: ValueSource<bigint>
  readonly #min
  readonly #max
  readonly #inc
  readonly #valid: bigint[] | undefined

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#source = new ValueSource(graph, spec.element, integers)
    this.#min = property(graph, spec.element, 'Min', integers)
    this.#max = property(graph, spec.element, 'Max', integers)
    this.#inc = property(graph, spec.element, 'Inc', integers)
    this.#valid = parseValueSet(spec.element.textOf('ValidValueSet'))
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#source.access(s)
  }

  protected override computeInteger(s: Session): bigint {
    return this.#source.read(s)
  }

  protected override computeIntegerLimits(s: Session): Limits<bigint> {
    const inherited = this.#source.limits(s, integers)
    const min = this.#min ? this.#min(s) : inherited.min
    const max = this.#max ? this.#max(s) : inherited.max
    const inc = this.#inc ? this.#inc(s) : inherited.inc
    const valid = (this.#valid ?? inherited.valid)?.filter((value) => value >= min && value <= max)
    return { min, max, inc: inc ?? 1n, ...(valid ? { valid } : {}) }
  }

  protected storeInteger(s: Session, value: bigint): void {
    this.#source.write(s, value)
  }
}

function parseValueSet(text: string | undefined): bigint[] | undefined {
  if (text === undefined) return undefined
  const values = text.split(';').map(parseInteger)
  return values.filter((value) => value !== undefined)
}
