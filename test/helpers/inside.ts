// Runs a piece of a test in a process of its own, in a network namespace or not. The function travels as text: it may use what is
// imported inside it, its argument, and tools.mjs; what it returns comes back as JSON (bigint as string with an n).

import { spawn } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Namespace } from './netns.js'
import { withoutPrivileges } from './user-namespace.js'

/** The package that the children of the tests load: this one as built, or a copy with another binary (see lifetime/asan.test.ts). */
export const packageRoot =
  process.env.GIGEWIRE_TEST_PACKAGE ?? fileURLToPath(new URL('../..', import.meta.url))
export const packageEntry = path.join(packageRoot, 'dist/index.js')
const toolsEntry = fileURLToPath(new URL('./tools.mjs', import.meta.url))

export type Tools = typeof import('./tools.mjs')

export interface InsideResult<T> {
  code: number | null
  signal: NodeJS.Signals | null
  value: T
  stdout: string
  stderr: string
}

const MARK = '\u0001result:'

function script(body: string, argument: unknown): string {
  return [
    `import * as gigewire from ${JSON.stringify(packageEntry)}`,
    `import * as tools from ${JSON.stringify(toolsEntry)}`,
    'const __vite_ssr_dynamic_import__ = (name) => import(name)', // what vitest makes of import()
    `const body = ${body}`,
    `const value = await body(gigewire, ${JSON.stringify(argument ?? null)}, tools)`,
    `process.stdout.write(${JSON.stringify(MARK)} + JSON.stringify(value ?? null, (_, v) => typeof v === 'bigint' ? v + 'n' : v) + '\\n')`,
  ].join('\n')
}

/** Runs body(gigewire, argument, tools) in a new Node process and gives its result, whatever the exit code. */
export async function inside<T, A = unknown>(
  namespace: Namespace | undefined,
  body: (gigewire: typeof import('../../lib/index.js'), argument: A, tools: Tools) => Promise<T> | T,
  argument?: A,
  options: { nodeArgs?: string[]; env?: NodeJS.ProcessEnv; timeout?: number; unprivileged?: boolean } = {},
): Promise<InsideResult<T>> {
  const node = [
    process.execPath,
    ...(options.nodeArgs ?? []),
    '--input-type=module',
    '-e',
    script(body.toString(), argument),
  ]
  const whole = [...(options.unprivileged ? withoutPrivileges() : []), ...node]
  const [command, args] = namespace
    ? namespace.command(whole[0]!, whole.slice(1))
    : ([whole[0]!, whole.slice(1)] as const)
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...options.env } })
    const limit = setTimeout(() => child.kill('SIGKILL'), options.timeout ?? 60_000)
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      const at = stdout.lastIndexOf(MARK)
      const value = at < 0 ? undefined : JSON.parse(stdout.slice(at + MARK.length))
      resolve({ code, signal, value: value as T, stdout: at < 0 ? stdout : stdout.slice(0, at), stderr })
    })
  })
}

/** Like inside(), and fails with the child's stderr unless it ended well. */
export async function insideOk<T, A = unknown>(...args: Parameters<typeof inside<T, A>>): Promise<T> {
  const result = await inside<T, A>(...args)
  if (result.code !== 0) {
    throw new Error(
      `child ended with code ${result.code}, signal ${result.signal}:\n${result.stderr}\n${result.stdout}`,
    )
  }
  return result.value
}
