// Command: writes a value that makes the device act, and tells when it has (genapi.md 2.9).

import { type AccessMode, isReadable } from '../access.js'
import { featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseBoolean } from '../literals.js'
import type { NodeSpec } from '../model.js'
import { NodeRef } from '../node-ref.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { integers } from './domain.js'
import { GenApiNode } from './node.js'
import { property } from './property.js'
import { ValueSource } from './value-source.js'

export class CommandNode extends GenApiNode {
  readonly type: InterfaceType = 'Command'
  readonly #source: ValueSource<bigint>
  readonly #command
  readonly #commandRef: NodeRef | undefined

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#source = new ValueSource(graph, spec.element, integers)
    this.#command = property(graph, spec.element, 'CommandValue', integers) ?? (() => 1n)
    this.#commandRef = NodeRef.in(graph, spec.element, 'pCommandValue')
  }

  protected baseAccess(s: Session): AccessMode {
    const command = this.#commandRef?.node.access(s) ?? 'RW'
    if (command === 'NI') return 'NI'
    return isReadable(command) ? this.#source.access(s) : 'NA'
  }

  protected override computeInteger(s: Session): bigint {
    return this.#source.read(s)
  }

  protected override computeFloat(s: Session): number {
    return Number(this.readInteger(s))
  }

  /** Used where another node's pValue is a command. */
  protected override putInteger(s: Session, value: bigint): void {
    this.#source.write(s, value)
  }

  /** Plans the write of the command value. */
  execute(s: Session): void {
    this.writeInteger(s, this.#command(s))
  }

  /**
   * How far the device is: it is done when the register no longer shows the command. A command that cannot be
   * read, or that has no device behind it, tells nothing.
   */
  progress(s: Session): 'running' | 'done' | 'untold' {
    if (this.#source.isFloating || !isReadable(this.access(s))) return 'untold'
    const command = this.#command(s)
    return s.fresh(() => this.#source.read(s)) === command ? 'running' : 'done'
  }

  /** Idle commands read as false. */
  override getValue(s: Session): FeatureValue {
    return this.progress(s) === 'running'
  }

  override setValue(s: Session, value: FeatureValue): void {
    if (value !== true && value !== 1 && value !== 1n)
      throw this.wrongType(s, value, 'true, or call execute()')
    this.execute(s)
  }

  override getText(s: Session): string {
    return this.progress(s) === 'running' ? '1' : '0'
  }

  override parseText(s: Session, text: string): FeatureValue {
    if (parseBoolean(text) !== true) {
      throw featureError(
        s.subject,
        'type',
        `${s.subject} is a command; "${text}" does not execute it.`,
        'Give 1 or true.',
      )
    }
    return true
  }
}
