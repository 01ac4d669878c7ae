// The highest rate that a receiver takes without loss: first as fast as the sender can; where that loses something, by bisection.

import type { HighestRate, Load, Receiver, Run } from './model.js'
import type { Networks } from './network.js'
import { oneRun } from './one-run.js'
import { isLossless } from './series.js'

export interface SearchOptions {
  seconds: number
  /** The bisection ends when the interval is narrower than this share of it. */
  resolution?: number
  progress?: (gigabits: number, lossless: boolean) => void
  signal?: AbortSignal
}

const LOWEST = 0.25
/** A rate counts as offered when so much of it was. */
const OFFERED = 0.93

export async function highestRate(
  networks: Networks,
  load: Load,
  receiver: Receiver,
  { seconds, resolution = 0.08, progress, signal }: SearchOptions,
): Promise<HighestRate> {
  const ends = networks.at(load.place)
  const tried: HighestRate['tried'] = []
  const found = { receiver: receiver.name, load, tried }
  const attempt = async (gigabits: number | undefined): Promise<Run> => {
    signal?.throwIfAborted()
    const offered: Load = gigabits === undefined ? { ...load, pacing: 'unpaced' } : { ...load, gigabits }
    const run = await oneRun(ends, offered, receiver, seconds)
    tried.push({ gigabits: run.sent, lossless: isLossless(run) })
    progress?.(run.sent, isLossless(run))
    return run
  }
  /** "Without loss" means in two of three runs: a busy moment of the machine is not the receiver's limit. */
  const holds = async (gigabits: number | undefined): Promise<Run | undefined> => {
    const runs = [await attempt(gigabits), await attempt(gigabits)]
    if (isLossless(runs[0]!) !== isLossless(runs[1]!)) runs.push(await attempt(gigabits))
    const good = runs.filter(isLossless)
    return good.length >= 2 ? good[0] : undefined
  }

  const unpaced = await holds(undefined)
  if (unpaced) return { ...found, gigabits: unpaced.sent, senderLimited: true }
  let high = Math.max(...tried.map((one) => one.gigabits))
  let low = 0
  let limited = false
  while (low === 0 ? high > LOWEST : high - low > resolution * high) {
    const middle = low === 0 ? high / 2 : (low + high) / 2
    const run = await holds(middle)
    if (!run) {
      high = middle
    } else if (run.sent < middle * OFFERED) {
      limited = true
      low = run.sent
      break
    } else {
      low = run.sent
    }
  }
  return { ...found, gigabits: low, senderLimited: limited }
}
