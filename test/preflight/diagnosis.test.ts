// The diagnosis, row by row of its table (reference/firewall.md section 6), and its rules of reasoning on facts that nobody thought of.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diagnose } from '../../lib/preflight/diagnosis/index.js'
import { layersOf } from '../../lib/preflight/diagnosis/layers.js'
import type { Facts, Probe } from '../../lib/preflight/facts.js'
import { FINDING_CODES } from '../../lib/preflight/finding-codes.js'
import { access, broadcast, burst, CAMERA, facts, nic, shot, streamed, unicast } from './facts-builder.js'

const well = [unicast(1), broadcast(1), access(), shot(1), shot(1, { size: 1500 }), burst()]
const blocked = (counters = {}, TP = 0) => [
  unicast(1),
  broadcast(1),
  access(),
  shot(0, { counters: { fwDrop: 3, ...counters } }),
  shot(TP, { punched: true, counters: { fwDrop: TP > 0 ? 0 : 3, ...counters } }),
]
const silence = (seconds: number, arrived: number): Probe => ({
  probe: 'idle',
  seconds,
  fired: 3,
  arrived,
  ...(arrived === 0 && { arrivedAfterPunch: 1 }),
  ms: seconds * 1000,
})
const silent = (more: Partial<Extract<Probe, { probe: 'unicast' }>> = {}) => [unicast(0, more), broadcast(0)]
const noNeighbour = { neighbours: [] }

