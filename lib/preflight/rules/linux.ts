// Firewall rules for Linux, one function for each dialect (reference/firewall.md section 2.3): each lets the camera's UDP in by its interface,
// and knows what takes it back.

import type { Facts, InterfaceFacts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { sh } from './quote.js'

/** By it a rule is found again. */
const MARK = 'gigewire'

export interface InboundRule {
  camera: string
  nic: InterfaceFacts
  /** UDP ports of this host; absent: all, since the system chooses them anew each time. */
  ports?: [low: number, high: number]
}

export function inboundRule({ camera, host, plan }: Facts): InboundRule | undefined {
  const nic = host.interfaces.find(({ name }) => name !== '' && name === host.route?.interface)
  if (!camera || !nic) return undefined
  const { streamPort } = plan
  const ports: [number, number] | undefined =
    streamPort === undefined ? undefined : Array.isArray(streamPort) ? streamPort : [streamPort, streamPort]
  return { camera: camera.address, nic, ...(ports && { ports }) }
}

/** By the firewall manager that this machine has; where there is none, by nftables, else iptables. */
export function linuxRules(rule: InboundRule, { firewall: { linux = {} } }: Facts): RemedyCommand[] {
  if (linux.ufw?.enabled) return [ufw(rule)]
  if (linux.firewalld?.running)
    return firewalld(rule, linux.firewalld.zoneOf?.[rule.nic.name] ?? linux.firewalld.defaultZone)
  const byIptables = linux.iptables?.rules?.some((line) => / -j | -P INPUT DROP/.test(` ${line}`))
  if (byIptables && !hasForeignChains(linux.nftables?.ruleset)) return [iptables(rule)]
  if (linux.nftables?.installed) return [nftables(rule)]
  return linux.iptables?.installed ? [iptables(rule)] : []
}

/** Input chains of nftables that iptables did not make. */
function hasForeignChains(ruleset: unknown): boolean {
  const list = (ruleset as { nftables?: unknown })?.nftables
  if (!Array.isArray(list)) return false
  return list.some((entry: { chain?: { hook?: string; name?: string } }) => {
    const { chain } = entry ?? {}
    return chain?.hook === 'input' && chain.name !== 'INPUT'
  })
}

const portSuffix = (ports: InboundRule['ports'], separator: string) =>
  ports === undefined ? '' : ports[0] === ports[1] ? String(ports[0]) : ports.join(separator)

export function ufw({ camera, nic, ports }: InboundRule): RemedyCommand {
  const port = ports ? ` to any port ${portSuffix(ports, ':')}` : ''
  const rule = `allow in on ${sh(nic.name)} proto udp from ${camera}${port}`
  return {
    shell: 'sh',
    command: `ufw ${rule} comment ${MARK}`,
    undo: `ufw delete ${rule}`,
    elevated: true,
  }
}

/** For now, and for good: firewalld keeps the two apart. */
export function firewalld({ camera, ports }: InboundRule, zone?: string): RemedyCommand[] {
  const what = ports ? `port port="${portSuffix(ports, '-')}" protocol="udp"` : 'protocol value="udp"'
  const rich = sh(`rule family="ipv4" source address="${camera}" ${what} accept`)
  const where = zone === undefined ? '' : `--zone=${sh(zone)} `
  return ['', '--permanent '].map((mode) => ({
    shell: 'sh',
    command: `firewall-cmd ${mode}${where}--add-rich-rule=${rich}`,
    undo: `firewall-cmd ${mode}${where}--remove-rich-rule=${rich}`,
    elevated: true,
  }))
}

export function iptables({ camera, nic, ports }: InboundRule): RemedyCommand {
  const port = ports ? ` --dport ${portSuffix(ports, ':')}` : ''
  const rule = `INPUT -i ${sh(nic.name)} -s ${camera} -p udp${port} -m comment --comment ${MARK} -j ACCEPT`
  return {
    shell: 'sh',
    command: `iptables -I ${rule.replace('INPUT', 'INPUT 1')}`,
    undo: `iptables -D ${rule}`,
    elevated: true,
  }
}

// A table of its own would not do: what another chain drops stays dropped. So the rule goes into every chain that looks at what comes in.
// Tables for IPv6 and the like take no IPv4 address.
const CHAINS = `nft list chains | awk '$1=="table"{t=$2~/^(ip|inet|netdev)$/?$2" "$3:""} $1=="chain"{c=$2} t!=""&&/hook (input|ingress)/{print t" "c}'`
const MARKED = `nft -a list ruleset | awk '$1=="table"{t=$2" "$3} $1=="chain"{c=$2} /comment "${MARK}"/{print t" "c" handle "$NF}'`

export function nftables({ camera, nic, ports }: InboundRule): RemedyCommand {
  const port = ports ? `udp dport ${portSuffix(ports, '-')}` : 'meta l4proto udp'
  const rule = `iifname "${nic.name.replace(/["\\\n]/g, '')}" ip saddr ${camera} ${port} accept comment "${MARK}"`
  return {
    shell: 'sh',
    command: `${CHAINS} | sed ${sh(`s/.*/insert rule & ${rule.replaceAll('/', '\\/')}/`)} | nft -f -`,
    undo: `${MARKED} | sed 's/^/delete rule /' | nft -f -`,
    elevated: true,
  }
}
