// From facts to findings, worst and most certain first. Pure, so that recorded facts of any machine can be judged anywhere.

import type { Facts } from '../facts.js'
import type { FindingCode } from '../finding-codes.js'
import type { Confidence, Finding, Severity } from '../report.js'
import { remedyFor } from '../rules/remedies.js'
import { ADDRESSING } from './addressing.js'
import { CAMERA } from './camera.js'
import { type Evidence, evidence } from './evidence.js'
import { FIREWALL } from './firewall.js'
import { LINK } from './link.js'
import { MACOS } from './macos.js'
import { MTU } from './mtu.js'
import { ROUTED } from './routed.js'
import type { Verdict } from './rule.js'
import { STREAM, withoutFrames } from './stream.js'
import { WINDOWS } from './windows.js'

const SEVERITIES: Record<Severity, number> = { error: 0, warning: 1, info: 2 }
const CONFIDENCES: Record<Confidence, number> = { certain: 0, high: 1, medium: 2, low: 3 }

/** What a finding explains, so that it is no cause of its own. */
const EXPLAINS: Partial<Record<FindingCode, readonly FindingCode[]>> = {
  'link.down': [
    'camera.off-or-other-segment',
    'network.broadcast-blocked',
    'network.wrong-subnet',
    'network.ambiguous-route',
  ],
  'network.wrong-subnet': ['camera.off-or-other-segment', 'network.broadcast-blocked', 'network.rp-filter'],
  'network.rp-filter': [
    'camera.off-or-other-segment',
    'network.broadcast-blocked',
    'network.nat',
    'network.ambiguous-route',
  ],
  'network.ambiguous-route': [
    'camera.off-or-other-segment',
    'network.broadcast-blocked',
    'firewall.inbound-all',
  ],
  'firewall.inbound-all': ['firewall.broadcast-reply', 'camera.off-or-other-segment', 'network.not-a-camera'],
  'macos.local-network-privacy': ['camera.off-or-other-segment', 'network.not-a-camera'],
  'firewall.policy-managed': ['firewall.inbound-stream'],
  'firewall.idle-timeout': ['firewall.inbound-stream', 'firewall.inbound-reject', 'network.nat'],
  'mtu.host': ['mtu.path'],
  'firewall.outbound': ['camera.off-or-other-segment', 'network.broadcast-blocked'],
  'firewall.inbound-stream': ['camera.no-test-packet', 'network.nat'],
  'firewall.inbound-reject': ['camera.no-test-packet', 'network.nat'],
  'network.nat': ['camera.no-test-packet', 'network.broadcast-blocked', 'unknown'],
  'host.receive-buffer': ['network.switch-loss'],
}

export function diagnose(facts: Facts): Finding[] {
  const e = evidence(facts)
  const rules = [
    ...LINK,
    ...ADDRESSING,
    ...WINDOWS,
    ...MACOS,
    ...FIREWALL,
    ...ROUTED,
    ...MTU,
    ...CAMERA,
    ...STREAM,
  ]
  const verdicts = rules.map((rule) => rule(e)).filter((verdict) => verdict !== undefined)
  const explained = new Set(verdicts.flatMap(({ code }) => EXPLAINS[code] ?? []))
  // The first of several rules that come to the same finding says it.
  const causes = verdicts.filter(
    ({ code }, i) => !explained.has(code) && verdicts.findIndex((other) => other.code === code) === i,
  )
  // That no frame came is never well, whatever else was found, unless it says why.
  const silent = causes.some(({ severity }) => severity === 'error') ? undefined : withoutFrames(e)
  if (silent) causes.push(silent)
  // A rule that would not do what it seems to stops nothing by itself.
  if (causes.every(({ code }) => code === 'firewall.rule')) causes.push(closing(e))
  return causes
    .sort(
      (a, b) =>
        SEVERITIES[a.severity] - SEVERITIES[b.severity] ||
        CONFIDENCES[a.confidence] - CONFIDENCES[b.confidence],
    )
    .map((verdict) => finding(verdict, facts))
}

