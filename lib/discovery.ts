// Finding cameras: one search, a watch that never ends, and FORCEIP. The probing is native and runs on a thread of its own.

import { setTimeout } from 'node:timers/promises'
import type { NativeCamera } from '../binding.js'
import * as argument from './arguments.js'
import { GigeError } from './errors.js'
import { native } from './native.js'
import type { CameraChange, CameraInfo, DiscoverOptions, DiscoveryWarning, WatchOptions } from './types.js'

const SEARCH: argument.Rules<DiscoverOptions> = {
  timeout: argument.range(1, 3_600_000),
  interfaces: argument.listOf(argument.nonEmpty),
  addresses: argument.listOf(argument.address),
  until: argument.callable,
  onWarning: argument.callable,
  signal: argument.signal,
}
const { until: _, ...WATCHED } = SEARCH
const WATCH: argument.Rules<WatchOptions> = {
  ...WATCHED,
  interval: argument.range(1, 3_600_000),
  misses: argument.whole(1, Number.MAX_SAFE_INTEGER),
}

function toInfo(found: NativeCamera): CameraInfo {
  const {
    answeredFrom: _a,
    byUnicast: _b,
    duplicatePath: _d,
    addressConflict,
    interface: nic,
    ...facts
  } = found
  return {
    ...facts,
    interface: { name: nic.name, address: nic.address, netmask: nic.netmask, mtu: nic.mtu },
    ...(addressConflict && { addressConflict }),
  }
}

export function sameElsewhere(camera: CameraInfo, other: CameraInfo): boolean {
  const same = camera.mac === other.mac && camera.serial === other.serial
  return same && camera.interface.name !== other.interface.name
}

function tellWarning({ message }: DiscoveryWarning): void {
  process.emitWarning(`Not every camera may have been found: ${message}`, {
    type: 'GigewireWarning',
    code: 'discovery',
  })
}

function leftOut(answers: number, cameras: number): DiscoveryWarning {
  return {
    interface: '',
    address: '',
    errno: 0,
    message: `${cameras} cameras are as many as a search remembers; ${answers} answers of further ones were left out`,
  }
}

/** The same camera behind the same NIC. */
function key(camera: CameraInfo): string {
  return [camera.interface.name, camera.mac, camera.serial].join('|')
}

/**
 * Asks every NIC (each probe leaves through its own) and, where given, single addresses. A camera seen through two NICs is
 * listed twice, the second time with `duplicateOf`; one whose address cannot be used from that NIC is listed with
 * `unreachableReason`. What could not be asked is told by `onWarning`.
 * Errors: ERR_GIGE_INVALID_ARGUMENT (no such interface), ERR_GIGE_NETWORK (nothing could be sent), the signal's reason.
 */
