// Who drops unrequested UDP. A firewall of this computer is accused only by counters of this computer, or by what passes once a way was
// opened from inside; never where nothing arrived at the network interface at all.

import type { CounterDelta, Facts } from '../facts.js'
import type { Evidence, Shots } from './evidence.js'
import { count, type Rule } from './rule.js'

/** Packets that came as far as the interface and were dropped behind it; undefined: nobody counted. */
function droppedHere({ fwDrop, nicRx, ipReceives }: CounterDelta): number | undefined {
  if (fwDrop === undefined) return undefined
  // Before IP: XDP, or a filter at the interface's ingress.
  const early = nicRx !== undefined && ipReceives !== undefined ? Math.max(0, nicRx - ipReceives) : 0
  return Math.max(fwDrop, early)
}

const lost = (shots: Shots | undefined): shots is Shots =>
  shots !== undefined && shots.fired > 0 && shots.arrived === 0

export function managerText({ linux }: Facts['firewall']): string[] {
  return [
    ...(linux?.ufw?.enabled
      ? [`ufw is enabled${linux.ufw.defaultInput ? ` (input: ${linux.ufw.defaultInput})` : ''}`]
      : []),
    ...(linux?.firewalld?.running
      ? [`firewalld is running, default zone ${linux.firewalld.defaultZone ?? 'unknown'}`]
      : []),
    ...(linux?.nftables?.configured ? ['/etc/nftables.conf holds rules'] : []),
  ]
}

const inboundStream: Rule = ({ T, TP, facts, camera }) => {
  if (!lost(T)) return undefined
  const here = droppedHere(T.counters)
  const opened = TP !== undefined && TP.arrived > 0
  const counted = here !== undefined && here >= T.fired
  if (!opened && !counted) return undefined
  const rejected = (T.counters.rejSent ?? 0) > 0 && counted
  const early = counted && (T.counters.fwDrop ?? 0) < T.fired
  return {
    code: rejected ? 'firewall.inbound-reject' : 'firewall.inbound-stream',
    severity: opened ? 'warning' : 'error',
    confidence: 'certain',
    summary: opened
      ? `Something on or before this computer drops what ${camera} sends unasked. Streams work, since a way was opened from inside; it closes when nothing is sent for 30 to 60 s`
      : `This computer drops what ${camera} sends: it arrives, and no program gets it`,
    evidence: [
      `${count(T.fired, 'test packet')} of 576 bytes fired, none received`,
      ...(counted
        ? [
            `${here} packets were dropped on this computer meanwhile (${early ? 'before IP: XDP, or a filter at the ingress of the interface' : 'received by IP, delivered to nobody'})`,
          ]
        : []),
      ...(rejected ? [`${count(T.counters.rejSent!, 'rejection')} (ICMP unreachable) sent meanwhile`] : []),
      ...(opened
        ? [
            `${count(TP.arrived, 'test packet')} arrived once a datagram had been sent from the stream socket to the camera`,
          ]
        : []),
      ...managerText(facts.firewall),
    ],
  }
}

const broadcastReply: Rule = ({ B, U, broadcast, facts }) => {
  const dropped = broadcast?.counters?.fwDrop ?? 0
  if (B !== false || !U || dropped === 0) return undefined
  return {
    code: 'firewall.broadcast-reply',
    severity: 'warning',
    confidence: 'high',
    summary:
      'A firewall of this computer drops the answers to broadcasts: cameras are found by their addresses only',
    evidence: [
      'the camera answers when it is asked by its address, and not to broadcasts',
      `${count(dropped, 'packet')} dropped on this computer while broadcasts were out`,
      ...managerText(facts.firewall),
    ],
  }
}

const inboundAll: Rule = ({ U, B, unicast, neighbour, facts }) => {
  const dropped = (unicast?.counters && droppedHere(unicast.counters)) ?? 0
  if (U !== false || B || !unicast || dropped < Math.max(1, unicast.sent - 1)) return undefined
  return {
    code: 'firewall.inbound-all',
    severity: 'error',
    confidence: 'certain',
    summary: 'This computer drops everything that the camera sends, answers included',
    evidence: [
      `${count(unicast.sent, 'request')} sent, no answer received`,
      `${count(dropped, 'packet')} dropped on this computer meanwhile`,
      ...(neighbour === 'complete' ? ['the camera is there: it answers ARP'] : []),
      ...managerText(facts.firewall),
    ],
  }
}

const REFUSED = new Set(['EPERM', 'EACCES', 'WSAEACCES'])

const outbound: Rule = ({ unicast, facts, camera }) => {
  if (unicast?.error === undefined || !REFUSED.has(unicast.error)) return undefined
  return {
    code: 'firewall.outbound',
    severity: 'error',
    confidence: facts.system === 'linux' ? 'certain' : 'high',
    summary: `The system refuses to send to ${camera}: a firewall rule for outgoing packets`,
    evidence: [`sending to UDP port 3956 gives ${unicast.error}`],
  }
}

const broadcastBlocked: Rule = ({ B, U, broadcast, facts }: Evidence) => {
  if (B !== false || !U || (broadcast?.counters?.fwDrop ?? 0) > 0) return undefined
  const { gateway } = facts.host.route ?? {}
  return {
    code: 'network.broadcast-blocked',
    severity: 'info',
    confidence: 'medium',
    summary:
      'Broadcasts do not reach the camera, or its answers not this computer: it is found by its address only',
    evidence: [
      'the camera answers when it is asked by its address, and not to broadcasts',
      ...(gateway === undefined
        ? []
        : [`it is in another network, behind ${gateway}: broadcasts do not cross that`]),
    ],
  }
}

export const FIREWALL: Rule[] = [inboundStream, inboundAll, outbound, broadcastReply, broadcastBlocked]
