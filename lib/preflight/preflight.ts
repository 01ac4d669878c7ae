// preflight(): looks at this machine, asks the camera, and says what stops its packets. Without `active` nothing is written to the camera;
// with it every register is put back.

import * as argument from '../arguments.js'
import { inSubnet } from '../ipv4.js'
import type { CameraInfo } from '../types.js'
import { collectFacts, collectNeighbours, collectRoute } from './collect/index.js'
import { diagnose } from './diagnosis/index.js'
import { layersOf } from './diagnosis/layers.js'
import type { BroadcastProbe, Facts, InterfaceFacts, UnicastProbe } from './facts.js'
import { planOf } from './plan.js'
import { askEverybody, ROUND_MS } from './probe/broadcast.js'
import { burst } from './probe/burst.js'
import { counted } from './probe/counted.js'
import { fireTestPackets } from './probe/test-packets.js'
import { askByUnicast } from './probe/unicast.js'
import type { PreflightReport, ProgramRule } from './report.js'
import { routeBy } from './route.js'
import { requiredPorts } from './rules/ports.js'
import type { WindowsRule } from './rules/windows-grammar.js'
import { rulesNaming } from './rules/windows-judge.js'

export interface PreflightOptions {
  /** Its address; without it: this machine, and who answers. */
  camera?: string
  /** Executable that receives; default: this one, every link of its path resolved. */
  program?: string
  /** Default true: take control, fire test packets, stream for a moment; everything is put back. */
  active?: boolean
  /** As the stream will have them. */
  streamPort?: number | [number, number]
  streamDestination?: string
  multicast?: string
  packetSize?: number
  /** The program listens to the camera's events: they come by a channel of their own. */
  messageChannel?: boolean
  /** This computer takes part where cameras keep one clock (PTP). */
  ptp?: boolean
  /**
   * Where a way had to be opened from inside: stay silent so many seconds, then see whether it is still open. One silence for each number;
   * default none, since firewalls take 30 to 120 s.
   */
  idle?: number[]
  /** ms for all of it, silences not counted; default 30000. */
  timeout?: number
  signal?: AbortSignal
}

