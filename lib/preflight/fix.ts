// Applies the remedies of a report, and takes them back, with one elevation for all of them. Nothing is ever decided here: the caller has
// asked.

import { GigeError } from '../errors.js'
import { runElevated, undoElevated } from './elevated.js'
import type { PreflightReport, RemedyCommand } from './report.js'
import {
  beginUndo,
  forgetUndo,
  type KeptRecord,
  readUndo,
  shellOf,
  undoFolder,
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

/**
 * Errors: ERR_GIGE_INVALID_ARGUMENT where an earlier one for this camera was not taken back; ERR_GIGE_NETWORK where the system refused.
 * Gives where it is written how it is taken back.
 */
export async function applyFix(
  commands: readonly RemedyCommand[],
  { facts }: PreflightReport,
  folder = undoFolder(),
): Promise<string> {
  const record = await beginUndo(commands, facts, folder)
  await runElevated(
    commands.map(({ command }) => command),
    record.shell,
  )
  record.state = 'applied'
  await writeUndo(record)
  return record.file
}

/** What there is to take back, newest first; the caller shows it before undoFix(). Errors: ERR_GIGE_INVALID_ARGUMENT. */
export async function planUndo(camera?: string, folder = undoFolder()): Promise<KeptRecord[]> {
  const all = await readUndo(undefined, folder)
  const records = all.filter((one) => camera === undefined || one.camera === camera)
  for (const record of records) {
    const newer = all
      .slice(0, all.indexOf(record))
      .find((one) => !records.includes(one) && sameSetting(one, record))
    if (!newer) continue
    throw new GigeError(
      'ERR_GIGE_INVALID_ARGUMENT',
      `A later fix${newer.camera === undefined ? '' : ` for ${newer.camera}`} has set the same: that one is taken back first`,
      { hint: 'gigewire preflight --undo takes back all, newest first.' },
    )
  }
  return records
}

/** Both put back a value, of the same thing: the older one has the value that was there before both. */
function sameSetting(a: KeptRecord, b: KeptRecord): boolean {
  const settings = ({ undo }: KeptRecord) =>
    undo.flatMap((line) =>
      line.startsWith('sysctl -w ')
        ? [...line.matchAll(/([\w./-]+)=/g)].map(([, name]) => name)
        : (/^ip link set \S+ \w+/.exec(line) ?? []),
    )
  const known = new Set(settings(b))
  return settings(a).some((one) => known.has(one))
}

/** Records of which something could not be taken back are kept. Errors: ERR_GIGE_NETWORK. */
export async function undoFix(records: readonly KeptRecord[]): Promise<void> {
  for (const record of records) {
    const left = await undoElevated(record.undo, record.shell)
    // Where PowerShell is told to delete what a run that was cut off had not made yet, it says that it could not.
    if (left.length > 0 && !(record.shell === 'powershell' && record.state === 'applying')) {
      throw new GigeError('ERR_GIGE_NETWORK', `Not everything was taken back: ${left.join('; ')}`, {
        hint: `What is to be taken back is still written in ${record.file}. See why it failed, above, and try again.`,
      })
    }
    await forgetUndo(record)
  }
}
