// P1 and P2: who answers when every NIC asks everybody. The native search sends both kinds of request, each out of its own NIC.

import { discover } from '../../discovery.js'
import { GigeError } from '../../errors.js'
import type { CameraInfo, DiscoveryWarning } from '../../types.js'

/** After which the native search asks again. */
export const ROUND_MS = 600
/** Cameras may delay their answer by a second, if they were told to. */
const PATIENCE_MS = 1000
/** Where the camera has answered by its address already. */
const KNOWN_PATIENCE_MS = 700

export interface BroadcastOutcome {
  found: CameraInfo[]
  issues: DiscoveryWarning[]
  error?: string
}

/** Ends as soon as `wanted` has answered; without it all of a second is waited. */
export async function askEverybody(
  { wanted, known = false }: { wanted?: string; known?: boolean },
  signal?: AbortSignal,
): Promise<BroadcastOutcome> {
  const issues: DiscoveryWarning[] = []
  try {
    const found = await discover({
      timeout: known ? KNOWN_PATIENCE_MS : PATIENCE_MS,
      ...(wanted !== undefined && { until: (all) => all.some(({ address }) => address === wanted) }),
      onWarning: (issue) => issues.push(issue),
      ...(signal && { signal }),
    })
    return { found, issues }
  } catch (error) {
    if (!(error instanceof GigeError)) throw error
    return { found: [], issues, error: error.code }
  }
}
