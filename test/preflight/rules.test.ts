// Ports and commands: one table that follows the configuration, quoting that nothing gets out of.

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firewalld, iptables, linuxRules, nftables, ufw } from '../../lib/preflight/rules/linux.js'
import { portsAsCsv, portsAsMarkdown, portsOf } from '../../lib/preflight/rules/ports.js'
import { powershell, sh } from '../../lib/preflight/rules/quote.js'
import { remedyFor } from '../../lib/preflight/rules/remedies.js'
import { facts, nic } from './facts-builder.js'

const plan = { program: '/usr/bin/node', programRealPath: '/usr/lib/node/bin/node' }

describe('ports', () => {
  it('follow the configuration', () => {
    const ids = (more: object) => portsOf({ plan: { ...plan, ...more } }).map(({ id }) => id)
    const always = [
      'gvcp-discovery-out',
      'gvcp-discovery-in',
      'gvcp-control',
      'gvsp-stream',
      'gvsp-punch',
      'gvcp-resend',
    ]
    expect(ids({})).toEqual(always)
    expect(ids({ multicast: '239.1.1.1' })).toEqual([...always, 'igmp'])
    expect(ids({ messageChannel: true })).toEqual([...always, 'message-channel'])
    const stream = (more: object) =>
      portsOf({ plan: { ...plan, ...more } }).find(({ id }) => id === 'gvsp-stream')
    expect(stream({})).toMatchObject({
      localPort: 'dynamic',
      cast: 'unicast',
      program: '/usr/lib/node/bin/node',
    })
    expect(stream({ streamPort: [5000, 5010] })).toMatchObject({ localPort: [5000, 5010] })
    expect(stream({ multicast: '239.1.1.1' })).toMatchObject({ cast: 'multicast', localAddress: '239.1.1.1' })
  })

  it('are told in Markdown and CSV', async () => {
    const rows = portsOf({
      plan: { ...plan, streamPort: 5000 },
      camera: '192.168.7.10',
      local: '192.168.7.1',
    })
    await expect(portsAsMarkdown(rows)).toMatchFileSnapshot('golden/ports.md')
    await expect(portsAsCsv(rows)).toMatchFileSnapshot('golden/ports.csv')
    await expect(`${JSON.stringify(rows, null, 2)}\n`).toMatchFileSnapshot('golden/ports.json')
  })
})

describe('commands', () => {
  const rule = { camera: '192.168.7.10', nic: nic() }

  it('of each dialect, with what takes them back', () => {
    expect(ufw(rule)).toMatchObject({
      command: 'ufw allow in on eth1 proto udp from 192.168.7.10 comment gigewire',
      undo: 'ufw delete allow in on eth1 proto udp from 192.168.7.10',
    })
    expect(ufw({ ...rule, ports: [5000, 5010] }).command).toContain(
      'from 192.168.7.10 to any port 5000:5010 ',
    )
    expect(firewalld(rule, 'public').map(({ command }) => command)).toEqual([
      `firewall-cmd --zone=public --add-rich-rule='rule family="ipv4" source address="192.168.7.10" protocol value="udp" accept'`,
      `firewall-cmd --permanent --zone=public --add-rich-rule='rule family="ipv4" source address="192.168.7.10" protocol value="udp" accept'`,
    ])
    expect(iptables({ ...rule, ports: [5000, 5000] })).toMatchObject({
      command:
        'iptables -I INPUT 1 -i eth1 -s 192.168.7.10 -p udp --dport 5000 -m comment --comment gigewire -j ACCEPT',
      undo: 'iptables -D INPUT -i eth1 -s 192.168.7.10 -p udp --dport 5000 -m comment --comment gigewire -j ACCEPT',
    })
    expect(nftables({ ...rule, ports: [5000, 5010] }).command).toContain('udp dport 5000-5010 accept')
  })

  it('by the manager that the machine has', () => {
    const by = (linux: object) =>
      linuxRules(rule, facts([], { firewall: { linux } })).map(({ command }) => command.split(' ')[0])
    const all = { nftables: { installed: true }, iptables: { installed: true } }
    expect(by({ ...all, ufw: { installed: true, enabled: true } })).toEqual(['ufw'])
    expect(
      by({ ...all, ufw: { installed: true, enabled: false }, firewalld: { installed: true, running: true } }),
    ).toEqual(['firewall-cmd', 'firewall-cmd'])
    expect(by(all)).toEqual(['nft'])
    expect(by({ iptables: { installed: true } })).toEqual(['iptables'])
    expect(by({})).toEqual([])
  })
})

describe('remedies', () => {
  it('of the reverse-path filter put back all values that count', () => {
    const given = facts(
      [],
      {},
      {
        interfaces: [
          nic({ rpFilter: 2, rpFilterOwn: 1 }),
          nic({ name: 'eth2.5', rpFilter: 2, rpFilterOwn: 2 }),
          nic({ name: 'eth3', rpFilter: 2, rpFilterOwn: 0 }),
          nic({ name: 'eth4', rpFilter: 2, rpFilterOwn: 1, up: false }),
        ],
        limits: { rpFilterAll: 2 },
      },
    )
    expect(remedyFor('network.rp-filter', given)!.commands).toEqual([
      {
        shell: 'sh',
        command:
          'sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth1.rp_filter=0 net.ipv4.conf.eth2/5.rp_filter=0',
        undo: 'sysctl -w net.ipv4.conf.all.rp_filter=2 net.ipv4.conf.eth1.rp_filter=1 net.ipv4.conf.eth2/5.rp_filter=2',
        elevated: true,
      },
    ])
  })
})

describe('quoting', () => {
  it('makes one word of anything for sh', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0')),
          { minLength: 1, maxLength: 30 },
        ),
        (words) => {
          const printed = execFileSync('sh', ['-c', `printf '%s\\000' ${words.map(sh).join(' ')}`], {
            encoding: 'utf8',
          })
          expect(printed).toBe(words.map((word) => `${Buffer.from(word).toString()}\0`).join(''))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('makes one string of anything for PowerShell, by its rules for quotes', () => {
    // Any of these opens and closes; two in a row within a string stand for one.
    const quote = /['\u2018\u2019\u201a\u201b]/
    const read = (source: string): string => {
      let text = ''
      expect(quote.test(source[0]!)).toBe(true)
      for (let i = 1; i < source.length; i++) {
        if (!quote.test(source[i]!)) text += source[i]
        else if (i + 1 < source.length && quote.test(source[i + 1]!)) text += source[i++]
        else {
          expect(i).toBe(source.length - 1)
          return text
        }
      }
      throw new Error('not closed')
    }
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom("'", '\u2018', '\u2019', '\u201b', '"', '`', '$', ' ', ';', 'a', '\\'),
        }),
        (text) => {
          expect(read(powershell(text))).toBe(text)
        },
      ),
    )
  })
})
