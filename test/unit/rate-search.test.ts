// The search for the highest rate without loss, on links whose limits are known.

import { describe, expect, it } from 'vitest'
import { highestRate } from '../../lib/bench/rate-search.js'

/** A sender that can do `most`, and a receiver that loses something above `limit`, or whenever `unlucky` says so. */
function link(most: number, limit: number, unlucky: (attempt: number) => boolean = () => false) {
  let attempts = 0
  return async (asked = Number.POSITIVE_INFINITY) => {
    const gigabits = Math.min(asked, most)
    return { gigabits, lossless: gigabits <= limit && !unlucky(attempts++) }
  }
}

describe('highestRate', () => {
  it('says that the sender is the limit where all it can send arrives', async () => {
    expect(await highestRate(link(8, 100))).toMatchObject({ gigabits: 8, senderLimited: true })
  })

  it.each([0.3, 1, 2.6, 7.9, 15, 19.9])('comes near to a limit of %f Gbit/s from below', async (limit) => {
    const found = await highestRate(link(20, limit))
    expect(found.senderLimited).toBe(false)
    expect(found.gigabits).toBeLessThanOrEqual(limit)
    expect(found.gigabits).toBeGreaterThan(limit * 0.9)
  })

  it('forgives one lost run of three', async () => {
    const found = await highestRate(link(8, 100, (attempt) => attempt === 0))
    expect(found).toMatchObject({ gigabits: 8, senderLimited: true })
    expect(found.tried.map(({ lossless }) => lossless)).toEqual([false, true, true])
  })

  it('ends where every rate loses', async () => {
    expect(await highestRate(link(8, 0))).toMatchObject({ gigabits: 0, senderLimited: false })
  })
})
