// `gigewire preflight --fix` and `--undo`: shows what would be run, asks, runs it, looks again.

import { applyFix, planFix, planUndo, undoFix } from '../preflight/fix.js'
import type { PreflightReport } from '../preflight/report.js'
import { type KeptRecord, readUndo } from '../preflight/undo-record.js'
import type { Output } from './output.js'
import { agreedTo, agreedToLines, type Consent } from './preflight-consent.js'
import { preflightLines } from './preflight-report.js'
import { printable } from './table.js'

/** Gives the report after the fix; undefined: nothing was done. */
export async function fix(
  report: PreflightReport,
  again: () => Promise<PreflightReport>,
  consent: Consent,
): Promise<PreflightReport | undefined> {
  const { output } = consent
  const commands = planFix(report)
  if (commands.length === 0) {
    output.note('\nNothing here is mended by a command.')
    return undefined
  }
  if (!(await agreedTo(commands, report, consent))) return undefined
  const file = await applyFix(commands, report)
  output.note(`Done; gigewire preflight --undo takes it back (${file}). Looking again:\n`)
  const after = await again()
  for (const line of preflightLines(after, output.style)) output.line(line)
  if (after.findings[0]?.code === report.findings[0]?.code)
    output.warn('It made no difference: take it back, the cause is elsewhere.', 'gigewire preflight --undo')
  return after
}

/** Of this camera, or of all. What is run as an administrator was read from a file: it is shown first. */
export async function undo(camera: string | undefined, consent: Consent): Promise<void> {
  const { output } = consent
  const records = await planUndo(camera)
  const lines = records.flatMap(({ undo, shell }) => undo.map((command) => ({ shell, command })))
  const agreed = lines.length > 0 && (await agreedToLines(lines, consent))
  if (agreed || lines.length === 0) await undoFix(records)
  if (lines.length === 0) output.line('There is nothing to take back.')
  else if (agreed) for (const { command } of lines) output.line(`taken back: ${printable(command)}`)
  output.object({ undone: agreed ? lines.map(({ command }) => command) : [] })
}

/** Of an earlier run: said before anything else is looked at. */
export async function tellEarlier(output: Output): Promise<void> {
  const records = await readUndo().catch((error: Error) => {
    output.warn(printable(error.message))
    return [] as KeptRecord[]
  })
  for (const { at, camera, state } of records) {
    const what = `A change of ${printable(at.slice(0, 10))}${camera === undefined ? '' : ` for ${printable(camera)}`}`
    const how = state === 'applied' ? 'is in force' : 'was cut off, or could not be taken back'
    output.note(`${what} ${how}; gigewire preflight --undo takes it back.`)
  }
  if (records.length > 0) output.note('')
}
