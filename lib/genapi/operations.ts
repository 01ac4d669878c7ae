// Runs operations on the graph one after another: a read-modify-write of one feature must not interleave with
// another's, and a value must not enter the cache after the write that made it old. Knows what a change drags
// along: caches of dependents, listeners, error features.

import { isReadable } from './access.js'
import { featureError } from './errors.js'
import type { Graph } from './graph.js'
import { EnumerationNode } from './nodes/enumeration.js'
import type { GenApiNode } from './nodes/node.js'
import type { RegisterLocation } from './nodes/register-location.js'
import { Session, type SessionOptions } from './session.js'

export type ChangeListener = (names: string[]) => void

export class Operations {
  readonly #graph: Graph
  readonly #listeners = new Set<ChangeListener>()
  #last: Promise<unknown> = Promise.resolve()

  constructor(graph: Graph) {
    this.#graph = graph
  }

  read<T>(subject: string, options: SessionOptions, logic: (s: Session) => T): Promise<T> {
    return this.#inTurn(() => {
      const session = new Session(subject, options)
      return session.run(() => logic(session))
    })
  }

  /** Plans by `logic`, then sends. Nothing is sent when any check of any node involved fails. */
  write(subject: string, options: SessionOptions, logic: (s: Session) => void): Promise<void> {
    return this.#inTurn(async () => {
      const session = new Session(subject, options)
      await session.run(() => logic(session))
      const path = session.touched
      const dependents = this.#dependents(path)
      try {
        await session.commit()
      } finally {
        this.#changed(path, dependents)
      }
      if (session.verify) await this.#checkErrorFeatures(subject, path)
    })
  }

  /** The value behind the node has changed without us. */
  invalidate(name: string): void {
    const path = this.#graph.references.valuePath(name)
    for (const node of path) this.#forget(node)
    this.#changed(path, this.#dependents(path))
  }

  /** The value behind the node was found to be another one: what depends on it is out of date. */
  changedOutside(name: string): void {
    const path = this.#graph.references.valuePath(name)
    this.#changed(path, this.#dependents(path))
  }

  /** Something about these nodes is different, but no value. */
  notify(names: string[]): void {
    this.#notify(names)
  }

  /** Whether reading would need no device. */
  isAtHand(subject: string, logic: (s: Session) => unknown): boolean {
    const session = new Session(subject)
    return session.isAtHand(() => logic(session))
  }

  invalidateAll(): void {
    for (const port of this.#graph.ports.values()) port.forgetAll()
    this.#notify([...this.#graph.model.specs.values()].filter(isNamedNode).map(({ name }) => name))
  }

  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What changes with the nodes of `path`, without themselves. */
  #dependents(path: readonly string[]): ReadonlySet<string> {
    const dependents = new Set<string>()
    for (const name of path) {
      for (const dependent of this.#graph.references.dependents(name)) dependents.add(dependent)
    }
    for (const name of path) dependents.delete(name)
    return dependents
  }

  /**
   * Forgets the dependents. The nodes of the path keep what a write has just put into the cache, unless a
   * dependent shares their register and was declared to change with them.
   */
  #changed(path: readonly string[], dependents: ReadonlySet<string>): void {
    for (const name of dependents) this.#forget(name)
    this.#notify([...path, ...dependents])
  }

  #forget(name: string): void {
    const node = this.#graph.tryNode(name)
    if (node && hasLocation(node)) node.location.forget()
  }

  #notify(names: string[]): void {
    if (names.length === 0) return
    for (const listener of this.#listeners) {
      // After the operation, and apart from it: a listener may read or write features, or throw.
      queueMicrotask(() => listener(names))
    }
  }

  /** pError: features in which the device tells what became of a write. */
  async #checkErrorFeatures(subject: string, path: readonly string[]): Promise<void> {
    const names = path
      .flatMap((name) => this.#graph.references.of(name))
      .filter(({ role }) => role === 'pError')
    for (const { target } of names) {
      const node = this.#graph.node(target)
      const session = new Session(subject, { ignoreCache: true })
      await session.run(() => {
        if (!isReadable(node.access(session)) || node.readInteger(session) === 0n) return
        const entry = node instanceof EnumerationNode ? node.entryNow(session) : undefined
        const message = entry?.text('ToolTip') || entry?.text('DisplayName') || `${target} is set`
        throw featureError(subject, 'device-error', `${subject}: the camera reports: ${message}.`, '', {
          errorFeature: target,
          entry: entry?.symbolic,
        })
      })
    }
  }

  #inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(() => {
      this.#graph.device.assertUsable?.()
      return operation()
    })
    this.#last = result.catch(() => {})
    return result
  }
}

function hasLocation(node: GenApiNode): node is GenApiNode & { location: RegisterLocation } {
  return 'location' in node
}

const isNamedNode = ({ kind }: { kind: string }): boolean => kind !== 'EnumEntry'
