// P1 and P2: who answers when every NIC asks everybody. The native search sends both kinds of request, each out of its own NIC.

import { discover } from '../../discovery.js'
import { GigeError } from '../../errors.js'
import type { CameraInfo, DiscoveryWarning } from '../../types.js'

const PATIENCE_MS = 1000

export interface BroadcastOutcome {
  found: CameraInfo[]
  issues: DiscoveryWarning[]
  error?: string
}

/** Ends as soon as `wanted` has answered; without it all of a second is waited. */
export async function askEverybody(
  { interfaces, wanted }: { interfaces?: string[]; wanted?: string },
  signal?: AbortSignal,
): Promise<BroadcastOutcome> {
  const issues: DiscoveryWarning[] = []
  try {
    const found = await discover({
      timeout: PATIENCE_MS,
      ...(interfaces && { interfaces }),
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
