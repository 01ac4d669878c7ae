// A simulated camera in a process of its own, in another network namespace than the program under test: real interfaces lie
// between them.

import { spawn } from 'node:child_process'
import type { Simulator, SimulatorOptions, SimulatorStats } from '../../lib/index.js'
import { packageEntry } from './inside.js'
import type { Namespace } from './netns.js'

const SCRIPT = `
import { startSimulator } from ${JSON.stringify(packageEntry)}
let simulator
process.on('message', async ({ id, method, args }) => {
  try {
    if (method === 'start') simulator = await startSimulator(...args)
    const value = method === 'start' ? undefined : await simulator[method](...args)
    process.send({ id, value })
  } catch (error) {
    process.send({ id, error: error.message })
  }
})
process.on('disconnect', () => process.exit())
`

export interface RemoteSimulator {
  stats(): Promise<SimulatorStats & Record<string, number>>
  call(
    method: 'setFaults' | 'crash' | 'reboot' | 'stallControl' | 'loseControl' | 'trigger',
    ...args: unknown[]
  ): Promise<void>
  stop(): Promise<void>
}

type Method = keyof Simulator | 'start'

/** Beside the camera that is returned the process may hold `others`, which are there as long as it is; `cpus` are those that it may use. */
export async function remoteSimulator(
  where: Namespace,
  options: SimulatorOptions,
  others: SimulatorOptions[] = [],
  cpus?: string,
): Promise<RemoteSimulator> {
  const node: [string, string[]] = [process.execPath, ['--input-type=module', '-e', SCRIPT]]
  const [file, args] = cpus === undefined ? node : ['taskset', ['-c', cpus, node[0], ...node[1]]]
  const child = spawn(...where.command(file, args), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  where.adopt(child)
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let next = 0
  child.on('message', ({ id, value, error }: { id: number; value: unknown; error?: string }) => {
    if (error === undefined) waiting.get(id)?.resolve(value)
    else waiting.get(id)?.reject(new Error(`simulator: ${error}`))
    waiting.delete(id)
  })
  child.on('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the process of the simulator has ended'))
  })
  const call = (method: Method, ...args: unknown[]) =>
    new Promise<unknown>((resolve, reject) => {
      waiting.set(next, { resolve, reject })
      child.send({ id: next++, method, args })
    })
  for (const each of [...others, options]) await call('start', each)
  return {
    stats: async () => (await call('stats')) as SimulatorStats & Record<string, number>,
    call: async (method, ...args) => void (await call(method, ...args)),
    stop: async () => {
      await call('stop')
      child.disconnect()
    },
  }
}
