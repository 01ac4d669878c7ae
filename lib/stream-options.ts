// Checks stream options before anything is touched: unknown names are most often misspelled ones.

import { isIPv4 } from 'node:net'
import { invalidArgument } from './errors.js'
import { isLinkEngine } from './link-engine.js'
import type { ResendOptions, StreamOptions } from './types.js'

const KNOWN: Record<keyof StreamOptions, true> = {
  buffers: true,
  packetSize: true,
  bufferHandling: true,
  incomplete: true,
  resend: true,
  receiveBufferBytes: true,
  engine: true,
  coalesce: true,
  streamPort: true,
  streamDestination: true,
  multicast: true,
  acquisition: true,
  frames: true,
  frameTimeout: true,
  signal: true,
}

const RESEND_LIMITS: Record<keyof ResendOptions, [low: number, high: number]> = {
  initialDelay: [0, 60_000],
  responseTimeout: [0.1, 60_000],
  timeout: [0, 60_000],
  maxTries: [1, 1000],
  budgetPercent: [0, 1000],
}

function known(what: string, names: object, given: object): void {
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(names, name)) continue
    const near = Object.keys(names).find((known) => known.toLowerCase() === name.toLowerCase())
    throw invalidArgument(`Unknown ${what} option '${name}'`, near ? `Did you mean '${near}'?` : '')
  }
}

function whole(name: string, value: unknown, low: number, high: number): void {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isInteger(value) || value < low || value > high) {
    throw invalidArgument(`${name} must be a whole number from ${low} to ${high}, not ${text(value)}`)
  }
}

function range(name: string, value: unknown, low: number, high: number): void {
  if (value === undefined || (typeof value === 'number' && value >= low && value <= high)) return
  throw invalidArgument(`${name} must be a number from ${low} to ${high}, not ${text(value)}`)
}

function oneOf(name: string, value: unknown, choices: readonly unknown[]): void {
  if (value === undefined || choices.includes(value)) return
  throw invalidArgument(
    `${name} must be one of ${choices.map((c) => `'${text(c)}'`).join(', ')}, not ${text(value)}`,
  )
}

function isMulticast(address: string): boolean {
  const first = Number(address.split('.')[0])
  return first >= 224 && first <= 239
}

/** For messages: whatever it is. */
function text(value: unknown): string {
  try {
    return typeof value === 'object' ? (JSON.stringify(value) ?? typeof value) : String(value)
  } catch {
    return typeof value
  }
}

function address(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && isIPv4(value))) return
  throw invalidArgument(`${name} must be an IPv4 address, not ${text(value)}`)
}

function resend(value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  if (typeof value !== 'object' || value === null) {
    throw invalidArgument(`resend must be true, false or an object, not ${text(value)}`)
  }
  known('resend', RESEND_LIMITS, value)
  for (const [name, [low, high]] of Object.entries(RESEND_LIMITS)) {
    const given = (value as Record<string, unknown>)[name]
    range(`resend.${name}`, given, low, high)
  }
}

export function validateStreamOptions(
  options: StreamOptions,
  access: 'control' | 'exclusive' | 'monitor',
): StreamOptions {
  if (typeof options !== 'object' || options === null)
    throw invalidArgument('Stream options must be an object')
  known('stream', KNOWN, options)
  whole('buffers', options.buffers, 1, 4096)
  whole('frames', options.frames, 1, Number.MAX_SAFE_INTEGER)
  whole('receiveBufferBytes', options.receiveBufferBytes, 4096, 0x7fffffff)
  whole('frameTimeout', options.frameTimeout, 1, 1e9)
  if (options.packetSize !== 'auto') whole('packetSize', options.packetSize, 46, 65535)
  oneOf('bufferHandling', options.bufferHandling, ['OldestFirst', 'OldestFirstOverwrite', 'NewestOnly'])
  oneOf('engine', options.engine, ['auto', 'copy', 'scatter', 'aggregate', 'packet-ring', 'xdp'])
  if (isLinkEngine(options.engine) && process.platform !== 'linux') {
    throw invalidArgument(`engine '${options.engine}' is there on Linux only`, "Use engine: 'auto'.")
  }
  range('coalesce', options.coalesce, 0, 10)
  oneOf('incomplete', options.incomplete, ['drop', 'deliver'])
  oneOf('acquisition', options.acquisition, ['auto', 'manual'])
  const ports = Array.isArray(options.streamPort) ? options.streamPort : [options.streamPort]
  for (const port of ports) whole('streamPort', port, 1, 65535)
  if (Array.isArray(options.streamPort) && (ports.length !== 2 || ports[0]! > ports[1]!)) {
    throw invalidArgument('streamPort must be a port or [lowest, highest]')
  }
  resend(options.resend)
  address('streamDestination', options.streamDestination)
  address('multicast', options.multicast)
  // Not instanceof: it may come from another realm.
  if (options.signal !== undefined && typeof options.signal?.addEventListener !== 'function') {
    throw invalidArgument('signal must be an AbortSignal')
  }
  if (options.multicast !== undefined && !isMulticast(options.multicast)) {
    throw invalidArgument(
      `multicast must be an address from 224.0.0.0 to 239.255.255.255, not ${options.multicast}`,
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
