// IntReg and MaskedIntReg: an integer in a register, the whole of it or a run of its bits (genapi.md 2.6, 2.7).

import type { AccessMode } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import { parseInteger } from '../literals.js'
import type { NodeSpec } from '../model.js'
import { type BitField, bitField, extract, insert, naturalRange } from '../registers/bit-field.js'
import { decodeUnsigned, encodeInteger } from '../registers/codec.js'
import type { Session } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import type { Limits } from './domain.js'
import { IntegerBase } from './integer-base.js'
import { parseLiteral } from './property.js'
import { RegisterLocation } from './register-location.js'

export class IntRegNode extends IntegerBase {
  readonly location: RegisterLocation
  readonly #signed: boolean
  /** Bit numbers as written; undefined: the whole register. */
  readonly #bits: { lsb: number; msb: number } | undefined

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.location = new RegisterLocation(this, spec.element)
    this.#signed = spec.element.textOf('Sign') === 'Signed'
    this.#bits = spec.kind === 'MaskedIntReg' ? readBits(spec.element) : undefined
  }

  protected baseAccess(s: Session): AccessMode {
    return this.location.access(s)
  }

  protected override computeInteger(s: Session): bigint {
    const bytes = this.location.read(s)
    const field = this.#field(s, bytes.length)
    return extract(decodeUnsigned(bytes, this.location.byteOrder(bytes.length)), field)
  }

  protected override computeIntegerLimits(s: Session): Limits<bigint> {
    return { ...naturalRange(this.#field(s, this.location.length(s))), inc: 1n }
  }

  protected storeInteger(s: Session, value: bigint): void {
    const length = this.location.length(s)
    const order = this.location.byteOrder(length)
    const field = this.#field(s, length)
    const present = field.width === 8 * length ? 0n : decodeUnsigned(this.location.readForUpdate(s), order)
    this.location.write(s, encodeInteger(insert(present, field, value), length, order))
  }

  #field(s: Session, length: number): BitField {
    if (length > 8) {
      throw descriptionError(`${this.name}: an integer register of ${length} bytes; 1 to 8 are possible.`, {
        feature: s.subject,
      })
    }
    const { lsb, msb } = this.#bits ?? { lsb: 0, msb: 8 * length - 1 }
    const field = bitField(lsb, msb, length, this.location.bitOrder, this.#signed)
    if (field) return field
    throw descriptionError(`${this.name}: bits ${lsb} to ${msb} reach out of its ${length} bytes.`, {
      feature: s.subject,
    })
  }
}

function readBits(element: XmlElement): { lsb: number; msb: number } {
  const bit = readBit(element, 'Bit')
  const lsb = readBit(element, 'LSB') ?? bit
  const msb = readBit(element, 'MSB') ?? bit
  if (lsb === undefined || msb === undefined) {
    throw descriptionError(`Line ${element.line}: a masked register without Bit, or without LSB and MSB.`, {
      line: element.line,
    })
  }
  return { lsb, msb }
}

function readBit(element: XmlElement, tag: string): number | undefined {
  const child = element.first(tag)
  return child && Number(parseLiteral(child, { parse: parseInteger }))
}
