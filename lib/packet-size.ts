// The packet size of a stream: what the options ask for, or what negotiation finds. Negotiation as JavaScript sees it: bounds from
// the camera's description and the NIC, the typed error, and what to do with a camera that has no test packets. The probing
// itself is native (core/control/packet_size).

import type { CameraControl, NativeNegotiation, StreamPort } from '../binding.js'
import { GigeError } from './errors.js'
import type { NodeMap } from './genapi/index.js'
import { native } from './native.js'
import { countersFor, explainNegotiation } from './preflight/explain.js'
import type { StreamPlan } from './preflight/plan.js'
import type { Finding } from './preflight/report.js'
import type { PacketSizeResult, StreamWarning } from './types.js'

const SCPS = 0x0d04
const SIZE_MASK = 0xffff
const DONT_FRAGMENT = 0x40000000
const FIRE_TEST_PACKET = 0x80000000

export interface NegotiationContext {
  control: CameraControl
  port: StreamPort
  features: NodeMap
  localAddress: string
  cameraAddress: string
  /** As the options of the stream have it. */
  plan: StreamPlan
}

export interface Negotiated extends PacketSizeResult {
  /** Port that test packets came from: nothing else is believed from then on. 0: unknown. */
  sourcePort: number
  /** The camera's stream port as far as it is known, to hold firewalls open; 0: unknown. */
  punchPort: number
  warning?: string
}

async function bound(features: NodeMap, which: 'min' | 'max' | 'inc'): Promise<number | undefined> {
  if (!features.has('GevSCPSPacketSize')) return undefined
  try {
    const value = await features.node('GevSCPSPacketSize')[which]()
    return value === undefined ? undefined : Number(value)
  } catch {
    return undefined // a limit that cannot be read is no limit
  }
}

export function interfaceMtu(localAddress: string): number {
  return native.listInterfaces().find((nic) => nic.address === localAddress)?.mtu ?? 0
}

function clampToRegister(value: number | undefined): number | undefined {
  return value !== undefined && value > 0 && value <= SIZE_MASK ? value : undefined
}

/** Sets the size a stream asks for, or negotiates; told through `warn`: what will cost frames. */
export async function choosePacketSize(
  context: NegotiationContext,
  wanted: number | 'auto',
  warn: (warning: StreamWarning) => void,
): Promise<Negotiated> {
  if (wanted !== 'auto') return await useGivenSize(context, wanted, warn)
  const result = await negotiate(context)
  if (result.warning) {
    warn({
      code: 'no-test-packets',
      message: result.warning,
      hint: 'Set packetSize where you know better.',
    })
  }
  return result
}

async function useGivenSize(
  { control, features, localAddress }: NegotiationContext,
  wanted: number,
  warn: (warning: StreamWarning) => void,
): Promise<Negotiated> {
  const started = performance.now()
  const previous = await readPacketSize(control)
  const packetSize = await setPacketSize(control, wanted).catch(async (cause: unknown) => {
    if (!(cause instanceof GigeError) || cause.code !== 'ERR_GIGE_STATUS') throw cause
    const limits = [await bound(features, 'min'), await bound(features, 'max'), await bound(features, 'inc')]
    const [low = '?', high = '?', step = '?'] = limits
    throw new GigeError('ERR_GIGE_STATUS', `The camera refuses packet size ${wanted}: ${cause.statusName}`, {
      hint: `By its description it takes ${low} to ${high} bytes in steps of ${step}.`,
      cause,
      details: { status: cause.status, statusName: cause.statusName },
    })
  })
  if (packetSize !== wanted) {
    warn({
      code: 'packet-size',
      message: `The camera made packet size ${packetSize} of ${wanted}`,
      hint: "Use packetSize: 'auto', or a size the camera accepts.",
    })
  }
  const mtu = interfaceMtu(localAddress)
  if (mtu > 0 && packetSize > mtu) {
    warn({
      code: 'packet-size',
      message: `Packet size ${packetSize} is larger than the MTU of this network interface (${mtu}): packets arrive in fragments or not at all`,
      hint: `Raise the MTU, or use packetSize: 'auto'.`,
    })
  }
  return {
    packetSize,
    previous,
    limitedBy: 'option',
    tried: [],
    punched: false,
    ms: performance.now() - started,
    confirmed: false,
    sourcePort: 0,
    punchPort: 0,
  }
}

