// The highest rate that a receiver takes without loss: first as fast as the sender can; where that loses something, by bisection.

import type { HighestRate } from './model.js'

/** What one attempt came to: what was really sent, and whether all of it arrived. */
export interface Attempt {
  gigabits: number
  lossless: boolean
}

const LOWEST = 0.25
/** The bisection ends when what is left between is narrower than this share. */
const RESOLUTION = 0.08
/** A rate counts as offered when so much of it was sent. */
const OFFERED = 0.93

export type Found = Pick<HighestRate, 'gigabits' | 'senderLimited' | 'tried'>

/** `send` offers a rate, or as much as it can where none is given. */
export async function highestRate(send: (gigabits?: number) => Promise<Attempt>): Promise<Found> {
  const tried: Attempt[] = []
  /** "Without loss" means in two of three runs: a busy moment of the machine is not the receiver's limit. */
  const holds = async (gigabits?: number): Promise<number | undefined> => {
    const runs: Attempt[] = []
    const enough = () =>
      [true, false].some((good) => runs.filter(({ lossless }) => lossless === good).length === 2)
    while (!enough()) runs.push(await send(gigabits))
    tried.push(...runs)
    const good = runs.filter(({ lossless }) => lossless)
    return good.length === 2 ? Math.min(...good.map((run) => run.gigabits)) : undefined
  }

  const unpaced = await holds()
  if (unpaced !== undefined) return { gigabits: unpaced, senderLimited: true, tried }
  let high = Math.max(...tried.map(({ gigabits }) => gigabits))
  let low = 0
  while (low === 0 ? high > LOWEST : high - low > RESOLUTION * high) {
    const middle = low === 0 ? high / 2 : (low + high) / 2
    const sent = await holds(middle)
    if (sent === undefined) high = middle
    else if (sent < middle * OFFERED) return { gigabits: sent, senderLimited: true, tried }
    else low = sent
  }
  return { gigabits: low, senderLimited: false, tried }
}
