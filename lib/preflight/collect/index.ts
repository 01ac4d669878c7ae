// One question for all systems: what this machine is, and what of its firewall can be read.

import process from 'node:process'
import { native } from '../../native.js'
import type { Facts, FirewallFacts, HostFacts, InterfaceFacts } from '../facts.js'
import { linuxEnvironment, linuxInterfaces, linuxLimits, linuxNeighbours } from './linux.js'
import { linuxFirewall } from './linux-firewall.js'

const SYSTEMS: Partial<Record<NodeJS.Platform, Facts['system']>> = { win32: 'windows', darwin: 'macos' }

export function collectHost(): { system: Facts['system']; host: HostFacts } {
  const system = SYSTEMS[process.platform] ?? 'linux'
  const privileged = process.geteuid?.() === 0
  if (system === 'linux') {
    return {
      system,
      host: {
        interfaces: linuxInterfaces(),
        neighbours: linuxNeighbours(),
        environment: linuxEnvironment(),
        limits: linuxLimits(),
        privileged,
      },
    }
  }
  return {
    system,
    host: { interfaces: interfaces(), neighbours: [], environment: {}, limits: {}, privileged },
  }
}

async function collectFirewall(
  system: Facts['system'],
  { privileged }: HostFacts,
  unread: Facts['unread'],
): Promise<FirewallFacts> {
  if (system === 'linux') return { linux: await linuxFirewall(privileged, unread) }
  unread['firewall rules'] = `not read yet on ${system}: the probes decide`
  return {}
}

function interfaces(): InterfaceFacts[] {
  return native
    .listInterfaces()
    .map(({ name, address, netmask, mtu, up, loopback }) => ({ name, address, netmask, mtu, up, loopback }))
}

/** This machine, and how the stream would be; no probe yet. */
export async function collectFacts(plan: Facts['plan']): Promise<Facts> {
  const unread: Facts['unread'] = {}
  const { system, host } = collectHost()
  return {
    version: 1,
    recorded: new Date().toISOString(),
    system,
    versions: { node: process.version },
    host,
    firewall: await collectFirewall(system, host, unread),
    plan,
    probes: [],
    unread,
  }
}
