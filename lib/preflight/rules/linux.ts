// Firewall rules for Linux, one function for each dialect (reference/firewall.md section 2.3): each lets the camera's UDP in by its interface,
// and knows what takes back exactly that: a rule that was there already, of the user or for another camera, stays. What takes back ends
// well where there is nothing to take back, and badly where it could not be done.

import { createHash } from 'node:crypto'
import type { Facts, InterfaceFacts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import { sh } from './quote.js'

export interface InboundRule {
  camera: string
  nic: InterfaceFacts
  /** UDP ports of this host; absent: all, since the system chooses them anew each time. */
  ports?: [low: number, high: number]
  /** By it the rule is found again, and nobody else's is. */
  mark: string
}

/** One for each report and purpose, so that what a trial opened is not what a fix made. */
function markOf({ camera, recorded, host, plan }: Facts, purpose: string): string {
  const what = [recorded, host.route?.interface, plan.streamPort, purpose].join(' ')
  const id = createHash('sha256').update(what).digest('hex').slice(0, 8)
  return `gigewire-${camera?.address ?? ''}-${id}`
}

export function inboundRule(facts: Facts, purpose: 'fix' | 'out' | 'try' = 'fix'): InboundRule | undefined {
  const { camera, host, plan } = facts
  const nic = host.interfaces.find(({ name }) => name !== '' && name === host.route?.interface)
  if (!camera || !nic) return undefined
  const { streamPort, messageChannel } = plan // events come by a port that the system chooses
  const ports: [number, number] | undefined =
    streamPort === undefined || messageChannel
      ? undefined
      : Array.isArray(streamPort)
        ? streamPort
        : [streamPort, streamPort]
  return { camera: camera.address, nic, mark: markOf(facts, purpose), ...(ports && { ports }) }
}

/** By the firewall manager that this machine has; where there is none, by nftables, else iptables. */
export function linuxRules(rule: InboundRule, facts: Facts): RemedyCommand[] {
  switch (dialectOf(facts)) {
    case 'ufw':
      return [ufw(rule)]
    case 'firewalld':
      return firewalld(rule, zoneOf(rule.nic, facts))
    case 'nftables':
      return [nftables(rule)]
    case 'iptables':
      return [iptables(rule)]
    default:
      return []
  }
}

/**
 * The same, gone by itself with the next boot, whatever becomes of this program: ufw and firewalld write down what they are told for good, so
 * that of firewalld it is the rule for now alone, which ends by itself as well, and for ufw one right in the chain that it fills.
 */
export function linuxTrialRules(rule: InboundRule, facts: Facts, seconds: number): RemedyCommand[] {
  switch (dialectOf(facts)) {
    case 'ufw':
      return [iptables(rule)]
    case 'firewalld': {
      const [now] = firewalld(rule, zoneOf(rule.nic, facts))
      return [{ ...now!, command: `${now!.command} --timeout=${seconds}` }]
    }
    default:
      return linuxRules(rule, facts)
  }
}

export function dialectOf({
  firewall: { linux = {} },
}: Facts): 'ufw' | 'firewalld' | 'nftables' | 'iptables' | undefined {
  if (linux.ufw?.enabled) return 'ufw'
  if (linux.firewalld?.running) return 'firewalld'
  const byIptables = linux.iptables?.rules?.some((line) => / -j | -P INPUT DROP/.test(` ${line}`))
  if (byIptables && !hasForeignChains(linux.nftables?.ruleset)) return 'iptables'
  if (linux.nftables?.installed) return 'nftables'
  return linux.iptables?.installed ? 'iptables' : undefined
}

const zoneOf = ({ name }: InterfaceFacts, { firewall: { linux } }: Facts) =>
  linux?.firewalld?.zoneOf?.[name] ?? linux?.firewalld?.defaultZone

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

export function ufw({ camera, nic, ports, mark }: InboundRule): RemedyCommand {
  const port = ports ? ` to any port ${portSuffix(ports, ':')}` : ''
  return ufwRule(`in on ${nic.name}`, `from ${camera}${port}`, mark)
}

/**
 * ufw has one rule for the same packets: what is asked for again takes the place of it, a user's own `deny` too, and what deletes it asks for no
 * comment. So where there is one, it is shown and stays; and only a rule of this mark is deleted.
 */
export function ufwRule(way: string, what: string, mark: string): RemedyCommand {
  const literal = (text: string) => text.replace(/[^\w -]/g, (sign) => (sign === '^' ? '\\^' : `[${sign}]`))
  const same = `^ufw [a-z]+ ${literal(way)}( log(-all)?)? ${literal(what)} proto udp( comment .*)?$`
  const rule = `allow ${way} proto udp ${what}`.split(' ').map(sh).join(' ')
  return {
    shell: 'sh',
    command: `ufw show added | grep -E ${sh(same)} >&2 || ufw ${rule} comment ${mark}`,
    undo: `if ufw show added | grep -qF "comment '${mark}'"; then ufw delete ${rule}; fi`,
    elevated: true,
  }
}

/** For now, and for good: firewalld keeps the two apart. Its rules take no comment: the priority tells this one from others. */
export function firewalld({ camera, ports, mark }: InboundRule, zone?: string): RemedyCommand[] {
  const what = ports ? `port port="${portSuffix(ports, '-')}" protocol="udp"` : 'protocol value="udp"'
  const priority = -1 - (createHash('sha256').update(mark).digest().readUInt16BE() % 32_767)
  const rich = sh(`rule priority="${priority}" family="ipv4" source address="${camera}" ${what} accept`)
  const where = zone === undefined ? '' : `--zone=${sh(zone)} `
  return ['', '--permanent '].map((mode) => ({
    shell: 'sh',
    command: `firewall-cmd ${mode}${where}--add-rich-rule=${rich}`,
    undo: `firewall-cmd ${mode}${where}--remove-rich-rule=${rich}`,
    elevated: true,
  }))
}

export function iptables({ camera, nic, ports, mark }: InboundRule): RemedyCommand {
  const port = ports ? ` --dport ${portSuffix(ports, ':')}` : ''
  return iptablesRule('INPUT', `-i ${sh(nic.name)} -s ${camera} -p udp${port}`, mark)
}

export function iptablesRule(chain: string, what: string, mark: string): RemedyCommand {
  const rule = `${what} -m comment --comment ${mark} -j ACCEPT`
  return {
    shell: 'sh',
    command: `iptables -w -I ${chain} 1 ${rule}`,
    undo: `iptables -w -D ${chain} ${rule} || [ $? = 1 ]`, // 1: there is none
    elevated: true,
  }
}

export function nftables({ camera, nic, ports, mark }: InboundRule): RemedyCommand {
  const port = ports ? `udp dport ${portSuffix(ports, '-')}` : 'meta l4proto udp'
  return nftRules('hook (input|ingress)', [`iifname ${nftName(nic)} ip saddr ${camera} ${port}`], mark)
}

export const nftName = ({ name }: InterfaceFacts) => `"${name.replace(/["\\\n]/g, '')}"`

/**
 * A table of its own would not do: what another chain drops stays dropped. So the rules go into every chain that looks at what passes there.
 * Tables for IPv6 and the like take no IPv4 address.
 */
export function nftRules(chains: string, rules: string[], mark: string): RemedyCommand {
  const listed = `nft list chains | awk '$1=="table"{t=$2~/^(ip|inet|netdev)$/?$2" "$3:""} $1=="chain"{c=$2} t!=""&&/${chains}/{print t" "c}'`
  const edits = rules.map(
    (rule) => `s/.*/insert rule & ${rule.replaceAll('/', '\\/')} accept comment "${mark}"/p`,
  )
  const marked = `nft -a list ruleset | awk '$1=="table"{t=$2" "$3} $1=="chain"{c=$2} index($0,"comment \\"${mark}\\""){print "delete rule "t" "c" handle "$NF}'`
  return {
    shell: 'sh',
    command: `${listed} | sed -n ${sh(`h;${edits.join(';g;')}`)} | nft -f -`,
    undo: `${marked} | nft -f -`,
    elevated: true,
  }
}
