// What a Linux machine tells everybody about itself: NICs, routes, neighbours, limits, where it runs.

import { existsSync, readlinkSync } from 'node:fs'
import { native } from '../../native.js'
import { readNumber, readText } from '../../system-files.js'
import type { EnvironmentFacts, HostFacts, InterfaceFacts, LimitFacts } from '../facts.js'
import { parseArp, parseDevice, parseExactRoute, parseGateways } from './proc.js'
import { run, textOf } from './run.js'

const SYS = '/sys/class/net'
const SYSCTL = '/proc/sys/net'

export function linuxInterfaces(): InterfaceFacts[] {
  const gateways = parseGateways(readText('/proc/net/route') ?? '')
  const all = readNumber(`${SYSCTL}/ipv4/conf/all/rp_filter`)
  return native.listInterfaces().map(({ name, address, netmask, mtu, up, loopback }) => {
    const own = readNumber(`${SYSCTL}/ipv4/conf/${name}/rp_filter`)
    const carrier = readNumber(`${SYS}/${name}/carrier`)
    const speed = readNumber(`${SYS}/${name}/speed`)
    const gateway = gateways.get(name)
    const mac = readText(`${SYS}/${name}/address`)?.trim()
    return {
      name,
      address,
      netmask,
      mtu,
      up,
      loopback,
      ...(mac !== undefined && { mac }),
      ...(carrier !== undefined && { carrier: carrier === 1 }),
      ...(speed !== undefined && speed > 0 && { speedMbps: speed }),
      ...(existsSync(`${SYS}/${name}/wireless`) && { wireless: true }),
      ...(gateway !== undefined && { gateway }),
      ...((own ?? all) !== undefined && { rpFilter: Math.max(own ?? 0, all ?? 0) }),
      ...(own !== undefined && { rpFilterOwn: own }),
    }
  })
}

const IP = ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip', '/bin/ip']

/** By which NIC the kernel sends to that address, and the route to it alone; nothing where nobody tells. */
export async function linuxRoute(address: string): Promise<{ device?: string; exact?: string }> {
  const ip = IP.find((file) => existsSync(file))
  if (!ip) return {}
  const [taken, alone] = await Promise.all([
    run(ip, ['-4', 'route', 'get', address]),
    run(ip, ['-4', 'route', 'show', 'exact', `${address}/32`]),
  ])
  const device = parseDevice(textOf(taken))
  return {
    ...(device !== undefined && { device }),
    ...('text' in alone && { exact: parseExactRoute(alone.text, address) }),
  }
}

export function linuxNeighbours(): HostFacts['neighbours'] {
  return parseArp(readText('/proc/net/arp') ?? '').slice(0, 1000)
}

export function linuxLimits(): LimitFacts {
  const numbers = {
    rmemDefault: readNumber(`${SYSCTL}/core/rmem_default`),
    rmemMax: readNumber(`${SYSCTL}/core/rmem_max`),
    netdevMaxBacklog: readNumber(`${SYSCTL}/core/netdev_max_backlog`),
    rpFilterAll: readNumber(`${SYSCTL}/ipv4/conf/all/rp_filter`),
  }
  const limits: LimitFacts = Object.fromEntries(
    Object.entries(numbers).filter(([, value]) => value !== undefined),
  )
  const timeout = readNumber(`${SYSCTL}/netfilter/nf_conntrack_udp_timeout`)
  const stream = readNumber(`${SYSCTL}/netfilter/nf_conntrack_udp_timeout_stream`)
  const count = readNumber(`${SYSCTL}/netfilter/nf_conntrack_count`)
  const max = readNumber(`${SYSCTL}/netfilter/nf_conntrack_max`)
  if (timeout === undefined || stream === undefined) return limits
  return {
    ...limits,
    conntrack: {
      udpTimeout: timeout,
      udpTimeoutStream: stream,
      ...(count !== undefined && { count }),
      ...(max !== undefined && { max }),
    },
  }
}

export function linuxEnvironment(): EnvironmentFacts {
  const kernel = readText('/proc/sys/kernel/osrelease') ?? ''
  const container = containerKind()
  const namespace = networkNamespace()
  const profile = readText('/proc/self/attr/current')?.replaceAll('\0', '').trim()
  const selinux = readNumber('/sys/fs/selinux/enforce')
  return {
    osVersion: kernel.trim(),
    ...(container && { container }),
    ...(/microsoft/i.test(kernel) && { wsl: 'unknown' as const }),
    ...(namespace !== undefined && { networkNamespace: namespace }),
    ...(process.env.SNAP !== undefined && { snap: true }),
    ...(process.env.FLATPAK_ID !== undefined && { flatpak: true }),
    ...(selinux !== undefined && {
      selinux: selinux === 1 ? ('enforcing' as const) : ('permissive' as const),
    }),
    ...(profile && profile !== 'unconfined' && { apparmorProfile: profile }),
    ...(process.env.SSH_CONNECTION !== undefined && { ssh: true }),
  }
}

function containerKind(): EnvironmentFacts['container'] {
  if (existsSync('/.dockerenv')) return 'docker'
  if (existsSync('/run/.containerenv')) return 'podman'
  if (process.env.KUBERNETES_SERVICE_HOST !== undefined) return 'kubernetes'
  const named = process.env.container
  if (named === 'lxc') return 'lxc'
  return named ? 'other' : undefined
}

/** undefined: nobody but root may look at the first process. */
function networkNamespace(): boolean | undefined {
  try {
    return readlinkSync('/proc/self/ns/net') !== readlinkSync('/proc/1/ns/net')
  } catch {
    return undefined
  }
}
