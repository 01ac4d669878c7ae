// Boolean: two values of an integer (genapi.md 2.9).

import type { AccessMode } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseBoolean, parseInteger } from '../literals.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { integers, type Limits, toFloatLimits } from './domain.js'
import { GenApiNode } from './node.js'
import { parseLiteral } from './property.js'
import { ValueSource } from './value-source.js'

export class BooleanNode extends GenApiNode {
  readonly type: InterfaceType = 'Boolean'
  readonly #source: ValueSource<bigint>
  readonly #on: bigint
  readonly #off: bigint

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    const { element } = spec
    const on = element.first('OnValue')
    const off = element.first('OffValue')
    this.#on = on ? parseLiteral(on, integers) : 1n
    this.#off = off ? parseLiteral(off, integers) : 0n
    if (this.#on === this.#off) {
      throw descriptionError(`Line ${element.line}: ${spec.name} has one value for both on and off.`, {
        line: element.line,
      })
    }
    // A literal Value is true or false; what is stored is the matching integer, as behind a pValue.
    this.#source = new ValueSource(graph, element, {
      ...integers,
      parse: (text) => {
        const flag = parseBoolean(text)
        return flag === undefined ? parseInteger(text) : this.#raw(flag)
      },
    })
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#source.access(s)
  }

  /** 1 or 0, whatever the values behind it are. Anything but OnValue is false. */
  protected override computeInteger(s: Session): bigint {
    const value = this.#source.read(s)
    if (value !== this.#on && value !== this.#off) {
      this.graph.warn(
        this.name,
        `${this.name} holds ${value}, which is neither on (${this.#on}) nor off (${this.#off}); it counts as off.`,
      )
    }
    return value === this.#on ? 1n : 0n
  }

  protected override computeFloat(s: Session): number {
    return Number(this.readInteger(s))
  }

  protected override computeIntegerLimits(): Limits<bigint> {
    return { min: 0n, max: 1n, inc: 1n }
  }

  protected override computeFloatLimits(s: Session): Limits<number> {
    return toFloatLimits(this.integerLimits(s))
  }

  protected override putInteger(s: Session, value: bigint): void {
    this.#source.write(s, this.#raw(value !== 0n))
  }

  protected override putFloat(s: Session, value: number): void {
    this.putInteger(s, value === 0 ? 0n : 1n)
  }

  override getValue(s: Session): FeatureValue {
    return this.readInteger(s) === 1n
  }

  override setValue(s: Session, value: FeatureValue): void {
    // 0 and 1 are unambiguous; older descriptions declare the same feature as Integer.
    if (value !== true && value !== false && !isBit(value)) throw this.wrongType(s, value, 'true or false')
    this.writeInteger(s, BigInt(value))
  }

  override getText(s: Session): string {
    return this.readInteger(s).toString()
  }

  override parseText(s: Session, text: string): FeatureValue {
    const value = parseBoolean(text)
    if (value === undefined) throw this.wrongType(s, text, 'true, false, 1 or 0')
    return value
  }

  #raw(value: boolean): bigint {
    return value ? this.#on : this.#off
  }
}

function isBit(value: FeatureValue): value is number | bigint {
  return value === 0 || value === 1 || value === 0n || value === 1n
}