export async function negotiate(
  context: NegotiationContext,
  options: { min?: number; max?: number; timeout?: number } = {},
): Promise<Negotiated> {
  const { control, port, features, localAddress } = context
  const [cameraMin, cameraMax, increment] = await Promise.all([
    bound(features, 'min'),
    bound(features, 'max'),
    bound(features, 'inc'),
  ])
  const described = features.has('GevSCPSFireTestPacket')
  const mtu = interfaceMtu(localAddress)
  const counters = countersFor(localAddress)
  const result = await control.negotiatePacketSize(port, {
    interfaceMtu: mtu,
    ...(options.min !== undefined && { min: options.min }),
    ...(options.max !== undefined && { max: options.max }),
    ...(clampToRegister(cameraMin) && { cameraMin: clampToRegister(cameraMin) as number }),
    ...(clampToRegister(cameraMax) && { cameraMax: clampToRegister(cameraMax) as number }),
    increment: Math.min(Math.max(increment ?? 4, 1), 4096),
    // A camera that does not even describe test packets is not waited for as long as one that promised them.
    timeout: options.timeout ?? (described ? 500 : 100),
  })
  const tried = result.tried.map(({ size, arrived, ms }) => ({ size, arrived, ms }))
  const common = { previous: result.previous, tried, punched: result.punched, ms: result.ms }
  if (result.ok) {
    return {
      packetSize: result.packetSize,
      limitedBy: result.limitedBy,
      ...common,
      confirmed: true,
      sourcePort: result.sourcePort,
      punchPort: result.sourcePort || result.scsp,
    }
  }
  if (described) {
    const { cameraAddress, plan } = context
    const explained = { cameraAddress, localAddress, port: port.port, plan, counters }
    throw negotiationError(context, result, await explainNegotiation(explained, result))
  }
  return await keepUnproven(context, result, mtu, common)
}

// No test packets, and none promised: silence proves nothing about the network. The camera's own size is kept, as far as the
// NIC can take it, and the caller is told.
async function keepUnproven(
  { control }: NegotiationContext,
  result: NativeNegotiation,
  mtu: number,
  common: Pick<PacketSizeResult, 'previous' | 'tried' | 'punched' | 'ms'>,
): Promise<Negotiated> {
  const largest = Math.min(mtu || 1500, 1500)
  const current = (await readScps(control)) & SIZE_MASK
  const packetSize = await setPacketSize(control, current === 0 ? largest : Math.min(current, largest))
  return {
    packetSize,
    limitedBy: 'camera',
    ...common,
    confirmed: false,
    sourcePort: 0,
    punchPort: result.scsp,
    warning: `The camera has no test packets: packet size ${packetSize} is unproven`,
  }
}

function negotiationError(
  context: NegotiationContext,
  result: NativeNegotiation,
  findings: Finding[],
): GigeError {
  const sizes = [...new Set(result.tried.map((t) => t.size))]
  const opened = result.punched
    ? 'Datagrams sent from the stream socket to the camera did not open a way in either.'
    : 'The camera does not tell its stream port, so no way in could be opened from here.'
  return new GigeError(
    'ERR_GIGE_PACKET_SIZE_NEGOTIATION',
    `Could not negotiate packet size: no test packet of ${context.cameraAddress} arrived at ` +
      `${context.localAddress}:${context.port.port} (tried ${sizes.join(', ') || 'none'} bytes), although the camera answers commands`,
    {
      hint:
        `Something drops unrequested UDP on its way to this program, most likely a firewall on this computer. ${opened} ` +
        `Allow inbound UDP from ${context.cameraAddress} for ${process.execPath}, or pin the stream port with { streamPort } and allow that port.`,
      details: {
        tried: result.tried,
        punched: result.punched,
        scsp: result.scsp,
        reason: result.message,
        findings,
      },
    },
  )
}

async function readScps(control: CameraControl): Promise<number> {
  return (await control.readRegisters([SCPS]))[0] ?? 0
}

/** The camera's own packet size. */
export async function readPacketSize(control: CameraControl): Promise<number> {
  return (await readScps(control)) & SIZE_MASK || 1500
}

/** Writes a packet size with don't-fragment and without firing; returns what the camera made of it. */
export async function setPacketSize(control: CameraControl, size: number): Promise<number> {
  const flags = (await readScps(control)) & ~(SIZE_MASK | FIRE_TEST_PACKET)
  await control.writeRegister(SCPS, ((flags | DONT_FRAGMENT | (size & SIZE_MASK)) >>> 0) as number)
  const actual = (await readScps(control)) & SIZE_MASK
  return actual === 0 ? size : actual
}
