// CPU time of this process and of its threads by name, as the kernel counts it (threads are told by Linux only), and the monotonic
// clock without bigints.

import { readdirSync, readFileSync } from 'node:fs'

export interface CpuTimes {
  processNs: number
  threads: Map<string, number>
  mainNs: number
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // the thread has ended, or this is not Linux
  }
}

export function processCpuNs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

export function cpuTimes(): CpuTimes {
  const times: CpuTimes = { processNs: processCpuNs(), threads: new Map(), mainNs: 0 }
  if (process.platform !== 'linux') return times
  for (const task of readdirSync('/proc/self/task')) {
    const name = read(`/proc/self/task/${task}/comm`).trim()
    const ns = Number(read(`/proc/self/task/${task}/schedstat`).split(' ')[0])
    if (name === '' || Number.isNaN(ns)) continue
    times.threads.set(name, (times.threads.get(name) ?? 0) + ns)
    if (Number(task) === process.pid) times.mainNs = ns
  }
  return times
}

/** CPU of the threads whose name begins so. */
export function threadNs(before: CpuTimes, after: CpuTimes, prefix: string): number {
  let sum = 0
  for (const [name, ns] of after.threads) {
    if (name.startsWith(prefix)) sum += ns - (before.threads.get(name) ?? 0)
  }
  return sum
}

/**
 * Nanoseconds to be added to performance.now() * 1e6, so that it is the host's monotonic clock. Between the two readings the thread may
 * be kept from running, which makes the difference too small: the largest of many is right.
 */
export function monotonicBase(): number {
  let base = 0
  for (let i = 0; i < 100; i++) {
    base = Math.max(base, Number(process.hrtime.bigint()) - performance.now() * 1e6)
  }
  return base
}
