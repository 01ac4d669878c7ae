// The commands of docs/firewall are those that preflight prints. GIGEWIRE_WRITE_DOCS=1 puts them there.

import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { asRoot } from '../../lib/cli/preflight-report.js'
import type { Facts } from '../../lib/preflight/facts.js'
import type { RemedyCommand } from '../../lib/preflight/report.js'
import { firewalld, iptables, nftables, ufw } from '../../lib/preflight/rules/linux.js'
import { outboundIptables, outboundNftables, outboundUfw } from '../../lib/preflight/rules/linux-outbound.js'
import { remedyFor } from '../../lib/preflight/rules/remedies.js'
import { netshAllow } from '../../lib/preflight/rules/windows.js'
import { windowsAudit, windowsLeaveOut, windowsTrial } from '../../lib/preflight/rules/windows-ladder.js'
import { facts, nic } from './facts-builder.js'

const DOCS = path.join(import.meta.dirname, '../../docs/firewall')
const rule = { camera: '192.168.7.10', nic: nic(), mark: 'gigewire-192.168.7.10-1a2b3c4d' }
const NODE = 'C:\\Program Files\\nodejs\\node.exe'
const PROMPT = `UDP Query User{6E1C2F5A-0000-4000-8000-000000000001}${NODE}`
const open = { enabled: true, defaultInbound: 'Block' as const }
const windows: Partial<Facts> = {
  system: 'windows',
  plan: { program: 'node', programRealPath: NODE },
  firewall: {
    windows: {
      profiles: { Domain: open, Private: open, Public: open },
      rules: {
        local: { [PROMPT]: `v2.30|Action=Block|Active=TRUE|Dir=In|Protocol=17|App=${NODE}|Defer=User|` },
        policy: {},
      },
    },
  },
}
const limits = { limits: { rmemMax: 212_992, receiveBuffer: { asked: 24_000_000, granted: 212_992 } } }
const commands = (code: Parameters<typeof remedyFor>[0], given: Facts) => remedyFor(code, given)!.commands

const BLOCKS: Record<string, { language: string; commands: RemedyCommand[] }> = {
  ufw: { language: 'sh', commands: [ufw(rule)] },
  'ufw-port': { language: 'sh', commands: [ufw({ ...rule, ports: [5000, 5000] })] },
  firewalld: { language: 'sh', commands: firewalld(rule, 'public') },
  nftables: { language: 'sh', commands: [nftables(rule)] },
  iptables: { language: 'sh', commands: [iptables(rule)] },
  'outbound-ufw': { language: 'sh', commands: outboundUfw(rule) },
  'outbound-nftables': { language: 'sh', commands: [outboundNftables(rule)] },
  'outbound-iptables': { language: 'sh', commands: outboundIptables(rule) },
  'receive-buffer': { language: 'sh', commands: commands('host.receive-buffer', facts([], {}, limits)) },
  mtu: {
    language: 'sh',
    commands: commands(
      'mtu.host',
      facts([], { plan: { program: '', programRealPath: '', packetSize: 9000 } }),
    ),
  },
  windows: {
    language: 'powershell',
    commands: commands(
      'firewall.inbound-stream',
      facts([], windows, { interfaces: [nic({ profile: 'Public' })] }),
    ),
  },
  'windows-netsh': {
    language: 'bat',
    commands: [netshAllow(facts([], windows, { interfaces: [nic({ profile: 'Public' })] }))!],
  },
  'windows-trial': {
    language: 'powershell',
    commands: windowsTrial(facts([], windows, { interfaces: [nic({ profile: 'Public' })] })),
  },
  'windows-audit': { language: 'powershell', commands: windowsAudit(facts([], windows)) },
  'windows-leave-out': {
    language: 'powershell',
    commands: windowsLeaveOut(
      facts([], windows, {
        interfaces: [nic({ name: 'Ethernet 2', profile: 'Public' })],
        route: { interface: 'Ethernet 2', source: '192.168.7.1' },
      }),
    ),
  },
  macos: {
    language: 'sh',
    commands: commands(
      'firewall.inbound-stream',
      facts([], { system: 'macos', plan: { program: '', programRealPath: '/usr/local/bin/node' } }),
    ),
  },
}

function block(name: string): string {
  const found = BLOCKS[name]
  if (!found) throw new Error(`no rules are called ${name}`)
  const lines = found.commands.flatMap(({ command, undo, shell }) => {
    const as = shell === 'sh' ? asRoot : (text: string) => text
    return [as(command), ...(undo === undefined ? [] : [`# undo: ${as(undo)}`])]
  })
  return `\`\`\`${found.language}\n${lines.join('\n')}\n\`\`\``
}

it.each(['linux.md', 'windows.md', 'macos.md'])('%s has the commands of the generator', (name) => {
  const file = path.join(DOCS, name)
  const page = readFileSync(file, 'utf8')
  const used: string[] = []
  const fresh = page.replace(/<!-- rules:([\w-]+) -->\n[\s\S]*?<!-- end -->/g, (_, which: string) => {
    used.push(which)
    return `<!-- rules:${which} -->\n${block(which)}\n<!-- end -->`
  })
  expect(used.length).toBeGreaterThan(0)
  if (process.env.GIGEWIRE_WRITE_DOCS) writeFileSync(file, fresh)
  expect(page).toBe(fresh)
})
