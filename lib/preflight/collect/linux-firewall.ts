// Firewalls of a Linux machine, as far as an ordinary user can read of them (reference/firewall.md section 2.1), and their rules where the
// caller may. Nothing here decides anything: rules that were read prove nothing without a probe.

import { existsSync } from 'node:fs'
import { readText } from '../../system-files.js'
import type { LinuxFirewall } from '../facts.js'
import { parseAssignments } from './proc.js'
import { run } from './run.js'

const PATHS = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

function installed(command: string): string | undefined {
  return PATHS.map((folder) => `${folder}/${command}`).find((file) => existsSync(file))
}

export async function linuxFirewall(
  privileged: boolean,
  unread: Record<string, string>,
): Promise<LinuxFirewall> {
  const [firewalld, nftables, iptables] = await Promise.all([
    readFirewalld(),
    readNftables(privileged, unread),
    readIptables(privileged, unread),
  ])
  return { ufw: readUfw(), firewalld, nftables, iptables }
}

function readUfw(): NonNullable<LinuxFirewall['ufw']> {
  const enabled = parseAssignments(readText('/etc/ufw/ufw.conf') ?? '').get('ENABLED')
  const input = parseAssignments(readText('/etc/default/ufw') ?? '').get('DEFAULT_INPUT_POLICY')
  return {
    installed: installed('ufw') !== undefined,
    ...(enabled !== undefined && { enabled: enabled.toLowerCase() === 'yes' }),
    ...(input !== undefined && { defaultInput: input }),
  }
}

async function readFirewalld(): Promise<NonNullable<LinuxFirewall['firewalld']>> {
  const command = installed('firewall-cmd')
  if (command === undefined) return { installed: false }
  const zone = await run(command, ['--get-default-zone'])
  if ('refused' in zone)
    return { installed: true, ...(/not running/i.test(zone.refused) && { running: false }) }
  const active = await run(command, ['--get-active-zones'])
  return {
    installed: true,
    running: true,
    defaultZone: zone.text.trim(),
    ...('text' in active && { zoneOf: zonesOf(active.text) }),
  }
}

/** Zone by NIC: a zone's name, then indented `interfaces: eth0 eth1`. */
function zonesOf(text: string): Record<string, string> {
  const zones: Record<string, string> = {}
  let zone = ''
  for (const line of text.split('\n')) {
    if (/^\S/.test(line)) zone = line.split(/\s/)[0]!
    for (const nic of /^\s+interfaces: (.*)$/.exec(line)?.[1]?.split(/\s+/) ?? []) zones[nic] = zone
  }
  return zones
}

async function readNftables(
  privileged: boolean,
  unread: Record<string, string>,
): Promise<NonNullable<LinuxFirewall['nftables']>> {
  const command = installed('nft')
  if (command === undefined) return { installed: false }
  const configured = /^\s*(table|add\s+table)/m.test(readText('/etc/nftables.conf') ?? '')
  if (!privileged) {
    unread['nft ruleset'] = 'needs CAP_NET_ADMIN'
    return { installed: true, configured }
  }
  const rules = await run(command, ['-j', 'list', 'ruleset'])
  if ('refused' in rules) {
    unread['nft ruleset'] = rules.refused
    return { installed: true, configured }
  }
  try {
    return { installed: true, configured, ruleset: JSON.parse(rules.text) }
  } catch {
    unread['nft ruleset'] = 'it is no JSON'
    return { installed: true, configured }
  }
}

async function readIptables(
  privileged: boolean,
  unread: Record<string, string>,
): Promise<NonNullable<LinuxFirewall['iptables']>> {
  const command = installed('iptables')
  if (command === undefined) return { installed: false }
  if (!privileged) {
    unread['iptables rules'] = 'needs CAP_NET_ADMIN'
    return { installed: true }
  }
  const rules = await run(command, ['-S', 'INPUT'])
  if ('refused' in rules) {
    unread['iptables rules'] = rules.refused
    return { installed: true }
  }
  return { installed: true, rules: rules.text.split('\n').filter((line) => line !== '') }
}
