// Applies the remedies of a report, and takes them back, with one elevation for all of them. Nothing is ever decided here: the caller has
// asked.

import { runElevated } from './elevated.js'
import type { PreflightReport, RemedyCommand } from './report.js'
import {
  beginUndo,
  forgetUndo,
  readUndo,
  shellOf,
  type UndoRecord,
  undoFile,
  writeUndo,
} from './undo-record.js'

/** What can be done about the findings of this machine by itself: commands that are known to be taken back. */
export function planFix({ findings, facts }: PreflightReport): RemedyCommand[] {
  const shell = shellOf(facts.system)
  const commands = findings
    .filter(({ severity }) => severity !== 'info')
    .flatMap(({ remedy }) => remedy?.commands ?? [])
    .filter((one) => one.shell === shell && one.elevated && one.undo !== undefined)
  return commands.filter((one, i) => commands.findIndex(({ command }) => command === one.command) === i)
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT where an earlier one was not taken back; ERR_GIGE_NETWORK where the system refused. */
export async function applyFix(
  commands: readonly RemedyCommand[],
  { facts }: PreflightReport,
  file = undoFile(),
): Promise<void> {
  const record = await beginUndo(commands, facts, file)
  await runElevated(
    commands.map(({ command }) => command),
    record.shell,
    true,
  )
  record.state = 'applied'
  await writeUndo(record, file)
}

/** Gives what was taken back; undefined: there was nothing. */
export async function undoFix(file = undoFile()): Promise<UndoRecord | undefined> {
  const record = await readUndo(file)
  if (!record) return undefined
  // Of a fix that was cut off, some commands have nothing to take back.
  await runElevated(record.undo, record.shell, record.state === 'applied')
  await forgetUndo(file)
  return record
}