function finding(verdict: Verdict, facts: Facts): Finding {
  const remedy = remedyFor(verdict.code, facts)
  return { ...verdict, ...(remedy && { remedy }) }
}

/** Where no rule has found anything wrong: that everything works is only said where it was seen. */
function closing(e: Evidence): Verdict {
  const { camera, U, T, TP, burst, broadcast, access, facts } = e
  if (camera === '') return overview(e)
  const arrived = (T?.arrived ?? 0) + (TP?.arrived ?? 0) > 0 || (burst?.stream.packetsReceived ?? 0) > 0
  const refused = facts.probes.find((one) => one.probe === 'stream-refused')
  if (refused) {
    return {
      code: 'unknown',
      severity: 'error',
      confidence: 'low',
      summary: `A stream of ${camera} could not be started`,
      evidence: [`it was refused: ${refused.error ?? 'nobody says why'}`],
    }
  }
  if (U && arrived) {
    return {
      code: 'ok',
      severity: 'info',
      confidence: 'certain',
      summary: `Packets of ${camera} arrive: nothing stands in their way`,
      evidence: [
        ...(e.sizes.arrived.length > 0
          ? [`test packets of up to ${Math.max(...e.sizes.arrived)} bytes arrived`]
          : []),
        ...(burst
          ? [
              `${burst.stream.framesComplete} frames in ${burst.stream.seconds.toFixed(1)} s, ${burst.stream.lostOnWire} packets lost`,
            ]
          : []),
      ],
    }
  }
  if (U && !access && !T && !TP && !facts.stream) {
    return {
      code: 'ok',
      severity: 'info',
      confidence: 'low',
      summary: `${camera} answers; whether its stream arrives was not tried`,
      evidence: ['it answers commands', ...(broadcast ? [] : ['no broadcast was sent'])],
    }
  }
  const changes = contradictions(e)
  if (changes.length > 0) {
    return {
      code: 'transient',
      severity: 'warning',
      confidence: 'low',
      summary: `What was seen of ${camera} changed from one moment to the next: an interface or a camera that has just started does so`,
      evidence: changes,
    }
  }
  return {
    code: 'unknown',
    severity: 'error',
    confidence: 'low',
    summary: 'What was seen fits no known cause',
    evidence: [`${facts.probes.length} probes are in the record: send it with a bug report (--report)`],
  }
}

/** What cannot be true of a network that stays as it is. */
function contradictions({ B, U, access, facts }: Evidence): string[] {
  const shots = facts.probes.filter((one) => one.probe === 'test-packet')
  const lost = shots.find(({ size, punched, fired, arrived }) => {
    const again = shots.filter((other) => other.size === size && other.punched === punched)
    return fired > 0 && arrived === 0 && again.some((other) => other.arrived > 0)
  })
  return [
    ...(U === false && (B === true || access !== undefined)
      ? ['it did not answer when it was asked by its address, and did at another time']
      : []),
    ...(lost ? [`of the same test packets (${lost.size} bytes) some arrived and others did not`] : []),
  ]
}

function overview({ broadcast }: Evidence): Verdict {
  const found = broadcast?.answers ?? []
  const unreachable = found.filter(({ reachable }) => !reachable)
  if (found.length === 0) {
    return {
      code: 'camera.off-or-other-segment',
      severity: 'warning',
      confidence: 'low',
      summary: 'No camera answered a broadcast. One that is there is found out about by its address',
      evidence: ['every network interface that is up was asked, for a second'],
    }
  }
  return {
    code: unreachable.length > 0 ? 'network.wrong-subnet' : 'ok',
    severity: unreachable.length > 0 ? 'warning' : 'info',
    confidence: 'certain',
    summary: `${found.length} cameras answered a broadcast${unreachable.length > 0 ? `, ${unreachable.length} of them with an address that cannot be used from here` : ''}`,
    evidence: found.slice(0, 20).map(({ address, model, from }) => `${address} ${model} through ${from}`),
  }
}
