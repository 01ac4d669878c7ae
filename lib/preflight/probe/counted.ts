// Times a probe and takes the counters of the host around it.

import { counterDelta, takeCounters } from '../collect/counters.js'
import type { CounterDelta } from '../facts.js'

export interface Counted<T> {
  value: T
  ms: number
  counters?: CounterDelta
}

export async function counted<T>(nic: string, work: () => Promise<T>): Promise<Counted<T>> {
  const started = performance.now()
  const before = takeCounters(nic)
  const value = await work()
  const after = before && takeCounters(nic)
  const ms = Math.round(performance.now() - started)
  return { value, ms, ...(before && after && { counters: counterDelta(before, after) }) }
}
