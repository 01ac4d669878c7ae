// What follows from who names whom, without interpreting any node: which nodes change with a node, what a
// selector selects, how far a value may be cached (genapi.md 3.2, 3.3, 3.5). All of it lazily, and by loops
// rather than recursion, since descriptions may be circular.

import { descriptionError } from './errors.js'
import type { NodeSpec } from './model.js'
import type { CachingMode } from './registers/register-port.js'
import type { XmlElement } from './xml-element.js'

export interface Reference {
  /** Element name: pValue, pMin, pIsLocked, ... */
  role: string
  target: string
}

const VALUE_PATH = new Set(['pValue', 'pValueCopy', 'pValueIndexed', 'pValueDefault'])
const INPUTS = new Set([...VALUE_PATH, 'pVariable', 'pAddress', 'pIndex', 'pOffset', 'pLength'])
// These name other nodes without their value depending on them.
const LOOSE = new Set([
  'pFeature',
  'pSelected',
  'pAlias',
  'pCastAlias',
  'pError',
  'pEnumEntry',
  'p1212Parser',
])
const REGISTER_KINDS = new Set(['Register', 'IntReg', 'MaskedIntReg', 'FloatReg', 'StringReg'])

// Real files stay below 50 000 of either; these end what only a hostile one can grow.
const MAX_REFERENCES = 500_000
const MAX_EDGES = 1_000_000
// Real descriptions have a few dozen selectors, and each selects a few features; beyond, nobody looks for circles.
const MAX_SELECTORS = 1000
const MAX_SELECTED = 10_000
const MAX_SUSPENDABLE = 16
/** Names kept in memory for quick answers; what is beyond is found anew each time. */
const MAX_KEPT = 500_000
const MAX_VALUE_PATH = 500 // beyond what can be evaluated

export const isRegisterKind = (kind: string): boolean => REGISTER_KINDS.has(kind)

/** Name without a `Std::` or `Cust::` qualifier. */
export const unqualified = (name: string): string => name.slice(name.lastIndexOf(':') + 1)

export class References {
  readonly #specs: ReadonlyMap<string, NodeSpec>
  readonly #outgoing = new Map<string, Reference[]>()
  readonly #dependents = new Map<string, ReadonlySet<string>>()
  readonly #valuePaths = new Map<string, readonly string[]>()
  readonly #cachingModes = new Map<string, CachingMode>()
  #changesWith: Map<string, Set<string>> | undefined
  #selectors: Map<string, string[]> | undefined
  #readers: Map<string, string[]> | undefined
  #pollers: Map<string, string[]> | undefined
  #features: ReadonlySet<string> | undefined
  #shortestPollingTime: number | undefined
  #total = 0
  #kept = 0

  constructor(specs: ReadonlyMap<string, NodeSpec>) {
    this.#specs = specs
  }

