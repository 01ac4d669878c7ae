// Redaction: nothing of the original survives, and what belonged together still does.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redact } from '../../lib/preflight/redact.js'
import { facts, nic, unicast } from './facts-builder.js'

const octet = fc.nat(255)
const address = fc
  .tuple(fc.integer({ min: 1, max: 254 }), octet, octet, octet)
  .map((bytes) => bytes.join('.'))
  .filter((text) => !/^(?:0|127|255|198)\./.test(text))
const mac = fc
  .array(fc.nat(255), { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'))
  .filter((text) => !text.startsWith('02:00:00:00') && !/^(?:00:){5}|^(?:ff:){5}/.test(text))

describe('redaction', () => {
  it('leaves no address, MAC or user name, in whatever text they stand', () => {
    fc.assert(
      fc.property(
        fc.array(address, { minLength: 1, maxLength: 9 }),
        fc.array(mac, { minLength: 1, maxLength: 5 }),
        (addresses, macs) => {
          const report = {
            addresses: addresses.map((one) => `from ${one}, by way of <${one}>: port 3956`),
            macs: [...macs, ...macs.map((one) => `(${one.toUpperCase()})`)],
            paths: ['/home/jane/app/node', 'C:\\Users\\Jane Doe\\node.exe'],
          }
          const text = JSON.stringify(redact(report))
          for (const one of addresses) expect(text).not.toContain(`${one},`)
          for (const one of macs) expect(text.toLowerCase()).not.toContain(one)
          expect(text).not.toMatch(/jane/i)
        },
      ),
    )
  })

  it('leaves no IPv6 address, no SID, and no MAC with dashes; the same ones stay the same', () => {
    const sid = 'S-1-5-21-1004336348-1177238915-682003330-1001'
    const given = {
      ipv6: ['fe80::a00:27ff:fe4e:66a1%eth0', '2003:e1:f700::12', '2003:00e1:f700:0:0:0:0:12', '::1', '::'],
      mapped: ['::ffff:203.0.113.9', 'std::vector, a::b'],
      times: ['12:30:59', '2026-11-27T12:30:59.001Z'],
      sids: [`UDP Query User|${sid}`, sid, 'S-1-5-18', 'S-1-12-1-1004336348-2-3-4'],
      macs: ['AA-BB-CC-00-11-22', 'aa:bb:cc:00:11:22'],
    }
    const text = JSON.stringify(redact(given))
    for (const one of ['fe80', '2003', '1004336348', 'BB-CC', 'bb:cc']) expect(text).not.toContain(one)
    const { ipv6, mapped, times, sids, macs } = redact(given)
    expect(mapped).toEqual(['::ffff:198.18.1.9', 'std::vector, a::b'])
    expect(ipv6.slice(3)).toEqual(['::1', '::'])
    expect(times).toEqual(given.times)
    expect(sids).toEqual([
      'UDP Query User|S-1-5-21-0-0-0-1',
      'S-1-5-21-0-0-0-1',
      'S-1-5-18',
      'S-1-12-1-0-0-0-2',
    ])
    expect(macs).toEqual(['02-00-00-00-00-01', '02:00:00:00:00:01'])
  })

  it('keeps networks, masks and what is the same as it was', () => {
    const given = facts([unicast(0)], {}, { interfaces: [nic(), nic({ name: 'eth2', address: '10.0.0.5' })] })
    const { host, camera, probes } = redact(given)
    const [first, second] = host.interfaces
    const network = (text: string) => text.slice(0, text.lastIndexOf('.'))
    expect(network(camera!.address)).toBe(network(first!.address))
    expect(network(second!.address)).not.toBe(network(first!.address))
    expect(first!.netmask).toBe('255.255.255.0')
    expect(probes[0]).toMatchObject({ probe: 'unicast', address: camera!.address })
    expect(redact({ own: '127.0.0.1', all: '255.255.255.255', none: '00:00:00:00:00:00' })).toEqual({
      own: '127.0.0.1',
      all: '255.255.255.255',
      none: '00:00:00:00:00:00',
    })
  })
})
