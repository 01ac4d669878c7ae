// Going through the values of selectors, and leaving them as they were (genapi.md 3.5).

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

/** Sets the selectors to each combination of values that the camera offers, one after the other. */
export async function* eachSelection(
  map: NodeMap,
  selectors: Selectors,
  names: readonly string[],
): AsyncGenerator<Selection, void, void> {
  let left = MAX_SELECTIONS
  async function* from(index: number, chosen: Selection): AsyncGenerator<Selection, void, void> {
    const name = names[index]
    if (name === undefined) {
      if (--left >= 0) yield chosen
      return
    }
    for (const value of await valuesOf(map.node(name))) {
      await selectors.set(name, value)
      yield* from(index + 1, { ...chosen, [name]: value })
    }
  }
  yield* from(0, {})
}

async function valuesOf(node: FeatureNode): Promise<(number | boolean | string)[]> {
  if ((await node.access()) !== 'RW') return []
  if (node.type === 'Enumeration') {
    const entries = await node.entries()
    return entries.filter(({ available }) => available).map(({ name }) => name)
  }
  if (node.type === 'Boolean') return [false, true]
  if (node.type !== 'Integer') return []
  const valid = await node.validValues()
  if (valid) return valid.slice(0, MAX_VALUES).map(Number)
  const [min, max, inc] = [
    Number(await node.min()),
    Number(await node.max()),
    Number((await node.inc()) ?? 1),
  ]
  const count = inc > 0 && max >= min ? Math.floor((max - min) / inc) + 1 : 0
  return count > MAX_VALUES ? [] : Array.from({ length: count }, (_, index) => min + index * inc)
}