  /** Everything that the node's elements point to, in order; dangling pointers are left out. */
  of(name: string): Reference[] {
    let references = this.#outgoing.get(name)
    if (!references) {
      const spec = this.#specs.get(name)
      references = spec ? collect(spec.element).filter(({ target }) => this.#specs.has(target)) : []
      this.#total += references.length
      if (this.#total > MAX_REFERENCES) throw descriptionError('The nodes refer to each other too often.')
      this.#outgoing.set(name, references)
    }
    return references
  }

  /** Names of all nodes that may change when `name` changes; without itself unless it is circular. */
  dependents(name: string): ReadonlySet<string> {
    let dependents = this.#dependents.get(name)
    if (!dependents) {
      dependents = reachable([name], (node) => this.#directDependents().get(node) ?? [])
      this.#keep(dependents.size)
      this.#dependents.set(name, dependents)
    }
    return dependents
  }

  /** Of all registers, in milliseconds; infinite where none has a PollingTime. */
  get shortestPollingTime(): number {
    if (this.#shortestPollingTime === undefined) {
      this.#shortestPollingTime = Number.POSITIVE_INFINITY
      for (const { kind, element } of this.#specs.values()) {
        const time = isRegisterKind(kind) ? Number(element.textOf('PollingTime') ?? Number.NaN) : Number.NaN
        if (time < this.#shortestPollingTime) this.#shortestPollingTime = time
      }
    }
    return this.#shortestPollingTime
  }

  /** Nodes whose PollingTime the value of this one is subject to: registers that it is, or depends on. */
  pollers(name: string): readonly string[] {
    this.#pollers ??= this.#findPollers()
    return this.#pollers.get(name) ?? []
  }

  /**
   * Shortest times first: where one has been, a longer one changes nothing, nor beyond. Only times that may be suspended
   * (pBlockPolling, of which descriptions have few if any) let others through.
   */
  #findPollers(): Map<string, string[]> {
    const pollers = new Map<string, string[]>()
    const settled = new Set<string>()
    const all = [...this.#specs.values()]
      .filter(({ kind, element }) => isRegisterKind(kind) && element.textOf('PollingTime') !== undefined)
      .map(({ name, element }) => ({ name, time: Number(element.textOf('PollingTime')), element }))
      .sort((a, b) => a.time - b.time)
    let suspendable = 0
    for (const { name, element } of all) {
      const settles = element.first('pBlockPolling') === undefined || ++suspendable > MAX_SUSPENDABLE
      const open = [name]
      const seen = new Set<string>()
      for (let node = open.pop(); node !== undefined; node = open.pop()) {
        if (seen.has(node) || settled.has(node)) continue
        seen.add(node)
        append(pollers, node, name)
        for (const dependent of this.#directDependents().get(node) ?? []) open.push(dependent)
      }
      if (settles) for (const node of seen) settled.add(node)
    }
    return pollers
  }

  /** Selectors that select themselves, directly or through others. */
  circularSelectors(): string[] {
    const selected = new Map<string, string[]>()
    let edges = 0
    for (const name of this.#specs.keys()) {
      const list = this.selected(name)
      if (list.length === 0) continue
      selected.set(name, list)
      edges += list.length
      if (selected.size > MAX_SELECTORS || edges > MAX_SELECTED) return []
    }
    return [...selected.keys()].filter((name) =>
      reachable([name], (node) => selected.get(node) ?? []).has(name),
    )
  }

  /** The node's own mode or that of any node it is computed from, whichever is the weakest. */
  cachingMode(name: string): CachingMode {
    let mode = this.#cachingModes.get(name)
    if (!mode) {
      mode = 'WriteThrough'
      for (const node of [name, ...this.#reachableBy(name, INPUTS)]) {
        mode = weaker(mode, ownCachingMode(this.#specs.get(node)))
      }
      this.#cachingModes.set(name, mode)
    }
    return mode
  }

  /** The node and the nodes below it that hold its value, down to registers. */
  valuePath(name: string): readonly string[] {
    let path = this.#valuePaths.get(name)
    if (!path) {
      path = [name, ...this.#reachableBy(name, VALUE_PATH, MAX_VALUE_PATH)]
      this.#keep(path.length)
      this.#valuePaths.set(name, path)
    }
    return path
  }

  #keep(count: number): void {
    this.#kept += count
    if (this.#kept <= MAX_KEPT) return
    this.#dependents.clear()
    this.#valuePaths.clear()
    this.#kept = count
  }

  /** What a selector lists, and what reads a listed node through pValue. */
  selected(name: string): string[] {
    const listed = this.of(name).filter(({ role }) => role === 'pSelected')
    const all = listed.flatMap(({ target }) => [target, ...(this.#valueReaders().get(target) ?? [])])
    return [...new Set(all)]
  }

  selectors(name: string): string[] {
    if (!this.#selectors) {
      this.#selectors = new Map()
      let edges = 0
      for (const selector of this.#specs.keys()) {
        for (const feature of this.selected(selector)) {
          if (++edges > MAX_EDGES) throw descriptionError('The selectors select too much.')
          append(this.#selectors, feature, selector)
        }
      }
    }
    return this.#selectors.get(name) ?? []
  }

  /** Members of a category. */
  members(name: string): string[] {
    return this.of(name)
      .filter(({ role }) => role === 'pFeature')
      .map(({ target }) => target)
  }

  /** Everything below a category, at any depth. */
  contents(name: string): ReadonlySet<string> {
    return reachable([name], (node) => this.members(node))
  }

  isFeature(name: string): boolean {
    this.#features ??= this.contents('Root')
    return this.#features.has(name) || name === 'Root'
  }

  #reachableBy(name: string, roles: ReadonlySet<string>, most?: number): ReadonlySet<string> {
    const next = (node: string) =>
      this.of(node)
        .filter(({ role }) => roles.has(role))
        .map(({ target }) => target)
    return reachable([name], next, most)
  }

  #directDependents(): Map<string, Set<string>> {
    if (this.#changesWith) return this.#changesWith
    const graph = new Map<string, Set<string>>()
    let edges = 0
    const edge = (from: string, to: string) => {
      if (++edges > MAX_EDGES) throw descriptionError('The nodes depend on each other too often.')
      const known = graph.get(from)
      if (known) known.add(to)
      else graph.set(from, new Set([to]))
    }
    for (const name of this.#specs.keys()) {
      for (const { role, target } of this.of(name)) {
        if (role === 'pSelected') {
          for (const node of this.valuePath(target)) edge(name, node)
        } else if (role === 'pInvalidator') {
          // The node itself may hold no bytes; what must be forgotten lies at the end of its value path.
          for (const node of this.valuePath(name)) edge(target, node)
        } else if (!LOOSE.has(role)) {
          edge(target, name)
        }
      }
    }
    this.#changesWith = graph
    return graph
  }

  #valueReaders(): Map<string, string[]> {
    if (!this.#readers) {
      this.#readers = new Map()
      for (const name of this.#specs.keys()) {
        for (const { role, target } of this.of(name)) {
          if (role === 'pValue') append(this.#readers, target, name)
        }
      }
    }
    return this.#readers
  }
}

function collect(element: XmlElement): Reference[] {
  const references: Reference[] = []
  const own = new Set(element.children.map((child) => child.name))
  const inherited = element.inherited?.children.filter((child) => !own.has(child.name)) ?? []
  for (const child of [...element.children, ...inherited]) {
    if (/^p[A-Z0-9]/.test(child.name)) {
      references.push({ role: child.name, target: unqualified(child.text.trim()) })
      const offset = child.attribute('pOffset')
      if (offset) references.push({ role: 'pOffset', target: unqualified(offset) })
    } else if (child.name === 'IntSwissKnife') {
      // An address term: what it reads, the register reads.
      for (const reference of collect(child)) references.push(reference)
    } else if (child.name === 'EnumEntry') {
      // An entry that comes or goes changes what the enumeration accepts.
      for (const { target } of collect(child)) references.push({ role: 'entry', target })
    }
  }
  return references
}

function reachable(
  from: string[],
  next: (name: string) => Iterable<string>,
  most = Number.POSITIVE_INFINITY,
): ReadonlySet<string> {
  const found = new Set<string>()
  const open = [...from]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const target of next(name)) {
      if (found.has(target)) continue
      if (found.size >= most) return found
      found.add(target)
      open.push(target)
    }
  }
  return found
}

function append(map: Map<string, string[]>, key: string, value: string): void {
  const list = map.get(key)
  if (list) list.push(value)
  else map.set(key, [value])
}

const STRENGTH: Record<CachingMode, number> = { NoCache: 0, WriteAround: 1, WriteThrough: 2 }

const weaker = (a: CachingMode, b: CachingMode): CachingMode => (STRENGTH[a] <= STRENGTH[b] ? a : b)

function ownCachingMode(spec: NodeSpec | undefined): CachingMode {
  if (!spec || !isRegisterKind(spec.kind)) return 'WriteThrough'
  const text = spec.element.textOf('Cachable')
  if (text === 'NoCache' || text === 'WriteAround' || text === 'WriteThrough') return text
  return spec.kind === 'FloatReg' ? 'WriteAround' : 'WriteThrough'
}
