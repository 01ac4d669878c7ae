// What macOS does to a program's packets: Local Network privacy, told by its errors, and the Application Firewall. Nothing here was measured on a
// Mac: it is what is documented (reference/firewall.md section 3).

import type { Rule } from './rule.js'

const privacy: Rule = ({ facts, unicast, neighbour, nic }) => {
  if (facts.system !== 'macos' || unicast?.error !== 'EHOSTUNREACH' || !nic || neighbour === 'complete')
    return undefined
  const { responsibleApp, osVersion } = facts.host.environment
  return {
    code: 'macos.local-network-privacy',
    severity: 'error',
    confidence: 'high',
    summary: `macOS hides the local network from ${responsibleApp ?? 'this app'}`,
    evidence: [
      'sending gives EHOSTUNREACH at once, though there is a route',
      ...(osVersion ? [`macOS ${osVersion}`] : []),
      'programs started from Terminal, by root, or as a launchd daemon are exempt',
    ],
  }
}

const application: Rule = ({ facts, T }) => {
  const firewall = facts.firewall.macos
  if (facts.system !== 'macos' || !firewall?.enabled || (T?.arrived ?? 0) > 0) return undefined
  if (!firewall.blockAll && firewall.program !== 'blocked') return undefined
  const tried = T !== undefined && T.fired > 0
  return {
    code: 'firewall.inbound-stream',
    severity: 'error',
    confidence: tried ? 'high' : 'medium',
    summary: `The Application Firewall blocks what the camera sends to ${facts.plan.programRealPath}`,
    evidence: [
      firewall.blockAll ? 'it blocks all incoming connections' : 'it lists the program as blocked',
      ...(tried ? ['test packets were fired, and none arrived'] : []),
    ],
  }
}

export const MACOS: Rule[] = [privacy, application]
