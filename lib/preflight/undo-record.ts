// How what was changed on this machine is taken back: written down before anything is changed, so that a run that is cut off can be taken
// back as well. One file for each camera, so that a fix for another one is not in the way. It is run as root later on: what somebody else could
// have written is refused, and a file is there whole or not at all.

import { constants } from 'node:fs'
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
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

/** A record, and where it is. */
export interface KeptRecord extends UndoRecord {
  file: string
}

export function undoFolder(): string {
  const home = os.homedir()
  const folder =
    process.platform === 'win32'
      ? (process.env.LOCALAPPDATA ?? path.join(home, 'AppData', 'Local'))
      : (process.env.XDG_STATE_HOME ?? path.join(home, '.local', 'state'))
  return path.join(folder, 'gigewire')
}

export const undoFile = (camera: string | undefined, folder = undoFolder()): string =>
  path.join(folder, `preflight-undo${camera === undefined ? '' : `-${camera}`}.json`)

/** What was not taken back yet, newest first; with a camera: what was done for that one. */
export async function readUndo(camera?: string, folder = undoFolder()): Promise<KeptRecord[]> {
  const names = await readdir(folder).catch(unlessMissing<string[]>([]))
  const records: KeptRecord[] = []
  for (const name of names.filter((one) => /^preflight-undo[\w.-]*\.json$/.test(one))) {
    const record = await readRecord(path.join(folder, name))
    if (record && (camera === undefined || record.camera === camera)) records.push(record)
  }
  return records.sort((a, b) => b.at.localeCompare(a.at))
}

function unlessMissing<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code === 'ENOENT') return instead
    throw error
  }
}

async function readRecord(file: string): Promise<KeptRecord | undefined> {
  // Asked of the file that is read, not of its name; a link leads to a file of somebody else's choice.
  const opened = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error.code === 'ELOOP' ? refused(file, 'it is a link') : error
    },
  )
  if (!opened) return undefined
  try {
    const { uid, mode } = await opened.stat()
    const own = process.geteuid?.() // Windows keeps the folder for the user alone
    if (own !== undefined && uid !== own) throw refused(file, 'it belongs to somebody else')
    if (own !== undefined && (mode & 0o022) !== 0)
      throw refused(file, 'others than its owner may write to it')
    return { ...parse(file, await opened.readFile('utf8')), file }
  } finally {
    await opened.close()
  }
}

const refused = (file: string, why: string) =>
  new GigeError('ERR_GIGE_INVALID_ARGUMENT', `${file} is not run as an administrator: ${why}`, {
    hint: 'Look into it: what is right can be typed by hand. Then delete it. (--undo is for the user who ran --fix.)',
  })

function parse(file: string, text: string): UndoRecord {
  const record = fromJson(text)
  const lines: unknown = record?.undo
  const whole =
    record?.version === 1 &&
    typeof record.at === 'string' &&
    (record.shell === 'sh' || record.shell === 'powershell') &&
    Array.isArray(lines) &&
    lines.every((line) => typeof line === 'string')
  if (whole) return record as UndoRecord
  throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', `${file} is no undo record of preflight`, {
    hint: 'Look into it, and delete it when nothing in it is to be taken back.',
  })
}

function fromJson(text: string): Partial<UndoRecord> | null {
  try {
    return JSON.parse(text) as Partial<UndoRecord> | null
  } catch {
    return null
  }
}

export const shellOf = (system: Facts['system']): Shell => (system === 'windows' ? 'powershell' : 'sh')

/** Of what is about to be run. Throws ERR_GIGE_INVALID_ARGUMENT where an earlier one for this camera was not taken back. */
export async function beginUndo(
  commands: readonly RemedyCommand[],
  { camera, system }: Facts,
  folder: string,
): Promise<KeptRecord> {
  const [newest] = await readUndo(undefined, folder)
  // Later than all others, even where the clock was set back: the order is that in which they are taken back.
  const at = Math.max(Date.now(), newest ? Date.parse(newest.at) + 1 || 0 : 0)
  const record: KeptRecord = {
    version: 1,
    at: new Date(at).toISOString(),
    ...(camera && { camera: camera.address }),
    state: 'applying',
    undo: commands.map(({ undo }) => undo!).reverse(),
    shell: shellOf(system),
    file: undoFile(camera?.address, folder),
  }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const written = await writeBeside(record)
  try {
    await link(written, record.file) // unlike a rename it fails where one is there: of two at once one is second
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const whom = camera ? ` for ${camera.address}` : ''
    throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', `An earlier fix${whom} was not taken back yet`, {
      hint: `Take it back first: gigewire preflight${camera ? ` ${camera.address}` : ''} --undo`,
    })
  } finally {
    await rm(written)
  }
  await sync(folder)
  return record
}

/** In the place of what was written before: at no moment is there none, or half of one. */
export async function writeUndo(record: KeptRecord): Promise<void> {
  await rename(await writeBeside(record), record.file)
  await sync(path.dirname(record.file))
}

export async function forgetUndo({ file }: KeptRecord): Promise<void> {
  await rm(file)
}

async function writeBeside({ file, ...record }: KeptRecord): Promise<string> {
  const beside = `${file}.${process.pid}.${Date.now()}.new`
  const written = await open(beside, 'wx', 0o600)
  try {
    await written.writeFile(`${JSON.stringify(record, null, 2)}\n`)
    await written.sync()
  } finally {
    await written.close()
  }
  return beside
}

/** A name is on the disk when its folder is. Windows syncs no folders. */
async function sync(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const opened = await open(folder, constants.O_RDONLY)
  try {
    await opened.sync()
  } finally {
    await opened.close()
  }
}
