// A bandwidth plan and real cameras: collects the facts that lib/bandwidth-plan.ts computes with, and puts its result into the
// camera. Everything it reads is optional in some camera; what is missing only narrows the plan.

import { readFileSync } from 'node:fs'
import type { CameraBandwidthFacts, CameraShare } from './bandwidth-plan.js'
import { wantedFrameRate } from './frame-rate.js'
import type { NodeMap } from './genapi/index.js'
import type { Camera } from './types.js'

const MEGA = 1e6

/** Of a camera that is open with any access; only reads. */
export async function collectBandwidthFacts({ info, features }: Camera): Promise<CameraBandwidthFacts> {
  const frameRate = await wantedFrameRate(features)
  const linkSpeed = await readLinkSpeed(features)
  const extendedIds = await isOn(features, 'GevGVSPExtendedIDMode')
  const packetDelay = await delay(features)
  const throughputLimit = await range(features, 'DeviceLinkThroughputLimit')
  return {
    name: info.address,
    payloadSize: (await numberOf(features, 'PayloadSize')) ?? 0,
    packetSize: { max: info.interface.mtu || 1500, ...(await range(features, 'GevSCPSPacketSize')) },
    ...(frameRate !== undefined && { frameRate }),
    ...(linkSpeed !== undefined && { linkSpeed }),
    ...(extendedIds && { extendedIds }),
    ...(packetDelay && { packetDelay }),
    ...(throughputLimit && { throughputLimit }),
  }
}

/**
 * Needs control. Streams must then keep the packet size of the plan: `camera.stream({ packetSize: share.packetSize })`, since the
 * delay is between packets.
 */
export async function applyBandwidthShare({ features }: Camera, share: CameraShare): Promise<void> {
  await features.set('GevSCPSPacketSize', share.packetSize)
  if (share.packetDelay !== undefined) await features.set('GevSCPD', share.packetDelay)
  if (share.throughputLimit === undefined) return
  if (features.has('DeviceLinkThroughputLimitMode')) await features.set('DeviceLinkThroughputLimitMode', 'On')
  await features.set('DeviceLinkThroughputLimit', share.throughputLimit)
}

/** bit/s of a NIC's link, as its driver tells it; undefined where it does not. */
export function interfaceSpeed(name: string): number | undefined {
  if (process.platform !== 'linux' || !/^[^/\s]+$/.test(name)) return undefined
  try {
    const megabits = Number(readFileSync(`/sys/class/net/${name}/speed`, 'utf8'))
    return megabits > 0 ? megabits * MEGA : undefined
  } catch {
    return undefined // no link, or a device without one
  }
}

async function numberOf(features: NodeMap, name: string): Promise<number | undefined> {
  if (!features.has(name)) return undefined
  const value = Number(await features.get(name).catch(() => Number.NaN))
  return Number.isFinite(value) ? value : undefined
}

async function isOn(features: NodeMap, name: string): Promise<boolean> {
  if (!features.has(name)) return false
  const value = await features.get(name).catch(() => false)
  return value === true || value === 'On' || value === 1
}

/** undefined where the feature is missing or cannot be written. */
async function range(
  features: NodeMap,
  name: string,
): Promise<{ min?: number; max: number; increment?: number } | undefined> {
  if (!features.has(name)) return undefined
  const node = features.node(name)
  if ((await node.access().catch(() => 'NA')) !== 'RW') return undefined
  const limit = async (which: 'min' | 'max' | 'inc') => {
    const value = await node[which]().catch(() => undefined)
    return value === undefined ? undefined : Number(value)
  }
  const [min, max, increment] = [await limit('min'), await limit('max'), await limit('inc')]
  return {
    ...(min !== undefined && { min }),
    max: max ?? 0xffff_ffff,
    ...(increment !== undefined && increment > 0 && { increment }),
  }
}

async function delay(features: NodeMap): Promise<CameraBandwidthFacts['packetDelay']> {
  const limits = await range(features, 'GevSCPD')
  const tickFrequency = await numberOf(features, 'GevTimestampTickFrequency')
  if (!limits || !tickFrequency) return undefined
  return { tickFrequency, max: limits.max }
}

async function readLinkSpeed(features: NodeMap): Promise<number | undefined> {
  const megabits = await numberOf(features, 'GevLinkSpeed')
  if (megabits) return megabits * MEGA
  const bytes = await numberOf(features, 'DeviceLinkSpeed')
  return bytes ? bytes * 8 : undefined
}
