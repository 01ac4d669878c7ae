// What Windows' own settings say about the camera's packets. Rules that were read alone are never certain: a probe has to have failed, too.

import { judgeWindows } from '../rules/windows-judge.js'
import { lintWindowsRules } from '../rules/windows-lint.js'
import type { Evidence, Shots } from './evidence.js'
import type { Rule } from './rule.js'

const failed = (shots: Shots | undefined) => shots !== undefined && shots.fired > 0 && shots.arrived === 0
const isWindows = ({ facts }: Evidence) => facts.system === 'windows' && facts.firewall.windows !== undefined

const WHY = {
  'shields-up': "'Block all incoming connections' is switched on",
  'block-rule': 'a rule blocks the program, and blocks beat what is allowed',
  default: 'no rule allows the program, and what is not allowed is blocked',
} as const

const inbound: Rule = (e) => {
  if (!isWindows(e)) return undefined
  const { T, TP, facts } = e
  const verdict = judgeWindows(facts)
  if (verdict.verdict !== 'blocked' || (T?.arrived ?? 0) > 0) return undefined
  const opened = (TP?.arrived ?? 0) > 0
  const why = WHY[verdict.why as keyof typeof WHY]
  const tried = failed(T) || failed(TP)
  return {
    code: 'firewall.inbound-stream',
    severity: opened || !tried ? 'warning' : 'error',
    // What passes once a way was opened from inside proves the firewall; that it is Windows' own, its rules say.
    confidence: opened ? 'certain' : tried ? 'high' : 'medium',
    summary: `Windows' firewall blocks what the camera sends to ${facts.plan.programRealPath}`,
    evidence: [
      why,
      `profile of this network: ${verdict.profile}`,
      ...verdict.rules.map(({ id, byPrompt }) => `${byPrompt ? 'made by a prompt' : 'rule'}: ${id}`),
      ...(tried ? ['test packets were fired, and none arrived'] : ['it was not tried']),
      ...(opened ? ['they arrive once a way is opened from inside, until nothing is sent for 60 s'] : []),
      ...lintWindowsRules(facts).map(({ rule, text }) => `rule ${rule.name || rule.id}: ${text}`),
    ],
  }
}

const policy: Rule = (e) => {
  if (!isWindows(e)) return undefined
  const { policyManaged, verdict, profile } = judgeWindows(e.facts)
  if (!policyManaged || verdict === 'allowed' || (e.T?.arrived ?? 0) > 0) return undefined
  const tried = failed(e.T) || failed(e.TP)
  const opened = (e.TP?.arrived ?? 0) > 0 // streams work then, until nothing is sent for a while
  return {
    code: 'firewall.policy-managed',
    severity: tried && !opened ? 'error' : 'warning',
    confidence: tried ? 'certain' : 'high', // what was only read is not proven
    summary:
      'A policy of this computer decides about its firewall: rules that are added here count for nothing',
    evidence: [
      `local rules are ignored in profile ${profile}`,
      tried ? 'test packets were fired, and none arrived unasked' : 'it was not tried',
      ...(opened ? ['they arrive once a way is opened from inside, until nothing is sent for 60 s'] : []),
    ],
  }
}

const unicastResponse: Rule = (e) => {
  if (!isWindows(e) || e.B !== false || !e.U) return undefined
  const profile = e.nic?.profile
  if (!profile || e.facts.firewall.windows!.profiles[profile].unicastResponsesToBroadcast !== false)
    return undefined
  return {
    code: 'firewall.unicast-response-to-broadcast',
    severity: 'warning',
    confidence: 'high',
    summary: `Profile ${profile} forbids answers to broadcasts: cameras are found by their addresses only`,
    evidence: [
      'DisableUnicastResponsesToMulticastBroadcast is set',
      'the camera answers when it is asked by its address',
    ],
  }
}

const lint: Rule = (e) => {
  if (!isWindows(e)) return undefined
  const lints = lintWindowsRules(e.facts)
  if (lints.length === 0) return undefined
  return {
    code: 'firewall.rule',
    severity: 'info',
    confidence: 'high',
    summary: 'Rules of the firewall that name this program do not do what they seem to',
    evidence: lints.map(({ rule, text }) => `${rule.name || rule.id}: ${text}`),
  }
}

const products: Rule = (e) => {
  if (!isWindows(e) || !failed(e.T)) return undefined
  const others = e.facts.firewall.windows!.products?.filter(({ state }) => (state & 0x1000) !== 0) ?? []
  if (others.length === 0 || judgeWindows(e.facts).verdict === 'blocked') return undefined
  return {
    code: 'firewall.inbound-stream',
    severity: 'error',
    confidence: 'medium',
    summary: `Another firewall than Windows' own may drop what the camera sends: ${others.map(({ name }) => name).join(', ')}`,
    evidence: ["Windows' own firewall lets it in by its rules", 'test packets were fired, and none arrived'],
  }
}

const filterDriver: Rule = (e) => {
  const all = e.facts.firewall.windows?.filterDrivers ?? []
  const drivers = all.filter((one) => one.interface === e.nic?.name)
  if (!isWindows(e) || drivers.length === 0 || !failed(e.T) || judgeWindows(e.facts).verdict === 'blocked')
    return undefined
  return {
    code: 'filter-driver.steals',
    severity: 'error',
    confidence: 'medium',
    summary:
      "Another maker's filter driver is bound to the camera's network interface, and may take its packets",
    evidence: [
      ...drivers.map(({ name }) => `bound to ${e.nic!.name}: ${name}`),
      'test packets were fired, and none arrived',
    ],
  }
}

export const WINDOWS: Rule[] = [inbound, policy, unicastResponse, products, filterDriver, lint]
