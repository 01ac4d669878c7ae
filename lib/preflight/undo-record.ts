// How what was changed on this machine is taken back: written down before anything is changed, so that a run that is cut off can be taken
// back as well.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { GigeError } from '../errors.js'
import type { Facts } from './facts.js'
import type { RemedyCommand, Shell } from './report.js'

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

export const shellOf = (system: Facts['system']): Shell => (system === 'windows' ? 'powershell' : 'sh')

/** Of what is about to be run. Throws ERR_GIGE_INVALID_ARGUMENT where an earlier one was not taken back. */
export async function beginUndo(
  commands: readonly RemedyCommand[],
  { camera, system }: Facts,
  file: string,
): Promise<UndoRecord> {
  if (await readUndo(file)) {
    throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', 'An earlier fix was not taken back yet', {
      hint: 'Take it back first: gigewire preflight --undo',
    })
  }
  const record: UndoRecord = {
    version: 1,
    at: new Date().toISOString(),
    ...(camera && { camera: camera.address }),
    state: 'applying',
    undo: commands.map(({ undo }) => undo!).reverse(),
    shell: shellOf(system),
  }
  await mkdir(path.dirname(file), { recursive: true })
  await writeUndo(record, file)
  return record
}

export async function writeUndo(record: UndoRecord, file: string): Promise<void> {
  await writeFile(file, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
}

export async function forgetUndo(file: string): Promise<void> {
  await rm(file)
}
