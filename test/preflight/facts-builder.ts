// Recorded facts for tests, in few words: a Linux machine with one network interface and a camera behind it, where nothing is wrong; what a
// test is about replaces it.

import type {
  CounterDelta,
  Facts,
  InterfaceFacts,
  Probe,
  StreamFacts,
  TestPacketProbe,
} from '../../lib/preflight/facts.js'

export const CAMERA = '192.168.7.10'

export const nic = (more: Partial<InterfaceFacts> = {}): InterfaceFacts => ({
  name: 'eth1',
  address: '192.168.7.1',
  netmask: '255.255.255.0',
  mtu: 1500,
  up: true,
  loopback: false,
  carrier: true,
  ...more,
})

export const still: CounterDelta = {
  nicRx: 10,
  nicDrop: 0,
  softDrop: 0,
  ipReceives: 10,
  ipDelivers: 10,
  fwDrop: 0,
  rpDrop: 0,
  rejSent: 0,
  sockDrop: 0,
  noSock: 0,
  fragIn: 0,
  fragBad: 0,
}

export const unicast = (
  answers: number,
  more: Partial<Extract<Probe, { probe: 'unicast' }>> = {},
): Probe => ({
  probe: 'unicast',
  address: CAMERA,
  sent: answers > 0 ? 1 : 3,
  answers,
  ms: 5,
  interface: 'eth1',
  counters: still,
  ...more,
})

export const broadcast = (
  answers: number,
  more: Partial<Extract<Probe, { probe: 'broadcast' }>> = {},
): Probe => ({
  probe: 'broadcast',
  ack: 'unicast',
  rounds: 1,
  sent: 2,
  answers: Array.from({ length: answers }, () => ({
    address: CAMERA,
    mac: '00:11:22:33:44:55',
    from: 'eth1',
    subnetMask: '255.255.255.0',
    model: 'Camera',
    reachable: true,
  })),
  ms: 5,
  interface: 'eth1',
  counters: still,
  ...more,
})

export const shot = (
  arrived: number,
  {
    counters,
    ...more
  }: Partial<Omit<TestPacketProbe, 'counters'>> & { counters?: Partial<CounterDelta> } = {},
): TestPacketProbe => ({
  probe: 'test-packet',
  size: 576,
  dontFragment: true,
  punched: false,
  fired: arrived > 0 ? 1 : 3,
  arrived,
  fragmented: 0,
  destination: '192.168.7.1',
  port: 50_000,
  interface: 'eth1',
  ms: 5,
  counters: { ...still, ...counters },
  ...more,
})

export const access = (more: Partial<Extract<Probe, { probe: 'access' }>> = {}): Probe => ({
  probe: 'access',
  granted: true,
  ms: 1,
  ...more,
})

export const streamed = (more: Partial<StreamFacts> = {}): StreamFacts => ({
  seconds: 0.3,
  framesComplete: 10,
  framesIncomplete: 0,
  packetsExpected: 1000,
  packetsReceived: 1000,
  lostInKernel: 0,
  lostOnWire: 0,
  blocksNoSlot: 0,
  foreign: 0,
  malformed: 0,
  acquiring: true,
  ...more,
})

export const burst = (more: Partial<StreamFacts> = {}, counters: Partial<CounterDelta> = {}): Probe => ({
  probe: 'burst',
  packetSize: 1500,
  proven: true,
  seconds: 0.3,
  stream: streamed(more),
  ms: 300,
  counters: { ...still, ...counters },
})

export function facts(probes: Probe[], more: Partial<Facts> = {}, host: Partial<Facts['host']> = {}): Facts {
  return {
    version: 1,
    recorded: '2026-01-01T00:00:00.000Z',
    system: 'linux',
    versions: {},
    host: {
      interfaces: [nic()],
      neighbours: [{ address: CAMERA, mac: '00:11:22:33:44:55', interface: 'eth1', state: 'complete' }],
      environment: {},
      privileged: false,
      limits: {},
      route: { interface: 'eth1', source: '192.168.7.1' },
      ...host,
    },
    firewall: { linux: {} },
    plan: { program: '/usr/bin/node', programRealPath: '/usr/bin/node' },
    camera: { address: CAMERA },
    probes,
    unread: {},
    ...more,
  }
}
