// What all nodes have in common: identity, texts, access, and the typed ways in and out of their value, each
// computed once per operation and guarded against circles. Node classes override the `compute...` and `put...`
// parts that make sense for them; the rest refuses with a typed error.

import { type AccessMode, combine, isReadable, locked } from '../access.js'
import { descriptionError, featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseAccessMode } from '../literals.js'
import type { NodeSpec } from '../model.js'
import { NodeRef } from '../node-ref.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType, Visibility } from '../types.js'
import type { XmlElement } from '../xml-element.js'
import type { Limits } from './domain.js'

export const VISIBILITIES: readonly Visibility[] = ['Beginner', 'Expert', 'Guru', 'Invisible']

export abstract class GenApiNode {
  abstract readonly type: InterfaceType
  readonly name: string
  readonly kind: string
  protected readonly element: XmlElement
  readonly #implemented: NodeRef | undefined
  readonly #available: NodeRef | undefined
  readonly #locked: NodeRef | undefined
  readonly #blocksPolling: NodeRef | undefined
  readonly #imposed: AccessMode
  #imposedByHost: AccessMode = 'RW'

  constructor(
    readonly graph: Graph,
    spec: NodeSpec,
  ) {
    this.name = spec.name
    this.kind = spec.kind
    this.element = spec.element
    this.#implemented = NodeRef.in(graph, spec.element, 'pIsImplemented')
    this.#available = NodeRef.in(graph, spec.element, 'pIsAvailable')
    this.#locked = NodeRef.in(graph, spec.element, 'pIsLocked')
    this.#blocksPolling = NodeRef.in(graph, spec.element, 'pBlockPolling')
    this.#imposed = parseAccessMode(spec.element.textOf('ImposedAccessMode') ?? 'RW')
  }

  // ---- static facts -------------------------------------------------------------------------------------------

  get visibility(): Visibility {
    const text = this.element.textOf('Visibility') as Visibility
    return VISIBILITIES.includes(text) ? text : 'Beginner'
  }

  /** Text of an element with white space collapsed; '' without one. */
  text(tag: string): string {
    return (this.element.textOf(tag) ?? '').replace(/\s+/g, ' ')
  }

  /** As `text`, but taken from the nodes that hold the value when this one does not say (genapi.md 2.5). */
  inheritedText(tag: string): string {
    for (const name of this.graph.references.valuePath(this.name)) {
      const text = this.graph.spec(name)?.element.textOf(tag)
      if (text !== undefined) return text
    }
    return ''
  }

  attribute(name: string): string | undefined {
    return this.element.attribute(name)
  }

  /** Milliseconds after which a value is out of date; undefined: never. */
  get pollingTime(): number | undefined {
    const time = Number(this.element.textOf('PollingTime') ?? Number.NaN)
    return time >= 0 ? time : undefined
  }

  // ---- access -------------------------------------------------------------------------------------------------