const ROWS: [row: string, code: string, confidence: string, facts: Facts][] = [
  ['1', 'ok', 'certain', facts(well)],
  ['2', 'firewall.inbound-stream', 'certain', facts(blocked({}, 1))],
  [
    '2, where nobody counts',
    'firewall.inbound-stream',
    'certain',
    facts([unicast(1), shot(0, { counters: { fwDrop: 0 } }), shot(1, { punched: true })]),
  ],
  ['3', 'firewall.inbound-stream', 'certain', facts(blocked())],
  [
    '3, before IP',
    'firewall.inbound-stream',
    'high',
    facts(blocked({ fwDrop: 0, nicRx: 30, ipReceives: 10 })),
  ],
  ['4', 'firewall.inbound-reject', 'certain', facts(blocked({ rejSent: 2 }))],
  [
    '5',
    'firewall.broadcast-reply',
    'high',
    facts([unicast(1), broadcast(0, { counters: { fwDrop: 2 } }), access(), shot(1), burst()]),
  ],
  ['6', 'network.broadcast-blocked', 'medium', facts([unicast(1), broadcast(0), access(), shot(1), burst()])],
  ['8', 'firewall.inbound-all', 'certain', facts(silent({ counters: { fwDrop: 3 } }))],
  ['9', 'firewall.outbound', 'certain', facts(silent({ sent: 0, error: 'EPERM' }))],
  [
    '11',
    'network.wrong-subnet',
    'certain',
    facts(
      [
        unicast(0, { sent: 0, error: 'ENETUNREACH' }),
        broadcast(1, {
          answers: [
            {
              address: CAMERA,
              mac: '0',
              from: 'eth1',
              subnetMask: '255.255.255.0',
              model: 'C',
              reachable: false,
            },
          ],
        }),
      ],
      {},
      { interfaces: [nic({ address: '10.0.0.1' })], neighbours: [], route: { interface: '', source: '' } },
    ),
  ],
  [
    '12',
    'network.rp-filter',
    'certain',
    facts([unicast(0), broadcast(0, { counters: { rpDrop: 2 } })], {}, noNeighbour),
  ],
  [
    '13',
    'network.ambiguous-route',
    'certain',
    facts(
      [
        unicast(0),
        broadcast(1, {
          answers: [
            {
              address: CAMERA,
              mac: '0',
              from: 'eth2',
              subnetMask: '255.255.255.0',
              model: 'C',
              reachable: true,
            },
          ],
        }),
      ],
      {},
      { interfaces: [nic(), nic({ name: 'eth2', address: '192.168.7.2' })], neighbours: [] },
    ),
  ],
  [
    '14',
    'mtu.host',
    'certain',
    facts(well, { plan: { program: 'n', programRealPath: 'n', packetSize: 9000 } }),
  ],
  [
    '15',
    'mtu.path',
    'high',
    facts([...well, shot(0, { size: 9000 })], {}, { interfaces: [nic({ mtu: 9000 })] }),
  ],
  ['16', 'mtu.fragmentation', 'certain', facts([...well, shot(1, { size: 9000, fragmented: 1 })])],
  [
    '17',
    'mtu.host',
    'high',
    facts(
      [...well, shot(0, { size: 9000, counters: { nicDrop: 3, driver: { rx_length_errors: 3 } } })],
      {},
      { interfaces: [nic({ mtu: 9000 })] },
    ),
  ],
  ['17, 20', 'nic.ring', 'high', facts([...well.slice(0, -1), burst({ lostOnWire: 5 }, { nicDrop: 5 })])],
  [
    '18',
    'camera.busy',
    'certain',
    facts([
      unicast(1),
      broadcast(1),
      access({ granted: false, status: 0x8006, holder: { address: '192.168.7.5', port: 40_000 } }),
    ]),
  ],
  [
    '19',
    'host.receive-buffer',
    'certain',
    facts([...well.slice(0, -1), burst({ lostInKernel: 4 }, { sockDrop: 4 })]),
  ],
  ['21', 'host.backlog', 'high', facts([...well.slice(0, -1), burst({ lostOnWire: 5 }, { softDrop: 5 })])],
  [
    '4, told by a stream alone',
    'firewall.inbound-reject',
    'high',
    facts([
      unicast(1),
      broadcast(0, { counters: { nicRx: 10, fwDrop: 3, rejSent: 3 } }),
      burst(
        { packetsReceived: 0, framesComplete: 0, packetsExpected: 0 },
        { nicRx: 900, ipReceives: 900, fwDrop: 880 },
      ),
    ]),
  ],
  [
    '3, told by a stream alone that did not come as far as IP',
    'firewall.inbound-stream',
    'medium',
    facts([
      unicast(1),
      broadcast(1),
      burst({ packetsReceived: 0, framesComplete: 0, packetsExpected: 0 }, { nicRx: 900, ipReceives: 10 }),
    ]),
  ],
  [
    '21, of nearly all frames nothing came',
    'host.backlog',
    'high',
    facts([
      ...well.slice(0, -1),
      burst({ framesComplete: 1, frameRate: 60, flowing: 0.3 }, { softDrop: 900 }),
    ]),
  ],
  ['22', 'network.switch-loss', 'medium', facts([...well.slice(0, -1), burst({ lostOnWire: 5 })])],
  ['24', 'network.not-a-camera', 'high', facts(silent({ error: 'ECONNREFUSED' }))],
  ['25', 'camera.off-or-other-segment', 'medium', facts(silent(), {}, noNeighbour)],
  [
    '26',
    'link.down',
    'certain',
    facts(silent(), {}, { interfaces: [nic({ carrier: false })], neighbours: [] }),
  ],
  [
    '27',
    'network.nat',
    'high',
    facts(
      [unicast(1), broadcast(0), access(), shot(0), shot(0, { punched: true })],
      {},
      {
        interfaces: [nic({ address: '172.17.0.2' })],
        route: { interface: 'eth1', source: '172.17.0.2', gateway: '172.17.0.1' },
      },
    ),
  ],
  [
    '27, of a failed negotiation',
    'network.nat',
    'high',
    facts(
      [unicast(1), shot(0, { punched: true })],
      {},
      { route: { interface: 'eth1', source: '192.168.7.1', gateway: '192.168.7.254' } },
    ),
  ],
  [
    '28',
    'camera.no-test-packet',
    'high',
    facts([
      unicast(1),
      broadcast(1),
      access(),
      { probe: 'capabilities', ms: 0, sourcePort: 0, testPackets: false },
      burst(),
    ]),
  ],
  ['29', 'firewall.idle-timeout', 'certain', facts([...blocked({}, 1), silence(35, 3), silence(65, 0)])],
  ['31', 'transient', 'low', facts([unicast(0), broadcast(1)])],
  ['32', 'unknown', 'low', facts([unicast(1), broadcast(1), access(), shot(0), shot(0, { punched: true })])],
  ['a host that says nothing', 'network.not-a-camera', 'medium', facts(silent())],
  [
    'a trigger',
    'stream.waiting-for-trigger',
    'certain',
    facts([...well.slice(0, -1), burst({ packetsReceived: 0, framesComplete: 0 })], {
      camera: { address: CAMERA, triggerMode: 'On' },
    }),
  ],
  [
    'not acquiring',
    'stream.not-acquiring',
    'certain',
    facts([unicast(1)], { stream: streamed({ packetsReceived: 0, acquiring: false }) }),
  ],
  [
    'no free slot',
    'stream.no-free-slot',
    'certain',
    facts([unicast(1)], { stream: streamed({ framesComplete: 0, blocksNoSlot: 9 }) }),
  ],
  [
    'another destination',
    'stream.wrong-destination',
    'certain',
    facts([unicast(1)], {
      stream: streamed({
        packetsReceived: 0,
        port: 5000,
        destination: { address: '192.168.7.9', port: 5000 },
      }),
    }),
  ],
  [
    'a stream that is dropped here',
    'firewall.inbound-stream',
    'high',
    facts([unicast(1)], { stream: streamed({ packetsReceived: 0, counters: { fwDrop: 500 } }) }),
  ],
  [
    'a burst of which nothing came',
    'stream.nothing-sent',
    'low',
    facts([...well.slice(0, -1), burst({ framesComplete: 0, packetsReceived: 0, frameRate: 30 })]),
  ],
  [
    'a burst of which nothing is whole',
    'network.switch-loss',
    'medium',
    facts([...well.slice(0, -1), burst({ framesComplete: 0, framesIncomplete: 9, lostOnWire: 500 })]),
  ],
  [
    'packets that make no sense',
    'stream.no-whole-frame',
    'low',
    facts([...well.slice(0, -1), burst({ framesComplete: 0, malformed: 900 })]),
  ],
  [
    'a running stream, a ring',
    'nic.ring',
    'high',
    facts([unicast(1)], {
      stream: streamed({ lostOnWire: 9, counters: { nicDrop: 9, driver: { rx_no_buffer: 9 } } }),
    }),
  ],
  [
    'a running stream, a backlog',
    'host.backlog',
    'high',
    facts([unicast(1)], { stream: streamed({ lostOnWire: 9, counters: { softDrop: 9 } }) }),
  ],
  [
    'a running stream, a switch',
    'network.switch-loss',
    'medium',
    facts([unicast(1)], { stream: streamed({ lostOnWire: 9, counters: {} }) }),
  ],
  [
    'registers that were not put back',
    'camera.not-restored',
    'certain',
    facts([...well, { probe: 'restore', restored: ['0xd04'], failed: ['0xd18'], ms: 1 }]),
  ],
  [
    'a pinned port that is taken',
    'host.port-taken',
    'certain',
    facts([unicast(1), broadcast(1), access(), { probe: 'port', port: 5000, error: 'EADDRINUSE', ms: 0 }]),
  ],
  [
    'a host that is silent, among packets that nobody has asked for',
    'camera.off-or-other-segment',
    'medium',
    facts(silent({ counters: { fwDrop: 40 } }), {}, noNeighbour),
  ],
  [
    'what reverse-path filtering drops of others',
    'ok',
    'certain',
    facts([...well, unicast(1, { counters: { rpDrop: 7 } })]),
  ],
  [
    'a camera that is off, and one packet of others by the wrong way',
    'camera.off-or-other-segment',
    'medium',
    facts(silent({ counters: { rpDrop: 1 } }), {}, noNeighbour),
  ],
  [
    'translation, and one packet of others that was dropped',
    'network.nat',
    'high',
    facts(
      [unicast(1), broadcast(0), access(), shot(0, { counters: { fwDrop: 1 } }), shot(0, { punched: true })],
      {},
      { route: { interface: 'eth1', source: '192.168.7.1', gateway: '192.168.7.254' } },
    ),
  ],
  [
    'what the interface drops of others',
    'ok',
    'certain',
    facts([...well.slice(0, -1), burst({}, { nicDrop: 5, softDrop: 3 })]),
  ],
  [
    'two interfaces in one subnet, and a camera that nobody hears',
    'camera.off-or-other-segment',
    'medium',
    facts(
      silent(),
      {},
      { interfaces: [nic(), nic({ name: 'eth2', address: '192.168.7.2' })], neighbours: [] },
    ),
  ],
  [
    'a stream to where its options say',
    'stream.nothing-sent',
    'low',
    facts([unicast(1)], {
      plan: { program: 'n', programRealPath: 'n', streamDestination: '10.0.0.9', streamPort: 5000 },
      stream: streamed({
        packetsReceived: 0,
        framesComplete: 0,
        port: 5000,
        destination: { address: '10.0.0.9', port: 5000 },
      }),
    }),
  ],
  [
    'two cameras with one address',
    'network.address-conflict',
    'certain',
    facts(well, { camera: { address: CAMERA, addressConflict: true } }),
  ],
]

