// The node map: a camera's features by their names.

import { EventEmitter } from 'node:events'
import { GigeError, invalidArgument } from '../errors.js'
import { parseChunks } from './chunks.js'
import { settleEndianness } from './endianness.js'
import { featureError } from './errors.js'
import { type EventItem, eventName } from './event-items.js'
import { Feature } from './feature.js'
import { Graph } from './graph.js'
import { mergeModel } from './merge.js'
import { readModel } from './model.js'
import { nearNames } from './near-names.js'
import { Operations } from './operations.js'
import type { Port } from './port.js'
import { MISSING, type Session, typed } from './session.js'
import type {
  DescriptionInfo,
  DescriptionProblem,
  EndiannessVerdict,
  EventValues,
  ExecuteOptions,
  FeatureNode,
  FeatureOutcome,
  FeatureValue,
  InterfaceType,
  NodeMap,
  NodeMapEvents,
  NodeMapOptions,
  ReadOptions,
  WatchOptions,
  WriteOptions,
} from './types.js'
import { watchFeature } from './watch.js'
import { parseXml } from './xml.js'

/**
 * Node map of a description (`loadDescription(...).xml`) over a port. Nothing is read from the device yet, and
 * nodes are built when first used; a node that makes no sense fails alone, see `problems()`. Throws
 * ERR_GIGE_DESCRIPTION for a document that cannot be read at all.
 */
export function createNodeMap(xml: string, port: Port, options: NodeMapOptions = {}): NodeMap {
  const model = readModel(parseXml(xml))
  for (const injected of options.inject ?? []) mergeModel(model, readModel(parseXml(injected)))
  return new GenApiNodeMap(new Graph(model, port, options)) as NodeMap
}

/** Methods whose types depend on names that only a program knows, and those that return the map as such. */
type TypedByName = 'get' | 'set' | 'watch' | 'on' | 'once' | 'off'

class GenApiNodeMap extends EventEmitter<NodeMapEvents> implements Omit<NodeMap, TypedByName> {
  readonly #graph: Graph
  readonly #operations: Operations
  readonly #features = new Map<string, Feature>()
  #chunkFeatures: string[] | undefined
  /** One payload at a time is attached. */
  #chunkTurn: Promise<unknown> = Promise.resolve()
  /** One item at a time, too. */
  #eventTurn: Promise<unknown> = Promise.resolve()

