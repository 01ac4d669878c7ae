// The nodes of one description, built when first asked for, and the ports they hang on.

import { GigeError } from '../errors.js'
import { descriptionError } from './errors.js'
import { parseHexId } from './literals.js'
import type { Model, NodeSpec } from './model.js'
import { createNode } from './nodes/factory.js'
import type { GenApiNode } from './nodes/node.js'
import type { Port } from './port.js'
import { References, unqualified } from './references.js'
import { RegisterPort } from './registers/register-port.js'
import type { DescriptionProblem, NodeMapOptions } from './types.js'

export class Graph {
  readonly references: References
  readonly ports = new Map<string, RegisterPort>()
  readonly #built = new Map<string, GenApiNode | GigeError>()

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
    const legacy = options.legacyEndianness ?? this.model.schemaMinor === 0
    const specs = [...this.model.specs.values()].filter(({ kind }) => kind === 'Port')
    const plain = specs.filter((spec) => !this.isDataPort(spec)).map(({ name }) => name)
    const main = plain.includes('Device') || plain.length !== 1 ? 'Device' : plain[0]!
    for (const { name, element } of specs) {
      const target = options.ports?.[name] ?? (name === main ? device : undefined)
      const swap = element.textOf('SwapEndianess') === 'Yes'
      this.ports.set(name, new RegisterPort(name, target, { legacy, swap, now }))
    }
    // Registers without pPort, or with a pPort that nobody declared, belong to the device.
    if (!this.ports.has('Device')) {
      this.ports.set('Device', new RegisterPort('Device', device, { legacy, swap: false, now }))
    }
  }

  /** Chunk and event ports have no device behind them, only data that is attached. */
  isDataPort({ element }: NodeSpec): boolean {
    return ['ChunkID', 'pChunkID', 'EventID'].some((tag) => element.textOf(tag) !== undefined)
  }

  /** Ports whose id in `tag` (ChunkID or EventID) equals `id`. */
  dataPorts(tag: 'ChunkID' | 'EventID'): { port: RegisterPort; id: number | undefined; name: string }[] {
    const found = []
    for (const { name, kind, element } of this.model.specs.values()) {
      const text = kind === 'Port' ? element.textOf(tag) : undefined
      if (text !== undefined) found.push({ port: this.port(name), id: parseHexId(text), name })
    }
    return found
  }
}
