// Where a register is and how it is reached: the sum of its address terms, its length, its port, its caching
// (genapi.md 2.3).

import { type AccessMode, combine, isReadable } from '../access.js'
import { descriptionError, featureError } from '../errors.js'
import type { Graph } from '../graph.js'
import { isAccessMode, parseAccessMode, parseInteger } from '../literals.js'
import { NodeRef } from '../node-ref.js'
import { type ByteOrder, encodeInteger } from '../registers/codec.js'
import type { RegisterPort, RegisterRange } from '../registers/register-port.js'
import type { Session } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import { integers } from './domain.js'
import { Formulas } from './formulas.js'
import type { GenApiNode } from './node.js'
import { type Property, parseLiteral, property } from './property.js'

export const MAX_REGISTER_LENGTH = 16 * 1024 * 1024
/** Where a chunk has its own length (genapi.md 2.13). */
const CHUNK_LENGTH_ADDRESS = 2n ** 63n - 16n

export class RegisterLocation {
  readonly port: RegisterPort
  readonly #owner: GenApiNode
  readonly #terms: Property<bigint>[]
  readonly #length: Property<bigint>
  readonly #mode: AccessMode
  readonly #declaredOrder: ByteOrder
  readonly #portRef: NodeRef | undefined
  /** Ranges that were read: what an invalidation of the node must forget. */
  readonly #used = new Map<string, RegisterRange>()

  constructor(owner: GenApiNode, element: XmlElement) {
    const { graph } = owner
    const length = property(graph, element, 'Length', integers)
    if (!length)
      throw descriptionError(`Line ${element.line}: ${owner.name} has no Length.`, { line: element.line })
    this.#owner = owner
    this.#length = length
    this.#terms = addressTerms(owner, element, length)
    const mode = element.textOf('AccessMode') ?? 'RO'
    if (!isAccessMode(mode)) graph.note(owner.name, `access mode "${mode.slice(0, 20)}" counts as RW`)
    this.#mode = parseAccessMode(mode)
    this.#declaredOrder = element.textOf('Endianess') === 'LittleEndian' ? 'LittleEndian' : 'BigEndian'
    const portName = element.textOf('pPort')
    this.port = graph.port(portName)
    this.#portRef = portName && graph.spec(portName) ? new NodeRef(graph, portName) : undefined
  }

  /** Register's own mode within that of its port. */
  access(s: Session): AccessMode {
    return combine(this.#mode, this.#portRef ? this.#portRef.node.access(s) : 'RW')
  }

  length(s: Session): number {
    const length = this.#length(s)
    if (length < 1n || length > BigInt(MAX_REGISTER_LENGTH)) {
      throw descriptionError(
        `${this.#owner.name}: a register of ${length} bytes; 1 to ${MAX_REGISTER_LENGTH} are possible.`,
        { feature: s.subject },
      )
    }
    return Number(length)
  }

  /** Byte order of the value; a register that is accessed by value is big-endian whatever it says. */
  byteOrder(length: number): ByteOrder {
    return this.port.usesRegisterAccess(length) ? 'BigEndian' : this.#declaredOrder
  }

  /** Order in which the description numbers bits, whatever the wire does. */
  get bitOrder(): ByteOrder {
    return this.#declaredOrder
  }

  read(s: Session): Uint8Array {
    const length = this.length(s)
    const attached = this.port.data(s)
    if (attached) return this.#readAttached(s, attached, length)
    const range = this.#range(s, length)
    this.#used.set(`${range.address}:${length}`, range)
    return s.bytes(range, this.#cachingMode(), (age) => this.#isFresh(s, age))
  }

  /** What a partial write changes: the present bytes, or what is known of them when they cannot be read. */
  readForUpdate(s: Session): Uint8Array {
    if (isReadable(this.access(s))) return this.read(s)
    const length = this.length(s)
    return this.port.lastWritten(this.#address(s), length) ?? new Uint8Array(length)
  }

  /** Plans the write of the whole register, or of its beginning. */
  write(s: Session, data: Uint8Array): void {
    s.planWrite(this.#range(s, data.length), data, this.#cachingMode())
  }

  /** What is younger than every PollingTime needs no look at who depends on whom. */
  #isFresh(s: Session, age: number): boolean {
    return age < this.#owner.graph.references.shortestPollingTime || age < this.#maxAge(s)
  }

  /** The shortest PollingTime of whatever this register depends on, unless polling is blocked there. */
  #maxAge(s: Session): number {
    const { graph, name } = this.#owner
    let age = Number.POSITIVE_INFINITY
    for (const poller of graph.references.pollers(name)) {
      const node = graph.tryNode(poller)
      const time = node?.pollingTime
      if (node && time !== undefined && time < age && !s.isPollingBlocked(node)) age = time
    }
    return age
  }

  forget(): void {
    for (const { address, length } of this.#used.values()) this.port.forget(address, length)
    this.#used.clear()
  }

  #cachingMode() {
    return this.#owner.graph.references.cachingMode(this.#owner.name)
  }

  #address(s: Session): bigint {
    return this.#terms.reduce((sum, term) => sum + term(s), 0n)
  }

  #range(s: Session, length: number): RegisterRange {
    const address = this.#address(s)
    if (!this.port.device) {
      throw featureError(
        s.subject,
        'not-available',
        `${s.subject}: port ${this.port.name} has no data.`,
        'Chunk and event features have values only after their data has arrived.',
      )
    }
    if (address < 0n || address >= 2n ** 64n) {
      throw descriptionError(`${this.#owner.name}: ${address} is no address.`, { feature: s.subject })
    }
    return { port: this.port, address, length }
  }

