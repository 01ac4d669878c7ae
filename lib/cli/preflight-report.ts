// The report as people read it: the verdict first, what was seen, what to type; then the other findings, and what must pass.

import type { Finding, Layer, PreflightReport, RemedyCommand } from '../preflight/report.js'
import type { Styler } from './style.js'
import { printable } from './table.js'
import { wrap } from './wrap.js'

type Painter = Styler['paint']

const WIDTH = 96
const COLORS = { error: 'red', warning: 'yellow', info: 'green' } as const

export function preflightLines({ findings, facts, layers }: PreflightReport, style: Styler): string[] {
  const paint: Painter = (color, text) => style.paint(color, text)
  const [verdict, ...others] = findings
  const lines = [...findingLines(verdict!, paint), ...remedyLines(verdict!, paint)]
  for (const other of others) lines.push('', ...findingLines(other, paint), ...remedyLines(other, paint))
  if (layers.length > 0) lines.push('', ...wayLines(layers, paint))
  const unread = Object.entries(facts.unread)
  if (unread.length > 0) {
    lines.push('', paint('dim', `not read: ${unread.map(([what, why]) => `${what} (${why})`).join(', ')}`))
  }
  return lines
}

const MARKS = {
  passes: ['green', 'ok'],
  hinders: ['yellow', 'HINDERS'],
  stops: ['red', 'STOPS'],
  suspect: ['yellow', 'one of these?'],
  unknown: ['dim', '?'],
} as const

/** From the camera to the program, so that every place is named that could be looked at. */
function wayLines(layers: readonly Layer[], paint: Painter): string[] {
  const longest = Math.max(...layers.map(({ name }) => name.length))
  return layers.map(({ name, state }, i) => {
    const [color, mark] = MARKS[state]
    return `${i === 0 ? 'way     ' : '        '}${name.padEnd(longest)}  ${paint(color, mark)}`
  })
}

function findingLines({ severity, confidence, code, summary, evidence }: Finding, paint: Painter): string[] {
  const label = severity === 'info' ? (code === 'ok' ? 'OK' : 'NOTE') : severity.toUpperCase()
  const head = `${label.padEnd(8)}`
  return [
    ...wrap(printable(summary), WIDTH - head.length).map((line, i) =>
      i === 0
        ? `${paint(COLORS[severity], head)}${paint('bold', line)}`
        : `${' '.repeat(head.length)}${line}`,
    ),
    `        ${paint('dim', `(${code}, ${confidence})`)}`,
    ...evidence.flatMap((text) =>
      wrap(printable(text), WIDTH - 10).map((line, i) => `        ${i === 0 ? '- ' : '  '}${line}`),
    ),
  ]
}

function remedyLines({ remedy }: Finding, paint: Painter): string[] {
  if (!remedy) return []
  return [
    ...wrap(printable(remedy.text), WIDTH - 8).map(
      (line, i) => `${i === 0 ? paint('bold', 'to do   ') : '        '}${line}`,
    ),
    ...remedy.commands.flatMap((command) => commandLines(command, paint)),
    ...(remedy.alternatives ?? []).flatMap((command) => [
      `        ${paint('dim', `or, in ${command.shell === 'cmd' ? 'cmd.exe' : command.shell}:`)}`,
      ...commandLines(command, paint),
    ]),
  ]
}

/** Never wrapped: a line is what is typed. */
function commandLines({ command, undo, elevated, shell }: RemedyCommand, paint: Painter): string[] {
  const as = elevated && shell === 'sh' ? asRoot : (text: string) => text
  return [
    `        ${paint('cyan', printable(as(command)))}`,
    ...(undo === undefined ? [] : [`        ${paint('dim', printable(`undo: ${as(undo)}`))}`]),
  ]
}

/** Commands of one word after the other are run by sudo as they are; pipes need a shell that is. */
export function asRoot(command: string): string {
  return /[|&;<>]/.test(command) ? `sudo sh -c '${command.replaceAll("'", `'\\''`)}'` : `sudo ${command}`
}
