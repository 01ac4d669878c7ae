// One question for all systems: what this machine is, and what of its firewall can be read.

import process from 'node:process'
import { native } from '../../native.js'
import type { Facts, FirewallFacts, HostFacts, InterfaceFacts } from '../facts.js'
import { linuxEnvironment, linuxInterfaces, linuxLimits, linuxNeighbours } from './linux.js'
import { linuxFirewall } from './linux-firewall.js'
import { macosFirewall } from './macos.js'
import { windowsFirewall } from './windows.js'

const SYSTEMS: Partial<Record<NodeJS.Platform, Facts['system']>> = { win32: 'windows', darwin: 'macos' }

/** Whom the system knows at the addresses that were asked lately. */
export function collectNeighbours(): HostFacts['neighbours'] {
  return process.platform === 'linux' ? linuxNeighbours() : []
}

function collectHost(): { system: Facts['system']; host: HostFacts } {
  const system = SYSTEMS[process.platform] ?? 'linux'
  const privileged = process.geteuid?.() === 0
  if (system === 'linux') {
    return {
      system,
      host: {
        interfaces: linuxInterfaces(),
        neighbours: collectNeighbours(),
        environment: linuxEnvironment(),
        limits: linuxLimits(),
        privileged,
      },
    }
  }
  return {
    system,
    host: {
      interfaces: interfaces(),
      neighbours: collectNeighbours(),
      environment: {},
      limits: {},
      privileged,
    },
  }
}

/** Also tells the host's NICs what the firewall makes of their networks. */
async function collectFirewall(
  system: Facts['system'],
  host: HostFacts,
  program: string,
  unread: Facts['unread'],
): Promise<FirewallFacts> {
  switch (system) {
    case 'linux':
      return { linux: await linuxFirewall(host.privileged, unread) }
    case 'macos':
      return { macos: await macosFirewall(program) }
    default: {
      const { firewall, profiles } = await windowsFirewall(unread)
      for (const nic of host.interfaces) {
        const profile = profiles.get(nic.name)
        if (profile) nic.profile = profile
      }
      return { windows: firewall }
    }
  }
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
    firewall: await collectFirewall(system, host, plan.programRealPath, unread),
    plan,
    probes: [],
    unread,
  }
}
