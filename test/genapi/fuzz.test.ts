// A while of fuzzing, each time with a seed of its own, which a failure tells. In a process apart: an input that takes all memory or
// never ends must be seen as such. Runs on the built library.

import { spawn } from 'node:child_process'
import path from 'node:path'
import { expect, it } from 'vitest'

const RUNS = 300
const LIMIT = 120_000

function fuzz(...args: string[]): Promise<{ code: number | null; output: string }> {
  const loop = path.join(import.meta.dirname, 'fuzz-loop.mjs')
  const heap = ['--single-threaded-gc', '--max-old-space-size=512']
  const child = spawn(process.execPath, [...heap, loop, ...args], { timeout: LIMIT, killSignal: 'SIGKILL' })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

it(
  `${RUNS} inputs made to break the reader and the compiler end in a result or a typed error`,
  async () => {
    const seed = String(Math.floor(Math.random() * 1e9))
    const { code, output } = await fuzz('--seed', seed, '--runs', String(RUNS))
    expect(code, `--seed ${seed}\n${output}`).toBe(0)
  },
  LIMIT + 10_000,
)
