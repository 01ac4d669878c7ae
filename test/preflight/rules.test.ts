// Ports and commands: one table that follows the configuration, quoting that nothing gets out of.

import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FINDING_CODES, type FindingCode } from '../../lib/preflight/finding-codes.js'
import {
  firewalld,
  inboundRule,
  iptables,
  linuxRules,
  nftables,
  ufw,
} from '../../lib/preflight/rules/linux.js'
import { portsAsCsv, portsAsMarkdown, portsOf } from '../../lib/preflight/rules/ports.js'
import { portsPage } from '../../lib/preflight/rules/ports-page.js'
import { powershell, sh } from '../../lib/preflight/rules/quote.js'
import { remedyFor } from '../../lib/preflight/rules/remedies.js'
import { planTrial } from '../../lib/preflight/trial.js'
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
    expect(ids({ ptp: true })).toEqual([...always, 'ptp-319-in', 'ptp-319-out', 'ptp-320-in', 'ptp-320-out'])
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
    const given = facts([], {
      plan: { ...plan, streamPort: 5000, messageChannel: true },
      firewall: { linux: { ufw: { installed: true, enabled: true } } },
    })
    await expect(portsPage(given)).toMatchFileSnapshot('golden/ports-page.md')
    expect(portsPage({ ...given, camera: undefined as never })).not.toContain('```')
    await expect(`${JSON.stringify(rows, null, 2)}\n`).toMatchFileSnapshot('golden/ports.json')
  })
})

describe('commands', () => {
  const mark = 'gigewire-192.168.7.10-1a2b3c4d'
  const rule = { camera: '192.168.7.10', nic: nic(), mark }

  it('of each dialect, with what takes them back', () => {
    expect(ufw(rule)).toMatchObject({
      command: `ufw show added | grep -E '^ufw [a-z]+ in on eth1( log(-all)?)? from 192[.]168[.]7[.]10 proto udp( comment .*)?$' >&2 || ufw allow in on eth1 proto udp from 192.168.7.10 comment ${mark}`,
      undo: `if ufw show added | grep -qF "comment '${mark}'"; then ufw delete allow in on eth1 proto udp from 192.168.7.10; fi`,
    })
    expect(ufw({ ...rule, ports: [5000, 5010] }).command).toContain(
      'from 192.168.7.10 to any port 5000:5010 ',
    )
    const rich = `'rule priority="-28521" family="ipv4" source address="192.168.7.10" protocol value="udp" accept'`
    expect(firewalld(rule, 'public').map(({ command }) => command)).toEqual([
      `firewall-cmd --zone=public --add-rich-rule=${rich}`,
      `firewall-cmd --permanent --zone=public --add-rich-rule=${rich}`,
    ])
    expect(iptables({ ...rule, ports: [5000, 5000] })).toMatchObject({
      command: `iptables -w -I INPUT 1 -i eth1 -s 192.168.7.10 -p udp --dport 5000 -m comment --comment ${mark} -j ACCEPT`,
      undo: `iptables -w -D INPUT -i eth1 -s 192.168.7.10 -p udp --dport 5000 -m comment --comment ${mark} -j ACCEPT || [ $? = 1 ]`,
    })
    expect(nftables({ ...rule, ports: [5000, 5010] }).command).toContain('udp dport 5000-5010 accept')
  })

  it('of a trial are gone with the next boot, and other rules than those of a fix', () => {
    const by = (linux: object) => planTrial(facts([], { firewall: { linux } }), 120).map((one) => one.command)
    // What ufw is told it has written down for good.
    expect(by({ ufw: { installed: true, enabled: true } })).toEqual([
      expect.stringMatching(/^iptables -w -I INPUT 1 -i eth1 /),
    ])
    expect(by({ firewalld: { installed: true, running: true, defaultZone: 'public' } })).toEqual([
      expect.stringMatching(/^firewall-cmd --zone=public --add-rich-rule='.*' --timeout=120$/),
    ])
    const linux = { iptables: { installed: true } }
    const [fixed] = linuxRules(inboundRule(facts([]))!, facts([], { firewall: { linux } }))
    expect(by(linux)[0]).not.toBe(fixed!.command)
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

describe('remedies', () => {
  const LINUX_ONLY: FindingCode[] = [
    'network.rp-filter',
    'link.down',
    'mtu.host',
    'host.receive-buffer',
    'host.backlog',
    'nic.ring',
    'firewall.outbound',
  ]
  const limits = { rmemMax: 212_992, netdevMaxBacklog: 1000, rpFilterAll: 1 }

  it('have commands of the system alone that they are for', () => {
    for (const system of ['windows', 'macos'] as const) {
      const given = facts([], { system, firewall: {} }, { limits, interfaces: [nic({ up: false })] })
      for (const code of LINUX_ONLY) {
        const { commands, text } = remedyFor(code, given)!
        expect([code, commands]).toEqual([code, []])
        expect(text.length).toBeGreaterThan(20)
      }
      const everything = Object.keys(FINDING_CODES).map((code) => remedyFor(code as FindingCode, given))
      const printed = everything.flatMap((one) => one?.commands ?? []).map(({ command }) => command)
      expect(printed.join('\n')).not.toMatch(/sysctl|ethtool|ip link|nft|iptables|ufw/)
    }
  })

  it('name the interface that is concerned', () => {
    const interfaces = [
      nic({ name: 'eth0', address: '10.0.0.1', up: false }),
      nic({ name: 'eth1', up: false }),
    ]
    const { route: _, ...host } = facts([]).host
    for (const given of [facts([], {}, { interfaces }), { ...facts([]), host: { ...host, interfaces } }])
      expect(remedyFor('link.down', given)!.commands).toMatchObject([
        { command: 'ip link set eth1 up', undo: 'ip link set eth1 down' },
      ])
    // The one that is concerned is on, and has no cable.
    const unplugged = facts([], {}, { interfaces: [interfaces[0]!, nic({ carrier: false })] })
    expect(remedyFor('link.down', unplugged)!.commands).toEqual([])
  })

  it('let this computer send by the manager that it has', () => {
    const by = (linux: object) => remedyFor('firewall.outbound', facts([], { firewall: { linux } }))!
    const starts = (linux: object) => by(linux).commands.map(({ command }) => command.split(' ')[0])
    expect(starts({ ufw: { installed: true, enabled: true } })).toEqual(['ufw', 'ufw', 'ufw'])
    expect(starts({ nftables: { installed: true } })).toEqual(['nft'])
    expect(starts({ iptables: { installed: true } })).toEqual(['iptables', 'iptables', 'iptables'])
    expect(by({ firewalld: { installed: true, running: true } })).toMatchObject({
      commands: [],
      text: expect.stringContaining('--list-all-policies'),
    })
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
