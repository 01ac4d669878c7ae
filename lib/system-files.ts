// Small files of the system, read without waiting: what cannot be read is undefined, never an error.

import { readFileSync } from 'node:fs'

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/** A file that holds one number. */
export function readNumber(file: string): number | undefined {
  const text = readText(file)?.trim()
  return text === undefined || text === '' || !Number.isFinite(Number(text)) ? undefined : Number(text)
}