  /** genapi.md 3.1: implemented, available, the type's own mode, imposed mode, lock, in that order. */
  access(s: Session): AccessMode {
    return s.access(this, () => {
      const implemented = condition(this.#implemented, s, true)
      if (implemented !== true) return implemented === false ? 'NI' : 'NA'
      if (condition(this.#available, s, true) !== true) return 'NA'
      const mode = combine(combine(this.baseAccess(s), this.#imposed), this.#imposedByHost)
      if (mode === 'NI' || mode === 'NA') return mode
      const isLocked = condition(this.#locked, s, false)
      if (isLocked === undefined) return 'NA'
      return isLocked ? locked(mode) : mode
    })
  }

  protected abstract baseAccess(s: Session): AccessMode

  /** Narrows the access at run time; 'RW' takes that back. */
  imposeAccess(mode: AccessMode): void {
    this.#imposedByHost = mode
  }

  /** Name of the node that keeps this one, or what it stands on, from being used now; undefined: it is like this by itself. */
  hindrance(s: Session): string | undefined {
    for (const name of this.graph.references.valuePath(this.name)) {
      const node = this.graph.tryNode(name)
      const hindrance = node?.ownHindrance(s)
      if (hindrance !== undefined) return hindrance
    }
    return undefined
  }

  private ownHindrance(s: Session): string | undefined {
    if (condition(this.#implemented, s, true) !== true) return this.#implemented?.name
    if (condition(this.#available, s, true) !== true) return this.#available?.name
    return condition(this.#locked, s, false) === false ? undefined : this.#locked?.name
  }

  /** True while the description asks not to poll this node. */
  isPollingBlocked(s: Session): boolean {
    return condition(this.#blocksPolling, s, false) === true
  }

  // ---- reading ------------------------------------------------------------------------------------------------

  readInteger(s: Session): bigint {
    return s.memo(this, 'integer', () => this.computeInteger(s))
  }

  readFloat(s: Session): number {
    return s.memo(this, 'float', () => this.computeFloat(s))
  }

  readString(s: Session): string {
    return s.memo(this, 'string', () => this.computeString(s))
  }

  /** Value for an Integer whose pValue is this node. */
  readPointedInteger(s: Session): bigint {
    return this.readInteger(s)
  }

  integerLimits(s: Session): Limits<bigint> {
    return s.memo(this, 'integer limits', () => this.computeIntegerLimits(s))
  }

  floatLimits(s: Session): Limits<number> {
    return s.memo(this, 'float limits', () => this.computeFloatLimits(s))
  }

  protected computeInteger(_s: Session): bigint {
    throw this.lacks('an integer value')
  }

  protected computeFloat(_s: Session): number {
    throw this.lacks('a numeric value')
  }

  protected computeString(_s: Session): string {
    throw this.lacks('a text value')
  }

  protected computeIntegerLimits(_s: Session): Limits<bigint> {
    throw this.lacks('integer limits')
  }

  protected computeFloatLimits(_s: Session): Limits<number> {
    throw this.lacks('numeric limits')
  }

  /** Value of the entry of that name, for enumerations. */
  entryValue(name: string): bigint {
    throw this.lacks(`an entry ${name}`)
  }

  // ---- writing: checked and planned, sent by Session.commit ------------------------------------------------------

  writeInteger(s: Session, value: bigint): void {
    this.#write(s, () => this.putInteger(s, value))
  }

  writeFloat(s: Session, value: number): void {
    this.#write(s, () => this.putFloat(s, value))
  }

  writeString(s: Session, value: string): void {
    this.#write(s, () => this.putString(s, value))
  }

  /** For writes of other shapes: bytes, commands. */
  protected write(s: Session, put: () => void): void {
    this.#write(s, put)
  }

  protected putInteger(_s: Session, _value: bigint): void {
    throw this.lacks('a writable integer value')
  }

  protected putFloat(_s: Session, _value: number): void {
    throw this.lacks('a writable numeric value')
  }

  protected putString(_s: Session, _value: string): void {
    throw this.lacks('a writable text value')
  }

  #write(s: Session, put: () => void): void {
    s.guard(this, 'write', () => {
      s.touch(this)
      put()
    })
  }

  // ---- the caller's side ------------------------------------------------------------------------------------------

  /** Value in its public form (FeatureValue). Access was checked before. */
  getValue(_s: Session): FeatureValue {
    throw this.noValue()
  }

  /** Takes a public value, converting where that is unambiguous. Access was checked before. */
  setValue(_s: Session, _value: FeatureValue): void {
    throw this.noValue()
  }

  getText(s: Session): string {
    return String(this.getValue(s))
  }

  /** The value that a text stands for. */
  parseText(_s: Session, _text: string): FeatureValue {
    throw this.noValue()
  }

  // ---- errors -----------------------------------------------------------------------------------------------------

  protected noValue() {
    return featureError(this.name, 'type', `${this.name} is of type ${this.type} and has no value.`)
  }

  protected wrongType(s: Session, value: unknown, accepted: string) {
    const shown =
      typeof value === 'object' ? (value?.constructor?.name ?? 'null') : `${typeof value} ${value}`
    return featureError(
      s.subject,
      'type',
      `${s.subject} is a feature of type ${this.type} and does not take ${shown}.`,
      `Give ${accepted}.`,
    )
  }

  protected lacks(what: string) {
    return descriptionError(`${this.name} (${this.kind}) has not ${what}, but is used as if it had.`, {
      feature: this.name,
    })
  }
}

/** Value of a pIs... pointer: undefined when its target cannot be read, `fallback` when there is none. */
function condition(ref: NodeRef | undefined, s: Session, fallback: boolean): boolean | undefined {
  if (!ref) return fallback
  return isReadable(ref.node.access(s)) ? ref.node.readInteger(s) !== 0n : undefined
}
