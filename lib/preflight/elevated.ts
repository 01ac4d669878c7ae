// Commands run as an administrator, by the system's own way to become one: sudo, or the prompt of Windows.

import { spawn } from 'node:child_process'
import { GigeError } from '../errors.js'
import type { Shell } from './report.js'

/** `strict`: the first that fails ends it, as an error. */
export async function runElevated(commands: readonly string[], shell: Shell, strict: boolean): Promise<void> {
  const [file, args] =
    shell === 'powershell'
      ? elevatedPowershell(commands, strict)
      : rootShell([strict ? 'set -e' : 'set +e', ...commands].join('\n'))
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

/** One prompt of Windows for all of them. Encoded, so that nothing in a command meets a second shell. */
function elevatedPowershell(commands: readonly string[], strict: boolean): [string, string[]] {
  const script = [`$ErrorActionPreference = '${strict ? 'Stop' : 'Continue'}'`, ...commands].join('\n')
  const encoded = Buffer.from(script, 'utf16le').toString('base64')
  const start = `exit (Start-Process powershell.exe -Verb RunAs -Wait -PassThru -ArgumentList '-NoProfile','-NonInteractive','-EncodedCommand','${encoded}').ExitCode`
  return ['powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', start]]
}

/** How a script for sh is run as root. */
export function rootShell(script: string): [string, string[]] {
  return process.geteuid?.() === 0 ? ['sh', ['-c', script]] : ['sudo', ['sh', '-c', script]]
}