describe('diagnosis', () => {
  it.each(ROWS)('row %s: %s', (_, code, confidence, given) => {
    const [first, ...others] = diagnose(given)
    expect([first?.code, first?.confidence], JSON.stringify([first, ...others])).toEqual([code, confidence])
    expect(first?.evidence.length).toBeGreaterThan(0)
    if (!code.startsWith('firewall.'))
      expect([first, ...others].filter((one) => one?.code.startsWith('firewall.'))).toEqual([])
  })

  it('reports several causes, each with its evidence', () => {
    const codes = diagnose(
      facts(
        [...blocked({}, 1), shot(1, { size: 1500, punched: true }), shot(0, { size: 9000, punched: true })],
        {},
        {
          interfaces: [nic({ mtu: 9000 })],
        },
      ),
    ).map(({ code }) => code)
    expect(codes).toEqual(['firewall.inbound-stream', 'mtu.path'])
  })

  it('never accuses this computer of what did not come as far as its interface', () => {
    const elsewhere = { nicRx: 0, fwDrop: 3 }
    expect(diagnose(facts(blocked(elsewhere)))[0]?.code).toBe('unknown')
    expect(diagnose(facts(silent({ counters: elsewhere })))[0]?.code).toBe('network.not-a-camera')
    const stream = streamed({
      packetsReceived: 0,
      framesComplete: 0,
      seconds: 1,
      counters: { nicRx: 0, fwDrop: 99 },
    })
    expect(diagnose(facts([unicast(1)], { stream }))[0]?.code).toBe('stream.nothing-sent')
  })

  it('says that no frame came, whatever else is not as it should be', () => {
    const none = burst({ packetsReceived: 0, framesComplete: 0, frameRate: 60, seconds: 1 })
    const worst = (probes: Probe[]) => diagnose(facts(probes))[0]
    const base = [unicast(1), broadcast(0), access(), shot(1)]
    expect(worst([...base, none])).toMatchObject({ code: 'stream.nothing-sent', severity: 'error' })
    const restore: Probe = { probe: 'restore', restored: [], failed: ['0xd04'], ms: 1 }
    expect(worst([...base, restore, none])).toMatchObject({ code: 'stream.nothing-sent', severity: 'error' })
    const refused: Probe = { probe: 'stream-refused', error: 'ERR_GIGE_TIMEOUT', ms: 1 }
    expect(worst([unicast(1), broadcast(1), access(), shot(1), refused])).toMatchObject({
      code: 'unknown',
      severity: 'error',
    })
    // Who waits for a trigger loses nothing, and what others lose is not its.
    const waiting = facts(
      [...base, { ...none, counters: { nicDrop: 1, sockDrop: 2, fwDrop: 99 } } as Probe],
      {
        camera: { address: CAMERA, triggerMode: 'On' },
      },
    )
    expect(diagnose(waiting).map(({ code }) => code)).toEqual([
      'stream.waiting-for-trigger',
      'network.broadcast-blocked',
    ])
  })

  it('puts what is not even started before what it would wait for', () => {
    const stream = streamed({ packetsReceived: 0, framesComplete: 0, acquiring: false })
    const found = diagnose(facts([unicast(1)], { stream, camera: { address: CAMERA, triggerMode: 'On' } }))
    expect(found.map(({ code, severity }) => `${code} ${severity}`)).toEqual([
      'stream.not-acquiring error',
      'stream.waiting-for-trigger warning',
    ])
  })

  it('takes drops that go on all the time for noise', () => {
    const noisy = (more: Probe[]) => [
      unicast(1),
      broadcast(1, { ms: 1000, counters: { fwDrop: 20 } }),
      access(),
      ...more,
    ]
    const lostTo = (fwDrop: number) => [
      shot(0, { ms: 300, counters: { fwDrop } }),
      shot(0, { ms: 300, punched: true, counters: { fwDrop } }),
    ]
    const first = (probes: Probe[]) => diagnose(facts(probes))[0]?.code
    expect(first(noisy(lostTo(9)))).toBe('unknown') // three were fired, and six in that time are anybody's
    expect(first(noisy(lostTo(15)))).toBe('firewall.inbound-stream')
    const unheard = (fwDrop: number) => [
      unicast(1),
      broadcast(0, { ms: 1000, counters: { fwDrop } }),
      access(),
      shot(1),
      { ...burst({}, { fwDrop: 6 }), ms: 300 },
    ]
    expect(first(unheard(40))).toBe('network.broadcast-blocked')
    expect(first(unheard(41))).toBe('firewall.broadcast-reply')
  })

  it('says of a machine without a camera in question who answers', () => {
    expect(diagnose(facts([broadcast(2)], { camera: undefined as never }))[0]).toMatchObject({ code: 'ok' })
    expect(diagnose(facts([broadcast(0)], { camera: undefined as never }))[0]?.code).toBe(
      'camera.off-or-other-segment',
    )
  })
})

