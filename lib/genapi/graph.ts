// The nodes of one description, built when first asked for, and the ports they hang on.

import { GigeError } from '../errors.js'
import { descriptionError } from './errors.js'
import { parseHexId } from './literals.js'
import type { Model, NodeSpec } from './model.js'
import { NodeRef } from './node-ref.js'
import { createNode } from './nodes/factory.js'
import type { GenApiNode } from './nodes/node.js'
import type { Port } from './port.js'
import { References, unqualified } from './references.js'
import { RegisterPort } from './registers/register-port.js'
import type { DescriptionProblem, FeatureWarning, NodeMapOptions } from './types.js'

const MAX_WARNINGS = 1000

export class Graph {
  readonly references: References
  readonly ports = new Map<string, RegisterPort>()
  readonly #built = new Map<string, GenApiNode | GigeError>()
  readonly #notes = new Map<string, DescriptionProblem>()
  readonly #warned = new Set<string>()
  /** Chunks that ports choose from by a node of the description. */
  private chunks: ReadonlyMap<number, Uint8Array> = new Map()
  #legacy = false
  onWarning: ((warning: FeatureWarning) => void) | undefined

  constructor(
    readonly model: Model,
    readonly device: Port,
    options: NodeMapOptions,
  ) {
    this.references = new References(model.specs)
    this.#createPorts(device, options)
  }

  spec(name: string): NodeSpec | undefined {
    const spec = this.model.specs.get(unqualified(name))
    if (!spec || !name.includes('::')) return spec
    // A qualifier must be the right one: Std::Gain is not the Gain of another name space.
    const standard = spec.element.attribute('NameSpace') === 'Standard'
    return standard === name.startsWith('Std::') ? spec : undefined
  }

  /** The node of that name. Throws ERR_GIGE_DESCRIPTION when it cannot be built or does not exist. */
  node(name: string): GenApiNode {
    const spec = this.spec(name)
    if (!spec) throw descriptionError(`The description refers to ${name}, which it does not contain.`)
    let node = this.#built.get(spec.name)
    if (!node) {
      try {
        node = createNode(this, spec)
      } catch (error) {
        if (!(error instanceof GigeError)) throw error
        node = error
      }
      this.#built.set(spec.name, node)
    }
    if (node instanceof GigeError) throw node
    return node
  }

  /** As `node`, but undefined for what does not exist or cannot be built. */
  tryNode(name: string): GenApiNode | undefined {
    try {
      return this.node(name)
    } catch {
      return undefined
    }
  }

  /** An oddity of the description that was worked around when the node was built. */
  note(name: string, message: string): void {
    this.#notes.set(name, { name, line: this.spec(name)?.element.line ?? 0, message })
  }

  /** An oddity met while running; the same one is told once. */
  warn(feature: string, message: string): void {
    const key = `${feature} ${message}`
    if (this.#warned.has(key) || this.#warned.size >= MAX_WARNINGS) return
    this.#warned.add(key)
    this.onWarning?.({ feature, message })
  }

  /** Builds everything. Failures are listed, with what the document itself had to say. */
  problems(): DescriptionProblem[] {
    const problems = [...this.model.problems]
    for (const spec of this.model.specs.values()) {
      try {
        this.node(spec.name)
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error)
        problems.push({ name: spec.name, line: spec.element.line, message })
      }
    }
    problems.push(...this.#notes.values())
    for (const name of this.references.circularSelectors()) {
      problems.push({ name, line: this.spec(name)!.element.line, message: 'it selects itself, in a circle' })
    }
    return problems
  }

  /** The port that a register names; a missing pPort means the device's. */
  port(name = 'Device'): RegisterPort {
    const port = this.ports.get(unqualified(name))
    if (!port)
      throw descriptionError(`The description refers to the port ${name}, which it does not contain.`)
    return port
  }

  #createPorts(device: Port, options: NodeMapOptions): void {
    const now = options.now ?? (() => performance.now())
    const specs = [...this.model.specs.values()].filter(({ kind }) => kind === 'Port')
    const plain = specs.filter((spec) => !this.isDataPort(spec)).map(({ name }) => name)
    const main = plain.includes('Device') || plain.length !== 1 ? 'Device' : plain[0]!
    for (const { name, element } of specs) {
      const target = options.ports?.[name] ?? (name === main ? device : undefined)
      const swap = element.textOf('SwapEndianess') === 'Yes'
      const port = new RegisterPort(name, target, { swap, now })
      const chunk = NodeRef.in(this, element, 'pChunkID')
      if (chunk) port.choose = (s) => this.chunks.get(Number(chunk.node.readInteger(s)))
      this.ports.set(name, port)
    }
    // Registers without pPort, or with a pPort that nobody declared, belong to the device.
    if (!this.ports.has('Device')) {
      this.ports.set('Device', new RegisterPort('Device', device, { swap: false, now }))
    }
    this.legacyEndianness = options.legacyEndianness ?? this.model.schemaMinor === 0
  }

  /** Whether 4-byte registers are accessed by value, on all ports (genapi.md 7.1). */
  get legacyEndianness(): boolean {
    return this.#legacy
  }

  set legacyEndianness(legacy: boolean) {
    this.#legacy = legacy
    for (const port of this.ports.values()) port.legacy = legacy
  }

  /** Names of the ports that chunks are attached to. */
  chunkPorts(): string[] {
    return [...this.model.specs.values()]
      .filter(
        ({ kind, element }) => kind === 'Port' && (element.first('ChunkID') ?? element.first('pChunkID')),
      )
      .map(({ name }) => name)
  }

  /** What `attachChunks` gives: by literal id at once, by pChunkID when a port is asked. Returns the ports. */
  attachChunks(chunks: ReadonlyMap<number, Uint8Array>): string[] {
    this.chunks = chunks
    const names: string[] = []
    for (const name of this.chunkPorts()) {
      const { element } = this.spec(name)!
      const id = element.textOf('ChunkID')
      const data = chunks.get(parseHexId(id ?? '') ?? -1)
      // A copy outlives the buffer that the chunk lies in.
      const copied = data && element.textOf('CacheChunkData') === 'Yes' ? Uint8Array.from(data) : data
      this.port(name).attached = copied
      names.push(name)
    }
    return names
  }

  /** Names of the nodes, ports included, that belong to an event. */
  ofEvent(id: number): string[] {
    const all = [...this.model.specs.values()]
    return all
      .filter(({ element }) => parseHexId(element.textOf('EventID') ?? '') === id)
      .map(({ name }) => name)
  }

  /** Gives an event's item to the ports that wait for it. */
  attachEvent(names: readonly string[], item: Uint8Array): void {
    for (const name of names) if (this.spec(name)?.kind === 'Port') this.port(name).attached = item
  }

  /** Chunk and event ports have no device behind them, only data that is attached. */
  isDataPort({ element }: NodeSpec): boolean {
    return ['ChunkID', 'pChunkID', 'EventID'].some((tag) => element.textOf(tag) !== undefined)
  }
}
