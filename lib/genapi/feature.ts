// The public face of a node: static facts at once, everything else as one operation of the node map.

import { setTimeout as sleep } from 'node:timers/promises'
import { GigeError } from '../errors.js'
import { type AccessMode, isReadable, isWritable } from './access.js'
import { descriptionError, featureError } from './errors.js'
import type { Graph } from './graph.js'
import { toPublicInteger } from './literals.js'
import { BooleanNode } from './nodes/boolean.js'
import { CommandNode } from './nodes/command.js'
import { EnumerationNode } from './nodes/enumeration.js'
import { FloatBase } from './nodes/float-base.js'
import { IntegerBase } from './nodes/integer-base.js'
import type { GenApiNode } from './nodes/node.js'
import type { Operations } from './operations.js'
import type { Session } from './session.js'
import type {
  EnumerationEntry,
  ExecuteOptions,
  FeatureNode,
  FeatureValue,
  InterfaceType,
  ReadOptions,
  Visibility,
  WriteOptions,
} from './types.js'

export const DEFAULT_EXECUTE_TIMEOUT = 10_000
const DEFAULT_EXECUTE_POLL = 20

export class Feature implements FeatureNode {
  readonly #node: GenApiNode
  readonly #graph: Graph
  readonly #operations: Operations
  readonly #find: (name: string) => Feature

  /** `find` gives the one Feature of another node. */
  constructor(node: GenApiNode, graph: Graph, operations: Operations, find: (name: string) => Feature) {
    this.#node = node
    this.#graph = graph
    this.#operations = operations
    this.#find = find
  }

  get name(): string {
    return this.#node.name
  }

  get type(): InterfaceType {
    return this.#node.type
  }

  get kind(): string {
    return this.#node.kind
  }

  get displayName(): string {
    return this.#node.text('DisplayName') || this.name
  }

  get description(): string {
    return this.#node.text('Description')
  }

  get toolTip(): string {
    return this.#node.text('ToolTip')
  }

  get visibility(): Visibility {
    return this.#node.visibility
  }

  get unit(): string {
    return this.#node.inheritedText('Unit')
  }

  get representation(): string {
    const numeric = this.#node instanceof IntegerBase || this.#node instanceof FloatBase
    return numeric ? this.#node.inheritedText('Representation') || 'PureNumber' : ''
  }

  get streamable(): boolean {
    return this.#node.text('Streamable') === 'Yes'
  }

  get isFeature(): boolean {
    return this.#graph.references.isFeature(this.name)
  }

  get selects(): string[] {
    return this.#graph.references.selected(this.name)
  }

  get selectedBy(): string[] {
    return this.#graph.references.selectors(this.name)
  }

