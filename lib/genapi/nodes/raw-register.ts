// Register: bytes as they are (genapi.md 2.11).

import type { AccessMode } from '../access.js'
import { featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { GenApiNode } from './node.js'
import { RegisterLocation } from './register-location.js'

export class RegisterNode extends GenApiNode {
  readonly type: InterfaceType = 'Register'
  readonly location: RegisterLocation

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.location = new RegisterLocation(this, spec.element)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.location.access(s)
  }

  /** A copy: callers may do with it what they like. */
  override getValue(s: Session): FeatureValue {
    return Uint8Array.from(this.location.read(s))
  }

  /** Takes the whole register or its beginning. */
  override setValue(s: Session, value: FeatureValue): void {
    const length = this.location.length(s)
    if (!(value instanceof Uint8Array))
      throw this.wrongType(s, value, `a Uint8Array of up to ${length} bytes`)
    if (value.length === 0 || value.length > length) {
      throw featureError(
        s.subject,
        'out-of-range',
        `${s.subject}: ${value.length} bytes for a register of ${length}.`,
        `Give 1 to ${length} bytes.`,
        { min: 1, max: length },
      )
    }
    this.write(s, () => this.location.write(s, Uint8Array.from(value)))
  }

  override getText(s: Session): string {
    return `0x${Array.from(this.location.read(s), (byte) => byte.toString(16).padStart(2, '0')).join('')}`
  }

  override parseText(s: Session, text: string): FeatureValue {
    const length = this.location.length(s)
    const digits = /^\s*0[xX]((?:[0-9a-fA-F]{2})+)\s*$/.exec(text)?.[1]
    if (digits?.length !== 2 * length)
      throw this.wrongType(s, text, `0x and exactly ${2 * length} hexadecimal digits`)
    return Uint8Array.from(digits.match(/../g)!, (pair) => Number.parseInt(pair, 16))
  }
}
