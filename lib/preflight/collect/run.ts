// Commands of the system that only tell something: by their full paths, with fixed arguments, bounded in time and output.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const MOST_OUTPUT = 16 << 20

export type Printed = { text: string } | { refused: string }

/** What it printed, or why it could not. */
export async function run(file: string, args: readonly string[], timeout = 2000): Promise<Printed> {
  try {
    const { stdout } = await promisify(execFile)(file, args, {
      timeout,
      maxBuffer: MOST_OUTPUT,
      windowsHide: true,
      env: { ...process.env, LC_ALL: 'C' },
    })
    return { text: stdout }
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string }
    return { refused: (stderr?.trim() || message).split('\n')[0]!.slice(0, 200) }
  }
}

export const textOf = (printed: Printed): string => ('text' in printed ? printed.text : '')
