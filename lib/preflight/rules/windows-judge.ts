// What Windows' firewall makes of the camera's packets by its rules: expected, never proven; the probe decides. Pure.

import { inSubnet } from '../../ipv4.js'
import type { Facts } from '../facts.js'
import {
  coversAddress,
  coversPort,
  expandVariables,
  type Profile,
  parseWindowsRule,
  samePath,
  type WindowsRule,
} from './windows-grammar.js'

const UDP = 17

export interface WindowsVerdict {
  verdict: 'allowed' | 'blocked' | 'maybe'
  why: 'off' | 'shields-up' | 'block-rule' | 'allow-rule' | 'default' | 'unknown-condition' | 'not-read'
  profile: Profile | undefined
  /** Rules that decide, or would. */
  rules: WindowsRule[]
  /** Rules of this machine count for nothing: a policy says so. */
  policyManaged: boolean
}

export function rulesOf(facts: Facts): WindowsRule[] {
  const { rules } = facts.firewall.windows ?? {}
  if (!rules) return []
  return (['local', 'policy', 'mdm'] as const).flatMap((store) =>
    Object.entries(rules[store] ?? {})
      .map(([id, text]) => parseWindowsRule(id, text, store))
      .filter((rule) => rule !== undefined),
  )
}

export function judgeWindows(facts: Facts): WindowsVerdict {
  const { windows } = facts.firewall
  const nic = facts.host.interfaces.find(({ name }) => name !== '' && name === facts.host.route?.interface)
  const profile = nic?.profile
  const settings = profile && windows?.profiles[profile]
  const all = rulesOf(facts)
  const policyManaged = settings?.localRulesIgnored === true || windows?.modifyState === 1
  const base = { profile, policyManaged, rules: [] as WindowsRule[] }
  if (!settings || !nic) return { ...base, verdict: 'maybe', why: 'not-read' }
  if (!settings.enabled) return { ...base, verdict: 'allowed', why: 'off' }
  if (settings.shieldsUp) return { ...base, verdict: 'blocked', why: 'shields-up' }
  const counting = all.filter(({ store }) => store !== 'local' || settings.localRulesIgnored !== true)
  const matching = counting.map((rule) => ({ rule, match: matches(rule, facts, profile) }))
  const of = (action: WindowsRule['action'], match: boolean | 'maybe') =>
    matching.filter((one) => one.match === match && one.rule.action === action).map(({ rule }) => rule)
  const blocking = of('Block', true)
  if (blocking.length > 0) return { ...base, verdict: 'blocked', why: 'block-rule', rules: blocking }
  const perhaps = of('Block', 'maybe')
  if (perhaps.length > 0) return { ...base, verdict: 'maybe', why: 'unknown-condition', rules: perhaps }
  const allowing = [...of('Allow', true), ...of('ByPass', true)]
  if (allowing.length > 0) return { ...base, verdict: 'allowed', why: 'allow-rule', rules: allowing }
  const perhapsAllowing = of('Allow', 'maybe')
  if (perhapsAllowing.length > 0)
    return { ...base, verdict: 'maybe', why: 'unknown-condition', rules: perhapsAllowing }
  return { ...base, verdict: settings.defaultInbound === 'Block' ? 'blocked' : 'allowed', why: 'default' }
}

/** Rules for what comes in that name the program, whatever they are worth (requirement FLX-15). */
export function rulesNaming(facts: Facts): WindowsRule[] {
  const variables = facts.firewall.windows?.variables ?? {}
  return rulesOf(facts).filter(
    ({ direction, program }) =>
      direction === 'In' &&
      program !== undefined &&
      samePath(expandVariables(program, variables), facts.plan.programRealPath),
  )
}

function matches(rule: WindowsRule, facts: Facts, profile: Profile): boolean | 'maybe' {
  const { plan, camera, host } = facts
  const nic = host.interfaces.find(({ name }) => name === host.route?.interface)
  if (!rule.active || rule.direction !== 'In' || rule.secure || rule.forApp) return false
  if (rule.protocol !== undefined && rule.protocol !== UDP) return false
  if (rule.profiles.length > 0 && !rule.profiles.includes(profile)) return false
  if (rule.service !== undefined && rule.service !== '*') return false // this program is no service
  if (rule.program !== undefined) {
    const program = expandVariables(rule.program, facts.firewall.windows?.variables ?? {})
    if (!samePath(program, plan.programRealPath)) return false
  }
  const port = Array.isArray(plan.streamPort) ? plan.streamPort[0] : (plan.streamPort ?? 'dynamic')
  const near = nic !== undefined && camera !== undefined && inSubnet(camera.address, nic)
  const conditions = [
    coversPort(rule.localPorts, port),
    camera === undefined ? 'maybe' : coversAddress(rule.remoteAddresses, camera.address, near),
    rule.unknown.length > 0 ? 'maybe' : true,
  ]
  if (conditions.includes(false)) return false
  return conditions.includes('maybe') ? 'maybe' : true
}
