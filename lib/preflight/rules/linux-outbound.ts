// What lets this host send to the camera, where the firewall forbids it: commands and stream by UDP to its address, and the broadcast
// that looks for it. One command for each dialect; what takes it back is as in linux.ts.

import { ipv4Number, ipv4Text } from '../../ipv4.js'
import type { Facts } from '../facts.js'
import type { RemedyCommand } from '../report.js'
import {
  dialectOf,
  type InboundRule,
  inboundRule,
  iptablesRule,
  nftName,
  nftRules,
  ufwRule,
} from './linux.js'
import { GVCP_PORT } from './ports.js'
import { sh } from './quote.js'

type Outbound = Pick<InboundRule, 'camera' | 'nic' | 'mark'>

/** Of both kinds: to all of this link, and to all of this subnet. */
function broadcastsOf({ nic: { address, netmask } }: Outbound): string[] {
  const subnet = (ipv4Number(address) | ~ipv4Number(netmask)) >>> 0
  return ['255.255.255.255', ipv4Text(subnet)]
}

export function outboundCommands(facts: Facts): RemedyCommand[] {
  const rule = inboundRule(facts, 'out')
  if (!rule) return []
  switch (dialectOf(facts)) {
    case 'ufw':
      return outboundUfw(rule)
    case 'nftables':
      return [outboundNftables(rule)]
    case 'iptables':
      return outboundIptables(rule)
    default: // firewalld: see OUTBOUND_FIREWALLD
      return []
  }
}

/** No command: it would be a policy of its own, and a policy takes a reload, which drops whatever was set for now alone. */
export const OUTBOUND_FIREWALLD =
  'firewalld lets everything out but for what a policy of the zone HOST, or a direct rule, forbids: find it with firewall-cmd --list-all-policies and firewall-cmd --direct --get-all-rules, and allow UDP to the camera there.'

export function outboundUfw(rule: Outbound): RemedyCommand[] {
  const way = `out on ${rule.nic.name}`
  return [
    ufwRule(way, `to ${rule.camera}`, rule.mark),
    ...broadcastsOf(rule).map((to, i) => ufwRule(way, `to ${to} port ${GVCP_PORT}`, `${rule.mark}-${i + 1}`)),
  ]
}

export function outboundIptables(rule: Outbound): RemedyCommand[] {
  const by = `-o ${sh(rule.nic.name)} -p udp`
  return [
    iptablesRule('OUTPUT', `${by} -d ${rule.camera}`, rule.mark),
    ...broadcastsOf(rule).map((to) =>
      iptablesRule('OUTPUT', `${by} -d ${to} --dport ${GVCP_PORT}`, rule.mark),
    ),
  ]
}

export function outboundNftables(rule: Outbound): RemedyCommand {
  const by = `oifname ${nftName(rule.nic)} ip daddr`
  return nftRules(
    'type filter hook (output|postrouting|egress)', // what is accepted in a chain for NAT is translated no more
    [
      `${by} ${rule.camera} meta l4proto udp`,
      `${by} { ${broadcastsOf(rule).join(', ')} } udp dport ${GVCP_PORT}`,
    ],
    rule.mark,
  )
}