const counters = fc.record(
  {
    nicRx: fc.nat(50),
    nicDrop: fc.nat(5),
    softDrop: fc.nat(5),
    ipReceives: fc.nat(50),
    fwDrop: fc.nat(20),
    rpDrop: fc.nat(3),
    rejSent: fc.nat(3),
    sockDrop: fc.nat(3),
  },
  { requiredKeys: [] },
)
const someFacts = fc
  .record({
    unicast: fc.option(
      fc.record({
        answers: fc.nat(2),
        sent: fc.nat(3),
        counters,
        error: fc.constantFrom(undefined, 'EPERM', 'ECONNREFUSED', 'ENETUNREACH'),
      }),
    ),
    broadcast: fc.option(fc.record({ answers: fc.nat(2), counters })),
    shots: fc.array(
      fc.record({
        arrived: fc.nat(1),
        size: fc.constantFrom(576, 1500, 9000),
        punched: fc.boolean(),
        fired: fc.nat(3),
        fragmented: fc.nat(1),
        counters,
      }),
      { maxLength: 6 },
    ),
    access: fc.option(fc.record({ granted: fc.boolean(), status: fc.constantFrom(0, 0x8006) })),
    burst: fc.option(
      fc.record({ lostOnWire: fc.nat(5), packetsReceived: fc.nat(100), blocksNoSlot: fc.nat(2), counters }),
    ),
    nic: fc.record({ mtu: fc.constantFrom(1500, 9000), up: fc.boolean(), carrier: fc.boolean() }),
    gateway: fc.option(fc.constant('192.168.7.254')),
    neighbour: fc.constantFrom(undefined, 'complete' as const, 'incomplete' as const),
  })
  .map((one) => {
    const probes: Probe[] = []
    if (one.unicast) {
      const { answers, error, ...more } = one.unicast
      probes.push(unicast(answers, { ...more, ...(error !== undefined && { error }) }))
    }
    if (one.broadcast) probes.push(broadcast(one.broadcast.answers, { counters: one.broadcast.counters }))
    if (one.access) probes.push(access(one.access))
    for (const { arrived, ...more } of one.shots)
      probes.push({ ...shot(arrived, more), counters: more.counters })
    if (one.burst) probes.push(burst(one.burst, one.burst.counters))
    return facts(
      probes,
      {},
      {
        interfaces: [nic(one.nic)],
        route: { interface: 'eth1', source: '192.168.7.1', ...(one.gateway && { gateway: one.gateway }) },
        neighbours: one.neighbour
          ? [{ address: CAMERA, mac: '0', interface: 'eth1', state: one.neighbour }]
          : [],
      },
    )
  })

