// The goals as data: which measurement, what is compared, and where the goal lies. Each row gives what it measured, or undefined
// where that was not measured.

import {
  AT_ONCE,
  manner,
  OWN,
  PRIVILEGED_ENGINES,
  SMALL,
  stalled,
  withEngine,
} from '../../dist/bench/receivers.js'
import { SMALL_FPS } from '../../dist/bench/sections.js'
import {
  coreShare,
  latencyOver,
  machineNsPerPacket,
  mainNsPerFrame,
  over,
  processNsPerPacket,
  threadNsPerPacket,
} from '../../dist/bench/series.js'

const times = (value) => `${value.toFixed(2)} x`
const atMost = (limit) => ({ limit, goal: `<= ${times(limit)}`, met: (value) => value <= limit, show: times })
const atLeast = (limit) => ({
  limit,
  goal: `>= ${times(limit)}`,
  met: (value) => value >= limit,
  show: times,
})
const microseconds = (limit) => ({
  goal: `<= ${limit} us`,
  met: (value) => value <= limit,
  show: (value) => `${value.toFixed(0)} us`,
})
const gigabits = (limit) => ({
  goal: `>= ${limit} Gbit/s`,
  met: (value) => value >= limit,
  show: (value) => `${value.toFixed(1)} Gbit/s`,
})
const none = { goal: 'no loss', met: (value) => value === 0, show: (value) => `${value} lost` }

const lostIn = (one) => one.runs.reduce((sum, run) => sum + run.lost + run.framesLost, 0)
const image = '2.3 MP'

/** `needs`: section, load and receivers that the row looks at; `value` gets what was found, in that order. */
function row(what, criterion, needs, value) {
  return { what, needs, value, ...criterion }
}

/** Ratio of medians under one load. */
function ratio(what, limit, section, load, own, peer, by = processNsPerPacket, peerBy = by) {
  const needs = [own, peer].map((receiver) => ({ section, load, receiver }))
  return row(what, atMost(limit), needs, (a, b) => over(a, by).median / over(b, peerBy).median)
}

function rateRatio(what, limit, load, own, peer) {
  const needs = [own, peer].map((receiver) => ({ section: 'rate', load, receiver }))
  return row(what, atLeast(limit), needs, (a, b) => a.gigabits / b.gigabits)
}

const cable = (size, gigabits, pacing) => `cable, ${size}, ${image}, ${gigabits} Gbit/s ${pacing}`
const loopback = (size, gigabits, pacing) => `loopback, ${size}, ${image}, ${gigabits} Gbit/s ${pacing}`
const rated = (place, size) => `${place}, ${size}, ${image}, bursts`

function highest(what, limit, place, size) {
  const need = { section: 'rate', load: rated(place, size), receiver: OWN }
  const criterion = gigabits(limit)
  return row(what, criterion, [need], (one) => one.gigabits)
}

const sendersLimit = (size) => ({
  ...row(
    `cable, ${size}: as fast as it can be sent`,
    {
      goal: "the sender's limit",
      met: Boolean,
      show: (value) => (value ? "the sender's limit" : 'less than was sent'),
    },
    [{ section: 'rate', load: rated('cable', size), receiver: OWN }],
    (one) => one.senderLimited,
  ),
})

function latency(size, gigabits, pacing, receiver, which, limit) {
  const load = cable(size, gigabits, pacing)
  const how = receiver === AT_ONCE ? 'coalescing off' : 'default'
  return row(
    `${gigabits} Gbit/s ${pacing}, ${size}, ${how}: ${which}`,
    microseconds(limit),
    [{ section: 'latency', load, receiver }],
    (one) => latencyOver(one, which).median,
  )
}

const small = (place, pace) => ({ section: 'small', load: `${place}, ${pace}`, receiver: SMALL })
const [PACED, FAST] = SMALL_FPS.map((rate) => `${rate} frames per second`)

const sizes = ['0.3 MP', '1 MP', '2.3 MP', '5 MP', '12 MP']
const SIZES = [1500, 9000]
/** Bytes that a process of Node moves by itself; a frame has 2.3 million. */
const UNRELATED_BYTES = 1 << 20

