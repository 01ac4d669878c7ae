// Packet sizes. Never without a smaller size that arrived on the same way: where nothing arrives, size is not the cause.

import { count, driverText, type Rule } from './rule.js'

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

/** Larger packets come as far as the interface, which does not take them, whatever its MTU says. */
const atInterface: Rule = ({ facts, sizes, nic }) => {
  const largest = Math.max(0, ...sizes.arrived)
  const dropped = facts.probes.find(
    (one) =>
      one.probe === 'test-packet' &&
      one.size > largest &&
      one.arrived === 0 &&
      one.fired > 0 &&
      (one.counters?.nicDrop ?? 0) >= one.fired,
  )
  if (largest === 0 || dropped?.probe !== 'test-packet' || !nic) return undefined
  return {
    code: 'mtu.host',
    severity: 'warning',
    confidence: 'high',
    summary: `${nic.name} drops packets of ${dropped.size} bytes, though its MTU is ${nic.mtu}`,
    evidence: [
      `test packets of ${largest} bytes arrived`,
      `${count(dropped.fired, 'test packet')} of ${dropped.size} bytes fired, and ${dropped.counters!.nicDrop} dropped or with errors at the interface meanwhile`,
      ...driverText(dropped.counters!.driver ?? {}),
    ],
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

export const MTU: Rule[] = [host, atInterface, path, fragmentation]
