// One question for all systems: what this machine is, and what of its firewall can be read.

import process from 'node:process'
import { native } from '../../native.js'
import type { Facts, FirewallFacts, HostFacts, InterfaceFacts } from '../facts.js'
import { linuxEnvironment, linuxInterfaces, linuxLimits, linuxNeighbours, linuxRoute } from './linux.js'
import { linuxFirewall } from './linux-firewall.js'
import { macosFirewall } from './macos.js'
import { type MacosNetwork, macosNetwork } from './macos-network.js'
import { windowsFirewall } from './windows.js'
import type { WindowsNetwork } from './windows-network.js'

const SYSTEMS: Partial<Record<NodeJS.Platform, Facts['system']>> = { win32: 'windows', darwin: 'macos' }

/** Whom the system knows at the addresses that were asked lately; undefined where that takes a process of its own, and so was asked once. */
export function collectNeighbours(): HostFacts['neighbours'] | undefined {
  return process.platform === 'linux' ? linuxNeighbours() : undefined
}

/** What the system's routes say of the way to the camera, where it tells. */
export async function collectRoute(address: string): Promise<{ device?: string; exact?: string }> {
  return process.platform === 'linux' ? await linuxRoute(address) : {}
}

function collectHost(): { system: Facts['system']; host: HostFacts } {
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
    host: {
      interfaces: interfaces(),
      neighbours: [],
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
    case 'macos': {
      const [macos, network] = await Promise.all([macosFirewall(program), macosNetwork()])
      tellMac(host, network)
      return { macos }
    }
    default: {
      const { firewall, profiles, network } = await windowsFirewall(unread)
      tellWindows(host, network)
      for (const nic of host.interfaces) {
        const profile = profiles.get(nic.name)
        if (profile) nic.profile = profile
      }
      return { windows: firewall }
    }
  }
}

export function tellMac(
  host: HostFacts,
  { gateways, carriers, neighbours, rmemMax, environment }: MacosNetwork,
): void {
  for (const nic of host.interfaces) {
    const [gateway, carrier] = [gateways.get(nic.name), carriers.get(nic.name)]
    Object.assign(nic, gateway !== undefined && { gateway }, carrier !== undefined && { carrier })
  }
  Object.assign(host, { neighbours, environment })
  if (rmemMax !== undefined) host.limits.rmemMax = rmemMax
}

export function tellWindows(host: HostFacts, { nics, neighbours, elevated, version }: WindowsNetwork): void {
  for (const nic of host.interfaces) Object.assign(nic, nics.get(nic.name))
  Object.assign(host, { neighbours, privileged: elevated ?? host.privileged })
  if (version !== undefined) host.environment.osVersion = version
}

function interfaces(): InterfaceFacts[] {
  return native
    .listInterfaces()
    .map(({ name, address, netmask, mtu, up, loopback }) => ({ name, address, netmask, mtu, up, loopback }))
}

/** What this machine tells at once, without a process and without its firewall; no probe yet. */
export function collectAtOnce(plan: Facts['plan']): Facts {
  return {
    version: 1,
    recorded: new Date().toISOString(),
    ...collectHost(),
    versions: { node: process.version },
    firewall: {},
    plan,
    probes: [],
    unread: {},
  }
}

/** This machine, and how the stream would be; no probe yet. */
export async function collectFacts(plan: Facts['plan']): Promise<Facts> {
  const facts = collectAtOnce(plan)
  facts.firewall = await collectFirewall(facts.system, facts.host, plan.programRealPath, facts.unread)
  return facts
}
