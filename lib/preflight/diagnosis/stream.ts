// Why a stream that could flow does not, or loses.

import type { StreamFacts } from '../facts.js'
import type { Evidence } from './evidence.js'
import { count, driverText, type Rule, type Verdict } from './rule.js'

const streamOf = ({ burst, facts }: Evidence) => facts.stream ?? burst?.stream
const countersOf = ({ burst, facts }: Evidence) =>
  (facts.stream ? facts.stream.counters : burst?.counters) ?? {}
const nothingCame = (e: Evidence) => {
  const stream = streamOf(e)
  return stream !== undefined && stream.packetsReceived === 0
}
/** Of the frames that the camera sends by its own account most left no trace at all: not even a part of them came. */
const mostMissing = ({ frameRate = 0, flowing = 0, ...stream }: StreamFacts) => {
  const due = Math.floor(frameRate * flowing)
  return due >= 4 && stream.framesComplete + stream.framesIncomplete + stream.blocksNoSlot < due / 2
}
/** Of drops that are counted while a stream loses nothing, none was its. */
const loses = (e: Evidence) => {
  const stream = streamOf(e)
  if (stream === undefined) return false
  if (stream.framesIncomplete + stream.lostOnWire + stream.lostInKernel > 0) return true
  if (mostMissing(stream)) return true
  return nothingCame(e) && e.facts.camera?.triggerMode !== 'On' && stream.acquiring !== false
}

const trigger: Rule = (e) => {
  const { facts } = e
  if (!nothingCame(e) || facts.camera?.triggerMode !== 'On') return undefined
  return {
    code: 'stream.waiting-for-trigger',
    severity: streamOf(e)?.acquiring === false ? 'warning' : 'error', // not yet: it does not even acquire
    confidence: 'certain',
    summary: `The camera waits for a trigger${facts.camera.triggerSource ? ` (${facts.camera.triggerSource})` : ''}`,
    evidence: ['TriggerMode is On', 'nothing was sent'],
  }
}

const wrongDestination: Rule = (e) => {
  const { facts, nic } = e
  const destination = facts.stream?.destination
  if (!nothingCame(e) || !destination || !nic) return undefined
  const { streamDestination, multicast } = facts.plan
  const here = [nic.address, streamDestination, multicast].includes(destination.address)
  if (here && destination.port === facts.stream?.port) return undefined
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
  const lost = Math.max(stream?.lostInKernel ?? 0, loses(e) ? (countersOf(e).sockDrop ?? 0) : 0)
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

const backlog: Rule = (e) => {
  const dropped = countersOf(e).softDrop ?? 0
  if (dropped === 0 || !loses(e)) return undefined
  return {
    code: 'host.backlog',
    severity: 'error',
    confidence: 'high',
    summary: 'The kernel dropped packets before IP: its backlog was full',
    evidence: [`${count(dropped, 'packet')} dropped by softnet`],
  }
}

const ring: Rule = (e) => {
  // What the backlog had no room for is counted at the interface as well.
  const { nicDrop = 0, softDrop = 0, driver = {} } = countersOf(e)
  const dropped = nicDrop - softDrop
  if (dropped <= 0 || !loses(e)) return undefined
  return {
    code: 'nic.ring',
    severity: 'error',
    confidence: 'high',
    summary: `${e.nic?.name ?? 'The network interface'} dropped packets`,
    evidence: [`${count(dropped, 'packet')} dropped or with errors at the interface`, ...driverText(driver)],
  }
}

const switchLoss: Rule = (e) => {
  const stream = streamOf(e)
  const { softDrop = 0, nicDrop = 0, fwDrop = 0 } = countersOf(e)
  if (!stream || stream.lostOnWire === 0 || softDrop + nicDrop + fwDrop > 0) return undefined
  return {
    code: 'network.switch-loss',
    severity: stream.framesComplete === 0 ? 'error' : 'warning',
    confidence: 'medium',
    summary: 'Packets are lost before they reach this computer',
    evidence: [
      `${stream.lostOnWire} of ${stream.packetsExpected} packets did not arrive`,
      ...(stream.framesComplete === 0 ? ['no frame is whole'] : []),
      'no counter of this computer rose meanwhile',
    ],
  }
}

/** Where no rule says why: that nothing came is never well. A camera that is slow, or of unknown pace, may only not have come to it yet. */
export function withoutFrames(e: Evidence): Verdict | undefined {
  const stream = streamOf(e)
  if (!stream || stream.framesComplete > 0) return undefined
  const { packetsReceived, framesIncomplete, malformed, frameRate, seconds } = stream
  const due = frameRate !== undefined && frameRate * seconds > 1
  const { packetSize } = e.facts.plan
  const evidence = [
    `${count(packetsReceived, 'packet')} of the stream and ${count(framesIncomplete, 'frame')} that ${framesIncomplete === 1 ? 'is' : 'are'} not whole, in ${seconds.toFixed(1)} s`,
    ...(frameRate === undefined
      ? []
      : [`by its features the camera sends ${frameRate.toFixed(1)} frames a second`]),
    ...(stream.acquiring ? ['the camera says that it acquires'] : []),
    ...(malformed > 0 ? [`${count(malformed, 'packet')} made no sense`] : []),
    ...(packetSize === undefined ? [] : [`the packet size was given: ${packetSize} bytes`]),
  ]
  const common = { confidence: 'low' as const, evidence }
  return packetsReceived === 0
    ? {
        ...common,
        code: 'stream.nothing-sent',
        severity: due || e.facts.stream ? 'error' : 'warning',
        summary: `Nothing of a stream of ${e.camera} came, though it was told to acquire`,
      }
    : {
        ...common,
        code: 'stream.no-whole-frame',
        severity: framesIncomplete > 0 || malformed > 0 || due || e.facts.stream ? 'error' : 'warning',
        summary: `Packets of ${e.camera} come, and no frame of them is whole`,
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
