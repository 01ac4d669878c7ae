// The public face of a node: static facts at once, everything else as one operation of the node map.

import { setTimeout as sleep } from 'node:timers/promises'
import { GigeError } from '../errors.js'
import { type AccessMode, isReadable, isWritable } from './access.js'
import { fillDocumentationUrl } from './documentation-url.js'
import { featureError } from './errors.js'
import type { Graph } from './graph.js'
import { parseHexId, toPublicInteger } from './literals.js'
import { BooleanNode } from './nodes/boolean.js'
import { CommandNode } from './nodes/command.js'
import { EnumerationNode } from './nodes/enumeration.js'
import { FloatBase } from './nodes/float-base.js'
import { IntegerBase } from './nodes/integer-base.js'
import type { GenApiNode } from './nodes/node.js'
import type { Operations } from './operations.js'
import { assertTaken } from './read-back.js'
import { unqualified } from './references.js'
import { refused } from './refusal.js'
import type { Session } from './session.js'
import type {
  CachingMode,
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

  get nameSpace(): 'Standard' | 'Custom' {
    return this.#node.attribute('NameSpace') === 'Standard' ? 'Standard' : 'Custom'
  }

  get documentationUrl(): string {
    return fillDocumentationUrl(this.#node.text('DocuURL'), this.name, this.#graph.model.info)
  }

  get deprecated(): boolean {
    return this.#node.text('IsDeprecated') === 'Yes'
  }

  get alias(): string | undefined {
    return unqualified(this.#node.text('pAlias')) || undefined
  }

  get castAlias(): string | undefined {
    return unqualified(this.#node.text('pCastAlias')) || undefined
  }

  get eventId(): number | undefined {
    return parseHexId(this.#node.text('EventID'))
  }

  get pollingTime(): number | undefined {
    const { references } = this.#graph
    const times = references.pollers(this.name).map((name) => this.#graph.tryNode(name)?.pollingTime)
    const known = [this.#node.pollingTime, ...times].filter((time) => time !== undefined)
    return known.length === 0 ? undefined : Math.min(...known)
  }

  get cachingMode(): CachingMode {
    return this.#graph.references.cachingMode(this.name)
  }

  get streamable(): boolean {
    return this.#node.inheritedText('Streamable') === 'Yes'
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

  imposeAccess(mode: AccessMode): void {
    this.#node.imposeAccess(mode)
    this.#operations.notify([this.name])
  }

  isCached(): boolean {
    return this.#operations.isAtHand(this.name, (s) => this.valueIn(s))
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

  async validValues(): Promise<(number | bigint)[] | undefined> {
    return (await this.#limits())?.valid
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
    return this.#set(options, () => value)
  }

  setText(text: string, options: WriteOptions = {}): Promise<void> {
    return this.#set(options, (s) => this.#node.parseText(s, text))
  }

  async isDone(): Promise<boolean> {
    const node = this.#node
    if (!(node instanceof CommandNode)) {
      throw featureError(this.name, 'type', `${this.name} is a ${this.type}; only commands are ever done.`)
    }
    return (await this.#operations.read(this.name, {}, (s) => node.progress(s))) !== 'running'
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

  async #set(options: WriteOptions, choose: (s: Session) => FeatureValue): Promise<void> {
    let asked: FeatureValue = ''
    await this.#write(options, (s) => {
      asked = choose(s)
      this.#node.setValue(s, asked)
    })
    if (!options.readBack || this.type === 'Command' || !isReadable(await this.access())) return
    const asNumber = this.type === 'Enumeration' && typeof asked !== 'string'
    const fresh = { ignoreCache: true }
    assertTaken(this.name, asked, await (asNumber ? this.getInteger(fresh) : this.get(fresh)))
  }

  async #limits(): Promise<PublicLimits | undefined> {
    const node = this.#node
    if (node instanceof IntegerBase) {
      const limits = await this.#operations.read(this.name, {}, (s) => node.integerLimits(s))
      const { min, max, inc = 1n, valid } = limits
      return {
        min: toPublicInteger(min),
        max: toPublicInteger(max),
        inc: toPublicInteger(inc),
        valid: valid?.map(toPublicInteger),
      }
    }
    if (!(node instanceof FloatBase)) return undefined
    const { min, max, inc, valid } = await this.#operations.read(this.name, {}, (s) => node.floatLimits(s))
    return { min: min + 0, max: max + 0, inc, valid } // + 0: formulas make negative zeros, nobody wants to see them
  }

  #write(options: WriteOptions, plan: (s: Session) => void): Promise<void> {
    return this.#operations.write(this.name, options, (s) => {
      const mode = this.#node.access(s)
      if (!isWritable(mode)) throw this.#refused(s, mode, 'written')
      plan(s)
    })
  }

  #requireReadable(s: Session): void {
    const mode = this.#node.access(s)
    if (!isReadable(mode) && this.#node.type !== 'Command') throw this.#refused(s, mode, 'read')
  }

  #refused(s: Session, access: AccessMode, verb: 'read' | 'written'): GigeError {
    const isListening = verb === 'written' && access === 'RO' && this.#graph.device.access === 'RO'
    const by = this.#node.hindrance(s)
    return refused({ name: this.name, type: this.type, access, verb, by, isListening })
  }
}

interface PublicLimits {
  min: number | bigint
  max: number | bigint
  inc: number | bigint | undefined
  valid: (number | bigint)[] | undefined
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