  constructor(graph: Graph) {
    super()
    this.#graph = graph
    this.#operations = new Operations(graph)
    this.#operations.onChange((names) => {
      if (this.listenerCount('change') > 0) for (const name of names) this.emit('change', name)
    })
    graph.onWarning = (warning) => queueMicrotask(() => this.emit('warning', warning))
  }

  get info(): DescriptionInfo {
    return this.#graph.model.info
  }

  problems(): DescriptionProblem[] {
    return this.#graph.problems()
  }

  has(name: string): boolean {
    return this.#graph.spec(name) !== undefined
  }

  node(name: string): Feature {
    if (typeof name !== 'string') throw invalidArgument(`A feature's name is a string, not ${typeof name}`)
    const spec = this.#graph.spec(name)
    if (!spec) throw this.#unknown(name)
    let feature = this.#features.get(spec.name)
    if (!feature) {
      const node = this.#graph.node(spec.name)
      feature = new Feature(node, this.#graph, this.#operations, (other) => this.node(other))
      this.#features.set(spec.name, feature)
    }
    return feature
  }

  async firstOf(names: readonly string[], type?: InterfaceType): Promise<FeatureNode | undefined> {
    for (const name of names) {
      const feature = this.#graph.tryNode(name) && this.node(name)
      if (!feature || (type && feature.type !== type)) continue
      if ((await feature.access()) !== 'NI') return feature
    }
    return undefined
  }

  async get(name: string, options: ReadOptions = {}): Promise<FeatureValue> {
    return this.node(name).get(options)
  }

  getMany(names: readonly string[], options: ReadOptions = {}): Promise<Map<string, FeatureOutcome>> {
    return this.#operations.read(names[0] ?? '', options, (s) => {
      const outcomes = new Map<string, FeatureOutcome>()
      s.collect(names, (name) => outcomes.set(name, this.#outcome(name, s)))
      return outcomes
    })
  }

  async set(name: string, value: FeatureValue, options: WriteOptions = {}): Promise<void> {
    return this.node(name).set(value, options)
  }

  async execute(name: string, options: ExecuteOptions = {}): Promise<void> {
    return this.node(name).execute(options)
  }

  invalidate(name?: string): void {
    if (name === undefined) this.#operations.invalidateAll()
    else this.#operations.invalidate(this.node(name).name)
  }

  onChange(listener: (names: string[]) => void): () => void {
    return this.#operations.onChange(listener)
  }

  watch(name: string, options: WatchOptions = {}): AsyncGenerator<FeatureValue, void, void> {
    return watchFeature(this.node(name), this.#operations, options)
  }

  settleEndianness(): Promise<EndiannessVerdict> {
    return settleEndianness(this.#graph, this.#operations)
  }

  attachChunks(chunks: ReadonlyMap<number, Uint8Array>): void {
    for (const name of this.#graph.attachChunks(chunks)) this.#operations.invalidate(name)
  }

  chunkValues(payload: Uint8Array): Promise<Map<string, FeatureOutcome>> {
    const values = this.#chunkTurn.then(() => this.#chunkValues(payload))
    this.#chunkTurn = values.catch(() => {})
    return values
  }

  async #chunkValues(payload: Uint8Array): Promise<Map<string, FeatureOutcome>> {
    this.#chunkFeatures ??= this.#findChunkFeatures()
    this.attachChunks(parseChunks(payload).chunks)
    try {
      const outcomes = await this.getMany(this.#chunkFeatures)
      for (const [name, outcome] of outcomes) {
        const error = 'error' in outcome ? outcome.error : undefined
        const reason = error instanceof GigeError ? error.reason : undefined
        if (reason === 'not-available' || reason === 'not-implemented') outcomes.delete(name)
      }
      return outcomes
    } finally {
      this.attachChunks(new Map())
    }
  }

  #findChunkFeatures(): string[] {
    return this.#valuesBehind(this.#graph.chunkPorts())
  }

  /** Features with a value that these nodes are, or that depend on them. */
  #valuesBehind(nodes: readonly string[]): string[] {
    const { references } = this.#graph
    const names = new Set(nodes.flatMap((node) => [node, ...references.dependents(node)]))
    return [...names].filter((name) => {
      if (!references.isFeature(name)) return false
      const node = this.#graph.tryNode(name)
      return node !== undefined && node.type !== 'Category' && node.type !== 'Port' && node.type !== 'Command'
    })
  }

  deliverEvent(id: number, item: Uint8Array): string[] {
    const names = this.#graph.ofEvent(id)
    this.#graph.attachEvent(names, item)
    for (const name of names) this.#operations.invalidate(name)
    return names
  }

  eventValues(item: EventItem): Promise<EventValues> {
    const values = this.#eventTurn.then(async () => {
      const names = this.#valuesBehind(this.deliverEvent(item.id, item.bytes))
      return { name: eventName(names), values: await this.getMany(names) }
    })
    this.#eventTurn = values.catch(() => {})
    return values
  }

  *[Symbol.iterator](): Iterator<FeatureNode> {
    for (const { name, kind } of this.#graph.model.specs.values()) {
      if (kind !== 'EnumEntry' && this.#graph.tryNode(name)) yield this.node(name)
    }
  }

  #outcome(name: string, s: Session): FeatureOutcome {
    try {
      return { value: s.about(name, () => this.node(name).valueIn(s)) }
    } catch (error) {
      if (error === MISSING) throw error
      return { error: typed(error, name) }
    }
  }

  #unknown(name: string) {
    const near = nearNames(name, this.#graph.model.specs.keys())
    return featureError(
      name,
      'unknown',
      `This camera has no feature ${name}.`,
      near.length > 0
        ? `Similar names: ${near.join(', ')}.`
        : 'List the features with: gigewire features <address>.',
      { similar: near },
    )
  }
}