describe('whatever the facts are', () => {
  const severities = ['error', 'warning', 'info']
  const confidences = ['certain', 'high', 'medium', 'low']

  it('there is a finding of the vocabulary, the worst and most certain first, each code once', () => {
    fc.assert(
      fc.property(someFacts, (given) => {
        const findings = diagnose(given)
        expect(findings.length).toBeGreaterThan(0)
        const ranks = findings.map(
          (one) => severities.indexOf(one.severity) * 10 + confidences.indexOf(one.confidence),
        )
        expect(ranks).toEqual([...ranks].sort((a, b) => a - b))
        for (const { code, evidence } of findings)
          expect([code in FINDING_CODES, evidence.length > 0]).toEqual([true, true])
        expect(new Set(findings.map(({ code }) => code)).size).toBe(findings.length)
        expect(JSON.parse(JSON.stringify(given))).toEqual(given)
      }),
      { numRuns: 2000 },
    )
  })

  it('a firewall of this computer is never accused where nothing was dropped here and no opened way made a difference', () => {
    fc.assert(
      fc.property(someFacts, (given) => {
        for (const probe of given.probes) {
          Object.assign(probe, { counters: { ...probe.counters, fwDrop: 0, nicRx: 0, ipReceives: 0 } })
          if ('error' in probe) delete probe.error
          if (probe.probe === 'test-packet' && probe.punched) probe.arrived = 0
        }
        const accused = diagnose(given).filter(({ code }) => code.startsWith('firewall.'))
        expect(accused).toEqual([])
      }),
      { numRuns: 2000 },
    )
  })

  it('sizes are never the cause where no smaller one arrived', () => {
    fc.assert(
      fc.property(someFacts, (given) => {
        for (const probe of given.probes)
          if (probe.probe === 'test-packet') Object.assign(probe, { arrived: 0, fragmented: 0 })
        expect(diagnose(given).filter(({ code }) => code.startsWith('mtu.'))).toEqual([])
      }),
      { numRuns: 1000 },
    )
  })
})

