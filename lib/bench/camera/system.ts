// What this machine counts beside the stream's own counters: the NIC, the kernel's receive path, the threads of this process. Linux
// tells it in /proc and /sys; elsewhere, and where a container hides it, the answer is undefined and the reason is listed.

import { readdirSync, realpathSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { readNumber, readText } from '../../system-files.js'
import { type CpuTimes, cpuTimes } from '../cpu.js'
import type { NicCounters } from './facts.js'

export interface SystemSnapshot {
  nic: NicCounters
  softnet: { dropped?: number; squeezed?: number }
  cpu: CpuTimes
  /** Times that the receive threads slept; undefined where threads are not told. */
  sleeps: number | undefined
}

/** Speed of the interface in Mbit/s; a reason where it has none that means anything. */
export function linkSpeed(name: string): { speed?: number; unknown?: string } {
  if (process.platform !== 'linux') return { unknown: 'link speed: only Linux tells it here' }
  const folder = ours(name)
  if (folder === undefined) return { unknown: `link speed: /sys does not show ${name || 'the interface'}` }
  const kind = /DEVTYPE=(\w+)/.exec(readText(path.join(folder, 'uevent')) ?? '')?.[1]
  if (realpathSync(folder).includes('/virtual/') && kind === undefined) {
    return { unknown: `link speed: ${name} is virtual and has none` }
  }
  const speed = readNumber(path.join(folder, 'speed'))
  return speed !== undefined && speed > 0 ? { speed } : { unknown: `link speed: ${name} does not tell it` }
}

/** The interface's folder, if it is that interface: /sys may show those of another network namespace. */
function ours(name: string): string | undefined {
  const folder = path.join('/sys/class/net', name)
  const mac = os.networkInterfaces()[name]?.[0]?.mac
  return name !== '' && mac !== undefined && readText(path.join(folder, 'address'))?.trim() === mac
    ? folder
    : undefined
}

export function snapshot(nic: string): SystemSnapshot {
  return { nic: nicCounters(nic), softnet: softnet(), cpu: cpuTimes(), sleeps: sleeps() }
}

function nicCounters(name: string): NicCounters {
  const folder = ours(name)
  if (folder === undefined) return {}
  const counters: NicCounters = {}
  for (const [key, file] of [
    ['dropped', 'rx_dropped'],
    ['missed', 'rx_missed_errors'],
    ['fifo', 'rx_fifo_errors'],
  ] as const) {
    const value = readNumber(path.join(folder, 'statistics', file))
    if (value !== undefined) counters[key] = value
  }
  return counters
}

/** A line for each core; second number dropped since its backlog was full, third: cut short since its time was up. */
function softnet(): { dropped?: number; squeezed?: number } {
  const rows = readText('/proc/net/softnet_stat')?.trim().split('\n')
  if (!rows || process.platform !== 'linux') return {}
  const sum = (column: number) =>
    rows.reduce((total, row) => total + (Number.parseInt(row.split(/\s+/)[column] ?? '0', 16) || 0), 0)
  return { dropped: sum(1), squeezed: sum(2) }
}

function sleeps(): number | undefined {
  if (process.platform !== 'linux') return undefined
  let sum: number | undefined
  for (const task of readdirSync('/proc/self/task')) {
    const folder = path.join('/proc/self/task', task)
    if (!readText(path.join(folder, 'comm'))?.startsWith('gw-rx')) continue
    const found = /^voluntary_ctxt_switches:\s*(\d+)/m.exec(readText(path.join(folder, 'status')) ?? '')
    sum = (sum ?? 0) + Number(found?.[1] ?? 0)
  }
  return sum
}

/** Each number of `after` less that of `before`, where both are known. */
export function difference<T extends object>(before: T, after: T): T {
  const entries = Object.entries(after).map(([name, value]) => {
    const earlier = (before as Record<string, unknown>)[name]
    return [name, typeof earlier === 'number' && typeof value === 'number' ? value - earlier : undefined]
  })
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as T
}
