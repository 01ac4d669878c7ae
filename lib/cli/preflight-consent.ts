// Shows what would be run as an administrator, and asks: nothing on this machine is changed without a yes.

import { createInterface } from 'node:readline/promises'
import { invalidArgument } from '../errors.js'
import type { PreflightReport, RemedyCommand } from '../preflight/report.js'
import type { Output } from './output.js'
import { asRoot } from './preflight-report.js'
import { printable } from './table.js'

export interface Consent {
  /** It was given on the command line. */
  yes: boolean
  output: Output
}

export async function agreedTo(
  commands: readonly RemedyCommand[],
  { facts }: PreflightReport,
  { yes, output }: Consent,
): Promise<boolean> {
  const as = facts.system === 'windows' ? (text: string) => text : asRoot
  output.note('\nTo be run, as an administrator:')
  for (const { command } of commands) output.note(`  ${printable(as(command))}`)
  if (yes || (await agreed())) return true
  output.note('Nothing was changed.')
  return false
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY)
    throw invalidArgument('Nobody is there to be asked whether this may be run', 'Say so in advance: --yes')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question('Run it? [y/N] ')).trim())
  } finally {
    terminal.close()
  }
}
