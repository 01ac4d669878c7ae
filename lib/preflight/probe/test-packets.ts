// P5 to P10, P12 and P13: takes control, has the camera send test packets without and with a way opened before, then larger ones, then after
// a silence where that is wished, and leaves everything as it was, also when it is interrupted.

import { setTimeout as delay } from 'node:timers/promises'
import { getSystemErrorName } from 'node:util'
import type { CameraControl, StreamPort } from '../../../binding.js'
import { GigeError } from '../../errors.js'
import { native } from '../../native.js'
import type { IdleProbe, Probe, TestPacketProbe } from '../facts.js'
import { probesOf } from './attempts.js'
import { counted } from './counted.js'

const SCP = 0x0d00
const SCPS = 0x0d04
const SCDA = 0x0d18
const GVSP_CAPABILITY = 0x092c
const CONTROL_PRIVILEGE = 0x0a00
const FIRE = 0x80000000

/** Fits through everything that carries IP. */
const SMALL = 576
/** For one small packet, of three; slow cameras need a third of a second. */
const SMALL_PATIENCE_MS = 200
const PATIENCE_MS = 250
/** Longer than the slowest camera that is known of takes. */
const SLOW_PATIENCE_MS = 600

export interface TestPacketPlan {
  camera: string
  localAddress: string
  /** To pin the sockets to; '' for a camera of this machine. */
  device: string
  /** Whose counters are looked at. */
  nic: string
  mtu: number
  /** Seconds of each silence. */
  idle: readonly number[]
  streamPort?: number | [number, number]
  streamDestination?: string
}

export async function fireTestPackets(
  plan: TestPacketPlan,
  probes: Probe[],
  signal?: AbortSignal,
): Promise<void> {
  const control = new native.CameraControl(() => {})
  try {
    await open(control, plan, signal)
    if (!(await takeControl(control, plan, probes))) return
    await fireAndRestore(control, plan, probes, signal)
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof GigeError)) throw error
    probes.push({ probe: 'access', granted: false, ms: 0, error: error.code })
  } finally {
    await control.close().catch(() => {})
  }
}

/** Only so far may a signal end the channel: from then on something may have to be put back by it. */
async function open(control: CameraControl, plan: TestPacketPlan, signal?: AbortSignal): Promise<void> {
  const abort = () => void control.close().catch(() => {})
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await control.open({ address: plan.camera, localAddress: plan.localAddress, device: plan.device })
    signal?.throwIfAborted()
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

async function takeControl(control: CameraControl, plan: TestPacketPlan, probes: Probe[]): Promise<boolean> {
  const started = performance.now()
  const common = () => ({ probe: 'access' as const, ms: Math.round(performance.now() - started) })
  const [ccp] = await control.readRegisters([CONTROL_PRIVILEGE]).catch(() => [])
  const known = ccp === undefined ? {} : { ccp }
  try {
    await control.takeControl('control', 0)
    probes.push({ ...common(), ...known, granted: true, interface: plan.nic })
    return true
  } catch (error) {
    if (!(error instanceof GigeError) || error.code !== 'ERR_GIGE_ACCESS_DENIED') throw error
    const holder = control.holder()
    probes.push({ ...common(), ...known, granted: false, status: 0x8006, ...(holder && { holder }) })
    return false
  }
}

async function fireAndRestore(
  control: CameraControl,
  plan: TestPacketPlan,
  probes: Probe[],
  signal?: AbortSignal,
): Promise<void> {
  const [scps = 0, scda = 0, scp = 0] = await control.readRegisters([SCPS, SCDA, SCP])
  try {
    await fire(control, plan, probes, signal)
  } finally {
    await restore(
      control,
      new Map([
        [SCPS, (scps & ~FIRE) >>> 0],
        [SCP, scp],
        [SCDA, scda],
      ]),
      probes,
    )
  }
}

async function restore(control: CameraControl, values: Map<number, number>, probes: Probe[]): Promise<void> {
  const started = performance.now()
  const [restored, failed]: [string[], string[]] = [[], []]
  for (const [address, value] of values) {
    const done = await control.writeRegister(address, value).then(
      () => true,
      () => false,
    )
    ;(done ? restored : failed).push(`0x${address.toString(16)}`)
  }
  probes.push({ probe: 'restore', restored, failed, ms: Math.round(performance.now() - started) })
}

function openPort({ localAddress, device, streamPort = 0 }: TestPacketPlan): StreamPort {
  const [low, high] = Array.isArray(streamPort) ? streamPort : [streamPort, streamPort]
  return new native.StreamPort({ address: localAddress, device, port: low, portHigh: high })
}

/** undefined: it is not to be had, which is told. */
function pinnedPort(plan: TestPacketPlan, probes: Probe[]): StreamPort | undefined {
  try {
    return openPort(plan)
  } catch (error) {
    const { streamPort } = plan
    const errno = error instanceof GigeError ? error.errno : undefined
    const name = typeof errno === 'number' ? getSystemErrorName(-errno) : undefined
    if (name === undefined || streamPort === undefined || streamPort === 0) throw error
    probes.push({ probe: 'port', port: streamPort, ms: 0, error: name })
    return undefined
  }
}

async function fire(
  control: CameraControl,
  plan: TestPacketPlan,
  probes: Probe[],
  signal?: AbortSignal,
): Promise<void> {
  const port = pinnedPort(plan, probes)
  if (!port) return
  const abort = () => port.close()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const [gvspCapability] = await control.readRegisters([GVSP_CAPABILITY]).catch(() => [])
    const unasked = await series(control, port, plan, {
      punch: false,
      max: SMALL,
      timeout: SMALL_PATIENCE_MS,
    })
    probes.push(...unasked.probes)
    signal?.throwIfAborted()
    let last = unasked
    if (!unasked.ok) {
      last = await series(control, port, plan, { punch: true, max: SMALL, timeout: PATIENCE_MS })
      probes.push(...last.probes)
      signal?.throwIfAborted()
    }
    // A camera that is slow, rather than a firewall that is shut? Unless packets were counted as dropped here, a new port decides.
    if (!unasked.ok && last.ok && !droppedHere(unasked)) {
      const again = await unaskedOnNewPort(control, plan, signal)
      probes.push(...again.probes)
    }
    probes.push({
      probe: 'capabilities',
      ms: 0,
      sourcePort: last.sourcePort,
      ...(gvspCapability !== undefined && { gvspCapability }),
      testPackets: last.probes.some(({ fired }) => fired > 0),
    })
    if (!last.ok) return
    const larger = await series(control, port, plan, { punch: !unasked.ok, timeout: SMALL_PATIENCE_MS })
    probes.push(...larger.probes)
    const tooLarge = narrowed(larger.probes)
    if (tooLarge !== undefined) {
      const options = { punch: !unasked.ok, min: tooLarge, max: tooLarge, dontFragment: false }
      probes.push(...(await series(control, port, plan, { ...options, timeout: SMALL_PATIENCE_MS })).probes)
    }
    if (unasked.ok) return // there is no way that could close
    for (const seconds of plan.idle) probes.push(await afterSilence(control, port, plan, seconds, signal))
  } finally {
    signal?.removeEventListener('abort', abort)
    port.close()
  }
}

