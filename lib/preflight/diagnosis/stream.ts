// Why a stream that could flow does not, or loses.

import type { Evidence } from './evidence.js'
import { count, type Rule } from './rule.js'

const streamOf = ({ burst, facts }: Evidence) => facts.stream ?? burst?.stream
const nothingCame = (e: Evidence) => {
  const stream = streamOf(e)
  return stream !== undefined && stream.packetsReceived === 0
}

const trigger: Rule = (e) => {
  const { facts } = e
  if (!nothingCame(e) || facts.camera?.triggerMode !== 'On') return undefined
  return {
    code: 'stream.waiting-for-trigger',
    severity: 'error',
    confidence: 'certain',
    summary: `The camera waits for a trigger${facts.camera.triggerSource ? ` (${facts.camera.triggerSource})` : ''}`,
    evidence: ['TriggerMode is On', 'it acquires, and nothing was sent'],
  }
}

const wrongDestination: Rule = (e) => {
  const { facts, nic } = e
  const destination = facts.stream?.destination
  if (!nothingCame(e) || !destination || !nic) return undefined
  const elsewhere = destination.address !== nic.address || destination.port !== facts.stream?.port
  if (!elsewhere || facts.plan.streamDestination === destination.address) return undefined
  return {
    code: 'stream.wrong-destination',
    severity: 'error',
    confidence: 'certain',
    summary: `The camera sends to ${destination.address}, port ${destination.port}, and not to this stream`,
    evidence: [`this stream waits at ${nic.address}, port ${facts.stream?.port ?? 'unknown'}`],
  }
}

const notAcquiring: Rule = (e) => {
  if (!nothingCame(e) || streamOf(e)?.acquiring !== false) return undefined
  return {
    code: 'stream.not-acquiring',
    severity: 'error',
    confidence: 'certain',
    summary: 'The camera does not acquire: AcquisitionStart was not given, or it has ended',
    evidence: ['the camera says that its acquisition is not active'],
  }
}

/** Of the program's own stream: that preflight itself had no buffer says nothing about it. */
const noSlot: Rule = ({ facts: { stream } }) => {
  if (!stream || stream.blocksNoSlot === 0) return undefined
  return {
    code: 'stream.no-free-slot',
    severity: stream.framesComplete === 0 ? 'error' : 'warning',
    confidence: 'certain',
    summary: 'Frames came, and all buffers were taken: this program did not release them in time',
    evidence: [`${count(stream.blocksNoSlot, 'frame')} found no free buffer`],
  }
}

const receiveBuffer: Rule = (e) => {
  const stream = streamOf(e)
  const lost = Math.max(stream?.lostInKernel ?? 0, e.burst?.counters?.sockDrop ?? 0)
  const { receiveBuffer: buffer, rmemMax } = e.facts.host.limits
  const small = buffer !== undefined && buffer.granted < buffer.asked
  if (lost === 0 && !small) return undefined
  return {
    code: 'host.receive-buffer',
    severity: lost > 0 ? 'error' : 'warning',
    confidence: lost > 0 ? 'certain' : 'high',
    summary:
      lost > 0
        ? 'The queue of the stream socket ran over'
        : 'The kernel grants the stream socket a smaller queue than the frames want: a short delay of this program may lose packets',
    evidence: [
      ...(lost > 0 ? [`${count(lost, 'packet')} dropped at the socket`] : []),
      ...(buffer ? [`${buffer.granted} bytes granted of ${buffer.asked}`] : []),
      ...(rmemMax === undefined ? [] : [`net.core.rmem_max is ${rmemMax}`]),
    ],
  }
}

const backlog: Rule = ({ burst }) => {
  const dropped = burst?.counters?.softDrop ?? 0
  if (dropped === 0) return undefined
  return {
    code: 'host.backlog',
    severity: 'error',
    confidence: 'high',
    summary: 'The kernel dropped packets before IP: its backlog was full',
    evidence: [`${count(dropped, 'packet')} dropped by softnet`],
  }
}

const ring: Rule = ({ burst, nic }) => {
  // What the backlog had no room for is counted at the interface as well.
  const { nicDrop = 0, softDrop = 0 } = burst?.counters ?? {}
  const dropped = nicDrop - softDrop
  if (dropped <= 0) return undefined
  return {
    code: 'nic.ring',
    severity: 'error',
    confidence: 'high',
    summary: `${nic?.name ?? 'The network interface'} dropped packets`,
    evidence: [`${count(dropped, 'packet')} dropped or with errors at the interface`],
  }
}

const switchLoss: Rule = ({ burst }) => {
  const lost = burst?.stream.lostOnWire ?? 0
  const here =
    (burst?.counters?.softDrop ?? 0) + (burst?.counters?.nicDrop ?? 0) + (burst?.counters?.fwDrop ?? 0)
  if (lost === 0 || here > 0) return undefined
  return {
    code: 'network.switch-loss',
    severity: 'warning',
    confidence: 'medium',
    summary: 'Packets are lost before they reach this computer',
    evidence: [
      `${lost} of ${burst!.stream.packetsExpected} packets did not arrive`,
      'no counter of this computer rose meanwhile',
    ],
  }
}

export const STREAM: Rule[] = [
  trigger,
  wrongDestination,
  notAcquiring,
  noSlot,
  receiveBuffer,
  backlog,
  ring,
  switchLoss,
]
