// Switches that a selector multiplies, as ChunkEnable by ChunkSelector: gone through entry by entry, the selector put back behind it.

import { featureError } from './errors.js'
import { Selectors } from './selections.js'
import type { NodeMap } from './types.js'

/**
 * Calls `apply` with each entry that the selector offers selected, and whether it is among those wanted (undefined: all); gives the
 * entries for which it returned true. None where there is no such selector. ERR_GIGE_FEATURE, before anything is switched, for a name that it
 * has not.
 */
export async function switchSelected(
  map: NodeMap,
  { selector: name, what, wanted }: { selector: string; what: string; wanted: readonly string[] | undefined },
  apply: (isWanted: boolean, entry: string) => Promise<boolean>,
): Promise<string[]> {
  const selector = await map.firstOf([name], 'Enumeration')
  if (!selector) return []
  const offered = (await selector.entries()).filter(({ available }) => available).map((entry) => entry.name)
  const unknown = wanted?.find((one) => !offered.includes(one))
  if (unknown !== undefined) {
    throw featureError(
      name,
      'no-such-entry',
      `This camera has no ${what} ${unknown}.`,
      `It has: ${offered.join(', ')}.`,
      { entries: offered },
    )
  }
  const on: string[] = []
  const selectors = new Selectors(map)
  await selectors.restoring(async () => {
    for (const entry of offered) {
      await selectors.set(name, entry)
      if (await apply(wanted === undefined || wanted.includes(entry), entry)) on.push(entry)
    }
  })
  return on
}