describe('the way of a packet', () => {
  const states = (given: Facts) =>
    Object.fromEntries(layersOf(given, diagnose(given)).map(({ layer, state }) => [layer, state]))
  const all = {
    camera: 'passes',
    cable: 'passes',
    switch: 'passes',
    interface: 'passes',
    firewall: 'passes',
    program: 'passes',
  }

  it('passes everywhere where packets arrive', () => {
    expect(states(facts(well))).toEqual(all)
  })

  it('ends at the firewall, and what is before it passes', () => {
    expect(states(facts(blocked()))).toEqual({ ...all, firewall: 'stops', program: 'unknown' })
    expect(states(facts(blocked({}, 1)))).toEqual({ ...all, firewall: 'hinders' })
  })

  it('ends at one of several places where nobody answers, the router among them', () => {
    const open = { interface: 'unknown', firewall: 'unknown', program: 'unknown' }
    const suspects = { camera: 'suspect', cable: 'suspect', switch: 'suspect' }
    expect(states(facts(silent(), {}, noNeighbour))).toEqual({ ...suspects, ...open })
    const route = { interface: 'eth1', source: '192.168.7.1', gateway: '192.168.7.254' }
    expect(states(facts(silent(), {}, { ...noNeighbour, route }))).toEqual({
      ...{ ...suspects, ...open },
      router: 'suspect',
    })
  })

  it('ends at the camera, whose packets have not been seen', () => {
    const busy = facts([unicast(1), broadcast(1), access({ granted: false, status: 0x8006 })])
    expect(states(busy)).toMatchObject({ camera: 'stops', switch: 'passes', firewall: 'unknown' })
  })

  it('has other security products on Windows', () => {
    expect(states(facts(well, { system: 'windows' }))).toEqual({ ...all, 'security-product': 'passes' })
  })
})
