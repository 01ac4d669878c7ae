// What was measured of a camera, for people: the verdict first, then the facts behind it.

import type { BenchFinding, CameraBenchFacts, Distribution } from '../bench/camera/facts.js'
import type { Style, Styler } from './style.js'
import { lossLines } from './summary.js'
import { table } from './table.js'
import { wrap } from './wrap.js'

const MARKS: Record<BenchFinding['severity'], [style: Style, mark: string]> = {
  error: ['red', 'LOSS'],
  warning: ['yellow', 'WATCH'],
  info: ['green', 'LIMIT'],
}

const INDENT = '       '

export function benchCameraLines(
  facts: CameraBenchFacts,
  findings: readonly BenchFinding[],
  style: Styler,
  width = process.stdout.columns || 100,
): string[] {
  const lines: string[] = []
  for (const { severity, summary, code, evidence, next } of findings) {
    const [colour, mark] = MARKS[severity]
    const head = wrap(`${summary} (${code})`, width - INDENT.length)
    lines.push(`${style.paint(colour, mark.padEnd(INDENT.length))}${head[0]}`)
    lines.push(...head.slice(1).map((line) => INDENT + line))
    for (const text of evidence) lines.push(...bullet(text, width))
    lines.push(...wrap(next, width - INDENT.length).map((line) => INDENT + style.paint('dim', line)))
  }
  lines.push('', ...factLines(facts, style, width))
  lines.push(style.paint('bold', 'losses by cause'), ...lossLines(facts.stats, style))
  for (const text of facts.unknown) lines.push(...wrap(`not known: ${text}`, width))
  return lines
}

function factLines(facts: CameraBenchFacts, style: Styler, width: number): string[] {
  const rows = factRows(facts)
  const room = width - Math.max(...rows.map(([name]) => name.length)) - 2
  return table(
    rows.flatMap(([name, value]) =>
      wrap(value, room).map((line, i) => [i === 0 ? style.paint('bold', name) : '', line]),
    ),
  )
}

function bullet(text: string, width: number): string[] {
  return wrap(text, width - INDENT.length - 2).map((line, i) => `${INDENT}${i === 0 ? '- ' : '  '}${line}`)
}

function factRows(facts: CameraBenchFacts): [string, string][] {
  const { stats, cpu, jitter, camera, interface: nic } = facts
  const percent = (share: number | undefined) => (share === undefined ? '?' : `${(share * 100).toFixed(1)} %`)
  const none = 'not known: the camera has no tick frequency'
  return [
    [
      'rate',
      `${facts.frameRate.toFixed(2)} frames/s taken, ${facts.blockRate.toFixed(2)} sent, in ${facts.seconds.toFixed(2)} s`,
    ],
    [
      'on the wire',
      `${(facts.wireRate / 1e9).toFixed(3)} Gbit/s${nic.speed === undefined ? '' : ` of ${nic.speed / 1000}`} on ${nic.name || '?'} (MTU ${nic.mtu})`,
    ],
    [
      'packets',
      `${(stats.datagrams / facts.seconds).toFixed(0)}/s, packet size ${facts.packetSize?.packetSize ?? '?'}`,
    ],
    [
      'engine',
      `${facts.engine ?? 'none'}: ${(stats.datagrams / Math.max(stats.batches, 1)).toFixed(1)} packets per read, ${rate(facts.wakeUps)} wake-ups/s, ${rate(stats.rests / facts.seconds)} rests/s`,
    ],
    [
      'CPU',
      `${(cpu.perPacketNs / 1000).toFixed(2)} us per packet, ${cpu.perFrameUs.toFixed(1)} us per frame`,
    ],
    [
      '  of a core',
      `${percent(cpu.process)} (receive thread ${percent(cpu.receiveThread)}, JavaScript ${percent(cpu.mainThread)})`,
    ],
    ['frame interval', `${text(jitter.host)} (by arrival)`],
    ['', jitter.camera ? `${text(jitter.camera)} (by the camera's clock)` : `${none}`],
    ['', jitter.difference ? `${text(jitter.difference)} (difference of the two)` : ''],
    ['block spread', `${text(facts.spread)} (first packet to the last)`],
    ['to the program', `${text(facts.delivery)} (last packet to the loop)`],
    ['event loop late', text(facts.eventLoopDelay)],
    ['resend', resendText(facts)],
    ['camera', settingsText(camera)],
  ].filter(([, value]) => value !== '') as [string, string][]
}

function rate(value: number | undefined): string {
  return value === undefined ? '?' : value.toFixed(0)
}

function text({ count, p50, p99, max }: Distribution): string {
  if (count === 0) return 'none'
  const ms = (us: number) => (us / 1000).toFixed(3)
  return `p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)} ms`
}

function resendText({ stats, camera, spread, repairedSpread }: CameraBenchFacts): string {
  const able =
    camera.canResend === undefined ? 'not told whether it can' : camera.canResend ? 'it can' : 'it cannot'
  if (stats.resendRequests === 0) return `${able}; nothing was asked for`
  const later =
    repairedSpread.count > 0 && spread.count > 0 ? (repairedSpread.p50 - spread.p50) / 1000 : undefined
  return (
    `${able}; ${stats.packetsResent} of ${stats.resendRequested} came in ${stats.resendRequests} requests` +
    (later === undefined ? '' : `, a repaired frame is ${later.toFixed(2)} ms later (p50)`)
  )
}

function settingsText(camera: CameraBenchFacts['camera']): string {
  const parts = [
    camera.acquisitionFrameRate !== undefined && `${camera.acquisitionFrameRate} frames/s set`,
    camera.resultingFrameRate !== undefined && `${camera.resultingFrameRate.toFixed(2)} possible`,
    camera.exposureTimeUs !== undefined && `exposure ${camera.exposureTimeUs} us`,
    camera.throughputLimit !== undefined && `limit ${(camera.throughputLimit / 1e6).toFixed(0)} Mbit/s`,
    camera.packetDelayUs !== undefined &&
      camera.packetDelayUs > 0 &&
      `packet delay ${camera.packetDelayUs} us`,
    camera.triggerMode === 'On' && 'triggered',
    camera.linkSpeed !== undefined && `link ${camera.linkSpeed} Mbit/s`,
  ]
  return parts.filter((part) => part !== false).join(', ') || 'tells none of its limits'
}