export async function discover(options: DiscoverOptions = {}): Promise<CameraInfo[]> {
  argument.checkOptions('discovery', options, SEARCH)
  const { until, signal, onWarning = tellWarning } = options
  signal?.throwIfAborted()
  const found = new Map<string, CameraInfo>()
  const search = new native.Discovery()
  const stop = () => search.stop()
  signal?.addEventListener('abort', stop, { once: true })
  try {
    let failure: unknown
    const report = await search.run(
      {
        ...(options.timeout !== undefined && { timeout: options.timeout }),
        ...(options.interfaces && { interfaces: options.interfaces }),
        ...(options.addresses && { addresses: options.addresses }),
      },
      (native) => {
        const camera = toInfo(native)
        const before = [...found.values()].find((other) => sameElsewhere(camera, other))
        if (native.duplicatePath && before) camera.duplicateOf = before.interface.name
        // Also by address: cameras that claim to be the same one are not hidden behind each other.
        found.set(`${key(camera)}|${camera.address}`, camera)
        try {
          if (until?.([...found.values()])) stop()
        } catch (error) {
          failure = error
          stop()
        }
      },
    )
    if (failure) throw failure
    signal?.throwIfAborted()
    for (const issue of report.issues) onWarning(issue)
    if (report.leftOut > 0) onWarning(leftOut(report.leftOut, found.size))
    return [...found.values()]
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

/** What makes a camera another one than before. Which of two NICs saw it first is chance. */
function facts({ duplicateOf: _, ...camera }: CameraInfo): string {
  return JSON.stringify(camera)
}

/**
 * Searches again and again, and tells what changed. Ends with the loop that reads it, or with the signal.
 * Errors: those of discover().
 */
export async function* watchCameras(
  options: WatchOptions = {},
): AsyncGenerator<CameraChange, void, undefined> {
  argument.checkOptions('watch', options, WATCH)
  const { interval = 1000, misses = 2, ...search } = options
  const { signal } = search
  const known = new Map<string, { camera: CameraInfo; missed: number }>()
  let warned: string[] = []
  while (!signal?.aborted) {
    const next = performance.now() + interval
    const warnings: DiscoveryWarning[] = []
    const seen = await discover({
      ...search,
      timeout: search.timeout ?? Math.min(Math.ceil(interval), 2000),
      onWarning: (warning) => warnings.push(warning),
    })
    for (const warning of warnings) {
      if (!warned.includes(warning.message)) (search.onWarning ?? tellWarning)(warning)
    }
    warned = warnings.map(({ message }) => message)
    const now = new Map(seen.map((camera) => [key(camera), camera]))
    for (const [id, camera] of now) {
      const before = known.get(id)
      known.set(id, { camera, missed: 0 })
      if (!before) yield { type: 'added', camera }
      else if (facts(before.camera) !== facts(camera)) yield { type: 'changed', camera }
    }
    for (const [id, entry] of known) {
      if (now.has(id) || ++entry.missed < misses) continue
      known.delete(id)
      yield { type: 'removed', camera: entry.camera }
    }
    // Ended by the signal it rejects: the loop's condition is what looks at that.
    await setTimeout(Math.max(0, next - performance.now()), undefined, { signal }).catch(() => undefined)
  }
  signal?.throwIfAborted()
}

export interface ForceIpOptions {
  mac: string
  /** 0.0.0.0 restarts the camera's usual configuration. */
  address: string
  subnetMask?: string
  gateway?: string
  /** NIC name or address; default: the one that sees the camera. */
  interface?: string
  /** ms to wait for the camera at its new address, default 5000. */
  timeout?: number
}

const FORCE: argument.Rules<ForceIpOptions> = {
  mac: argument.mac,
  address: argument.address,
  subnetMask: argument.address,
  gateway: argument.address,
  interface: argument.nonEmpty,
  timeout: argument.range(1, 600_000),
}

/**
 * Gives a camera an address until its next power cycle (FORCEIP), also one that is in another subnet, and waits until it is
 * seen there. Errors: ERR_GIGE_NOT_FOUND, ERR_GIGE_TIMEOUT (cameras that an application controls ignore it).
 */
export async function forceIp(options: ForceIpOptions): Promise<CameraInfo> {
  argument.checkOptions('FORCEIP', options, FORCE, ['mac', 'address'])
  const mac = argument.canonicalMac(options.mac)
  let nic = options.interface
  if (nic === undefined) {
    const warnings: DiscoveryWarning[] = []
    const found = await discover({
      until: (all) => all.some((camera) => camera.mac === mac),
      onWarning: (warning) => warnings.push(warning),
    })
    nic = found.find((camera) => camera.mac === mac)?.interface.name
    if (nic === undefined) {
      throw new GigeError('ERR_GIGE_NOT_FOUND', `No network interface sees a camera with MAC ${mac}`, {
        hint: 'Name the interface it is behind; `npx gigewire list` shows what answers.',
        details: { warnings },
      })
    }
  }
  const { subnetMask, gateway, timeout } = options
  const seen = await new native.Discovery().forceIp({
    mac,
    interface: nic,
    address: options.address,
    ...(subnetMask !== undefined && { subnetMask }),
    ...(gateway !== undefined && { gateway }),
    ...(timeout !== undefined && { timeout }),
  })
  return toInfo(seen)
}
