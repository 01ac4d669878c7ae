// What a stream asks of the machine beyond a socket, and what became of each wish: never refused in silence. Purpose: which
// receive thread serves it, native outcomes as values for programs, and as sentences with the command that lifts a refusal.

import { constants } from 'node:os'
import type { NativeGrants, NativeStreamOptions } from '../binding.js'
import { expectedFrameRate } from './frame-rate.js'
import type { NodeMap } from './genapi/index.js'
import type { Grant, StreamGrants, StreamOptions, StreamTuning, StreamWarning } from './types.js'

const { errno } = constants
/** Headers in a packet's size: IP, UDP, GVSP. */
const HEADERS = 36

export interface ThreadChoice {
  sharedThread: boolean
  /** Foreseen; 0: unknown. */
  packetsPerSecond: number
}

/** Which receive thread, and how much it is to expect of the camera. */
export async function chooseThread(
  { threads }: StreamOptions,
  features: NodeMap,
  payloadBytes: number,
  packetSize: number,
): Promise<ThreadChoice> {
  if (threads !== 'shared') return { sharedThread: false, packetsPerSecond: 0 }
  const frames = (await expectedFrameRate(features)) ?? 0
  const packets = Math.ceil(payloadBytes / Math.max(packetSize - HEADERS, 1)) + 2
  return { sharedThread: true, packetsPerSecond: Math.min(Math.ceil(frames * packets), 1e9) }
}

/** Wishes to a receive thread that serves one stream. */
export function concernsThread({ busyPoll, priority, cpu }: StreamTuning): boolean {
  return busyPoll !== undefined || priority !== undefined || cpu !== undefined
}

/** The native side's words for the wishes. */
export function nativeTuning(
  { busyPoll, priority, cpu, hugePages }: StreamTuning,
  busyPollError: number,
): Partial<NativeStreamOptions> {
  return {
    // Refused, it would only burn time.
    ...(busyPoll !== undefined && busyPollError === 0 && { busyPoll }),
    ...(priority !== undefined && { priority }),
    ...(cpu !== undefined && { cpus: cpu }),
    ...(hugePages === true && { hugePages }),
  }
}

/** `receiveBuffer` and `busyPollError` come of the socket, the rest of the receiver. */
export function grantsOf(
  tuning: StreamTuning,
  receiveBuffer: StreamGrants['receiveBuffer'],
  busyPollError: number,
  native: NativeGrants,
): StreamGrants {
  return {
    threads: native.sharedThread ? 'shared' : 'own',
    receiveBuffer,
    ...(tuning.busyPoll !== undefined && { busyPoll: busyPoll(tuning.busyPoll, busyPollError) }),
    ...(tuning.priority !== undefined && { priority: priority(tuning.priority, native) }),
    ...(tuning.cpu !== undefined && { cpu: cpus(tuning.cpu, native) }),
    ...(tuning.hugePages === true && { hugePages: hugePages(native) }),
  }
}

/** One for each wish that was not granted in full, but for the queue, of which the stream warns in its own words. */
export function tuningWarnings(grants: StreamGrants): StreamWarning[] {
  const { busyPoll, priority, cpu, hugePages } = grants
  const named = { busyPoll, priority, cpu, hugePages }
  return Object.entries(named).flatMap(([name, grant]) =>
    grant?.reason === undefined
      ? []
      : [{ code: 'tuning' as const, message: `${name}: ${grant.reason}`, hint: grant.remedy ?? '' }],
  )
}

function errorName(code: number): string {
  return Object.entries(errno).find(([, value]) => value === code)?.[0] ?? `error ${code}`
}

function busyPoll(asked: number, error: number): Grant<number> {
  if (error === 0) return { asked, granted: asked }
  const refused = { asked, granted: undefined }
  if (error === errno.EPERM) {
    return {
      ...refused,
      reason: `polling the NIC for longer than net.core.busy_read says needs CAP_NET_ADMIN`,
      remedy: `sudo sysctl -w net.core.busy_read=${asked}`,
    }
  }
  return {
    ...refused,
    reason: `this system cannot poll the NIC from a socket (${errorName(error)})`,
    remedy: 'It takes Linux with CONFIG_NET_RX_BUSY_POLL.',
  }
}

