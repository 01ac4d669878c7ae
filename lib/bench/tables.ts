// What was measured, as tables: the same for the terminal and for docs/performance.md.

import type { HighestRate, Measured, Run, Section, SectionResult } from './model.js'
import {
  coreShare,
  latencyOver,
  machineNsPerPacket,
  mainNsPerFrame,
  msPerGigabyte,
  othersNsPerPacket,
  over,
  processNsPerPacket,
  threadNsPerPacket,
} from './series.js'
import type { Spread } from './statistics.js'

export interface Table {
  title: string
  about: string
  columns: string[]
  rows: string[][]
}

const sum = (measured: Measured, value: (run: Run) => number) =>
  measured.runs.reduce((total, run) => total + value(run), 0)

/** A rate counts as held when the sender sent so much of it. */
const HELD = 0.95

function three(value: number): string {
  if (!Number.isFinite(value)) return '\u2013'
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)))
}

function ranged({ median, min, max }: Spread): string {
  if (!Number.isFinite(median)) return '\u2013'
  return `${three(median)} (${three(min)}\u2013${three(max)})`
}

function lost(measured: Measured): string {
  const packets = sum(measured, (run) => run.lost)
  const frames = sum(measured, (run) => run.framesLost)
  if (packets === 0 && frames === 0) return '0'
  const share = (100 * packets) / (packets + sum(measured, (run) => run.packets))
  return `${packets} packets (${three(share)} %), ${frames} frames`
}

function cpuRow(measured: Measured): string[] {
  const asked = measured.load.gigabits
  const sent = over(measured, (run) => run.sent).median
  const short = asked !== undefined && sent < asked * HELD
  return [
    measured.load.name,
    measured.receiver,
    `${three(sent)}${short ? ' (sender\u2019s limit)' : ''}`,
    ranged(over(measured, processNsPerPacket)),
    ranged(over(measured, threadNsPerPacket)),
    ranged(over(measured, msPerGigabyte)),
    measured.runs.at(-1)?.engine || '\u2013',
    lost(measured),
  ]
}
const CPU_COLUMNS = [
  'Load',
  'Receiver',
  'Gbit/s sent',
  'ns per packet',
  'of it receive thread',
  'ms per GB',
  'Manner',
  'Lost',
]

/** What a packet costs by who works for it, since frames of different size differ in that alone. */
function sizeRow(measured: Measured): string[] {
  return [
    measured.load.name,
    three(over(measured, (run) => run.sent).median),
    ranged(over(measured, processNsPerPacket)),
    ranged(over(measured, threadNsPerPacket)),
    ranged(over(measured, (run) => run.packetsPerRead ?? Number.NaN)),
    ranged(over(measured, (run) => mainNsPerFrame(run) / 1000)),
    ranged(over(measured, (run) => run.packets / run.frames)),
    ranged(over(measured, othersNsPerPacket)),
    lost(measured),
  ]
}

function latencyRow(measured: Measured): string[] {
  return [
    measured.load.name,
    measured.receiver,
    ranged(latencyOver(measured, 'p50')),
    ranged(latencyOver(measured, 'completeP50')),
    ranged(latencyOver(measured, 'wokenP50')),
    ranged(latencyOver(measured, 'p99')),
    ranged(latencyOver(measured, 'p999')),
    lost(measured),
  ]
}

function smallRow(measured: Measured): string[] {
  return [
    measured.load.name,
    measured.receiver,
    ranged(over(measured, (run) => run.frames / run.seconds)),
    ranged(over(measured, (run) => 100 * coreShare(run))),
    ranged(over(measured, mainNsPerFrame)),
    ranged(latencyOver(measured, 'p50')),
    ranged(latencyOver(measured, 'p99')),
    lost(measured),
  ]
}

function lossRow(measured: Measured): string[] {
  return [
    measured.load.name,
    ranged(over(measured, processNsPerPacket)),
    String(sum(measured, (run) => run.packetsResent ?? 0)),
    lost(measured),
  ]
}

function ringRow(measured: Measured): string[] {
  return [
    measured.load.name,
    measured.receiver,
    ranged(over(measured, processNsPerPacket)),
    ranged(over(measured, machineNsPerPacket)),
    ranged(latencyOver(measured, 'p99')),
    lost(measured),
  ]
}

const LAYOUT: Record<string, { columns: string[]; row: (measured: Measured) => string[] }> = {
  cpu: { columns: CPU_COLUMNS, row: cpuRow },
  size: {
    columns: [
      'Load',
      'Gbit/s sent',
      'ns per packet',
      'of it receive thread',
      'packets per read',
      '\u00b5s of JavaScript per frame',
      'packets per frame',
      'ns of V8\u2019s own threads per packet',
      'Lost',
    ],
    row: sizeRow,
  },
  cameras: { columns: CPU_COLUMNS, row: cpuRow },
  aggregation: { columns: CPU_COLUMNS, row: cpuRow },
  manners: { columns: CPU_COLUMNS, row: cpuRow },
  latency: {
    columns: [
      'Load',
      'Receiver',
      'p50 \u00b5s',
      'of it until complete',
      'until JavaScript is woken',
      'p99 \u00b5s',
      'p99.9 \u00b5s',
      'Lost',
    ],
    row: latencyRow,
  },
  small: {
    columns: [
      'Load',
      'Receiver',
      'Frames per second',
      '% of a core',
      'ns of JavaScript per frame',
      'p50 \u00b5s',
      'p99 \u00b5s',
      'Lost',
    ],
    row: smallRow,
  },
  stall: {
    columns: ['Case', 'Frames received', 'Lost'],
    row: (measured) => [measured.receiver, String(sum(measured, (run) => run.frames)), lost(measured)],
  },
  rings: {
    columns: ['Load', 'Receiver', 'ns per packet', 'with the sender\u2019s', 'p99 \u00b5s', 'Lost'],
    row: ringRow,
  },
  loss: { columns: ['Load', 'ns per packet', 'Packets sent again', 'Lost for good'], row: lossRow },
}

function rateRows(rates: HighestRate[]): string[][] {
  return rates.map(({ load, receiver, gigabits, senderLimited }) => [
    load.name,
    receiver,
    gigabits === 0 ? 'loses at any' : `${senderLimited ? '\u2265 ' : ''}${three(gigabits)}`,
  ])
}

export function sectionTable(section: Section, result: SectionResult): Table {
  const { title, about } = section
  const layout = LAYOUT[section.id]
  if (!layout) return { title, about, columns: ['Load', 'Receiver', 'Gbit/s'], rows: rateRows(result.rates) }
  return { title, about, columns: layout.columns, rows: result.measured.map(layout.row) }
}

export function markdown({ columns, rows }: Table): string {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`
  return [line(columns), line(columns.map(() => '---')), ...rows.map(line)].join('\n')
}
