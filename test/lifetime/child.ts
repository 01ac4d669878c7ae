// What the lifetime tests hand to their child processes (see ../helpers/inside.ts).

import { fileURLToPath } from 'node:url'
import { inside, packageEntry } from '../helpers/inside.js'

/** Paths that a body, which travels as text, cannot know by itself. */
export const paths = {
  entry: packageEntry,
  memory: fileURLToPath(new URL('./memory.mjs', import.meta.url)),
  reader: fileURLToPath(new URL('./attached-reader.mjs', import.meta.url)),
}
export type Paths = typeof paths

type Body<T, A> = Parameters<typeof inside<T, A & Paths>>[1]

/** Runs body in a process of its own and gives what it returns; fails unless the process ended well and was silent. */
export async function run<T, A extends object>(
  namespace: Parameters<typeof inside>[0],
  body: Body<T, A>,
  argument: A,
  options?: Parameters<typeof inside>[3],
): Promise<T> {
  const result = await inside<T, A & Paths>(namespace, body, { ...argument, ...paths }, options)
  if (result.code !== 0 || result.signal !== null || result.stderr !== '') {
    throw new Error(`child: code ${result.code}, signal ${result.signal}\n${result.stderr}\n${result.stdout}`)
  }
  return result.value
}
