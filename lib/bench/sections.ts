// All cases, as data. Names of receivers that are not this package's are those of bench/peers; a section is whole without them.

import type { Load, Pacing, Place, Section, Step } from './model.js'
import {
  AT_ONCE,
  BASELINE,
  MANNERS,
  manner,
  OWN,
  PRIVILEGED_ENGINES,
  SMALL,
  stalled,
  withEngine,
} from './receivers.js'

export const PACKET_SIZES = [1500, 9000]
export const IMAGES = {
  '0.3 MP': { width: 640, height: 480 },
  '1 MP': { width: 1280, height: 800 },
  '2.3 MP': { width: 1936, height: 1216 },
  '5 MP': { width: 2464, height: 2056 },
  '12 MP': { width: 4096, height: 3000 },
}
export type ImageName = keyof typeof IMAGES

export const PACES = [1, 2.5, 5, 10]
export const LOSSES = [0, 0.01, 0.05, 0.1]
export const STALLS = [50, 100, 500]
export const CAMERA_COUNTS = [1, 2, 4, 8, 16, 32]
/** Gbit/s of sixteen cameras with 60 MB/s each. */
export const CAMERA_SUM = 7.68
/** At the second one the sender, too, is near its limit. */
export const SMALL_FPS = [50_000, 80_000]

const DISCARD = 'discard'
const DGRAM = 'dgram'
const ARAVIS = 'aravis-socket'
const ARAVIS_DEFAULT = 'aravis-default'
const ARAVIS_RING = 'aravis-ring'

function load(
  place: Place,
  packetSize: number,
  pacing: Pacing,
  more: Partial<Load> = {},
  image: ImageName = '2.3 MP',
): Load {
  const pace = more.gigabits === undefined ? pacing : `${more.gigabits} Gbit/s ${pacing}`
  const checksum = more.checksum === false ? ', checksum 0' : ''
  return {
    name: `${place}, ${packetSize}, ${image}, ${pace}${checksum}`,
    place,
    packetSize,
    pacing,
    ...IMAGES[image],
    ...more,
  }
}

const series = (load: Load, ...receivers: string[]): Step => ({ kind: 'series', load, receivers })
const rate = (load: Load, ...receivers: string[]): Step => ({ kind: 'rate', load, receivers })
const each = <T>(list: readonly T[], steps: (item: T) => Step | Step[]): Step[] => list.flatMap(steps)

function rateSteps(place: Place, size: number): Step[] {
  return each(['0.3 MP', '2.3 MP', '12 MP'] as const, (image) =>
    rate(
      load(place, size, 'bursts', {}, image),
      OWN,
      DISCARD,
      ...(image === '2.3 MP' ? [ARAVIS_DEFAULT, DGRAM] : []),
    ),
  )
}

