// A stream that was started and brings nothing: looks once after a while, and says why. Purpose: "0 frames" always ends in a named cause.

import type { CameraControl } from '../binding.js'
import type { NodeMap } from './genapi/index.js'
import { ipv4Text } from './ipv4.js'
import { acquisitionFacts } from './preflight/acquisition-facts.js'
import { type countersFor, explainNoFrames } from './preflight/explain.js'
import type { StreamPlan } from './preflight/plan.js'
import type { Finding } from './preflight/report.js'
import type { StreamStats } from './stats.js'
import type { StreamWarning } from './types.js'

const SCP = 0x0d00
const SCDA = 0x0d18
export const FIRST_FRAME_TIMEOUT = 10_000

export interface SilentStream {
  control: CameraControl
  features: NodeMap
  cameraAddress: string
  localAddress: string
  port: number
  /** ms since it was started. */
  since: number
  /** Of the time when it was started. */
  counters: ReturnType<typeof countersFor>
  /** False: the destination is taken back already. */
  isOpen: boolean
  stats: StreamStats
  /** How the stream was set up. */
  plan: StreamPlan
}

export async function explainSilentStream(stream: SilentStream): Promise<Finding[]> {
  const { control, features, cameraAddress, localAddress, port, since, stats, counters, isOpen, plan } =
    stream
  const state = await acquisitionFacts(features)
  const [scp, scda] = isOpen ? await control.readRegisters([SCP, SCDA]).catch(() => []) : []
  return await explainNoFrames({
    cameraAddress,
    localAddress,
    port,
    plan,
    seconds: since / 1000,
    stats,
    counters,
    camera: state.camera,
    ...(isOpen && state.stream), // of one that was ended the camera tells nothing any more
    ...(scp !== undefined &&
      scda !== undefined && { destination: { address: ipv4Text(scda), port: scp & 0xffff } }),
  })
}

/** In the words of its first finding. */
export function silenceWarning(findings: Finding[], ms: number): StreamWarning {
  const [first] = findings
  const cause = first && first.code !== 'unknown' ? first.summary : 'why, is not known'
  return {
    code: 'no-frames',
    message: `No frame within ${ms} ms: ${cause}`,
    hint: first?.remedy?.text ?? 'gigewire preflight <camera> looks closer.',
    findings,
  }
}
