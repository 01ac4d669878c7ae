// Enumeration: names for values of an integer, each name with an availability of its own (genapi.md 2.9).

import { type AccessMode, isReadable } from '../access.js'
import { featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseInteger, toPublicInteger } from '../literals.js'
import { entryNodeName, type NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { EnumerationEntry, FeatureValue, InterfaceType } from '../types.js'
import { clampToInt64, integers, type Limits, toFloatLimits } from './domain.js'
import { EnumEntryNode } from './enum-entry.js'
import { GenApiNode } from './node.js'
import { ValueSource } from './value-source.js'

export class EnumerationNode extends GenApiNode {
  readonly type: InterfaceType = 'Enumeration'
  readonly #source: ValueSource<bigint>
  #entries: EnumEntryNode[] | undefined

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#source = new ValueSource(graph, spec.element, integers)
  }

  /** Entries in document order; one that cannot be built is left out (and listed as a problem). */
  get entries(): EnumEntryNode[] {
    if (!this.#entries) {
      const names = this.element
        .all('EnumEntry')
        .map((entry) => entryNodeName(this.name, entry.attribute('Name') ?? ''))
      const shared = this.element.all('pEnumEntry').map((ref) => ref.text.trim())
      this.#entries = [...new Set([...names, ...shared])].flatMap((name) => this.#buildEntry(name))
    }
    return this.#entries
  }

  #buildEntry(name: string): EnumEntryNode[] {
    const node = this.graph.tryNode(name)
    return node instanceof EnumEntryNode ? [node] : []
  }

  /** Entries that the camera has, for listings. */
  list(s: Session): EnumerationEntry[] {
    const listed = s.collect(this.entries, (entry) => ({ entry, access: entry.access(s) }))
    return listed
      .filter(({ access }) => access !== 'NI')
      .map(({ entry, access }) => ({
        name: entry.symbolic,
        value: toPublicInteger(entry.value),
        displayName: entry.text('DisplayName') || entry.symbolic,
        available: isReadable(access),
      }))
  }

  /** NI when no entry is implemented, NA when none is available, else as the value behind it. */
  protected baseAccess(s: Session): AccessMode {
    if (this.entries.length === 0) return this.#source.access(s)
    let best: AccessMode = 'NI'
    for (const entry of this.entries) {
      const access = entry.access(s)
      if (isReadable(access)) return this.#source.access(s)
      if (access === 'NA') best = 'NA'
    }
    return best
  }

  protected override computeInteger(s: Session): bigint {
    const value = this.#source.read(s)
    const clearsItself = this.entries.some((entry) => entry.isSelfClearing && entry.value === value)
    return clearsItself ? s.fresh(() => this.#source.read(s)) : value
  }

  /** NumericValue of the present entry, or its Value; the bare value where there is no entry. */
  protected override computeFloat(s: Session): number {
    const value = this.readInteger(s)
    return this.#entryOf(s, value)?.numericValue ?? Number(value)
  }

  override readPointedInteger(s: Session): bigint {
    const value = this.readInteger(s)
    const entry = this.#entryOf(s, value)
    return entry?.hasNumericValue ? clampToInt64(Math.trunc(entry.numericValue)) : value
  }

  /** Every value may be tried through a pointer: the nearest entry is taken. */
  protected override computeIntegerLimits(): Limits<bigint> {
    return { ...integers.widest, inc: 1n }
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    return toFloatLimits(this.integerLimits(s))
  }

  /** An entry of that very number, which a double may not hold; else the nearest. */
  protected override putInteger(s: Session, value: bigint): void {
    const same = this.entries.find(
      (entry) => !entry.hasNumericValue && entry.value === value && isReadable(entry.access(s)),
    )
    if (same) this.#source.write(s, same.value)
    else this.putFloat(s, Number(value))
  }

  protected override putFloat(s: Session, value: number): void {
    let nearest: EnumEntryNode | undefined
    for (const entry of this.entries) {
      if (!isReadable(entry.access(s))) continue
      if (!nearest || Math.abs(entry.numericValue - value) < Math.abs(nearest.numericValue - value))
        nearest = entry
    }
    if (!nearest) throw this.#noSuchEntry(s, `${value}`)
    this.#source.write(s, nearest.value)
  }

  override getValue(s: Session): FeatureValue {
    const value = this.readInteger(s)
    const entry = this.#entryOf(s, value)
    if (entry) return entry.symbolic
    throw featureError(
      s.subject,
      'no-such-entry',
      `${s.subject} holds ${value}, for which the description has no name.`,
      'Read the number with getInteger().',
      { value: toPublicInteger(value) },
    )
  }

  override setValue(s: Session, value: FeatureValue): void {
    const entry = this.#find(s, value)
    const access = entry.access(s)
    if (!isReadable(access)) {
      throw featureError(
        s.subject,
        access === 'NI' ? 'not-implemented' : 'not-available',
        `${s.subject}: ${entry.symbolic} is not available now.`,
        `Available: ${this.#available(s).join(', ')}.`,
        { entries: this.#available(s) },
      )
    }
    this.write(s, () => this.#source.write(s, entry.value))
  }

  override parseText(_s: Session, text: string): FeatureValue {
    const known = this.entries.some((entry) => entry.symbolic === text)
    return known ? text : (parseInteger(text) ?? text)
  }

  /** Entry that the present value stands for. */
  entryNow(s: Session): EnumEntryNode | undefined {
    return this.#entryOf(s, this.readInteger(s))
  }

  /** Value of the entry of that name, for `X.Entry.Name` in formulas. */
  override entryValue(name: string): bigint {
    const entry = this.entries.find((candidate) => candidate.symbolic === name)
    return entry ? entry.value : super.entryValue(name)
  }

  #find(s: Session, value: FeatureValue): EnumEntryNode {
    if (typeof value === 'string') {
      const entry = this.entries.find((candidate) => candidate.symbolic === value)
      if (entry) return entry
      throw this.#noSuchEntry(s, `"${value}"`)
    }
    const isInteger = typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))
    if (!isInteger) throw this.wrongType(s, value, `the name of an entry: ${this.#available(s).join(', ')}`)
    const entry = this.#entryOf(s, BigInt(value))
    if (entry) return entry
    throw this.#noSuchEntry(s, `${value}`)
  }

  /** Values may have several names: one that can be used now is preferred. */
  #entryOf(s: Session, value: bigint): EnumEntryNode | undefined {
    const candidates = this.entries.filter((entry) => entry.value === value)
    if (candidates.length <= 1) return candidates[0]
    return candidates.find((entry) => isReadable(entry.access(s))) ?? candidates[0]
  }

  #available(s: Session): string[] {
    return this.list(s)
      .filter(({ available }) => available)
      .map(({ name }) => name)
  }

  #noSuchEntry(s: Session, shown: string) {
    const entries = this.#available(s)
    return featureError(
      s.subject,
      'no-such-entry',
      `${s.subject}: ${shown} is none of its entries.`,
      `Available: ${entries.join(', ')}.`,
      { entries },
    )
  }
}