export const SECTIONS: readonly Section[] = [
  {
    id: 'cpu',
    title: 'CPU while frames arrive',
    about:
      'CPU of the whole receiving process (user and system; iterator, leases and releases included) at a given rate, over the cable.',
    steps: each(PACKET_SIZES, (size) => [
      ...each(PACES, (gigabits) =>
        series(load('cable', size, 'evenly', { gigabits }), OWN, DISCARD, ARAVIS, ARAVIS_RING, DGRAM),
      ),
      ...each(PACES, (gigabits) => {
        const compared = gigabits === (size === 1500 ? 5 : 10)
        const taking = [OWN, DISCARD, ARAVIS, ...(compared ? [DGRAM] : [])]
        return series(load('cable', size, 'bursts', { gigabits }), ...taking)
      }),
    ]),
  },
  {
    id: 'latency',
    title: 'From the last packet to the loop body',
    about:
      'From the moment before the call that sends a frame\u2019s last packet to the first line of the `for await` body, with packets left to gather (the default) and without.',
    steps: each(PACKET_SIZES, (size) => [
      series(load('cable', size, 'evenly', { gigabits: 1 }), OWN, AT_ONCE, ARAVIS, DGRAM),
      ...each([5, 10], (gigabits) =>
        series(load('cable', size, 'bursts', { gigabits }), OWN, AT_ONCE, ARAVIS),
      ),
    ]),
  },
  {
    id: 'rate',
    title: 'Highest rate without loss',
    about:
      'Gbit/s of IP packets at which neither a packet nor a frame was lost in two of three runs, by bisection; without any tuning of the machine.',
    steps: each(['loopback', 'cable'] as const, (place) =>
      each(PACKET_SIZES, (size) => rateSteps(place, size)),
    ),
  },
  {
    id: 'small',
    title: 'Small frames',
    about: '64 x 64 pixels, five packets each: what a frame costs, rather than its bytes.',
    steps: each(['cable', 'loopback'] as const, (place) =>
      each(SMALL_FPS, (frameRate) => {
        const small = load(place, 1500, 'unpaced', { width: 64, height: 64, frameRate })
        const name = `${place}, ${frameRate} frames per second`
        return series({ ...small, name }, SMALL, ...(frameRate === SMALL_FPS[0] ? [ARAVIS, DGRAM] : []))
      }),
    ),
  },
  {
    id: 'stall',
    title: 'The event loop stalls',
    about: '1 Gbit/s evenly with 64 slots, while JavaScript is blocked once.',
    steps: each(STALLS, (ms) => series(load('cable', 1500, 'evenly', { gigabits: 1 }), stalled(ms))),
  },
  {
    id: 'cameras',
    title: 'Several cameras',
    about:
      '60 MB/s from each of sixteen cameras, and the same sum from fewer and more of them, in one receiving process.',
    steps: each(CAMERA_COUNTS, (cameras) => {
      const shared = load('cable', 9000, 'bursts', { gigabits: CAMERA_SUM, cameras, spin: false })
      return series({ ...shared, name: `${cameras} cameras` }, OWN)
    }),
  },
  {
    id: 'size',
    title: 'Frame size',
    about: 'The same 5 Gbit/s as small and as large frames: work per packet must not grow with the frame.',
    steps: each(PACKET_SIZES, (size) =>
      each(Object.keys(IMAGES) as ImageName[], (image) =>
        series(load('cable', size, 'bursts', { gigabits: 5 }, image), OWN),
      ),
    ),
  },
  {
    id: 'loss',
    title: 'Lost packets, sent again',
    about:
      '2.5 Gbit/s of which the camera loses a share at random; each is asked for again. Packets counted are those that arrived.',
    steps: each(PACKET_SIZES, (size) =>
      each(LOSSES, (loss) => {
        const lossy = load('cable', size, 'bursts', { gigabits: 2.5, faults: { loss } })
        return series({ ...lossy, name: `${lossy.name}, ${loss * 100} % lost` }, OWN)
      }),
    ),
  },
  {
    id: 'aggregation',
    title: 'Packets put together by the kernel (UDP_GRO)',
    about:
      'Loopback hands a segmented send on whole; with UDP checksum 0 the kernel never puts packets together, and the stream has to notice.',
    steps: [
      ...each(PACKET_SIZES, (size) =>
        series(load('loopback', size, 'bursts', { gigabits: 10 }), OWN, manner('copy'), DISCARD, ARAVIS),
      ),
      ...each(PACKET_SIZES, (size) =>
        series(load('cable', size, 'bursts', { gigabits: 5, checksum: false }), OWN, manner('copy'), DISCARD),
      ),
      series(load('cable', 1500, 'evenly', { gigabits: 1, checksum: false }), OWN, manner('copy'), DISCARD),
    ],
  },
  {
    id: 'manners',
    title: 'Manners of taking packets from the kernel',
    extra: true,
    about:
      'The same load by each of them, and by what `auto` chooses. With UDP checksum 0 the kernel puts no packets together; over loopback it does.',
    steps: each(PACKET_SIZES, (size) =>
      each(
        [
          load('cable', size, 'evenly', { gigabits: 1, checksum: false }),
          load('cable', size, 'bursts', { gigabits: 5, checksum: false }),
          load('loopback', size, 'bursts', { gigabits: 5 }),
        ],
        (one) => series(one, OWN, BASELINE, ...MANNERS.map(manner)),
      ),
    ),
  },
  {
    id: 'rings',
    title: 'Engines that go around the socket',
    about:
      'CPU of sender and receiver together, since their copy runs in the kernel on the sender\u2019s time; the sender sleeps between its bursts.',
    steps: each(PACKET_SIZES, (size) =>
      series(
        load('cable', size, 'bursts', { gigabits: 5, spin: false }),
        OWN,
        ...PRIVILEGED_ENGINES.map(withEngine),
      ),
    ),
  },
]

/** The same where no private networks can be made: what needs them happens on loopback, and what is there already is left out. */
export function onLoopback(section: Section): Section {
  const steps = new Map<string, Step>()
  for (const step of section.steps) {
    const name = step.load.name.replace(/^cable/, 'loopback')
    steps.set(`${step.kind} ${name}`, { ...step, load: { ...step.load, place: 'loopback', name } })
  }
  return { ...section, steps: [...steps.values()] }
}

/** For a user's first impression: under a minute. */
export const QUICK: Section = {
  id: 'quick',
  title: 'What this machine carries',
  about: '',
  steps: [
    ...each(PACKET_SIZES, (size) => series(load('cable', size, 'evenly', { gigabits: 1 }), OWN)),
    ...each(PACKET_SIZES, (size) => rate(load('cable', size, 'bursts'), OWN)),
  ],
}
