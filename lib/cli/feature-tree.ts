// A camera's features as a tree: categories, and in them what a visibility level and a search let through.

import type { FeatureNode, FeatureOutcome, NodeMap, Visibility } from '../genapi/index.js'

const LEVELS: readonly Visibility[] = ['Beginner', 'Expert', 'Guru', 'Invisible']

export interface TreeFilter {
  level: Visibility
  /** Lower case; part of a name, display name, tool tip or description. */
  search: string | undefined
}

export interface Branch {
  category: FeatureNode
  depth: number
  features: FeatureNode[]
}

function shown(node: FeatureNode, { level, search }: TreeFilter): boolean {
  if (LEVELS.indexOf(node.visibility) > LEVELS.indexOf(level)) return false
  if (search === undefined) return true
  return [node.name, node.displayName, node.toolTip, node.description].some((text) =>
    text.toLowerCase().includes(search),
  )
}

/** Categories in the description's order, those without anything to show left out. Loops are cut. */
export function branches(map: NodeMap, filter: TreeFilter): Branch[] {
  const visited = new Set<string>()
  const walk = (category: FeatureNode, depth: number): Branch[] => {
    if (visited.has(category.name)) return []
    visited.add(category.name)
    const members = category.features()
    const features = members.filter((node) => node.type !== 'Category' && shown(node, filter))
    const below = members.filter((node) => node.type === 'Category').flatMap((node) => walk(node, depth + 1))
    if (features.length === 0 && below.length === 0) return []
    return [{ category, depth, features }, ...below]
  }
  return map.has('Root') ? walk(map.node('Root'), -1) : []
}

export interface FeatureFacts {
  name: string
  category: string
  type: string
  visibility: Visibility
  access: string
  displayName: string
  description: string
  unit?: string
  value?: unknown
  /** As the description wants it shown. */
  text?: string
  min?: number | bigint
  max?: number | bigint
  inc?: number | bigint
  entries?: string[]
  selects?: string[]
  selectedBy?: string[]
  error?: string
}

async function quietly<T>(work: Promise<T>): Promise<T | undefined> {
  return await work.catch(() => undefined)
}

/** Everything about one feature; what cannot be read is left out, and said so in `error`. */
export async function featureFacts(
  node: FeatureNode,
  category: string,
  outcome: FeatureOutcome | undefined,
): Promise<FeatureFacts> {
  const access = (await quietly(node.access())) ?? 'unknown'
  const facts: FeatureFacts = {
    name: node.name,
    category,
    type: node.type,
    visibility: node.visibility,
    access,
    displayName: node.displayName,
    description: node.description || node.toolTip,
  }
  if (node.unit) facts.unit = node.unit
  if (node.selects.length > 0) facts.selects = node.selects
  if (node.selectedBy.length > 0) facts.selectedBy = node.selectedBy
  if (node.type === 'Command' || access === 'NI' || access === 'NA' || access === 'WO') return facts
  if (outcome && 'value' in outcome) {
    facts.value = outcome.value
    const text = await quietly(node.getText())
    if (text !== undefined) facts.text = text
  } else if (outcome) {
    facts.error = outcome.error instanceof Error ? outcome.error.message : String(outcome.error)
  }
  if (node.type === 'Integer' || node.type === 'Float') {
    const [min, max, inc] = [await quietly(node.min()), await quietly(node.max()), await quietly(node.inc())]
    if (min !== undefined) facts.min = min
    if (max !== undefined) facts.max = max
    if (inc !== undefined) facts.inc = inc
  }
  if (node.type === 'Enumeration') {
    const entries = (await quietly(node.entries())) ?? []
    facts.entries = entries.filter((entry) => entry.available).map((entry) => entry.name)
  }
  return facts
}