  /** Addresses count from the start of the data, negative ones from its end (genapi.md 6.1). */
  #readAttached(s: Session, data: Uint8Array, length: number): Uint8Array {
    const address = this.#address(s)
    if (address === CHUNK_LENGTH_ADDRESS && length === 8) {
      return encodeInteger(BigInt(data.length), length, this.byteOrder(length))
    }
    const start = address < 0n ? BigInt(data.length) + address : address
    if (start < 0n || start + BigInt(length) > BigInt(data.length)) {
      throw featureError(
        s.subject,
        'not-available',
        `${s.subject}: ${length} bytes at ${address} reach out of the ${data.length} bytes of ${this.port.name}.`,
      )
    }
    return data.slice(Number(start), Number(start) + length)
  }
}

function addressTerms(owner: GenApiNode, element: XmlElement, length: Property<bigint>): Property<bigint>[] {
  const { graph } = owner
  const terms: Property<bigint>[] = []
  for (const literal of element.all('Address')) {
    const value = parseLiteral(literal, { parse: parseInteger })
    terms.push(() => value)
  }
  for (const pointer of element.all('pAddress')) {
    const ref = new NodeRef(graph, pointer.text.trim())
    terms.push((s) => ref.node.readInteger(s))
  }
  for (const index of element.all('pIndex')) terms.push(indexTerm(graph, index, length))
  for (const knife of element.all('IntSwissKnife')) {
    const formulas = new Formulas(owner, knife, integers)
    terms.push((s) => formulas.evaluate('Formula', s))
  }
  if (terms.length === 0) {
    throw descriptionError(`Line ${element.line}: ${owner.name} has no address.`, { line: element.line })
  }
  return terms
}

/** Index times Offset; without an offset, times the register's length. */
function indexTerm(graph: Graph, element: XmlElement, length: Property<bigint>): Property<bigint> {
  const index = new NodeRef(graph, element.text.trim())
  const offsetName = element.attribute('pOffset')
  const offsetRef = offsetName ? new NodeRef(graph, offsetName) : undefined
  const text = element.attribute('Offset')
  const literal = text === undefined ? undefined : parseInteger(text)
  if (text !== undefined && literal === undefined) {
    throw descriptionError(`Line ${element.line}: "${text.slice(0, 60)}" is no Offset.`, {
      line: element.line,
    })
  }
  return (s) => {
    const step = offsetRef ? offsetRef.node.readInteger(s) : (literal ?? length(s))
    return index.node.readInteger(s) * step
  }
}
