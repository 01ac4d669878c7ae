// Features as text, both ways: what `get`, `set`, `features` and --set read and print.

import { GigeError } from '../errors.js'
import type { NodeMap } from '../genapi/index.js'
import type { Assignment } from './arguments.js'

/** Sets features in the order given, and tells by an error which one was refused. */
export async function setFeatures(features: NodeMap, assignments: readonly Assignment[]): Promise<void> {
  for (const { name, value } of assignments) await features.node(name).setText(value)
}

export function messageOf(error: unknown): string {
  if (error instanceof GigeError) return error.message
  return error instanceof Error ? error.message : String(error)
}
