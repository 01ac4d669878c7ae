// What a camera says about its rate, exposure and throughput, under the names that cameras of several generations use. It only
// reads; what is not there or cannot be read is left out.

import type { FeatureValue } from '../../genapi/index.js'
import type { Camera } from '../../types.js'
import type { CameraSettings } from './facts.js'

const GVCP_CAPABILITY = 0x0934
const PACKET_RESEND = 0x4

export async function readSettings(camera: Camera): Promise<CameraSettings> {
  const { features } = camera
  const read = async (...names: string[]): Promise<FeatureValue | undefined> => {
    for (const name of names) {
      if (!features.has(name)) continue
      const value = await features
        .node(name)
        .get({ ignoreCache: true })
        .catch(() => undefined)
      if (value !== undefined) return typeof value === 'bigint' ? Number(value) : value
    }
    return undefined
  }
  const number = async (...names: string[]): Promise<number | undefined> => {
    const value = await read(...names)
    return typeof value === 'number' ? value : undefined
  }
  const rateIsSet = await read('AcquisitionFrameRateEnable', 'AcquisitionFrameRateEnabled')
  const limitMode = await read('DeviceLinkThroughputLimitMode')
  const limit = limitMode === 'Off' ? undefined : await number('DeviceLinkThroughputLimit')
  const trigger = await read('TriggerMode')
  const settings: { [K in keyof CameraSettings]: CameraSettings[K] | undefined } = {
    triggerMode: typeof trigger === 'string' ? trigger : undefined,
    acquisitionFrameRate:
      rateIsSet === false ? undefined : await number('AcquisitionFrameRate', 'AcquisitionFrameRateAbs'),
    resultingFrameRate: await number(
      'ResultingFrameRate',
      'AcquisitionResultingFrameRate',
      'ResultingFrameRateAbs',
    ),
    exposureTimeUs: await number('ExposureTime', 'ExposureTimeAbs'),
    throughputLimit: limit === undefined ? undefined : limit * 8,
    packetDelayUs: await packetDelay(number),
    linkSpeed: await linkSpeed(number),
    payloadBytes: await number('PayloadSize'),
    canResend: await camera.readRegister(GVCP_CAPABILITY).then(
      (bits) => (bits & PACKET_RESEND) !== 0,
      () => undefined,
    ),
  }
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

type ReadNumber = (...names: string[]) => Promise<number | undefined>

async function packetDelay(number: ReadNumber): Promise<number | undefined> {
  const ticks = await number('GevSCPD')
  const frequency = await number('GevTimestampTickFrequency')
  if (ticks === undefined) return undefined
  if (ticks === 0) return 0
  return frequency ? (ticks / frequency) * 1e6 : undefined
}

/** GevLinkSpeed is in Mbit/s, DeviceLinkSpeed in bytes per second. */
async function linkSpeed(number: ReadNumber): Promise<number | undefined> {
  const megabits = await number('GevLinkSpeed')
  if (megabits) return megabits
  const bytes = await number('DeviceLinkSpeed')
  return bytes ? (bytes * 8) / 1e6 : undefined
}
