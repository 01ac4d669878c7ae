// The same diagnosis where something has failed already: from what the failure itself has shown, with as little further asking as possible.
// Never an error of its own: whoever explains must not hide what there was to explain.

import type { NativeNegotiation } from '../../binding.js'
import { native } from '../native.js'
import type { StreamStats } from '../stats.js'
import { type CounterSnapshot, counterDelta, takeCounters } from './collect/counters.js'
import { collectAtOnce, collectFacts } from './collect/index.js'
import { diagnose } from './diagnosis/index.js'
import type { CameraFacts, Facts, Probe, StreamFacts } from './facts.js'
import { planOf, type StreamPlan } from './plan.js'
import { blindProbe } from './probe/attempts.js'
import { counted } from './probe/counted.js'
import { askByUnicast } from './probe/unicast.js'
import type { Finding } from './report.js'
import { routeBy } from './route.js'
import { streamFactsOf } from './stream-facts.js'

async function findingsOf(
  camera: CameraFacts,
  localAddress: string | undefined,
  more: Partial<Pick<Facts, 'stream'>> & { probes: Probe[] },
  plan: StreamPlan = {},
): Promise<Finding[]> {
  try {
    const facts = await collectFacts(planOf(plan))
    const { host } = facts
    const nic = host.interfaces.find(({ address }) => address !== '' && address === localAddress)
    if (nic) host.route = routeBy(nic, camera.address)
    return diagnose({ ...facts, camera, ...more })
  } catch {
    return []
  }
}

/** Before a negotiation, for explainNegotiation(). */
export function countersFor(localAddress: string): { nic: string; before: CounterSnapshot | undefined } {
  const nic = nicOf(localAddress)
  return { nic, before: takeCounters(nic) }
}

function nicOf(localAddress: string): string {
  return native.listInterfaces().find(({ address }) => address === localAddress)?.name ?? ''
}

export interface NegotiationContext {
  cameraAddress: string
  localAddress: string
  port: number
  plan: StreamPlan
  counters: ReturnType<typeof countersFor>
}

/** No test packet arrived: the camera has answered every command meanwhile. */
export async function explainNegotiation(
  { cameraAddress, localAddress, port, plan, counters: { nic, before } }: NegotiationContext,
  result: NativeNegotiation,
): Promise<Finding[]> {
  const after = before && takeCounters(nic)
  const counters = before && after && counterDelta(before, after)
  const common = {
    destination: plan.streamDestination ?? localAddress,
    dontFragment: true,
    port,
    nic,
    ...(counters && { counters }),
    ms: Math.round(result.ms),
  }
  const probes: Probe[] = [
    { probe: 'unicast', address: cameraAddress, sent: 1, answers: 1, ms: 0 },
    ...(result.tried.length > 0 ? [blindProbe(result, { ...common, punched: result.punched })] : []),
  ]
  return await findingsOf({ address: cameraAddress }, localAddress, { probes }, plan)
}

/** Nobody answers commands at this address. */
export async function explainSilence(address: string, signal?: AbortSignal): Promise<Finding[]> {
  const asked = await counted('', () => askByUnicast(address, signal)).catch(() => undefined)
  if (!asked) return []
  const { value, ms, counters } = asked
  const { sent, answers, error, source } = value
  const probe: Probe = {
    ...{ probe: 'unicast', address, sent, answers, ms },
    ...(error !== undefined && { error }),
    ...(counters && { counters }),
  }
  return await findingsOf({ address }, source, { probes: [probe] })
}

/** Somebody else controls the camera: nothing of this machine has to be looked into for that, and nobody is kept waiting. */
export function explainHolder(
  address: string,
  holder: { address: string; port: number } | undefined,
): Finding[] {
  const probes: Probe[] = [
    { probe: 'unicast', address, sent: 1, answers: 1, ms: 0 },
    { probe: 'access', granted: false, status: 0x8006, ms: 0, ...(holder && { holder }) },
  ]
  try {
    return diagnose({ ...collectAtOnce(planOf({})), camera: { address }, probes })
  } catch {
    return []
  }
}

export interface NoFramesContext {
  /** Of the stream's start. */
  counters: ReturnType<typeof countersFor>
  cameraAddress: string
  localAddress: string
  port: number
  plan: StreamPlan
  seconds: number
  stats: StreamStats
  camera: Pick<CameraFacts, 'triggerMode' | 'triggerSource'>
  destination?: { address: string; port: number }
  acquiring?: boolean
  frameRate?: number
}

/** A stream that was started, and no frame of it came. */
export async function explainNoFrames(context: NoFramesContext): Promise<Finding[]> {
  const { cameraAddress, localAddress, camera, plan } = context
  const probes: Probe[] = [{ probe: 'unicast', address: cameraAddress, sent: 1, answers: 1, ms: 0 }]
  return await findingsOf(
    { address: cameraAddress, ...camera },
    localAddress,
    { probes, stream: streamFacts(context) },
    plan,
  )
}

function streamFacts({
  stats,
  seconds,
  destination,
  port,
  acquiring,
  frameRate,
  counters: { nic, before },
}: NoFramesContext): StreamFacts {
  const after = before && takeCounters(nic)
  return {
    ...(before && after && { counters: counterDelta(before, after) }),
    ...streamFactsOf(stats, seconds),
    port,
    ...(destination && { destination }),
    ...(acquiring !== undefined && { acquiring }),
    ...(frameRate !== undefined && { frameRate }),
  }
}
