// How the stream would be set up, and by which executable: what rules are made for.

import { realpathSync } from 'node:fs'
import process from 'node:process'
import type { StreamOptions } from '../types.js'
import type { PlanFacts } from './facts.js'

/** As the options of a stream have it. */
export type StreamPlan = Pick<PlanFacts, 'streamPort' | 'streamDestination' | 'multicast' | 'packetSize'>

export function planOf({
  program = process.execPath,
  streamPort,
  streamDestination,
  multicast,
  packetSize,
  messageChannel,
  ptp,
}: Partial<Omit<PlanFacts, 'programRealPath'>>): PlanFacts {
  return {
    program,
    programRealPath: realPath(program),
    ...(streamPort !== undefined && { streamPort }),
    ...(streamDestination !== undefined && { streamDestination }),
    ...(multicast !== undefined && { multicast }),
    ...(packetSize !== undefined && { packetSize }),
    ...(messageChannel !== undefined && { messageChannel }),
    ...(ptp !== undefined && { ptp }),
  }
}

export function streamPlan({
  streamPort,
  streamDestination,
  multicast,
  packetSize,
}: StreamOptions): StreamPlan {
  return {
    ...(streamPort !== undefined && { streamPort }),
    ...(streamDestination !== undefined && { streamDestination }),
    ...(multicast !== undefined && { multicast }),
    ...(typeof packetSize === 'number' && { packetSize }),
  }
}

/** A firewall goes by the file itself, whatever links lead to it. */
function realPath(program: string): string {
  try {
    return realpathSync.native(program)
  } catch {
    return program // as it was given: it may be another machine's
  }
}
