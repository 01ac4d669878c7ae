// `gigewire preflight --fix` and `--undo`: shows what would be run, asks, runs it, looks again.

import { applyFix, planFix, undoFix } from '../preflight/fix.js'
import type { PreflightReport } from '../preflight/report.js'
import { readUndo, undoFile } from '../preflight/undo-record.js'
import type { Output } from './output.js'
import { agreedTo } from './preflight-consent.js'
import { preflightLines } from './preflight-report.js'
import { printable } from './table.js'

/** Gives the report after the fix; undefined: nothing was done. */
export async function fix(
  report: PreflightReport,
  again: () => Promise<PreflightReport>,
  { yes, output }: { yes: boolean; output: Output },
): Promise<PreflightReport | undefined> {
  const commands = planFix(report)
  if (commands.length === 0) {
    output.note('\nNothing here is mended by a command.')
    return undefined
  }
  if (!(await agreedTo(commands, report, { yes, output }))) return undefined
  await applyFix(commands, report)
  output.note(`Done; gigewire preflight --undo takes it back (${undoFile()}). Looking again:\n`)
  const after = await again()
  for (const line of preflightLines(after, output.style)) output.line(line)
  if (after.findings[0]?.code === report.findings[0]?.code)
    output.warn('It made no difference: take it back, the cause is elsewhere.', 'gigewire preflight --undo')
  return after
}

export async function undo(output: Output): Promise<void> {
  const record = await undoFix()
  if (!record) output.line('There is nothing to take back.')
  else for (const command of record.undo) output.line(`taken back: ${printable(command)}`)
  output.object({ undone: record?.undo ?? [] })
}

/** Of an earlier run: said before anything else is looked at. */
export async function tellEarlier(output: Output): Promise<void> {
  const record = await readUndo().catch(() => undefined)
  if (!record) return
  const how = record.state === 'applied' ? 'is in force' : 'was cut off'
  output.note(`A fix of ${record.at.slice(0, 10)} ${how}; gigewire preflight --undo takes it back.\n`)
}