const OPTIONS: argument.Rules<PreflightOptions> = {
  camera: argument.address,
  program: argument.nonEmpty,
  active: argument.flag,
  streamPort: (name, value) => {
    for (const port of Array.isArray(value) ? value : [value]) argument.whole(1, 65535)(name, port)
  },
  streamDestination: argument.address,
  multicast: argument.address,
  packetSize: argument.whole(46, 65535),
  messageChannel: argument.flag,
  ptp: argument.flag,
  idle: (name, value) => {
    for (const seconds of Array.isArray(value) && value.length <= 10 ? value : [value])
      argument.range(0.1, 600)(name, seconds)
  },
  timeout: argument.range(100, 3_600_000),
  signal: argument.signal,
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT; the signal's reason. Whatever is wrong with camera or network is a finding, no error. */
export async function preflight(options: PreflightOptions = {}): Promise<PreflightReport> {
  argument.checkOptions('preflight', options, OPTIONS)
  const silences = (options.idle ?? []).reduce((sum, seconds) => sum + seconds * 1000, 0)
  const limit = AbortSignal.timeout((options.timeout ?? 30_000) + silences)
  const signal = options.signal ? AbortSignal.any([options.signal, limit]) : limit
  const facts = await gather(options, signal)
  return report(facts)
}

export function report(facts: Facts): PreflightReport {
  const findings = diagnose(facts)
  return {
    ok: findings.every(({ severity }) => severity !== 'error'),
    findings,
    layers: layersOf(facts, findings),
    ports: requiredPorts(facts),
    ...(facts.system === 'windows' && { rules: rulesNaming(facts).map(programRule) }),
    facts,
  }
}

const programRule = ({ id, name, store, action, active }: WindowsRule): ProgramRule => ({
  id,
  name,
  store,
  action,
  active,
})

async function gather(options: PreflightOptions, signal: AbortSignal): Promise<Facts> {
  const facts = await collectFacts(planOf(options))
  await probe(facts, options, signal)
  return facts
}

async function probe(
  facts: Facts,
  { camera, active = true, idle = [] }: PreflightOptions,
  signal: AbortSignal,
): Promise<void> {
  const { probes, host } = facts
  let nic: InterfaceFacts | undefined
  if (camera !== undefined) {
    facts.camera = { address: camera }
    nic = await unicast(facts, camera, signal)
  }
  const seen = await broadcast(facts, camera, nic, signal)
  host.neighbours = collectNeighbours() ?? host.neighbours // they have been asked now
  if (camera === undefined || !active) return
  const answered = probes.some((one) => one.probe === 'unicast' && one.answers > 0)
  if (!answered || !nic) return
  const own = host.interfaces.some(({ address }) => address === camera)
  const { streamPort, streamDestination } = facts.plan
  await fireTestPackets(
    {
      camera,
      localAddress: nic.address,
      device: own ? '' : nic.name,
      nic: nic.name,
      mtu: nic.mtu,
      idle,
      ...(streamPort !== undefined && { streamPort }),
      ...(streamDestination !== undefined && { streamDestination }),
    },
    probes,
    signal,
  )
  if (probes.some((one) => one.probe === 'port' || (one.probe === 'access' && !one.granted))) return
  // A camera that fires nothing may stream all the same, in packets that pass everywhere.
  const proven = probes.some((one) => one.probe === 'test-packet' && one.arrived > 0)
  const outcome = await burst(seen ?? camera, facts.plan, { nic: nic.name, proven }, signal)
  signal.throwIfAborted() // it ends early then, and well
  const { restored, failed } = outcome.restore
  probes.push(outcome.probe)
  if (restored.length + failed.length > 0) probes.push(outcome.restore) // else it was refused before there was anything to put back
  Object.assign(facts.camera!, outcome.camera)
  if (outcome.receiveBuffer) host.limits.receiveBuffer = outcome.receiveBuffer
}

/** Gives the NIC that the system takes for the camera. */
async function unicast(
  facts: Facts,
  address: string,
  signal: AbortSignal,
): Promise<InterfaceFacts | undefined> {
  const { interfaces } = facts.host
  const likely =
    interfaces.find((nic) => inSubnet(address, nic)) ?? interfaces.find((nic) => nic.gateway !== undefined)
  const { value, ms, counters } = await counted(likely?.name ?? '', () => askByUnicast(address, signal))
  const used = interfaces.find((nic) => nic.address !== '' && nic.address === value.source)
  facts.host.route = used
    ? routeBy(used, address)
    : { interface: '', source: '', ...(value.error !== undefined && { error: value.error }) }
  if (value.answers === 0) Object.assign(facts.host.route, await collectRoute(address))
  facts.camera = { address, ...(value.camera && { ...value.camera, address }) }
  const one: UnicastProbe = {
    probe: 'unicast',
    address,
    sent: value.sent,
    answers: value.answers,
    ms,
    ...(used && { interface: used.name }),
    ...(value.error !== undefined && { error: value.error }),
    ...(counters && { counters }),
  }
  facts.probes.push(one)
  return used ?? likely
}

async function broadcast(
  facts: Facts,
  camera: string | undefined,
  nic: InterfaceFacts | undefined,
  signal: AbortSignal,
): Promise<CameraInfo | undefined> {
  const answered = facts.probes.some((one) => one.probe === 'unicast' && one.answers > 0)
  const { value, ms, counters } = await counted(nic?.name ?? '', () =>
    askEverybody(camera === undefined ? {} : { wanted: camera, known: answered }, signal),
  )
  const error = value.error ?? (value.issues.length > 0 ? value.issues[0]!.message : undefined)
  const rounds = 1 + Math.floor(ms / ROUND_MS)
  const one: BroadcastProbe = {
    probe: 'broadcast',
    ack: 'unicast',
    rounds,
    sent: rounds * facts.host.interfaces.filter(({ up, address }) => up && address !== '').length,
    answers: value.found.map((found) => ({
      address: found.address,
      mac: found.mac,
      from: found.interface.name,
      subnetMask: found.subnetMask,
      model: found.model,
      reachable: found.reachable,
    })),
    ms,
    ...(nic && { interface: nic.name }),
    ...(error !== undefined && { error }),
    ...(counters && { counters }),
  }
  facts.probes.push(one)
  const seen = value.found.filter(({ address }) => address === camera)
  if (facts.camera && seen.length > 0) {
    const first = seen[0]!
    Object.assign(facts.camera, {
      mac: first.mac,
      subnetMask: first.subnetMask,
      model: first.model,
      seenBy: seen.map((found) => found.interface.name),
      reachable: seen.some(({ reachable }) => reachable),
      ...(first.unreachableReason !== undefined && { unreachableReason: first.unreachableReason }),
      ...(first.addressConflict && { addressConflict: true }),
    })
  }
  return seen.find(({ reachable }) => reachable)
}