export const GOALS = [
  {
    id: 'G1',
    title: 'Bare recvmmsg discard (thread), 10 Gbit/s over the cable',
    rows: SIZES.map((size) =>
      ratio(`${size}`, 1.2, 'cpu', cable(size, 10, 'bursts'), OWN, 'discard', threadNsPerPacket),
    ),
  },
  {
    id: 'G2',
    title: 'Aravis, plain socket',
    rows: [
      ratio('10 Gbit/s bursts, 1500', 0.95, 'cpu', cable(1500, 10, 'bursts'), OWN, 'aravis-socket'),
      ratio('10 Gbit/s bursts, 9000', 0.8, 'cpu', cable(9000, 10, 'bursts'), OWN, 'aravis-socket'),
      ratio(
        '10 Gbit/s, 1500, aggregated',
        0.5,
        'aggregation',
        loopback(1500, 10, 'bursts'),
        OWN,
        'aravis-socket',
      ),
      ...SIZES.map((size) =>
        ratio(`1 Gbit/s evenly, ${size}`, 0.4, 'cpu', cable(size, 1, 'evenly'), OWN, 'aravis-socket'),
      ),
    ],
  },
  {
    id: 'G3',
    title: "Node's dgram",
    rows: [
      ratio('CPU, 5 Gbit/s bursts, 1500', 0.25, 'cpu', cable(1500, 5, 'bursts'), OWN, 'dgram'),
      ratio('CPU, 10 Gbit/s bursts, 9000', 0.45, 'cpu', cable(9000, 10, 'bursts'), OWN, 'dgram'),
      rateRatio('rate without loss, cable, 1500', 3, rated('cable', 1500), OWN, 'dgram'),
      rateRatio('rate without loss, loopback, 1500', 15, rated('loopback', 1500), OWN, 'dgram'),
    ],
  },
  {
    id: 'G4',
    title: 'Highest rate without loss, out of the box',
    rows: [
      ...SIZES.map(sendersLimit),
      highest('cable, 1500', 8, 'cable', 1500),
      highest('cable, 9000', 10, 'cable', 9000),
      highest('loopback, 1500', 40, 'loopback', 1500),
      highest('loopback, 9000', 50, 'loopback', 9000),
    ],
  },
  {
    id: 'G5',
    title: 'Last packet to the `for await` body',
    rows: [
      ...SIZES.flatMap((size) =>
        [5, 10].flatMap((rate) => [
          latency(size, rate, 'bursts', AT_ONCE, 'p50', 60),
          latency(size, rate, 'bursts', AT_ONCE, 'p99', 200),
        ]),
      ),
      ...SIZES.map((size) => latency(size, 1, 'evenly', OWN, 'p99', 400)),
    ],
  },
  {
    id: 'G6',
    title: '64 x 64 frames through the iterator',
    rows: [
      row(
        '50000 per second: share of a core',
        { goal: '<= 27 %', met: (value) => value <= 0.27, show: (value) => `${(100 * value).toFixed(1)} %` },
        [small('cable', PACED)],
        (one) => over(one, coreShare).median,
      ),
      row(
        '50000 per second: p99',
        microseconds(400),
        [small('cable', PACED)],
        (one) => latencyOver(one, 'p99').median,
      ),
      ...['cable', 'loopback'].flatMap((place) => [
        row(
          `${place}: without loss`,
          { goal: '>= 75000 per second', met: (value) => value >= 75_000, show: (value) => value.toFixed(0) },
          [small(place, FAST)],
          (one) => over(one, (run) => run.frames / run.seconds).median,
        ),
        row(`${place}: loss at that rate`, none, [small(place, FAST)], lostIn),
      ]),
    ],
  },
  {
    id: 'G7',
    title: 'Event loop stalled for 500 ms at 1 Gbit/s',
    rows: [
      row(
        '64 slots',
        none,
        [{ section: 'stall', load: cable(1500, 1, 'evenly'), receiver: stalled(500) }],
        lostIn,
      ),
    ],
  },
  {
    id: 'G8',
    title: '16 cameras of 60 MB/s together',
    rows: [
      row('loss', none, [{ section: 'cameras', load: '16 cameras', receiver: OWN }], lostIn),
      row(
        'CPU, to one camera at the same sum',
        atMost(1.15),
        ['16 cameras', '1 cameras'].map((load) => ({ section: 'cameras', load, receiver: OWN })),
        (many, one) => over(many, processNsPerPacket).median / over(one, processNsPerPacket).median,
      ),
    ],
  },
  {
    id: 'G9',
    title: 'Work per packet',
    rows: [
      ...SIZES.map((size) =>
        row(
          `frames of 0.3 to 12 MP, ${size}: dearest to cheapest`,
          atMost(1.15),
          sizes.map((one) => ({
            section: 'size',
            load: `cable, ${size}, ${one}, 5 Gbit/s bursts`,
            receiver: OWN,
          })),
          (...all) => {
            const costs = all.map((one) => over(one, processNsPerPacket).median)
            return Math.max(...costs) / Math.min(...costs)
          },
        ),
      ),
      ...SIZES.flatMap((size) =>
        [1, 5, 10].map((percent) =>
          row(
            `${percent} % lost and sent again, ${size}: to none`,
            atMost(1.5),
            [percent, 0].map((share) => ({
              section: 'loss',
              load: `${cable(size, 2.5, 'bursts')}, ${share} % lost`,
              receiver: OWN,
            })),
            (lossy, clean) => over(lossy, processNsPerPacket).median / over(clean, processNsPerPacket).median,
          ),
        ),
      ),
    ],
  },
  {
    id: 'G10',
    title: 'Aggregation',
    rows: [
      ratio(
        'aggregating, 1500: to discard (thread)',
        0.4,
        'aggregation',
        loopback(1500, 10, 'bursts'),
        OWN,
        'discard',
        threadNsPerPacket,
      ),
      ...[
        [1500, 5, 'bursts'],
        [9000, 5, 'bursts'],
        [1500, 1, 'evenly'],
      ].map(([size, rate, pacing]) =>
        ratio(
          `checksum 0, ${rate} Gbit/s ${pacing}, ${size}: to the path without it`,
          1.05,
          'aggregation',
          `${cable(size, rate, pacing)}, checksum 0`,
          OWN,
          manner('copy'),
        ),
      ),
    ],
  },
  {
    id: 'G11',
    title: 'Packet ring and XDP (opt-in)',
    rows: PRIVILEGED_ENGINES.flatMap((engine) =>
      SIZES.flatMap((size) => [
        ratio(
          `${engine}, 5 Gbit/s bursts, ${size}: machine-wide CPU, to our socket engine`,
          0.85,
          'rings',
          cable(size, 5, 'bursts'),
          withEngine(engine),
          OWN,
          machineNsPerPacket,
        ),
        row(
          `${engine}, 5 Gbit/s bursts, ${size}: p99`,
          microseconds(500),
          [{ section: 'rings', load: cable(size, 5, 'bursts'), receiver: withEngine(engine) }],
          (one) => latencyOver(one, 'p99').median,
        ),
      ]),
    ),
  },
  {
    id: 'G12',
    title: 'Steady state',
    rows: [
      row(
        'JavaScript per frame, batched (64 x 64)',
        {
          goal: '<= 1 us',
          met: (value) => value <= 1000,
          show: (value) => `${(value / 1000).toFixed(2)} us`,
        },
        [small('cable', FAST)],
        (one) => over(one, mainNsPerFrame).median,
      ),
      row(
        'memory outside of the heap grows, 2.3 MP',
        {
          goal: 'less than a frame',
          met: (value) => value < UNRELATED_BYTES,
          show: (value) => `${(value / 1024).toFixed(0)} KiB`,
        },
        [{ section: 'size', load: cable(9000, 5, 'bursts'), receiver: OWN }],
        (one) => Math.max(...one.runs.map((run) => run.grown)),
      ),
    ],
  },
]
