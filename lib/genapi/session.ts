// One operation on the node map, such as get('Gain'). Node logic is plain synchronous code over bytes that are
// at hand. Where bytes are missing it stops (MISSING), the missing ranges are fetched, and it runs again from the
// start; what was found so far is remembered. Writes are only planned, so every check of every node involved has
// passed before the first byte leaves, and reads after a planned write see it.
//
// This keeps `await` out of formulas and access rules, reads each register once per operation (whatever its
// caching), and lets many features wait for their registers together.

import { GigeError } from '../errors.js'
import type { AccessMode } from './access.js'
import { descriptionError } from './errors.js'
import { fetchRanges } from './registers/fetch.js'
import type { CachingMode, RegisterPort, RegisterRange } from './registers/register-port.js'

/** Thrown by `Session.bytes`; whoever catches errors in node logic must let it pass. */
export const MISSING = new Error('register bytes are not at hand yet')

/** Nodes that may be under evaluation at once: far above real chains, far below the stack's end. */
export const MAX_NODE_DEPTH = 150

/** A host-side variable: the Value of a node that has no register. */
export interface Variable<T> {
  value: T
}

interface Named {
  readonly name: string
}

interface PlannedWrite extends RegisterRange {
  data: Uint8Array
  mode: CachingMode
}

export interface SessionOptions {
  ignoreCache?: boolean
  verify?: boolean
}

export class Session {
  readonly verify: boolean
  #ignoreCache: boolean
  #memo = new Map<string, { value: unknown }>()
  readonly #running = new Set<string>()
  readonly #fetched = new Map<RegisterPort, Map<string, Uint8Array | { error: unknown }>>()
  readonly #missing = new Map<string, RegisterRange>()
  #writes: PlannedWrite[] = []
  readonly #assigned = new Map<Variable<unknown>, unknown>()
  readonly #touched = new Set<Named>()

  #subject: string

  constructor(subject: string, options: SessionOptions = {}) {
    this.#subject = subject
    this.verify = options.verify ?? true
    this.#ignoreCache = options.ignoreCache ?? false
  }

  /** The feature that the caller named: errors speak of it. */
  get subject(): string {
    return this.#subject
  }

  /** Runs `logic` on behalf of another feature. */
  about<T>(subject: string, logic: () => T): T {
    const before = this.#subject
    this.#subject = subject
    try {
      return logic()
    } finally {
      this.#subject = before
    }
  }

  // ---- running ----------------------------------------------------------------------------------------------

  /** Runs `logic` until it has all the bytes it wants. */
  async run<T>(logic: () => T): Promise<T> {
    for (;;) {
      this.#restart()
      try {
        return logic()
      } catch (error) {
        if (error !== MISSING) throw typed(error, this.subject)
      }
      await this.#fetch()
    }
  }

  /** Whether `logic` finds every byte it wants at hand. */
  isAtHand(logic: () => unknown): boolean {
    this.#restart()
    try {
      logic()
    } catch (error) {
      if (error === MISSING) return false
    } finally {
      this.#missing.clear()
    }
    return true
  }

  /** Applies `logic` to every item; the bytes that all of them miss are then fetched together. */
  collect<A, B>(items: readonly A[], logic: (item: A) => B): B[] {
    let missing = false
    const results: B[] = []
    for (const item of items) {
      try {
        results.push(logic(item))
      } catch (error) {
        if (error !== MISSING) throw error
        missing = true
      }
    }
    if (missing) throw MISSING
    return results
  }

  #restart(): void {
    if (this.#writes.length > 0 || this.#assigned.size > 0) this.#memo.clear()
    this.#writes = []
    this.#assigned.clear()
    this.#touched.clear()
    this.#running.clear()
  }

  async #fetch(): Promise<void> {
    const ranges = [...this.#missing.values()]
    this.#missing.clear()
    const generations = new Map(ranges.map(({ port }) => [port, port.generation]))
    for (const { port, address, length, result } of await fetchRanges(ranges)) {
      this.#fetchedOf(port).set(rangeKey(address, length), result)
      // Bytes that were overtaken by an invalidation still answer this operation, but no later one.
      if (result instanceof Uint8Array && generations.get(port) === port.generation)
        port.store(address, result)
    }
  }

  // ---- results within the operation ---------------------------------------------------------------------------

  /** Computes once per operation. Throws ERR_GIGE_DESCRIPTION when the computation needs its own result. */
  memo<T>(node: Named, aspect: string, compute: () => T): T {
    const key = `${node.name} ${aspect}`
    const known = this.#memo.get(key)
    if (known) return known.value as T
    const value = this.guard(node, aspect, compute)
    this.#memo.set(key, { value })
    return value
  }