/** The smallest size that was lost on the way: may it come in pieces? */
function narrowed(packets: readonly TestPacketProbe[]): number | undefined {
  const largest = Math.max(0, ...packets.filter(({ arrived }) => arrived > 0).map(({ size }) => size))
  const lost = packets.filter((one) => one.fired > 0 && one.arrived === 0 && one.fragmented === 0)
  const sizes = lost.map(({ size }) => size).filter((size) => size > largest)
  return largest === 0 || sizes.length === 0 ? undefined : Math.min(...sizes)
}

/** Nothing goes from the stream socket meanwhile; control is kept by its own. */
async function afterSilence(
  control: CameraControl,
  port: StreamPort,
  plan: TestPacketPlan,
  seconds: number,
  signal?: AbortSignal,
): Promise<IdleProbe> {
  const started = performance.now()
  await delay(seconds * 1000, undefined, { ...(signal && { signal }) })
  const shot = await series(control, port, plan, { punch: false, max: SMALL, timeout: SMALL_PATIENCE_MS })
  const again = shot.ok
    ? undefined
    : await series(control, port, plan, { punch: true, max: SMALL, timeout: PATIENCE_MS })
  const sum = (of: Series, what: 'fired' | 'arrived') => of.probes.reduce((all, one) => all + one[what], 0)
  return {
    probe: 'idle',
    seconds,
    fired: sum(shot, 'fired'),
    arrived: sum(shot, 'arrived'),
    ...(again && { arrivedAfterPunch: sum(again, 'arrived') }),
    interface: plan.nic,
    ms: Math.round(performance.now() - started),
  }
}

const droppedHere = ({ probes }: Series) =>
  probes.some(({ counters, fired }) => fired > 0 && (counters?.fwDrop ?? 0) >= fired)

async function unaskedOnNewPort(
  control: CameraControl,
  { streamPort: _, ...plan }: TestPacketPlan,
  signal?: AbortSignal,
): Promise<Series> {
  const port = openPort(plan)
  const abort = () => port.close()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    return await series(control, port, plan, { punch: false, max: SMALL, timeout: SLOW_PATIENCE_MS })
  } finally {
    signal?.removeEventListener('abort', abort)
    port.close()
  }
}

interface Series {
  ok: boolean
  sourcePort: number
  probes: TestPacketProbe[]
}

async function series(
  control: CameraControl,
  port: StreamPort,
  plan: TestPacketPlan,
  options: { punch: boolean; min?: number; max?: number; dontFragment?: boolean; timeout: number },
): Promise<Series> {
  const { value, ms, counters } = await counted(plan.nic, () =>
    control.negotiatePacketSize(port, {
      interfaceMtu: plan.mtu,
      ...options,
      ...(plan.streamDestination !== undefined && { destination: plan.streamDestination }),
    }),
  )
  const probes = probesOf(value, {
    punched: options.punch && value.punched,
    dontFragment: options.dontFragment ?? true,
    destination: plan.streamDestination ?? plan.localAddress,
    port: port.port,
    nic: plan.nic,
    ms,
    ...(counters && { counters }),
  })
  return { ok: value.ok, sourcePort: value.scsp, probes }
}
