// The verdict of `gigewire bench --camera`: each rule by facts that bring it about, and only it; several at once; and what is not
// known accuses nobody.

import { describe, expect, it } from 'vitest'
import type { CameraBenchFacts, Distribution } from '../../lib/bench/camera/facts.js'
import { judge } from '../../lib/bench/camera/verdict.js'
import { emptyStats, type StreamStats } from '../../lib/stats.js'

const quiet: Distribution = { count: 600, p50: 100, p99: 200, max: 300 }
const none: Distribution = { count: 0, p50: 0, p99: 0, max: 0 }

type Changes = Partial<Omit<CameraBenchFacts, 'stats' | 'camera' | 'cpu' | 'interface'>> & {
  stats?: Partial<StreamStats>
  camera?: CameraBenchFacts['camera']
  cpu?: Partial<CameraBenchFacts['cpu']>
  speed?: number
}

/** 60 frames per second at 1.1 Gbit/s on 10, with the sensor's readout as the only limit. */
function facts({ stats, camera, cpu, speed = 10_000, ...rest }: Changes = {}): CameraBenchFacts {
  return {
    camera: camera ?? { triggerMode: 'Off', exposureTimeUs: 2000, canResend: true },
    interface: { name: 'eth0', mtu: 9000, ...(speed > 0 && { speed }) },
    engine: 'scatter',
    packetSize: undefined,
    seconds: 10,
    blockRate: 60,
    cameraRate: 60,
    frameRate: 60,
    frames: 600,
    wireRate: 1.1e9,
    stats: {
      ...emptyStats(),
      datagrams: 160_000,
      bytes: 1.4e9,
      batches: 20_000,
      packetsExpected: 160_000,
      packetsReceived: 160_000,
      blocksExpected: 600,
      blocksComplete: 600,
      ...stats,
    },
    receiveBuffer: undefined,
    nic: { dropped: 0, missed: 0, fifo: 0 },
    softnet: { dropped: 0, squeezed: 0 },
    cpu: { process: 0.3, receiveThread: 0.2, mainThread: 0.05, perPacketNs: 1875, perFrameUs: 500, ...cpu },
    wakeUps: 3000,
    eventLoopDelay: quiet,
    jitter: { camera: quiet, host: quiet, difference: quiet },
    spread: { count: 600, p50: 2000, p99: 2100, max: 2200 },
    repairedSpread: none,
    delivery: quiet,
    starved: 0,
    unknown: [],
    ...rest,
  }
}

const codes = (changes: Changes) => judge(facts(changes)).map(({ severity, code }) => `${severity} ${code}`)
const LIMIT = 'info camera.unexplained'
/** Packets of a frame follow each other until the next one begins. */
const full: Distribution = { count: 600, p50: 16_400, p99: 16_600, max: 17_000 }
const missing = (lost: number, why: Partial<StreamStats>): Partial<StreamStats> => ({
  packetsLost: lost,
  packetsMissing: lost,
  packetsReceived: 160_000 - lost,
  blocksIncomplete: 5,
  ...why,
})

