// Packet sizes. Never without a smaller size that arrived on the same way: where nothing arrives, size is not the cause.

import type { Rule } from './rule.js'

const host: Rule = ({ nic, facts }) => {
  const wanted = facts.plan.packetSize
  if (!nic || wanted === undefined || wanted <= nic.mtu) return undefined
  return {
    code: 'mtu.host',
    severity: 'error',
    confidence: 'certain',
    summary: `Packets of ${wanted} bytes do not fit ${nic.name}: its MTU is ${nic.mtu}`,
    evidence: [`MTU of ${nic.name}: ${nic.mtu}`, `packet size asked for: ${wanted}`],
  }
}

const path: Rule = ({ sizes, nic, inPieces }) => {
  const largest = Math.max(0, ...sizes.arrived)
  const over = sizes.lost.filter((size) => size > largest && size <= (nic?.mtu ?? 0))
  if (largest === 0 || over.length === 0) return undefined
  return {
    code: 'mtu.path',
    severity: 'warning',
    confidence: inPieces === undefined ? 'high' : 'certain',
    summary: `Between camera and computer no more than ${largest} bytes pass, though ${nic!.name} could take ${nic!.mtu}`,
    evidence: [
      `test packets of ${largest} bytes arrived, those of ${Math.min(...over)} did not`,
      ...(inPieces === undefined ? [] : [`those of ${inPieces} bytes came in pieces where that was allowed`]),
      `MTU of ${nic!.name}: ${nic!.mtu}`,
    ],
  }
}

const fragmentation: Rule = ({ sizes }) => {
  if (sizes.fragmented.length === 0) return undefined
  return {
    code: 'mtu.fragmentation',
    severity: 'warning',
    confidence: 'certain',
    summary: `Packets of ${Math.min(...sizes.fragmented)} bytes and more arrive cut into IP fragments`,
    evidence: [`test packets of ${sizes.fragmented.join(', ')} bytes came in fragments`],
  }
}

export const MTU: Rule[] = [host, path, fragmentation]
