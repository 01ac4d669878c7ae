// Which camera is meant: by a name, for which it is looked for, or by what discovery gave, which may be out of date.

import type { CameraControl } from '../binding.js'
import * as argument from './arguments.js'
import { discover, sameElsewhere } from './discovery.js'
import { GigeError, invalidArgument } from './errors.js'
import type { CameraInfo, CameraTarget, DiscoveryWarning } from './types.js'

/** A camera by what it is called, not by what discovery gave. */
type Named = Exclude<CameraTarget, CameraInfo>

const NAMES: argument.Rules<Exclude<Named, string>> = {
  address: argument.address,
  mac: argument.mac,
  serial: argument.nonEmpty,
  userName: argument.nonEmpty,
}

export function isCameraInfo(target: CameraTarget): target is CameraInfo {
  return (
    typeof target === 'object' &&
    'mac' in target &&
    typeof (target as CameraInfo).interface?.name === 'string'
  )
}

/** Refuses what names no camera: an empty target would fit whichever answers first. */
export function checkTarget(target: CameraTarget): void {
  if (target === undefined || target === null || target === '')
    throw invalidArgument(
      `${target === '' ? 'An empty string' : target} names no camera`,
      'Give an address, a MAC, a serial number or a user name, or what discover() found: it may have found none.',
    )
  if (typeof target === 'string') return
  if (typeof target === 'object' && isCameraInfo(target)) {
    argument.address('address', target.address)
    argument.mac('mac', target.mac)
    return
  }
  argument.checkOptions('target', target, NAMES)
  if (Object.values(target).every((name) => name === undefined))
    throw invalidArgument(
      `${argument.text(target)} names no camera`,
      `Give one of ${Object.keys(NAMES).join(', ')}.`,
    )
}

function describeTarget(target: Named): string {
  return typeof target === 'string' ? `'${target}'` : JSON.stringify(target)
}

function isMacOf(camera: CameraInfo, mac: string): boolean {
  return camera.mac === argument.canonicalMac(mac)
}

/** By an address, a MAC or a serial number. */
function isIdentifiedBy(camera: CameraInfo, target: Named): boolean {
  if (typeof target === 'string')
    return camera.address === target || camera.serial === target || isMacOf(camera, target)
  const { address, serial, mac } = target
  return (address ?? serial ?? mac) !== undefined && matches(camera, target)
}

function matches(camera: CameraInfo, target: Named): boolean {
  if (typeof target === 'string') return camera.userName === target || isIdentifiedBy(camera, target)
  return (
    (target.address === undefined || camera.address === target.address) &&
    (target.serial === undefined || camera.serial === target.serial) &&
    (target.userName === undefined || camera.userName === target.userName) &&
    (target.mac === undefined || isMacOf(camera, target.mac))
  )
}

function describeFound(camera: CameraInfo): string {
  return `${camera.address} (${[camera.model, camera.serial || camera.mac].join(' ')})`
}

/**
 * The camera that is meant, reachable ones first. A user name is given by people, perhaps twice: only when the time is over is it
 * known to be the only one. Errors: ERR_GIGE_NOT_FOUND with what was seen instead, or with those that bear the same name.
 */
export async function findCamera(
  target: Named,
  options: { interface?: string; timeout?: number; signal?: AbortSignal } = {},
): Promise<CameraInfo> {
  const address =
    typeof target === 'string' ? (argument.isAddress(target) ? target : undefined) : target.address
  const identified = (found: CameraInfo[]) => found.filter((camera) => isIdentifiedBy(camera, target))
  const warnings: DiscoveryWarning[] = []
  const found = await discover({
    ...(options.timeout !== undefined && { timeout: options.timeout }),
    ...(options.signal && { signal: options.signal }),
    ...(options.interface !== undefined && { interfaces: [options.interface] }),
    ...(address !== undefined && { addresses: [address] }),
    until: (all) => identified(all).some((camera) => camera.reachable),
    onWarning: (warning) => warnings.push(warning),
  })
  const certain = identified(found)
  const fit = certain.length > 0 ? certain : found.filter((camera) => matches(camera, target))
  const [best] = fit.sort((a, b) => Number(b.reachable) - Number(a.reachable))
  if (best?.reachable) {
    const rivals = fit.filter((other) => other !== best && !sameElsewhere(best, other))
    if (rivals.length === 0) return best
    throw new GigeError(
      'ERR_GIGE_NOT_FOUND',
      `More than one camera is called ${describeTarget(target)}: ${[best, ...rivals].map(describeFound).join(', ')}`,
      { hint: 'Name the one that is meant by its serial number, MAC or address.', details: { found: fit } },
    )
  }
  if (best) {
    throw new GigeError(
      'ERR_GIGE_NOT_FOUND',
      `Camera ${describeTarget(target)} cannot be reached: ${best.unreachableReason}`,
      {
        hint: `Give the network interface ${best.interface.name} an address in the camera's subnet, or the camera one in the interface's: npx gigewire force-ip ${best.mac}`,
        details: { camera: best },
      },
    )
  }
  const others = found.map(describeFound)
  const facts = [
    `No camera ${describeTarget(target)} answered`,
    ...(others.length > 0 ? [`these did: ${others.join(', ')}`] : []),
    ...warnings.map(({ message }) => message),
  ]
  throw new GigeError('ERR_GIGE_NOT_FOUND', facts.join('; '), {
    hint: hint(target, address),
    details: { found, warnings },
  })
}

function hint(target: Named, address: string | undefined): string {
  if (address)
    return 'Check power, cable and address; a firewall may drop UDP port 3956 on the way. `npx gigewire list` shows what answers.'
  const kind = typeof target === 'string' && argument.isMac(target) ? 'MAC address' : 'name'
  return `By ${kind} a camera is found only where broadcast reaches it. Give its IP address instead where a router, a container or a firewall lies between.`
}

/** Where the MACs of a camera's network interfaces are: six bytes, the first two beside two others. */
const MACS = [0x0008, 0x0680, 0x0700, 0x0780]

/** Since it was discovered the camera may have moved, and another one come to its address. */
export async function assertSame(control: CameraControl, { address, mac }: CameraInfo): Promise<void> {
  const seen: string[] = []
  for (const at of MACS) {
    const bytes = await control.readMemory(at, 8).catch((error: unknown) => {
      if (error instanceof GigeError && error.code === 'ERR_GIGE_STATUS') return undefined
      throw error
    })
    if (!bytes) break // it has no further interface
    seen.push([...bytes.subarray(2)].map((byte) => byte.toString(16).padStart(2, '0')).join(':'))
    if (seen.includes(argument.canonicalMac(mac))) return
  }
  if (seen.length === 0) return // it does not tell
  throw new GigeError(
    'ERR_GIGE_NOT_FOUND',
    `At ${address} is another camera now: its MAC is ${seen[0]}, not ${mac}`,
    {
      hint: 'Search again with discover(), or open the camera by its serial number or MAC.',
      details: { found: seen },
    },
  )
}