describe('the verdict', () => {
  it.each<[string, Changes, string[]]>([
    ['readout', {}, [LIMIT]],
    ['trigger', { camera: { triggerMode: 'On' } }, ['info camera.trigger']],
    ['exposure', { camera: { exposureTimeUs: 16_000 } }, ['info camera.exposure']],
    ['set frame rate', { camera: { acquisitionFrameRate: 60.5 } }, ['info camera.frame-rate']],
    ['a frame rate that is not reached', { camera: { acquisitionFrameRate: 70 } }, [LIMIT]],
    ['calculated rate', { camera: { resultingFrameRate: 60.2 } }, ['info camera.resulting-rate']],
    ['throughput limit', { camera: { throughputLimit: 1.12e9 } }, ['info camera.throughput-limit']],
    ['a throughput limit far off', { camera: { throughputLimit: 4e9 } }, [LIMIT]],
    ['packet delay', { camera: { packetDelayUs: 61 }, spread: full }, ['info camera.packet-delay']],
    ['a packet delay that leaves time', { camera: { packetDelayUs: 5 } }, [LIMIT]],
    ['link by the NIC', { speed: 1000, wireRate: 0.97e9, spread: full }, ['info link.full']],
    ['link by the camera', { camera: { linkSpeed: 1000 }, wireRate: 0.97e9 }, ['info link.full']],
    ['a link speed that was exceeded is none', { camera: { linkSpeed: 1000 } }, [LIMIT]],
    ['own pace', { spread: full }, ['info camera.pacing']],
    [
      'a narrow place on the way',
      {
        camera: { acquisitionFrameRate: 60 },
        spread: { ...full, p50: 19_000 },
        stats: missing(90, { lostOnWire: 90, missingExhausted: 90 }),
      },
      ['error wire.loss', 'error resend.unanswered', 'info path.full'],
    ],
    [
      'nothing at all',
      {
        frames: 0,
        blockRate: 0,
        cameraRate: 0,
        stats: { datagrams: 0, blocksExpected: 0, blocksComplete: 0, packetsExpected: 0 },
      },
      ['info camera.silent'],
    ],
    ['NIC', { nic: { missed: 7 }, stats: missing(7, { lostOnWire: 7 }) }, ['error nic.dropped', LIMIT]],
    [
      'backlog',
      { softnet: { dropped: 7 }, stats: missing(7, { lostOnWire: 7 }) },
      ['error kernel.backlog', LIMIT],
    ],
    [
      'socket queue',
      { stats: missing(9, { kernelDrops: 9, lostInKernel: 9 }) },
      ['error kernel.socket-queue', LIMIT],
    ],
    ['wire', { stats: missing(9, { lostOnWire: 9 }) }, ['error wire.loss', LIMIT]],
    [
      'wire, made good',
      { stats: { packetsLost: 9, packetsResent: 9, lostOnWire: 9 } },
      ['warning wire.loss', LIMIT],
    ],
    ['whole frames', { stats: { blocksMissed: 2 } }, ['error wire.loss', LIMIT]],
    ['slots', { stats: { blocksNoSlot: 3 }, starved: 3 }, ['error javascript.no-slot', LIMIT]],
    [
      'a late event loop',
      { eventLoopDelay: { ...quiet, p99: 80_000, max: 90_000 } },
      ['warning javascript.busy', LIMIT],
    ],
    ['a busy event loop', { cpu: { mainThread: 0.97 } }, ['warning javascript.busy', LIMIT]],
    ['receive thread', { cpu: { receiveThread: 0.95 } }, ['warning receive-thread.busy', LIMIT]],
    [
      'resend budget',
      { stats: missing(9, { missingNotRequested: 9, resendRequests: 4 }) },
      ['error resend.budget', LIMIT],
    ],
    ['refused resends', { stats: missing(9, { missingRefused: 9 }) }, ['error resend.unanswered', LIMIT]],
  ])('%s', (_, changes, expected) => {
    expect(codes(changes)).toEqual(expected)
  })

  it('tells several at once: losses in the order of the way, then warnings, then what sets the rate', () => {
    expect(
      codes({
        camera: { acquisitionFrameRate: 60 },
        nic: { dropped: 5 },
        stats: missing(30, {
          lostOnWire: 20,
          lostInKernel: 10,
          kernelDrops: 10,
          missingNotRequested: 30,
          blocksNoSlot: 1,
        }),
        cpu: { receiveThread: 0.99 },
      }),
    ).toEqual([
      'error nic.dropped',
      'error kernel.socket-queue',
      'error wire.loss',
      'error javascript.no-slot',
      'error resend.budget',
      'warning receive-thread.busy',
      'info camera.frame-rate',
    ])
  })

  it('has evidence and a next step for everything, and accuses nobody of what is not known', () => {
    const found = judge(
      facts({ stats: missing(9, { lostOnWire: 9, missingExhausted: 9 }), nic: {}, softnet: {} }),
    )
    expect(found.map(({ code }) => code)).toEqual(['wire.loss', 'resend.unanswered', 'camera.unexplained'])
    for (const { evidence, next } of found) {
      expect(evidence.length).toBeGreaterThan(0)
      expect(evidence.join() + next).not.toMatch(/undefined|NaN|Infinity/)
    }
    const blind = facts({ camera: {}, speed: 0, nic: {}, softnet: {}, spread: none })
    const { process, perPacketNs, perFrameUs } = blind.cpu
    expect(judge({ ...blind, cpu: { process, perPacketNs, perFrameUs } }).map(({ code }) => code)).toEqual([
      'camera.unexplained',
    ])
  })
})
