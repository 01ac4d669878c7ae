// String and StringReg (genapi.md 2.11).

import type { AccessMode } from '../access.js'
import { featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { GenApiNode } from './node.js'
import { RegisterLocation } from './register-location.js'
import { type SourceDomain, ValueSource } from './value-source.js'

abstract class TextBase extends GenApiNode {
  readonly type: InterfaceType = 'String'

  override getValue(s: Session): FeatureValue {
    return this.readString(s)
  }

  override setValue(s: Session, value: FeatureValue): void {
    if (typeof value !== 'string') throw this.wrongType(s, value, 'a string')
    this.writeString(s, value)
  }

  override parseText(_s: Session, text: string): FeatureValue {
    return text
  }
}

const strings: SourceDomain<string> = {
  parse: (text) => text.trim(),
  readPointed: (node, s) => node.readString(s),
  write: (node, s, value) => node.writeString(s, value),
}

export class StringNode extends TextBase {
  readonly #source: ValueSource<string>

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#source = new ValueSource(graph, spec.element, strings)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.#source.access(s)
  }

  protected override computeString(s: Session): string {
    return this.#source.read(s)
  }

  protected override putString(s: Session, value: string): void {
    this.#source.write(s, value)
  }
}

export class StringRegNode extends TextBase {
  readonly location: RegisterLocation

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.location = new RegisterLocation(this, spec.element)
  }

  protected baseAccess(s: Session): AccessMode {
    return this.location.access(s)
  }

  /** Up to the first NUL; UTF-8, or Latin-1 where it is none. */
  protected override computeString(s: Session): string {
    const bytes = this.location.read(s)
    const end = bytes.indexOf(0)
    const text = end < 0 ? bytes : bytes.subarray(0, end)
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(text)
    } catch {
      return Array.from(text, (byte) => String.fromCharCode(byte)).join('')
    }
  }

  /** Padded with NUL to the register's length; a full register needs no terminator. */
  protected override putString(s: Session, value: string): void {
    const length = this.location.length(s)
    const encoded = new TextEncoder().encode(value)
    if (encoded.length > length || value.includes('\0')) {
      throw featureError(
        s.subject,
        'out-of-range',
        `${s.subject}: ${encoded.length > length ? `${encoded.length} bytes of text` : 'text with a NUL'} cannot be stored.`,
        `Give at most ${length} bytes of UTF-8 without NUL.`,
        { max: length },
      )
    }
    const bytes = new Uint8Array(length)
    bytes.set(encoded)
    this.location.write(s, bytes)
  }
}