  /** Runs `compute` unless it is already under way for this node, which makes the description circular. */
  guard<T>(node: Named, aspect: string, compute: () => T): T {
    const key = `${node.name} ${aspect}`
    if (this.#running.has(key)) {
      throw descriptionError(`${node.name} depends on itself.`, { feature: this.subject, reason: 'cycle' })
    }
    if (this.#running.size >= MAX_NODE_DEPTH) {
      throw descriptionError(`${this.subject} goes through more than ${MAX_NODE_DEPTH} nodes.`, {
        feature: this.subject,
        reason: 'depth',
      })
    }
    this.#running.add(key)
    try {
      return compute()
    } finally {
      this.#running.delete(key)
    }
  }

  /**
   * Access of a node. Real files contain loops of availability (genapi.md 3.1): a node that is asked again while
   * it is being asked counts as accessible.
   */
  access(node: Named, compute: () => AccessMode): AccessMode {
    return this.#running.has(`${node.name} access`) ? 'RW' : this.memo(node, 'access', compute)
  }

  /** True while the description asks not to poll the node. One that gives no verdict, being its own condition, say, is polled. */
  isPollingBlocked(node: Named & { isPollingBlocked(s: Session): boolean }): boolean {
    try {
      return this.guard(node, 'polling', () => node.isPollingBlocked(this))
    } catch (error) {
      if (error === MISSING) throw error
      return false
    }
  }

  /** Evaluates with every register read anew (once in this operation). */
  fresh<T>(compute: () => T): T {
    if (this.#ignoreCache) return compute()
    const memo = this.#memo
    this.#memo = new Map()
    this.#ignoreCache = true
    try {
      return compute()
    } finally {
      this.#memo = memo
      this.#ignoreCache = false
    }
  }

  // ---- registers and variables ----------------------------------------------------------------------------------

  /** Bytes of a register, planned writes included. Throws MISSING when they must be fetched first. */
  bytes(range: RegisterRange, mode: CachingMode, isFresh: (age: number) => boolean): Uint8Array {
    const { port, address, length } = range
    const exact = this.#writes.findLast((write) => write.port === port && same(write, range))
    if (exact) return exact.data
    const data = this.#deviceBytes(range, mode, isFresh)
    const over = this.#writes.filter((write) => write.port === port && overlap(write, range))
    if (over.length === 0) return data
    const patched = Uint8Array.from(data)
    for (const write of over) {
      for (let index = 0; index < write.length; index++) {
        const at = Number(write.address - address) + index
        if (at >= 0 && at < length) patched[at] = write.data[index]!
      }
    }
    return patched
  }

  #deviceBytes(range: RegisterRange, mode: CachingMode, isFresh: (age: number) => boolean): Uint8Array {
    const { port, address, length } = range
    const fetched = this.#fetchedOf(port).get(rangeKey(address, length))
    if (fetched instanceof Uint8Array) return fetched
    if (fetched) throw fetched.error
    if (!this.#ignoreCache && mode !== 'NoCache') {
      const cached = port.cached(address, length, isFresh)
      if (cached) return cached
    }
    this.#missing.set(`${port.name} ${rangeKey(address, length)}`, range)
    throw MISSING
  }

  planWrite(range: RegisterRange, data: Uint8Array, mode: CachingMode): void {
    this.#writes.push({ ...range, data, mode })
    this.#memo.clear()
  }

  value<T>(variable: Variable<T>): T {
    return this.#assigned.has(variable as Variable<unknown>)
      ? (this.#assigned.get(variable as Variable<unknown>) as T)
      : variable.value
  }

  assign<T>(variable: Variable<T>, value: T): void {
    this.#assigned.set(variable as Variable<unknown>, value)
    this.#memo.clear()
  }

  /** Notes that the node is on the path of a write: its dependents change with it. */
  touch(node: Named): void {
    this.#touched.add(node)
  }

  /** Names of the nodes on the path of the planned writes. */
  get touched(): string[] {
    return [...this.#touched].map((node) => node.name)
  }

  /** Carries out what was planned, in order. */
  async commit(): Promise<void> {
    for (const { port, address, data, mode } of this.#writes) await port.write(address, data, mode)
    for (const [variable, value] of this.#assigned) variable.value = value
  }

  #fetchedOf(port: RegisterPort): Map<string, Uint8Array | { error: unknown }> {
    let map = this.#fetched.get(port)
    if (!map) {
      map = new Map()
      this.#fetched.set(port, map)
    }
    return map
  }
}

const rangeKey = (address: bigint, length: number): string => `${address}:${length}`

const same = (a: RegisterRange, b: RegisterRange): boolean => a.address === b.address && a.length === b.length

const overlap = (a: RegisterRange, b: RegisterRange): boolean =>
  a.address < b.address + BigInt(b.length) && b.address < a.address + BigInt(a.length)

/** Port failures keep their type and learn which feature they befell; the stack's end becomes a typed error. */
/** What node logic throws, as callers are to see it. */
export function typed(error: unknown, subject: string): unknown {
  if (error instanceof GigeError) {
    error.feature ??= subject
    return error
  }
  if (error instanceof RangeError && /call stack/i.test(error.message)) {
    return descriptionError(`${subject} is too deeply nested.`, { feature: subject, reason: 'depth' })
  }
  return error
}
