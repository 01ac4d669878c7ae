// Rules of Windows' firewall that do not do what they seem to (requirement FLX-16): each with what is wrong with it. Pure.

import type { Facts } from '../facts.js'
import { expandVariables, samePath, type WindowsRule } from './windows-grammar.js'
import { judgeWindows, rulesOf } from './windows-judge.js'

export interface Lint {
  rule: WindowsRule
  problem:
    | 'user-variable'
    | 'unknown-variable'
    | 'orphaned-version'
    | 'other-copy'
    | 'short-path'
    | 'wrong-profile'
    | 'wrong-protocol'
    | 'blocked-anyway'
    | 'by-prompt'
    | 'local-subnet'
    | 'service'
    | 'ipsec'
    | 'inactive'
  text: string
}

/** The firewall's service has none of the user's own. */
const USER_VARIABLES = /%(USERPROFILE|LOCALAPPDATA|APPDATA|TEMP|TMP|HOMEPATH|HOMEDRIVE|USERNAME)%/i
/** `v18.1.0`, `app-1.2.3`, `node-v18.1.0-win-x64`, `Python312`: a folder that the next version does not have. */
const VERSION = /[\\/](?:[a-z]*-?v?\d+\.\d+(?:\.\d+)*[\w.-]*|python\d{2,4})[\\/]/i
const UDP = 17

const fileName = (path: string) => path.split(/[\\/]/).at(-1)?.toLowerCase() ?? ''

export function lintWindowsRules(facts: Facts): Lint[] {
  const verdict = judgeWindows(facts)
  const program = facts.plan.programRealPath
  const named = rulesOf(facts).filter(
    (rule) =>
      rule.direction === 'In' && rule.program !== undefined && fileName(rule.program) === fileName(program),
  )
  return named.flatMap((rule) =>
    lintsOf(rule, facts, verdict.why === 'block-rule').map((lint) => ({ rule, ...lint })),
  )
}

function lintsOf(rule: WindowsRule, facts: Facts, isBlocked: boolean): Omit<Lint, 'rule'>[] {
  const { plan, host, camera, firewall } = facts
  const path = rule.program!
  const expanded = expandVariables(path, firewall.windows?.variables ?? {})
  const same = samePath(expanded, plan.programRealPath)
  const lints: Omit<Lint, 'rule'>[] = []
  const add = (problem: Lint['problem'], text: string) => lints.push({ problem, text })
  if (rule.action === 'Block' && rule.active && same) {
    if (rule.byPrompt)
      add('by-prompt', 'made when a prompt was dismissed; it blocks the program, whatever other rules allow')
    return lints
  }
  if (rule.action !== 'Allow') return lints
  if (!rule.active) add('inactive', 'it is switched off')
  if (USER_VARIABLES.test(path))
    add(
      'user-variable',
      `${path}: variables of a user mean nothing to the firewall, so that it never matches`,
    )
  else if (/%[^%]+%/.test(expanded))
    add('unknown-variable', `${path}: what the variable stands for is not known here`)
  else if (/~\d/.test(path)) add('short-path', `${path}: a short name; the firewall compares the long one`)
  else if (!same && VERSION.test(path))
    add('orphaned-version', `${path}: of another version than ${plan.programRealPath}`)
  else if (!same) add('other-copy', `${path}: another copy than the one that runs, ${plan.programRealPath}`)
  if (!same) return lints
  if (rule.protocol !== undefined && rule.protocol !== UDP)
    add('wrong-protocol', 'it is not for UDP, by which images come')
  const profile = host.interfaces.find(({ name }) => name === host.route?.interface)?.profile
  if (profile && rule.profiles.length > 0 && !rule.profiles.includes(profile))
    add('wrong-profile', `it is for ${rule.profiles.join(', ')}, and the camera's network is ${profile}`)
  if (rule.service !== undefined && rule.service !== '*')
    add('service', `it is for the service ${rule.service} alone`)
  if (rule.secure) add('ipsec', 'it is for IPsec connections, which cameras do not have')
  if (rule.remoteAddresses.includes('LocalSubnet') && camera && host.route?.gateway !== undefined)
    add('local-subnet', `it is for the local subnet, and ${camera.address} is behind ${host.route.gateway}`)
  if (isBlocked && lints.length === 0)
    add('blocked-anyway', 'another rule blocks the program, and blocks beat what is allowed')
  return lints
}
