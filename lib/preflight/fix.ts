// Applies the remedies of a report, and takes them back. Purpose: one elevation for all of them, and a record of how to undo it, written
// before anything is done, so that a run that is cut off can be taken back as well. Nothing is ever decided here: the caller has asked.

import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { GigeError } from '../errors.js'
import type { Facts } from './facts.js'
import type { PreflightReport, RemedyCommand, Shell } from './report.js'

export interface UndoRecord {
  version: 1
  at: string
  camera?: string
  /** 'applying' when a run was cut off. */
  state: 'applying' | 'applied'
  /** In the order in which they are to be run. */
  undo: string[]
  shell: Shell
}

const shellOf = (system: Facts['system']): Shell => (system === 'windows' ? 'powershell' : 'sh')

/** What can be done about the findings of this machine by itself: commands that are known to be taken back. */
export function planFix({ findings, facts }: PreflightReport): RemedyCommand[] {
  const shell = shellOf(facts.system)
  const commands = findings
    .filter(({ severity }) => severity !== 'info')
    .flatMap(({ remedy }) => remedy?.commands ?? [])
    .filter((one) => one.shell === shell && one.elevated && one.undo !== undefined)
  return commands.filter((one, i) => commands.findIndex(({ command }) => command === one.command) === i)
}

export function undoFile(): string {
  const home = os.homedir()
  const folder =
    process.platform === 'win32'
      ? (process.env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'))
      : (process.env.XDG_STATE_HOME ?? path.join(home, '.local', 'state'))
  return path.join(folder, 'gigewire', 'preflight-undo.json')
}

export async function readUndo(file = undoFile()): Promise<UndoRecord | undefined> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  const record = JSON.parse(text) as UndoRecord
  if (record.version !== 1 || !Array.isArray(record.undo)) {
    throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', `${file} is no undo record of preflight`, {
      hint: 'Look into it, and delete it when nothing in it is to be taken back.',
    })
  }
  return record
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT where an earlier one was not taken back; ERR_GIGE_NETWORK where the system refused. */
export async function applyFix(
  commands: readonly RemedyCommand[],
  { facts }: PreflightReport,
  file = undoFile(),
): Promise<void> {
  if (await readUndo(file)) {
    throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', 'An earlier fix was not taken back yet', {
      hint: 'Take it back first: gigewire preflight --undo',
    })
  }
  const record: UndoRecord = {
    version: 1,
    at: new Date().toISOString(),
    ...(facts.camera && { camera: facts.camera.address }),
    state: 'applying',
    undo: commands.map(({ undo }) => undo!).reverse(),
    shell: shellOf(facts.system),
  }
  await mkdir(path.dirname(file), { recursive: true })
  const write = () => writeFile(file, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await write()
  await runElevated(
    commands.map(({ command }) => command),
    record.shell,
    true,
  )
  record.state = 'applied'
  await write()
}

/** Gives what was taken back; undefined: there was nothing. */
export async function undoFix(file = undoFile()): Promise<UndoRecord | undefined> {
  const record = await readUndo(file)
  if (!record) return undefined
  // Of a fix that was cut off, some commands have nothing to take back.
  await runElevated(record.undo, record.shell, record.state === 'applied')
  await rm(file)
  return record
}

/** `strict`: the first that fails ends it, as an error. */
async function runElevated(commands: readonly string[], shell: Shell, strict: boolean): Promise<void> {
  const [file, args] =
    shell === 'powershell' ? elevatedPowershell(commands, strict) : elevatedSh(commands, strict)
  const child = spawn(file, args, { stdio: ['inherit', 'ignore', 'inherit'] })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: Error) => {
    throw new GigeError('ERR_GIGE_NETWORK', `${file} could not be started: ${error.message}`, {
      hint: 'Run the printed commands as an administrator.',
      cause: error,
    })
  })
  if (code !== 0 && strict) {
    throw new GigeError('ERR_GIGE_NETWORK', `The system refused: the commands ended with code ${code}`, {
      hint: 'What was done of them is taken back by: gigewire preflight --undo',
    })
  }
}

function elevatedSh(commands: readonly string[], strict: boolean): [string, string[]] {
  const script = [strict ? 'set -e' : 'set +e', ...commands].join('\n')
  return process.geteuid?.() === 0 ? ['sh', ['-c', script]] : ['sudo', ['sh', '-c', script]]
}

/** One prompt of Windows for all of them. Encoded, so that nothing in a command meets a second shell. */
function elevatedPowershell(commands: readonly string[], strict: boolean): [string, string[]] {
  const script = [`$ErrorActionPreference = '${strict ? 'Stop' : 'Continue'}'`, ...commands].join('\n')
  const encoded = Buffer.from(script, 'utf16le').toString('base64')
  const start = `exit (Start-Process powershell.exe -Verb RunAs -Wait -PassThru -ArgumentList '-NoProfile','-NonInteractive','-EncodedCommand','${encoded}').ExitCode`
  return ['powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', start]]
}
