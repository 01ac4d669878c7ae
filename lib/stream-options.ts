// Checks stream options before anything is touched.

import * as argument from './arguments.js'
import { invalidArgument } from './errors.js'
import { isLinkEngine } from './link-engine.js'
import { concernsThread } from './stream-tuning.js'
import type { ResendOptions, StreamOptions, StreamTuning } from './types.js'

const RESEND: argument.Rules<ResendOptions> = {
  initialDelay: argument.range(0, 60_000),
  responseTimeout: argument.range(0.1, 60_000),
  timeout: argument.range(0, 60_000),
  maxTries: argument.range(1, 1000),
  budgetPercent: argument.range(0, 1000),
}

const MOST_CPUS = 1024
const TUNING: argument.Rules<StreamTuning> = {
  busyPoll: argument.whole(1, 1000),
  priority: (name, value) => {
    argument.whole(-20, 99)(name, value)
    if (value === 0) throw invalidArgument(`${name} must be 1 to 99 (real time) or -20 to -1 (niceness)`)
  },
  cpu: (name, value) => {
    if (!Array.isArray(value) || value.length === 0)
      throw invalidArgument(`${name} must be a list of CPU numbers, not ${argument.text(value)}`)
    for (const cpu of value) argument.whole(0, MOST_CPUS - 1)(name, cpu)
  },
  hugePages: argument.flag,
}

export const STREAM: argument.Rules<StreamOptions> = {
  buffers: argument.whole(1, 4096),
  packetSize: (name, value) => {
    if (value !== 'auto') argument.whole(46, 65535)(name, value)
  },
  bufferHandling: argument.oneOf(['OldestFirst', 'OldestFirstOverwrite', 'NewestOnly']),
  incomplete: argument.oneOf(['drop', 'deliver']),
  resend: (_, value) => {
    if (typeof value === 'boolean') return
    if (typeof value !== 'object' || value === null)
      throw invalidArgument(`resend must be true, false or an object, not ${argument.text(value)}`)
    argument.checkOptions<ResendOptions>('resend', value, RESEND)
  },
  receiveBufferBytes: argument.whole(4096, 0x7fffffff),
  engine: (name, value) => {
    argument.oneOf(['auto', 'copy', 'scatter', 'aggregate', 'packet-ring', 'xdp', 'registered'])(name, value)
    if (isLinkEngine(value as string) && process.platform !== 'linux')
      throw invalidArgument(`engine '${value}' is there on Linux only`, "Use engine: 'auto'.")
  },
  coalesce: argument.range(0, 10),
  threads: argument.oneOf(['own', 'shared']),
  tuning: (_, value) => argument.checkOptions('tuning', value as StreamTuning, TUNING),
  streamPort: (name, value) => {
    if (!Array.isArray(value)) return argument.whole(1, 65535)(name, value)
    for (const port of value) argument.whole(1, 65535)(name, port)
    if (value.length !== 2 || value[0] > value[1])
      throw invalidArgument('streamPort must be a port or [lowest, highest]')
  },
  streamDestination: argument.address,
  multicast: (name, value) => {
    argument.address(name, value)
    const first = Number((value as string).split('.')[0])
    if (first >= 224 && first <= 239) return
    throw invalidArgument(`multicast must be an address from 224.0.0.0 to 239.255.255.255, not ${value}`)
  },
  chunks: (name, value) => {
    if (typeof value === 'boolean') return
    if (!Array.isArray(value) || value.some((chunk) => typeof chunk !== 'string'))
      throw invalidArgument(`${name} must be true, false or a list of names, not ${argument.text(value)}`)
  },
  acquisition: argument.oneOf(['auto', 'manual']),
  frames: argument.whole(1, Number.MAX_SAFE_INTEGER),
  frameTimeout: argument.whole(1, 1e9),
  firstFrameTimeout: argument.whole(0, 0x7fff_ffff),
  signal: argument.signal,
}

export function validateStreamOptions(
  options: StreamOptions,
  access: 'control' | 'exclusive' | 'monitor',
): StreamOptions {
  argument.checkOptions('stream', options, STREAM)
  if (options.threads === 'shared' && concernsThread(options.tuning ?? {})) {
    throw invalidArgument(
      'tuning.busyPoll, priority and cpu are for a receive thread that serves one stream',
      "Leave out threads: 'shared'.",
    )
  }
  if (isLinkEngine(options.engine) && options.tuning?.busyPoll !== undefined) {
    throw invalidArgument(
      `tuning.busyPoll is for engines that read the stream's socket, not for '${options.engine}'`,
    )
  }
  if (access === 'monitor' && options.chunks) {
    throw invalidArgument(
      'Without control chunk data cannot be switched on',
      'Leave `chunks` out: frame.chunks has what the controlling application switched on.',
    )
  }
  if (access === 'monitor' && options.multicast === undefined) {
    throw invalidArgument(
      'Without control a stream can only be listened to',
      'Give the multicast group that the controlling application sends to, or open the camera with control.',
    )
  }
  return { ...options }
}
