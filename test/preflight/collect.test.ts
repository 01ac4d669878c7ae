// What collectors make of the system's text files, and what they do with text that is none.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CounterSnapshot, counterDelta } from '../../lib/preflight/collect/counters.js'
import {
  parseArp,
  parseAssignments,
  parseDevice,
  parseExactRoute,
  parseGateways,
  parseNamedCounters,
  parseSoftnetDrops,
} from '../../lib/preflight/collect/proc.js'

import { insideOk, packageRoot } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

const SNMP = `Ip: Forwarding DefaultTTL InReceives InHdrErrors InDelivers ReasmReqds ReasmOKs
Ip: 1 64 1200 3 1100 8 4
Icmp: InMsgs OutDestUnreachs
Icmp: 5 2
Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors
Udp: 900 7 1 800 1
UdpLite: InDatagrams
UdpLite: 0
`
const NETSTAT = `TcpExt: SyncookiesSent IPReversePathFilter
TcpExt: 0 4
IpExt: InNoRoutes InOctets
IpExt: 0 123456789012
`

describe('files of the kernel', () => {
  it('counters by their names', () => {
    const counters = parseNamedCounters(SNMP + NETSTAT)
    expect(
      [
        'Ip.InReceives',
        'Ip.InDelivers',
        'Udp.RcvbufErrors',
        'TcpExt.IPReversePathFilter',
        'IpExt.InOctets',
      ].map((name) => counters.get(name)),
    ).toEqual([1200, 1100, 1, 4, 123456789012])
    expect(counters.has('Ip.OutRequests')).toBe(false)
  })

  it('drops of the backlog, of all processors', () => {
    const row = (dropped: string) => `0000a0b1 ${dropped} 00000002 00000000 00000000`
    expect(parseSoftnetDrops(`${row('0000000f')}\n${row('00000001')}\n`)).toBe(16)
    expect(parseSoftnetDrops('')).toBeUndefined()
  })

  it('neighbours, gateways and settings', () => {
    expect(
      parseArp(`IP address       HW type     Flags       HW address            Mask     Device
192.168.7.10     0x1         0x2         00:11:22:33:44:55     *        eth1
192.168.7.11     0x1         0x0         00:00:00:00:00:00     *        eth1
`),
    ).toEqual([
      { address: '192.168.7.10', mac: '00:11:22:33:44:55', interface: 'eth1', state: 'complete' },
      { address: '192.168.7.11', mac: '00:00:00:00:00:00', interface: 'eth1', state: 'incomplete' },
    ])
    expect(
      parseGateways(`Iface\tDestination\tGateway \tFlags
eth0\t00000000\t0100A8C0\t0003
eth1\t0007A8C0\t00000000\t0001
`),
    ).toEqual(new Map([['eth0', '192.168.0.1']]))
    expect(parseAssignments('# a comment\nENABLED=yes\nDEFAULT_INPUT_POLICY="DROP" # deny\n\tX=\n')).toEqual(
      new Map([
        ['ENABLED', 'yes'],
        ['DEFAULT_INPUT_POLICY', 'DROP'],
        ['X', ''],
      ]),
    )
  })

  it('take of routes to one address only what can be given back as it is', () => {
    const exact = (text: string) => parseExactRoute(text, '10.0.0.2')
    expect(exact('10.0.0.2 via 10.1.0.9 dev eth1 src 10.1.0.1 \n')).toBe(
      '10.0.0.2 via 10.1.0.9 dev eth1 src 10.1.0.1',
    )
    expect(exact('10.0.0.2 dev eth1 scope link linkdown \n')).toBe('10.0.0.2 dev eth1 scope link')
    expect(exact('10.0.0.2 dev eth1 metric 100 \n10.0.0.2 dev eth2 \n')).toBe('10.0.0.2 dev eth2')
    expect(exact('10.0.0.2 dev eth1; reboot\n')).toBe('')
    expect(exact('10.0.0.20 dev eth1\n')).toBe('')
    expect(parseDevice('10.0.0.2 dev eth1 src 10.1.0.1 uid 0 \n    cache \n')).toBe('eth1')
    expect(parseDevice('RTNETLINK answers: Network is unreachable')).toBeUndefined()
  })

  it('that hold nonsense give nothing, and never an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        parseNamedCounters(text)
        parseSoftnetDrops(text)
        parseArp(text)
        parseDevice(text)
        expect(parseExactRoute(text, '10.0.0.2')).toMatch(/^(10\.0\.0\.2( [\w.:/@ -]+)?)?$/)
        parseGateways(text)
        parseAssignments(text)
      }),
    )
  })
})

