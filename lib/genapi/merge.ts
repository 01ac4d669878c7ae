// Injecting one description into another (genapi.md 2.2): what the camera's own lacks is added, categories are united, and where
// both have a node its MergePriority decides.

import { descriptionError } from './errors.js'
import type { Model, NodeSpec } from './model.js'

/** Changes `target`. Throws ERR_GIGE_DESCRIPTION for a node that both have and neither gives way in. */
export function mergeModel(target: Model, injected: Model): void {
  for (const spec of injected.specs.values()) {
    if (spec.kind === 'EnumEntry') continue // they come and go with their enumeration
    const present = target.specs.get(spec.name)
    if (!present) {
      add(target, injected, spec)
    } else if (present.kind === 'Category' && spec.kind === 'Category') {
      unite(target, present, spec)
    } else if (present.kind === 'Port' && spec.kind === 'Port') {
      // Both lead to the same device; the camera's own declaration knows it better.
    } else if (priority(spec, present) > 0) {
      remove(target, present)
      add(target, injected, spec)
    }
  }
  target.problems.push(...injected.problems)
}

function priority(injected: NodeSpec, present: NodeSpec): number {
  const own = Number(injected.element.attribute('MergePriority') ?? 0)
  const other = Number(present.element.attribute('MergePriority') ?? 0)
  if (own > other || own < other) return own - other
  if (injected.isMadeUp || present.isMadeUp) return present.isMadeUp ? 1 : -1
  throw descriptionError(
    `Both descriptions have ${injected.name}, and no MergePriority says which one counts.`,
    { feature: injected.name, line: injected.element.line },
    'Set MergePriority of the injected node to 1 (it replaces) or -1 (it gives way).',
  )
}

function unite(target: Model, present: NodeSpec, { element }: NodeSpec): void {
  const known = new Set(present.element.all('pFeature').map((feature) => feature.text.trim()))
  const added = element.all('pFeature').filter((feature) => !known.has(feature.text.trim()))
  const children = [...present.element.children, ...added]
  target.specs.set(present.name, { ...present, element: present.element.with({ children }) })
}

function add(target: Model, from: Model, spec: NodeSpec): void {
  for (const one of [spec, ...entriesOf(from, spec)]) target.specs.set(one.name, one)
}

function remove(target: Model, spec: NodeSpec): void {
  for (const one of [spec, ...entriesOf(target, spec)]) target.specs.delete(one.name)
}

const entriesOf = (model: Model, { name, kind }: NodeSpec): NodeSpec[] =>
  kind === 'Enumeration'
    ? [...model.specs.values()].filter((spec) => spec.kind === 'EnumEntry' && spec.enumeration === name)
    : []
