// Failures of a camera that say why: what is known of them, and what preflight finds out.

import { constants } from 'node:os'
import { GigeError, hintFor } from './errors.js'
import { explainSilence } from './preflight/explain.js'
import type { CameraStream } from './stream.js'

/** Findings that say no more than the error does. */
const NOTHING_NEW = new Set(['unknown', 'camera.off-or-other-segment', 'network.not-a-camera'])

/** Says why a camera does not answer, where that can be found out. */
export async function explainRefusal(
  error: unknown,
  address: string | undefined,
  signal?: AbortSignal,
): Promise<never> {
  if (!(error instanceof GigeError)) throw error
  // A machine that refuses the port is up: that its interface is down is not what to look for.
  if (error.errno === constants.errno.ECONNREFUSED)
    Object.assign(error, { hint: hintFor('ERR_GIGE_NOT_FOUND') })
  const silent = error.code === 'ERR_GIGE_TIMEOUT' || error.code === 'ERR_GIGE_NOT_FOUND'
  if (silent && address !== undefined) {
    const findings = await explainSilence(address, signal)
    const [cause] = findings
    Object.assign(error, { findings })
    if (cause && !NOTHING_NEW.has(cause.code))
      Object.assign(error, { hint: `${cause.summary}. ${cause.remedy?.text ?? ''}`.trim() })
  }
  throw error
}

/** Of a grab. */
export async function noFrameError(stream: CameraStream, timeout: number): Promise<GigeError> {
  const stats = stream.stats()
  const findings = await stream.explain()
  const [cause] = findings
  const named = cause !== undefined && cause.code !== 'unknown'
  const came = `${stats.datagrams} packets, ${stats.blocksIncomplete} incomplete frames`
  return new GigeError(
    'ERR_GIGE_TIMEOUT',
    `No complete frame within ${timeout} ms (${came})${named ? `: ${cause.summary}` : ''}`,
    {
      hint:
        (named && cause.remedy?.text) ||
        (stats.datagrams === 0
          ? 'Nothing arrived: is the camera waiting for a trigger (TriggerMode), or does a firewall drop the stream?'
          : 'Packets are lost on the way; stats tell where.'),
      details: { stats, findings },
    },
  )
}