describe('what a probe did to the counters', () => {
  const at = (
    values: Record<string, number>,
    nic: CounterSnapshot['nic'] = {},
    driver: Record<string, number> = {},
  ): CounterSnapshot => ({
    system: new Map(Object.entries(values)),
    softDrops: 0,
    nic,
    driver: new Map(Object.entries(driver)),
  })

  it('is what IP received and delivered to nobody, without what it had other reasons for', () => {
    const before = at({
      'Ip.InReceives': 100,
      'Ip.InDelivers': 100,
      'TcpExt.IPReversePathFilter': 0,
      'Ip.ReasmReqds': 0,
      'Ip.ReasmOKs': 0,
      'Ip.InHdrErrors': 0,
    })
    const after = at({
      'Ip.InReceives': 120,
      'Ip.InDelivers': 107,
      'TcpExt.IPReversePathFilter': 2,
      'Ip.ReasmReqds': 6,
      'Ip.ReasmOKs': 2,
      'Ip.InHdrErrors': 1,
    })
    expect(counterDelta(before, after)).toMatchObject({
      ipReceives: 20,
      ipDelivers: 7,
      rpDrop: 2,
      fragIn: 2,
      fwDrop: 6,
    })
  })

  it('is unknown where nobody counts, and never less than nothing', () => {
    expect(counterDelta(at({}), at({}))).toEqual({ softDrop: 0 })
    const wrapped = counterDelta(
      at({ 'Ip.InReceives': 100, 'Ip.InDelivers': 0 }, { rx_packets: 9 }),
      at({ 'Ip.InReceives': 5, 'Ip.InDelivers': 5 }, { rx_packets: 3 }),
    )
    expect([wrapped.fwDrop, wrapped.nicRx]).toEqual([0, 0])
  })

  it('names counters of the driver that rose', () => {
    const before = at({}, {}, { rx_no_buffer_count: 4, rx_length_errors: 7, rx_fifo_errors: 2 })
    const after = at({}, {}, { rx_no_buffer_count: 9, rx_length_errors: 7, rx_fifo_errors: 0, new_drops: 3 })
    expect(counterDelta(before, after).driver).toEqual({ rx_no_buffer_count: 5 })
  })
})

describeWith(['netns'], 'counters of a driver', () => {
  it('are told to everybody, and are losses of what was received', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.2/24' })
    const { peer, strange, losses } = await insideOk(
      host,
      async (_, root) => {
        const { native } = await import(`${root}/dist/native.js`)
        const { takeCounters } = await import(`${root}/dist/preflight/collect/counters.js`)
        return {
          peer: native.driverCounters('v0').peer_ifindex,
          strange: [native.driverCounters('lo'), native.driverCounters('none'), native.driverCounters('')],
          losses: [...takeCounters('v0').driver.keys()] as string[],
        }
      },
      packageRoot,
      { unprivileged: true },
    )
    const [{ ifindex }] = JSON.parse(camera.exec('ip', '-j', 'link', 'show', 'v1'))
    expect(peer).toBe(ifindex)
    expect(strange).toEqual([{}, {}, {}])
    expect(losses).toContain('rx_queue_0_drops')
    expect(losses.filter((name) => /tx|packets|ifindex/.test(name))).toEqual([])
  })
})
