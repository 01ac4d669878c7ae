// The other end of line-process.ts, for processes of the benchmark that are written in JavaScript: answers each line by the method
// that it names, until the input ends.

import type { Interface } from 'node:readline'

/** The sender spins, and may share its core with the camera's control: that is no reason to give the camera up. */
export const HEARTBEAT_MS = 30_000

export type Methods = {
  start(): Promise<object> | object
} & {
  // Each method knows its own arguments.
  // biome-ignore lint/suspicious/noExplicitAny: they come as JSON from our own harness
  [method: string]: (argument: any) => Promise<object> | object
}

export function reply(value: object): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

async function answer(work: () => Promise<object> | object): Promise<void> {
  try {
    reply(await work())
  } catch (error) {
    const { message, hint } = error as { message: string; hint?: string }
    reply({ error: { message, hint } })
  }
}

export async function serve(lines: Interface, methods: Methods): Promise<void> {
  await answer(() => methods.start())
  for await (const line of lines) {
    const message = JSON.parse(line) as { do: string }
    const method = methods[message.do]
    await answer(() => {
      if (!method) throw new Error(`nothing called '${message.do}'`)
      return method(message)
    })
  }
}
