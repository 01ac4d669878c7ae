// What sets a camera's rate: rules in the order in which they are believed. Pure; see verdict.ts.

import type { CameraBenchFacts, ChainLink } from './facts.js'

interface Limit {
  code: string
  link: ChainLink
  judge: (facts: CameraBenchFacts) => { summary: string; evidence: string[]; next: string } | undefined
}

/** A rate is met when it is this near. */
const NEAR = 0.02
/** A camera that has to read out, too, exposes for at most so much of its time. */
const EXPOSURE_SHARE = 0.9
const FULL_LINK = 0.92
const NEAR_LIMIT = 0.9
/** Packets of a frame that fill so much of the time to the next one follow each other without a rest. */
const FULL_PERIOD = 0.9
/** More than the camera itself could: they waited on the way. */
const OVERFULL_PERIOD = 1.05

const near = (rate: number, wanted: number | undefined): boolean =>
  wanted !== undefined && wanted > 0 && Math.abs(rate - wanted) <= wanted * NEAR
const fps = (rate: number) => `${rate.toFixed(rate < 100 ? 2 : 1)} frames/s`
const mbit = (bits: number) => `${(bits / 1e6).toFixed(0)} Mbit/s`
const percent = (share: number) => `${(share * 100).toFixed(0)} %`

/** Of the time from one frame to the next, what its packets take to arrive. */
function fullness({ spread, repairedSpread, cameraRate }: CameraBenchFacts): number {
  const { p50 } = spread.count > 0 ? spread : repairedSpread
  return (p50 * cameraRate) / 1e6
}

function fullnessText(facts: CameraBenchFacts): string {
  const { spread, repairedSpread } = facts
  const { p50 } = spread.count > 0 ? spread : repairedSpread
  return `a frame's packets arrive over ${(p50 / 1000).toFixed(2)} ms (p50): ${percent(fullness(facts))} of the time from frame to frame`
}

/** The slowest part of the way that is known, in Mbit/s; one that was exceeded is none. */
function slowest({ camera, interface: nic, wireRate }: CameraBenchFacts): number | undefined {
  const known = [camera.linkSpeed, nic.speed].filter(
    (speed) => speed !== undefined && speed * 1e6 >= wireRate,
  )
  return known.length > 0 ? Math.min(...(known as number[])) : undefined
}

