// Where the value of an Integer, Float, Boolean, Enumeration, Command or String comes from: a variable on the
// host, another node (with copies that are written along), or one of several chosen by an index (genapi.md 2.5).

import { type AccessMode, combine } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseInteger } from '../literals.js'
import { NodeRef } from '../node-ref.js'
import type { Session, Variable } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import type { Domain, Limits } from './domain.js'
import type { GenApiNode } from './node.js'
import { parseLiteral } from './property.js'

/** The part of a number domain that a source needs; strings have one too. */
export type SourceDomain<T> = Pick<Domain<T>, 'parse' | 'readPointed' | 'write'>

type Cell<T> = Variable<T> | NodeRef

export class ValueSource<T> {
  readonly #graph: Graph
  readonly #domain: SourceDomain<T>
  readonly #index: NodeRef | undefined
  readonly #indexed = new Map<bigint, Cell<T>>()
  readonly #main: Cell<T>
  readonly #copies: NodeRef[]

  constructor(graph: Graph, element: XmlElement, domain: SourceDomain<T>) {
    this.#graph = graph
    this.#domain = domain
    this.#index = NodeRef.in(graph, element, 'pIndex')
    const main = this.#index
      ? (element.first('pValueDefault') ?? element.first('ValueDefault'))
      : (element.first('pValue') ?? element.first('Value'))
    if (!main) {
      throw descriptionError(`Line ${element.line}: ${element.name} without a value.`, { line: element.line })
    }
    this.#main = this.#cell(main)
    this.#copies = element.all('pValueCopy').map((copy) => new NodeRef(graph, copy.text.trim()))
    for (const tag of ['ValueIndexed', 'pValueIndexed']) {
      for (const entry of element.all(tag)) {
        const index = parseInteger(entry.attribute('Index') ?? '')
        if (index !== undefined) this.#indexed.set(index, this.#cell(entry))
      }
    }
  }

  /** True for a host variable, which no device can change. */
  get isFloating(): boolean {
    return !this.#index && !(this.#main instanceof NodeRef)
  }

  /** Node behind the value at this moment; undefined for a variable. */
  target(s: Session): GenApiNode | undefined {
    const cell = this.#select(s)
    return cell instanceof NodeRef ? cell.node : undefined
  }

  read(s: Session): T {
    const cell = this.#select(s)
    return cell instanceof NodeRef ? this.#domain.readPointed(cell.node, s) : s.value(cell)
  }

  write(s: Session, value: T): void {
    const cell = this.#select(s)
    if (cell instanceof NodeRef) this.#domain.write(cell.node, s, value)
    else s.assign(cell, value)
    for (const copy of this.#copies) this.#domain.write(copy.node, s, value)
  }

  access(s: Session): AccessMode {
    let mode = this.target(s)?.access(s) ?? 'RW'
    for (const copy of this.#copies) mode = combine(mode, copy.node.access(s))
    return mode
  }

  /** Limits of the target, narrowed by those of the copies; `widest` for a variable. */
  limits(s: Session, domain: Domain<T>): Limits<T> {
    const target = this.target(s)
    let limits: Limits<T> = target ? domain.limits(target, s) : { ...domain.widest }
    for (const copy of this.#copies) limits = intersect(limits, domain.limits(copy.node, s), domain)
    return limits
  }

  #select(s: Session): Cell<T> {
    if (!this.#index) return this.#main
    return this.#indexed.get(this.#index.node.readInteger(s)) ?? this.#main
  }

  #cell(element: XmlElement): Cell<T> {
    return element.name.startsWith('p')
      ? new NodeRef(this.#graph, element.text.trim())
      : { value: parseLiteral(element, this.#domain) }
  }
}

/** Copies with another increment leave nothing to write: increment 0 refuses every value. */
function intersect<T>(a: Limits<T>, b: Limits<T>, domain: Domain<T>): Limits<T> {
  return {
    // not Math.max and Math.min: T may be bigint
    min: a.min > b.min ? a.min : b.min,
    max: a.max < b.max ? a.max : b.max,
    inc: a.inc === b.inc ? a.inc : domain.ofInteger(0n),
    ...(a.valid ? { valid: a.valid } : {}),
  }
}
