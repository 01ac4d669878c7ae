// Address translation: the camera is told an address that it cannot reach.

import type { Rule } from './rule.js'

const nat: Rule = ({ T, TP, U, facts, nic, noise, burst }) => {
  const first = T ?? TP // a failed negotiation opened a way from the beginning
  if (!U || !first || first.fired === 0 || first.arrived > 0 || (TP?.arrived ?? 0) > 0) return undefined
  // A camera that has no test packets, and whose stream comes.
  if ((burst?.stream.packetsReceived ?? 0) > 0) return undefined
  const { gateway } = facts.host.route ?? {}
  const { container, wsl } = facts.host.environment
  const dropped = (first.counters.fwDrop ?? 0) - noise(first.ms) >= first.fired
  if (gateway === undefined || dropped || facts.plan.streamDestination !== undefined) return undefined
  return {
    code: 'network.nat',
    severity: 'error',
    confidence: 'high',
    summary:
      'The camera cannot reach the address of this program: something between them translates addresses',
    evidence: [
      `the camera answers by way of ${gateway}, and of ${(T?.fired ?? 0) + (TP?.fired ?? 0)} test packets to ${nic?.address ?? 'this computer'} none came as far as this network interface`,
      ...(container ? [`this program runs in a container (${container})`] : []),
      ...(wsl ? ['this program runs under WSL'] : []),
    ],
  }
}

export const ROUTED: Rule[] = [nat]