export const LIMITS: Limit[] = [
  {
    code: 'camera.silent',
    link: 'camera',
    judge: ({ stats, camera }) => {
      if (stats.blocksExpected > 0) return undefined
      return {
        summary: stats.datagrams === 0 ? 'Nothing arrived' : 'Packets arrived, but no frame',
        evidence: [`${stats.datagrams} packets, TriggerMode ${camera.triggerMode ?? 'unknown'}`],
        next:
          camera.triggerMode === 'On'
            ? 'The camera waits for a trigger: trigger it, or --set TriggerMode=Off.'
            : 'Does a firewall drop the stream? Is another machine the destination?',
      }
    },
  },
  {
    code: 'path.full',
    link: 'link',
    judge: (facts) => {
      if (fullness(facts) < OVERFULL_PERIOD) return undefined
      return {
        summary: 'Something between camera and this machine is full: a slower port of a switch, or a shaper',
        evidence: [
          fullnessText(facts),
          `${facts.stats.lostOnWire} packets were lost on the way, at ${mbit(facts.wireRate)} on the wire`,
        ],
        next: 'Find the slowest port on the way, and keep the camera below it (DeviceLinkThroughputLimit, GevSCPD, AcquisitionFrameRate).',
      }
    },
  },
  {
    code: 'camera.trigger',
    link: 'camera',
    judge: ({ camera, cameraRate }) => {
      if (camera.triggerMode !== 'On') return undefined
      return {
        summary: 'Triggers set the rate',
        evidence: [`TriggerMode is On; ${fps(cameraRate)} came`],
        next: 'To see what the camera can do, measure with --set TriggerMode=Off.',
      }
    },
  },
  {
    code: 'camera.exposure',
    link: 'camera',
    judge: ({ camera: { exposureTimeUs }, cameraRate }) => {
      const share = ((exposureTimeUs ?? 0) * cameraRate) / 1e6
      if (share < EXPOSURE_SHARE || share > 1 + NEAR) return undefined
      return {
        summary: 'The exposure sets the rate',
        evidence: [
          `ExposureTime ${exposureTimeUs} us is ${percent(share)} of the time from frame to frame at ${fps(cameraRate)}`,
        ],
        next: 'Shorten ExposureTime and give more light or gain.',
      }
    },
  },
  {
    code: 'camera.throughput-limit',
    link: 'throughput',
    judge: (facts) => {
      const { camera, wireRate } = facts
      const limit = camera.throughputLimit
      if (
        limit === undefined ||
        wireRate < limit * NEAR_LIMIT ||
        near(facts.cameraRate, camera.acquisitionFrameRate)
      )
        return undefined
      return {
        summary: "The camera's own throughput limit sets the rate",
        evidence: [`DeviceLinkThroughputLimit ${mbit(limit)}, ${mbit(wireRate)} on the wire`],
        next: 'Raise DeviceLinkThroughputLimit as far as link and other cameras on it allow.',
      }
    },
  },
  {
    code: 'camera.frame-rate',
    link: 'camera',
    judge: ({ camera, cameraRate }) => {
      if (!near(cameraRate, camera.acquisitionFrameRate)) return undefined
      return {
        summary: 'The frame rate that the camera was set to is reached: nothing else limits it',
        evidence: [`AcquisitionFrameRate ${camera.acquisitionFrameRate}, ${fps(cameraRate)} sent`],
        next: 'To find the next limit, raise AcquisitionFrameRate.',
      }
    },
  },
  {
    code: 'camera.packet-delay',
    link: 'throughput',
    judge: (facts) => {
      const { packetDelayUs } = facts.camera
      if (!packetDelayUs || fullness(facts) < FULL_PERIOD) return undefined
      return {
        summary: 'The delay between packets sets the rate',
        evidence: [`GevSCPD is ${packetDelayUs.toFixed(2)} us`, fullnessText(facts)],
        next: 'Lower GevSCPD, as far as link and other cameras on it allow, or use larger packets.',
      }
    },
  },
  {
    code: 'link.full',
    link: 'link',
    judge: (facts) => {
      const speed = slowest(facts)
      if (speed === undefined || facts.wireRate < speed * 1e6 * FULL_LINK) return undefined
      return {
        summary: 'The link is full',
        evidence: [
          `${mbit(facts.wireRate)} on a link of ${speed} Mbit/s: ${percent(facts.wireRate / (speed * 1e6))}`,
        ],
        next: 'Only a smaller image, fewer bits per pixel, larger packets or a faster link bring more frames.',
      }
    },
  },
  {
    code: 'camera.pacing',
    link: 'throughput',
    judge: (facts) => {
      if (fullness(facts) < FULL_PERIOD) return undefined
      return {
        summary: 'The camera sends all the time, and no faster: its own throughput sets the rate',
        evidence: [fullnessText(facts), `${mbit(facts.wireRate)} on the wire`],
        next: 'See DeviceLinkThroughputLimit, GevSCPD and the speed that its port negotiated; a smaller image or fewer bits per pixel bring more frames.',
      }
    },
  },
  {
    code: 'camera.resulting-rate',
    link: 'camera',
    judge: ({ camera, cameraRate }) => {
      if (!near(cameraRate, camera.resultingFrameRate)) return undefined
      return {
        summary: 'Exposure and readout set the rate, as the camera calculates it',
        evidence: [`ResultingFrameRate ${camera.resultingFrameRate}, ${fps(cameraRate)} sent`],
        next: 'A smaller Height, binning, fewer bits per pixel or a shorter exposure bring more frames.',
      }
    },
  },
  {
    code: 'camera.unexplained',
    link: 'camera',
    judge: (facts) => ({
      summary:
        "The camera sends no faster, and nothing on the way explains it: most likely its sensor's readout",
      evidence: [
        `${fps(facts.cameraRate)}; ${fullnessText(facts)}`,
        `AcquisitionFrameRate ${facts.camera.acquisitionFrameRate ?? 'not set'}, ResultingFrameRate ${facts.camera.resultingFrameRate ?? 'not told'}`,
      ],
      next: 'Compare with the data sheet for this image size, pixel format and exposure.',
    }),
  },
]
