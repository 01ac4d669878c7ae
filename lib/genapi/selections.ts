// Going through the values of selectors, and leaving them as they were (genapi.md 3.5).

import { isReadable } from './access.js'
import type { FeatureNode, FeatureValue, NodeMap } from './types.js'

/** Values of selectors, the outermost first. */
export type Selection = Record<string, number | boolean | string>

/** More values than this are not gone through: such an Integer is an index into a table, not a choice. */
const MAX_VALUES = 256
const MAX_SELECTIONS = 4096

/** Remembers the selectors that it moves. */
export class Selectors {
  readonly #map: NodeMap
  readonly #before = new Map<string, FeatureValue>()

  constructor(map: NodeMap) {
    this.#map = map
  }

  async set(name: string, value: FeatureValue): Promise<void> {
    const now = await this.#map.get(name)
    if (!this.#before.has(name)) this.#before.set(name, now)
    if (now !== value) await this.#map.set(name, value)
  }

  async select(selection: Selection): Promise<void> {
    for (const [name, value] of Object.entries(selection)) await this.set(name, value)
  }

  /** Puts everything back after `work`, the outermost selectors first. */
  async restoring<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      for (const [name, value] of this.#before) await this.#map.set(name, value).catch(() => {}) // its work is done
      this.#before.clear()
    }
  }
}

/** Selectors that decide what the feature shows, and those that decide about them: the outermost first. Circles are cut. */
export function selectorsOf(map: NodeMap, node: FeatureNode): string[] {
  const found: string[] = []
  const visited = new Set([node.name])
  const visit = (name: string): void => {
    for (const selector of map.node(name).selectedBy) {
      if (visited.has(selector)) continue
      visited.add(selector)
      visit(selector)
      found.push(selector)
    }
  }
  visit(node.name)
  return found
}

/**
 * Sets the selectors to each combination of values that the camera offers, one after the other. A selector that cannot be moved stays where
 * it is; `onLimit` is told where not all that there is was gone through.
 */
export async function* eachSelection(
  map: NodeMap,
  selectors: Selectors,
  names: readonly string[],
  onLimit: (why: string) => void,
): AsyncGenerator<Selection, void, void> {
  let left = MAX_SELECTIONS
  async function* from(index: number, chosen: Selection): AsyncGenerator<Selection, void, void> {
    const name = names[index]
    if (name === undefined) {
      if (--left >= 0) yield chosen
      else if (left === -1) onLimit(`${names.join(', ')} have more than ${MAX_SELECTIONS} combinations`)
      return
    }
    const values = await valuesOf(map.node(name), onLimit)
    if (values === undefined) yield* from(index + 1, chosen)
    for (const value of values ?? []) {
      if (left < 0) return
      await selectors.set(name, value)
      yield* from(index + 1, { ...chosen, [name]: value })
    }
  }
  yield* from(0, {})
}

/** undefined: it has none that can be told. */
async function valuesOf(
  node: FeatureNode,
  onLimit: (why: string) => void,
): Promise<(number | boolean | string)[] | undefined> {
  const access = await node.access()
  if (!isReadable(access)) return undefined
  if (access === 'RO') return await currentOf(node)
  if (node.type === 'Enumeration') {
    const entries = await node.entries()
    return entries.filter(({ available }) => available).map(({ name }) => name)
  }
  if (node.type === 'Boolean') return [false, true]
  if (node.type !== 'Integer') return await currentOf(node)
  const valid = await node.validValues()
  const [min, max, inc] = [
    Number(await node.min()),
    Number(await node.max()),
    Number((await node.inc()) ?? 1),
  ]
  const count = valid?.length ?? (inc > 0 && max >= min ? Math.floor((max - min) / inc) + 1 : 0)
  if (count > MAX_VALUES) {
    onLimit(`${node.name} has more than ${MAX_VALUES} values`)
    return await currentOf(node)
  }
  return valid?.map(Number) ?? Array.from({ length: count }, (_, index) => min + index * inc)
}

async function currentOf(node: FeatureNode): Promise<(number | boolean | string)[] | undefined> {
  const value = await node.get()
  return typeof value === 'bigint' || value instanceof Uint8Array ? undefined : [value]
}
