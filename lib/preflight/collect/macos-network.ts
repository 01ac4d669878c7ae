// What a Mac tells everybody about its network: gateways, neighbours, cables, the queue of sockets. Built from the documented output of its
// commands; it has not run on such a machine yet.

import type { EnvironmentFacts, HostFacts } from '../facts.js'
import { run, textOf } from './run.js'

export interface MacosNetwork {
  /** By the name of the NIC. */
  gateways: Map<string, string>
  carriers: Map<string, boolean>
  neighbours: HostFacts['neighbours']
  /** kern.ipc.maxsockbuf. */
  rmemMax?: number
  environment: EnvironmentFacts
}

/** Names by which System Settings have them. */
const APPS: Record<string, string> = {
  Apple_Terminal: 'Terminal',
  'iTerm.app': 'iTerm',
  vscode: 'Visual Studio Code',
}

export async function macosNetwork(): Promise<MacosNetwork> {
  const [routes, arp, nics, buffer, version] = await Promise.all([
    run('/usr/sbin/netstat', ['-rn', '-f', 'inet']),
    run('/usr/sbin/arp', ['-an']),
    run('/sbin/ifconfig', ['-a']),
    run('/usr/sbin/sysctl', ['-n', 'kern.ipc.maxsockbuf']),
    run('/usr/bin/sw_vers', ['-productVersion']),
  ])
  const rmemMax = Number(textOf(buffer).trim())
  const osVersion = textOf(version).trim()
  const program = process.env.TERM_PROGRAM
  const app = program && (APPS[program] ?? program)
  return {
    gateways: gatewaysIn(textOf(routes)),
    carriers: carriersIn(textOf(nics)),
    neighbours: neighboursIn(textOf(arp)),
    ...(rmemMax > 0 && { rmemMax }),
    environment: {
      ...(osVersion !== '' && { osVersion }),
      ...(app && { responsibleApp: app }),
      ...(process.env.SSH_CONNECTION !== undefined && { ssh: true }),
    },
  }
}

/** `default 192.168.1.1 UGScg en0`. */
export function gatewaysIn(text: string): Map<string, string> {
  const gateways = new Map<string, string>()
  for (const line of text.split('\n').slice(0, 10_000)) {
    const [destination, gateway, , nic] = line.trim().split(/\s+/)
    if (destination !== 'default' || !nic || !/^[\d.]+$/.test(gateway ?? '')) continue
    if (!gateways.has(nic)) gateways.set(nic, gateway!)
  }
  return gateways
}

/** `? (192.168.1.7) at 0:1c:2:3:4:5 on en0 ifscope [ethernet]`; `(incomplete)` in place of the MAC where nobody answered. */
export function neighboursIn(text: string): HostFacts['neighbours'] {
  return text
    .split('\n')
    .slice(0, 1000)
    .flatMap((line) => {
      const found = /\(([\d.]+)\) at (\(incomplete\)|[0-9a-f:]+) on (\S+)/i.exec(line)
      if (!found) return []
      const [, address, mac, nic] = found as unknown as [string, string, string, string]
      const complete = mac !== '(incomplete)'
      const whole = mac.split(':').map((byte) => byte.padStart(2, '0'))
      return [
        {
          address,
          mac: complete ? whole.join(':').toLowerCase() : '',
          interface: nic,
          state: complete ? ('complete' as const) : ('incomplete' as const),
        },
      ]
    })
}

/** Blocks of `en0: flags=...`, with `status: active` or `inactive` somewhere below. */
export function carriersIn(text: string): Map<string, boolean> {
  const carriers = new Map<string, boolean>()
  let nic = ''
  for (const line of text.split('\n').slice(0, 10_000)) {
    nic = /^([^\s:]+): flags=/.exec(line)?.[1] ?? nic
    const status = /^\s+status: (\w+)/.exec(line)?.[1]
    if (nic !== '' && status !== undefined) carriers.set(nic, status === 'active')
  }
  return carriers
}
