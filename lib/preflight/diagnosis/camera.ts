// The camera's own reasons.

import type { Rule } from './rule.js'

const busy: Rule = ({ access, camera }) => {
  if (!access || access.granted || access.status !== 0x8006) return undefined
  const { holder } = access
  return {
    code: 'camera.busy',
    severity: 'error',
    confidence: 'certain',
    summary: `Another application controls ${camera}${holder ? `: ${holder.address}, port ${holder.port}` : ''}`,
    evidence: ['the camera answered ACCESS_DENIED (0x8006) when control was asked for'],
  }
}

const noTestPackets: Rule = ({ T, TP, burst, facts }) => {
  const capable = facts.probes.find((one) => one.probe === 'capabilities')
  const received = burst !== undefined && burst.stream.packetsReceived > 0
  const none = (T?.arrived ?? 0) + (TP?.arrived ?? 0) === 0
  if (!capable || !none || (capable.testPackets !== false && !received)) return undefined
  return {
    code: 'camera.no-test-packet',
    severity: received ? 'info' : 'warning',
    confidence: 'high',
    summary: received
      ? 'The camera sends no test packets; a stream of small packets arrives'
      : 'The camera sends no test packets: what it streams could not be proven',
    evidence: [
      capable.testPackets === false ? 'it takes no packet size to fire' : 'it fired none, or none arrived',
      ...(received
        ? [`${burst.stream.packetsReceived} packets of ${burst.packetSize} bytes arrived of its stream`]
        : []),
    ],
  }
}

const notRestored: Rule = ({ facts, camera }) => {
  const failed = facts.probes.flatMap((one) => (one.probe === 'restore' ? one.failed : []))
  if (failed.length === 0) return undefined
  return {
    code: 'camera.not-restored',
    severity: 'warning',
    confidence: 'certain',
    summary: `Registers of ${camera} could not be put back as they were before preflight`,
    evidence: failed.map((register) => `register ${register} was not taken`),
  }
}

const portTaken: Rule = ({ facts }) => {
  const taken = facts.probes.find((one) => one.probe === 'port')
  if (!taken) return undefined
  const ports = Array.isArray(taken.port)
    ? `None of the UDP ports ${taken.port.join(' to ')}`
    : `UDP port ${taken.port}`
  return {
    code: 'host.port-taken',
    severity: 'error',
    confidence: 'certain',
    summary: `${ports} is ${Array.isArray(taken.port) ? '' : 'not '}to be had for the stream on this computer`,
    evidence: [`binding to it gives ${taken.error}`],
  }
}

export const CAMERA: Rule[] = [busy, portTaken, notRestored, noTestPackets]
