// Who drops unrequested UDP. A firewall of this computer is accused only by counters of this computer, or by what passes once a way was
// opened from inside; never where nothing arrived at the network interface at all.

import type { CounterDelta, Facts } from '../facts.js'
import type { Evidence, Shots } from './evidence.js'
import { count, type Rule } from './rule.js'

/** Frames that came as far as the interface, and not to IP: ARP and IPv6 are among them, so that few of them prove nothing. */
const beforeIp = ({ nicRx = 0, ipReceives = 0 }: CounterDelta) => Math.max(0, nicRx - ipReceives)

/** Of a stream, in all and for each second; fewer may be anybody's. */
const FEWEST = 20
const FEWEST_PER_SECOND = 10

/** Drops are counted for the whole machine: what did not come in by this interface was not the camera's. */
const cameIn = ({ nicRx }: CounterDelta, least: number) => nicRx === undefined || nicRx >= least

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
  ]
}

const inboundStream: Rule = ({ T, TP, facts, camera, noise }) => {
  // A failed negotiation opened a way from the beginning: it tells of TP alone.
  const first = T ?? TP
  if (!lost(first)) return undefined
  const { fwDrop = 0, rejSent = 0 } = first.counters
  const opened = TP !== undefined && TP.arrived > 0
  const counted = fwDrop - noise(first.ms) >= first.fired && cameIn(first.counters, first.fired)
  // XDP, or a filter at the interface's ingress: only where it took as many as were fired each time.
  const early =
    !counted &&
    lost(TP) &&
    T !== undefined &&
    [T, TP].every((shots) => beforeIp(shots.counters) >= shots.fired)
  if (!opened && !counted && !early) return undefined
  const rejected = rejSent > 0 && counted
  return {
    code: rejected ? 'firewall.inbound-reject' : 'firewall.inbound-stream',
    severity: opened ? 'warning' : 'error',
    confidence: early ? 'high' : 'certain',
    summary: opened
      ? `Something on or before this computer drops what ${camera} sends unasked. Streams work, since a way was opened from inside; it closes when nothing is sent for 30 to 60 s`
      : `This computer drops what ${camera} sends: it arrives, and no program gets it`,
    evidence: [
      `${count(first.fired, 'test packet')} of 576 bytes fired, none received`,
      ...(counted ? [`${count(fwDrop, 'packet')} received by IP meanwhile and delivered to nobody`] : []),
      ...(early
        ? [
            `${beforeIp(first.counters)} frames came to the interface meanwhile and not to IP: dropped by XDP, or by a filter at its ingress`,
          ]
        : []),
      ...(rejected ? [`${count(rejSent, 'rejection')} (ICMP unreachable) sent meanwhile`] : []),
      ...(opened
        ? [
            `${count(TP.arrived, 'test packet')} arrived once a datagram had been sent from the stream socket to the camera`,
          ]
        : []),
      ...managerText(facts.firewall),
    ],
  }
}

/** A way that was opened from inside, and was shut after a silence. */
const idleTimeout: Rule = ({ facts, camera }) => {
  const silences = facts.probes.filter((one) => one.probe === 'idle')
  const shut = silences.find(({ fired, arrived, arrivedAfterPunch = 0 }) => {
    return fired > 0 && arrived === 0 && arrivedAfterPunch > 0
  })
  if (!shut) return undefined
  const open = silences.filter(({ arrived }) => arrived > 0)
  return {
    code: 'firewall.idle-timeout',
    severity: 'warning',
    confidence: 'certain',
    summary: `What ${camera} sends unasked is dropped, and a way that was opened from inside is shut again after ${shut.seconds} s of silence`,
    evidence: [
      `${count(shut.fired, 'test packet')} fired after ${shut.seconds} s of silence, none received`,
      `${count(shut.arrivedAfterPunch!, 'test packet')} arrived once the way was opened again`,
      ...open.map(({ seconds }) => `after ${seconds} s it was still open`),
      ...managerText(facts.firewall),
    ],
  }
}

const broadcastReply: Rule = ({ B, U, broadcast, facts, noise, noiseKnown }) => {
  const dropped = broadcast?.counters?.fwDrop ?? 0
  if (B !== false || !U || dropped <= noise(broadcast?.ms ?? 0)) return undefined
  return {
    code: 'firewall.broadcast-reply',
    severity: 'warning',
    confidence: noiseKnown ? 'high' : 'medium',
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
  const dropped = unicast?.counters?.fwDrop ?? 0
  // Somebody has to be there whose answers are dropped: else they were anybody's packets.
  if (U !== false || B || !unicast || unicast.sent === 0 || neighbour !== 'complete') return undefined
  const least = Math.max(1, unicast.sent - 1)
  if (dropped < least || !cameIn(unicast.counters ?? {}, least)) return undefined
  return {
    code: 'firewall.inbound-all',
    severity: 'error',
    // One answer for each request, and hardly anything else.
    confidence: dropped <= 2 * unicast.sent ? 'certain' : 'high',
    summary: 'This computer drops everything that the camera sends, answers included',
    evidence: [
      `${count(unicast.sent, 'request')} sent, no answer received`,
      `${count(dropped, 'packet')} dropped on this computer meanwhile`,
      'the camera is there: it answers ARP',
      ...managerText(facts.firewall),
    ],
  }
}

/** A stream that was started, whose packets are dropped behind the interface: all that shows it where a camera has no test packets. */
const streamDropped: Rule = ({ facts, camera, B, broadcast, burst, noise }) => {
  const stream = facts.stream ?? burst?.stream
  const counters = (facts.stream ? facts.stream.counters : burst?.counters) ?? {}
  if (!stream || stream.packetsReceived > 0 || facts.camera?.triggerMode === 'On') return undefined
  const dropped = counters.fwDrop ?? 0
  const least = Math.max(FEWEST, FEWEST_PER_SECOND * stream.seconds) + noise(stream.seconds * 1000)
  const counted = dropped >= least && cameIn(counters, least)
  const early = beforeIp(counters)
  if (!counted && early < least) return undefined
  // The kernel sends few of them: broadcasts may have had the last.
  const rejected =
    counted && ((counters.rejSent ?? 0) > 0 || (B === false && (broadcast?.counters?.rejSent ?? 0) > 0))
  return {
    code: rejected ? 'firewall.inbound-reject' : 'firewall.inbound-stream',
    severity: 'error',
    confidence: counted ? 'high' : 'medium',
    summary: `This computer drops what ${camera} sends: it arrives, and no program gets it`,
    evidence: [
      `no packet of the stream was received in ${stream.seconds.toFixed(1)} s`,
      counted
        ? `${count(dropped, 'packet')} received by IP meanwhile and delivered to nobody`
        : `${early} frames came to the interface meanwhile and not to IP: dropped by XDP, or by a filter at its ingress`,
      ...(rejected ? ['rejections (ICMP unreachable) were sent'] : []),
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

const broadcastBlocked: Rule = ({ B, U, broadcast, facts, noise }: Evidence) => {
  const dropped = broadcast?.counters?.fwDrop ?? 0
  if (B !== false || !U || dropped > noise(broadcast?.ms ?? 0)) return undefined
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

export const FIREWALL: Rule[] = [
  idleTimeout,
  inboundStream,
  streamDropped,
  inboundAll,
  outbound,
  broadcastReply,
  broadcastBlocked,
]
