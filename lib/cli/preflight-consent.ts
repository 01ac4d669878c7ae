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
  consent: Consent,
): Promise<boolean> {
  const shell = facts.system === 'windows' ? 'powershell' : 'sh'
  return await agreedToLines(
    commands.map(({ command }) => ({ shell, command })),
    consent,
  )
}

export async function agreedToLines(
  lines: readonly Pick<RemedyCommand, 'shell' | 'command'>[],
  { yes, output }: Consent,
): Promise<boolean> {
  output.note('\nTo be run, as an administrator:')
  for (const { shell, command } of lines)
    output.note(`  ${printable(shell === 'sh' ? asRoot(command) : command)}`)
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
