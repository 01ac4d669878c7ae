// Builds C++ for tests with CMake, outside of what npm builds: each kind into a directory of its own, kept between runs.

import { execFile, spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { Namespace, netnsUnavailable } from '../helpers/netns.js'

export const root = fileURLToPath(new URL('../..', import.meta.url))

export interface Run {
  code: number
  output: string
}

/** Everything a command printed, and how it ended; never throws for a command that fails. */
export async function run(
  command: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Run> {
  return await new Promise((resolve) => {
    const child = execFile(
      command,
      args,
      { cwd: options.cwd ?? root, env: { ...process.env, ...options.env }, maxBuffer: 1 << 28 },
      (error, stdout, stderr) => {
        const output = `${stdout}${stderr}`
        resolve({
          code: error ? (child.exitCode ?? -1) : 0,
          output: error && !output ? String(error) : output,
        })
      },
    )
  })
}

/** Fails with what was printed. */
export async function runOk(...args: Parameters<typeof run>): Promise<string> {
  const { code, output } = await run(...args)
  if (code !== 0)
    throw new Error(`${args[0]} ${args[1].join(' ')} ended with code ${code}:\n${output.slice(-20_000)}`)
  return output
}

function has(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0
}

/** Configures and builds; gives the build directory. */
export async function cmakeBuild(name: string, definitions: string[]): Promise<string> {
  const directory = path.join(root, name)
  await runOk('cmake', [
    ...['-S', root, '-B', directory],
    ...(has('ninja') ? ['-G', 'Ninja'] : []),
    ...(has('ccache') ? ['-DCMAKE_CXX_COMPILER_LAUNCHER=ccache'] : []),
    ...definitions.map((definition) => `-D${definition}`),
  ])
  await runOk('cmake', ['--build', directory, '--parallel', '2'])
  return directory
}

/** In a network of its own where that can be made: tests of sockets then meet nobody else's packets. */
export async function runIsolated(
  command: string,
  args: string[],
  options: Parameters<typeof run>[2] = {},
): Promise<Run> {
  if (netnsUnavailable() !== undefined) return await run(command, args, options)
  using network = new Namespace()
  return await run(...network.command(command, args, options.cwd ?? root), options)
}
