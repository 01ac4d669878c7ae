// Runs the built command line as a user does: a process of its own, in a private network, without a terminal.

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Namespace } from '../helpers/netns.js'

export const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

export interface CliResult {
  code: number | null
  stdout: string
  stderr: string
}

const environment = { ...process.env, NO_COLOR: '', FORCE_COLOR: undefined }

/** A command that goes on until it is told to stop. */
export class RunningCli {
  stdout = ''
  stderr = ''
  private readonly ended: Promise<number | null>

  constructor(readonly child: ChildProcess) {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(child, 'close').then(([code]) => code as number | null)
  }

  /** Until stdout and stderr together hold the text; fails when the command ends first. */
  async shows(text: string | RegExp): Promise<void> {
    const holds = () => {
      const all = this.stdout + this.stderr
      return typeof text === 'string' ? all.includes(text) : text.test(all)
    }
    while (!holds()) {
      const data = [this.child.stdout, this.child.stderr].map((stream) => once(stream!, 'data'))
      const ended = await Promise.race([...data, this.ended.then(() => 'ended')])
      if (ended === 'ended' && !holds())
        throw new Error(`ended without ${text}:\n${this.stdout}${this.stderr}`)
    }
  }

  async end(signal?: NodeJS.Signals): Promise<CliResult> {
    if (signal) this.child.kill(signal)
    return { code: await this.ended, stdout: this.stdout, stderr: this.stderr }
  }
}

export function startCli(namespace: Namespace, args: string[], options: SpawnOptions = {}): RunningCli {
  return new RunningCli(namespace.spawn(process.execPath, [main, ...args], { env: environment, ...options }))
}

export async function cli(namespace: Namespace, ...args: string[]): Promise<CliResult> {
  return await startCli(namespace, args).end()
}

/** Like cli() with --json: the objects of stdout, one per line. Fails unless the command ended well. */
export async function cliJson<T = Record<string, unknown>>(
  namespace: Namespace,
  ...args: string[]
): Promise<T[]> {
  const result = await cli(namespace, ...args, '--json')
  if (result.code !== 0) throw new Error(`exit code ${result.code}:\n${result.stderr}${result.stdout}`)
  return lines(result.stdout) as T[]
}

export function lines(stdout: string): unknown[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown)
}

/** Without a network at all. */
export async function plainCli(args: string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [main, ...args], { env: { ...environment, ...env } })
  return await new RunningCli(child).end()
}
