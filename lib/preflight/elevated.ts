// Commands run as an administrator, by the system's own way to become one: sudo, or the prompt of Windows.

import { spawn } from 'node:child_process'
import { GigeError } from '../errors.js'
import type { Shell } from './report.js'

/** The first that fails ends it, as an error. */
export async function runElevated(commands: readonly string[], shell: Shell): Promise<void> {
  const { code } = await run(
    shell === 'powershell'
      ? elevatedPowershell(commands, 'Stop')
      : rootShell(commands.map((command) => `{ ${command}; } >/dev/null || exit 1`).join('\n')),
  )
  if (code !== 0) {
    throw new GigeError('ERR_GIGE_NETWORK', `The system refused: the commands ended with code ${code}`, {
      hint: 'What was done of them is taken back by: gigewire preflight --undo',
    })
  }
}

/** Runs all of them, whatever becomes of each, and gives those that failed. */
export async function undoElevated(commands: readonly string[], shell: Shell): Promise<string[]> {
  if (shell === 'powershell') {
    const { code } = await run(elevatedPowershell(commands, 'Continue'))
    return code === 0 ? [] : [...commands] // which of them is not told
  }
  const { code, said } = await run(
    rootShell(
      [...commands.map((command, i) => `{ ${command}; } >/dev/null && echo done ${i}`), 'exit 0'].join('\n'),
    ),
  )
  const done = new Set(code === 0 ? said.split('\n') : [])
  return commands.filter((_, i) => !done.has(`done ${i}`))
}

async function run([file, args]: [string, string[]]): Promise<{ code: number | null; said: string }> {
  const child = spawn(file, args, { stdio: ['inherit', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).catch((error: Error) => {
    throw new GigeError('ERR_GIGE_NETWORK', `${file} could not be started: ${error.message}`, {
      hint: 'Run the printed commands as an administrator.',
      cause: error,
    })
  })
  return { code, said }
}

/** One prompt of Windows for all of them. Encoded, so that nothing in a command meets a second shell. */
function elevatedPowershell(commands: readonly string[], onError: 'Stop' | 'Continue'): [string, string[]] {
  const script = [`$ErrorActionPreference = '${onError}'`, ...commands].join('\n')
  const encoded = Buffer.from(script, 'utf16le').toString('base64')
  const start = `exit (Start-Process powershell.exe -Verb RunAs -Wait -PassThru -ArgumentList '-NoProfile','-NonInteractive','-EncodedCommand','${encoded}').ExitCode`
  return ['powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', start]]
}

/** How a script for sh is run as root. */
export function rootShell(script: string): [string, string[]] {
  return process.geteuid?.() === 0 ? ['sh', ['-c', script]] : ['sudo', ['sh', '-c', script]]
}
