// Follows one feature: its value now, then each other value that it takes. It looks again after every change that the node map
// knows of, and at the feature's PollingTime, since what a camera measures changes without anybody's doing.

import { GigeError } from '../errors.js'
import type { Feature } from './feature.js'
import type { Operations } from './operations.js'
import type { FeatureValue, WatchOptions } from './types.js'

const SHORTEST_INTERVAL = 10

/** See NodeMap.watch. While the feature is not available it has no value: the next one is waited for. */
export async function* watchFeature(
  feature: Feature,
  operations: Operations,
  { interval = feature.pollingTime, signal }: WatchOptions,
): AsyncGenerator<FeatureValue, void, void> {
  const bell = new Bell()
  const unsubscribe = operations.onChange((names) => {
    if (names.includes(feature.name)) bell.ring()
  })
  const onAbort = () => bell.ring()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer =
    interval === undefined
      ? undefined
      : setInterval(() => bell.ring('tick'), Math.max(SHORTEST_INTERVAL, interval))
  try {
    let last: FeatureValue | undefined
    let isTick = false
    for (let isFirst = true; ; isFirst = false) {
      signal?.throwIfAborted()
      const value = await read(feature, isTick, isFirst)
      if (value !== undefined && !(last !== undefined && isSame(last, value))) {
        // Nobody here made this change, so nobody has told the nodes that depend on it.
        if (isTick) operations.changedOutside(feature.name)
        last = value
        yield value
      }
      isTick = (await bell.rung()) === 'tick'
    }
  } finally {
    clearInterval(timer)
    unsubscribe()
    signal?.removeEventListener('abort', onAbort)
  }
}

async function read(
  feature: Feature,
  ignoreCache: boolean,
  isFirst: boolean,
): Promise<FeatureValue | undefined> {
  try {
    return await feature.get({ ignoreCache })
  } catch (error) {
    if (!isFirst && error instanceof GigeError && error.reason === 'not-available') return undefined
    throw error
  }
}

function isSame(a: FeatureValue, b: FeatureValue): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return Object.is(a, b)
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

/** Keeps one ring for who comes later; a change counts for more than a tick. */
class Bell {
  #pending: 'change' | 'tick' | undefined
  #wake: (() => void) | undefined

  ring(why: 'change' | 'tick' = 'change'): void {
    if (this.#pending !== 'change') this.#pending = why
    this.#wake?.()
  }

  async rung(): Promise<'change' | 'tick'> {
    if (!this.#pending) await new Promise<void>((resolve) => (this.#wake = resolve))
    const why = this.#pending!
    this.#pending = undefined
    this.#wake = undefined
    return why
  }
}