  features(): FeatureNode[] {
    return this.#graph.references
      .members(this.name)
      .filter((name) => this.#graph.tryNode(name))
      .map((name) => this.#find(name))
  }

  access(): Promise<AccessMode> {
    return this.#operations.read(this.name, {}, (s) => this.#node.access(s))
  }

  async min(): Promise<number | bigint | undefined> {
    return (await this.#limits())?.min
  }

  async max(): Promise<number | bigint | undefined> {
    return (await this.#limits())?.max
  }

  async inc(): Promise<number | bigint | undefined> {
    return (await this.#limits())?.inc
  }

  async entries(): Promise<EnumerationEntry[]> {
    const node = this.#node
    if (!(node instanceof EnumerationNode)) return []
    return this.#operations.read(this.name, {}, (s) => node.list(s))
  }

  get(options: ReadOptions = {}): Promise<FeatureValue> {
    return this.#operations.read(this.name, options, (s) => this.valueIn(s))
  }

  getInteger(options: ReadOptions = {}): Promise<number | bigint> {
    return this.#operations.read(this.name, options, (s) => {
      this.#requireReadable(s)
      return toPublicInteger(this.#node.readInteger(s))
    })
  }

  getText(options: ReadOptions = {}): Promise<string> {
    return this.#operations.read(this.name, options, (s) => {
      this.#requireReadable(s)
      return this.#node.getText(s)
    })
  }

  set(value: FeatureValue, options: WriteOptions = {}): Promise<void> {
    return this.#write(options, (s) => this.#node.setValue(s, value))
  }

  setText(text: string, options: WriteOptions = {}): Promise<void> {
    return this.#write(options, (s) => this.#node.setText(s, text))
  }

  async execute(options: ExecuteOptions = {}): Promise<void> {
    const node = this.#node
    // Cameras declare one and the same function as Command or as Boolean (GevSCPSFireTestPacket).
    if (node instanceof BooleanNode) return this.set(true)
    if (!(node instanceof CommandNode)) {
      throw featureError(
        this.name,
        'type',
        `${this.name} is of type ${this.type}; only commands are executed.`,
      )
    }
    options.signal?.throwIfAborted()
    await this.#write({}, (s) => node.execute(s))
    if (options.wait ?? true) await this.#untilDone(node, options)
    // A user set replaces everything, whatever the description says of it.
    if (this.name === 'UserSetLoad') this.#operations.invalidateAll()
  }

  /** Value within an operation that may comprise other features. */
  valueIn(s: Session): FeatureValue {
    if (this.#node.type !== 'Category') this.#requireReadable(s)
    return this.#node.getValue(s)
  }

  async #untilDone(node: CommandNode, { timeout = DEFAULT_EXECUTE_TIMEOUT, signal }: ExecuteOptions) {
    const deadline = performance.now() + timeout
    const pause = Math.min(1000, Math.max(1, node.pollingTime ?? DEFAULT_EXECUTE_POLL))
    for (;;) {
      signal?.throwIfAborted()
      const progress = await this.#operations.read(this.name, {}, (s) => node.progress(s))
      // Registers that a command changes change until it is done, so what was read meanwhile is void.
      if (progress === 'done') this.#operations.invalidate(this.name)
      if (progress !== 'running') return
      if (performance.now() >= deadline) throw notDone(this.name, timeout)
      await sleep(pause, undefined, { signal }).catch(() => {}) // aborted: the loop throws the signal's reason
    }
  }

  async #limits(): Promise<
    { min: number | bigint; max: number | bigint; inc: number | bigint | undefined } | undefined
  > {
    const node = this.#node
    if (node instanceof IntegerBase) {
      const { min, max, inc = 1n } = await this.#operations.read(this.name, {}, (s) => node.integerLimits(s))
      return { min: toPublicInteger(min), max: toPublicInteger(max), inc: toPublicInteger(inc) }
    }
    if (!(node instanceof FloatBase)) return undefined
    const { min, max, inc } = await this.#operations.read(this.name, {}, (s) => node.floatLimits(s))
    return { min: min + 0, max: max + 0, inc } // + 0: formulas make negative zeros, nobody wants to see them
  }

  #write(options: WriteOptions, plan: (s: Session) => void): Promise<void> {
    return this.#operations.write(this.name, options, (s) => {
      const mode = this.#node.access(s)
      if (!isWritable(mode)) throw refused(this.name, this.type, mode, 'written')
      plan(s)
    })
  }

  #requireReadable(s: Session): void {
    const mode = this.#node.access(s)
    if (!isReadable(mode) && this.#node.type !== 'Command') throw refused(this.name, this.type, mode, 'read')
  }
}

const REFUSALS = {
  NI: ['not-implemented', 'this camera does not have it', 'Check with has() and access() before use.'],
  NA: [
    'not-available',
    "the camera's present settings exclude it",
    'Other features decide whether it is available.',
  ],
  WO: ['write-only', 'it can only be written', 'Its value cannot be known.'],
  RO: [
    'read-only',
    'it can only be read now',
    'If it is writable at other times, stop the acquisition first.',
  ],
} as const

function refused(name: string, type: InterfaceType, access: AccessMode, verb: string): GigeError {
  if (access === 'RW') throw descriptionError(`${name} refused without a reason.`)
  const [reason, why, hint] = REFUSALS[access]
  const isStructure = type === 'Category' || type === 'Port' || type === 'Node'
  return featureError(
    name,
    reason,
    `${name} (${type}) cannot be ${verb}: ${why} (access ${access}).`,
    isStructure ? 'It has no value to set.' : hint,
    { access },
  )
}

function notDone(name: string, timeout: number): GigeError {
  return new GigeError(
    'ERR_GIGE_TIMEOUT',
    `${name} was sent, but the camera did not report it as done in ${timeout} ms.`,
    {
      hint: 'Give a longer timeout, or { wait: false } for commands that run until another one ends them.',
      details: { feature: name, timeout },
    },
  )
}
