// The goals as data: what is sent, who receives it, what is compared, and where the goal lies.

import { over, processNsPerPacket, threadNsPerPacket } from '../../dist/bench/series.js'

const IMAGE = { width: 1936, height: 1216 }
const load = (name, more) => ({ name, place: 'cable', ...IMAGE, ...more })

const L = {
  ten1500: load('10 Gbit/s, 1500, bursts, cable', { packetSize: 1500, pacing: 'bursts', gigabits: 10 }),
  ten9000: load('10 Gbit/s, 9000, bursts, cable', { packetSize: 9000, pacing: 'bursts', gigabits: 10 }),
  one1500: load('1 Gbit/s, 1500, evenly, cable', { packetSize: 1500, pacing: 'evenly', gigabits: 1 }),
  one9000: load('1 Gbit/s, 9000, evenly, cable', { packetSize: 9000, pacing: 'evenly', gigabits: 1 }),
  five1500: load('5 Gbit/s, 1500, bursts, cable', { packetSize: 1500, pacing: 'bursts', gigabits: 5 }),
  gro1500: load('10 Gbit/s, 1500, bursts, loopback aggregated', {
    place: 'loopback',
    packetSize: 1500,
    pacing: 'bursts',
    gigabits: 10,
  }),
}

const OWN = 'gigewire'

/** Ratio of medians. */
function ratio(
  what,
  on,
  peer,
  limit,
  { own = OWN, ownBy = processNsPerPacket, peerBy = processNsPerPacket } = {},
) {
  return {
    what,
    load: on,
    receivers: [own, peer],
    goal: `<= ${limit.toFixed(2)} x`,
    value: (of) => {
      const [a, b] = [of(own), of(peer)]
      return a && b ? over(a, ownBy).median / over(b, peerBy).median : undefined
    },
    met: (value) => value <= limit,
  }
}

// The goal compares threads; what the rest of the process takes is told by the tables of CPU.
const toDiscard = { ownBy: threadNsPerPacket, peerBy: threadNsPerPacket }

export const GOALS = [
  {
    id: 'G1',
    rows: [
      ratio('discard, 10 Gbit/s, 1500', L.ten1500, 'discard', 1.2, toDiscard),
      ratio('discard, 10 Gbit/s, 9000', L.ten9000, 'discard', 1.2, toDiscard),
    ],
  },
  {
    id: 'G2',
    rows: [
      ratio('Aravis socket, 10 Gbit/s, 1500', L.ten1500, 'aravis-socket', 0.95),
      ratio('Aravis socket, 10 Gbit/s, 9000', L.ten9000, 'aravis-socket', 0.8),
      ratio('Aravis socket, 10 Gbit/s, 1500, aggregated', L.gro1500, 'aravis-socket', 0.5),
      ratio('Aravis socket, 1 Gbit/s evenly, 1500', L.one1500, 'aravis-socket', 0.4),
      ratio('Aravis socket, 1 Gbit/s evenly, 9000', L.one9000, 'aravis-socket', 0.4),
    ],
  },
  {
    id: 'G3',
    rows: [
      ratio('dgram, 5 Gbit/s, 1500', L.five1500, 'dgram', 0.25),
      ratio('dgram, 10 Gbit/s, 9000', L.ten9000, 'dgram', 0.45),
    ],
  },
]