function priority(asked: number, { priorityError, priorityLimit }: NativeGrants): Grant<number> {
  if (priorityError === 0) return { asked, granted: asked }
  const refused = { asked, granted: undefined }
  const { pid } = process
  if (priorityError !== errno.EPERM && priorityError !== errno.EACCES) {
    return { ...refused, reason: `this system sets no thread priorities (${errorName(priorityError)})` }
  }
  if (asked < 0) {
    const limit = 20 - asked
    return {
      ...refused,
      reason: `niceness ${asked} needs CAP_SYS_NICE or RLIMIT_NICE ${limit}; the limit is ${priorityLimit}`,
      remedy: `sudo prlimit --pid ${pid} --nice=${limit} (for good: 'nice' in /etc/security/limits.conf, or LimitNICE=${asked} of a systemd unit)`,
    }
  }
  if (priorityLimit >= asked) {
    return {
      ...refused,
      reason: 'the control group of this process has no real-time budget',
      remedy: 'Give its group one (cpu.rt_runtime_us), or boot a kernel without CONFIG_RT_GROUP_SCHED.',
    }
  }
  return {
    ...refused,
    reason: `real-time priority ${asked} needs CAP_SYS_NICE or RLIMIT_RTPRIO ${asked}; the limit is ${priorityLimit}`,
    remedy: `sudo prlimit --pid ${pid} --rtprio=${asked} (for good: 'rtprio' in /etc/security/limits.conf, or LimitRTPRIO=${asked} of a systemd unit)`,
  }
}

function cpus(asked: number[], { cpuError, cpus: granted }: NativeGrants): Grant<number[]> {
  const remedy = `taskset -pc ${process.pid} shows what it has; a container or a cpuset control group may hold it to these.`
  if (cpuError === errno.EINVAL) {
    const list = asked.join(', ')
    return { asked, granted: undefined, reason: `this process may not run on any of CPU ${list}`, remedy }
  }
  if (cpuError !== 0) {
    const reason = `this system binds no threads to CPUs (${errorName(cpuError)})`
    return { asked, granted: undefined, reason }
  }
  const without = asked.filter((cpu) => !granted.includes(cpu))
  if (without.length === 0) return { asked, granted }
  return { asked, granted, reason: `this process may not run on CPU ${without.join(', ')}`, remedy }
}

function hugePages({ hugeError, hugePossible, hugeGranted, hugeCounted }: NativeGrants): Grant<number> {
  const grant = { asked: hugePossible, granted: hugeCounted ? hugeGranted : undefined }
  if (hugeError === 0 && hugePossible > 0) return grant
  if (hugeError === 0) {
    return {
      ...grant,
      reason: 'the frames do not fill one huge page (2 MiB)',
      remedy: 'Nothing is gained here; leave hugePages out.',
    }
  }
  if (!hugeCounted) {
    return {
      ...grant,
      reason: 'the kernel was asked, but does not tell what it gave (MADV_COLLAPSE, Linux 6.1)',
      remedy: `grep AnonHugePages /proc/${process.pid}/smaps_rollup`,
    }
  }
  if (hugeError === errno.ENOTSUP || hugeError === errno.EINVAL) {
    return {
      ...grant,
      reason: `this system has no huge pages for memory like this (${errorName(hugeError)})`,
      remedy: 'It takes Linux with CONFIG_TRANSPARENT_HUGEPAGE.',
    }
  }
  return {
    ...grant,
    reason: `${grant.granted} of ${hugePossible} bytes are in huge pages: memory is short or in pieces (${errorName(hugeError)})`,
    remedy: 'echo 1 | sudo tee /proc/sys/vm/compact_memory, then start the stream anew',
  }
}
