// This package as a receiver in the variants that are compared, by name.

import { validateStreamOptions } from '../stream-options.js'
import type { StreamOptions } from '../types.js'
import type { OwnReceiver } from './model.js'

/** Enough that a busy moment of JavaScript drops no frame: what is measured is receiving. */
const BUFFERS = 32
/** Small frames come in tens of thousands per second. */
const SMALL_FRAME_BUFFERS = 1024
const STALLS_MS = [50, 100, 500]

export const OWN = 'gigewire'
export const AT_ONCE = 'gigewire, no coalescing'
export const SMALL = 'gigewire, 1024 slots'
/** Each way of taking packets from the kernel, and what any careful receiver does: many per call, one copy, no waiting. */
export const MANNERS = ['copy', 'scatter', 'aggregate'] as const
export const manner = (name: string) => `gigewire, ${name}`
export const BASELINE = 'gigewire, copy, no coalescing'
export const stalled = (ms: number) => `gigewire, loop stalled ${ms} ms`

/** Engines that need a privilege and are no part of 'auto'; measured where this version has them. */
export const PRIVILEGED_ENGINES = ['packet-ring', 'xdp']
export const withEngine = (engine: string) => `gigewire, ${engine}`

function knows(engine: string): boolean {
  try {
    validateStreamOptions({ engine: engine as Engine }, 'control')
    return true
  } catch {
    return false
  }
}

export type Engine = NonNullable<StreamOptions['engine']>

export function ownReceivers(engine: Engine = 'auto'): Record<string, OwnReceiver> {
  const base: OwnReceiver['stream'] = { buffers: BUFFERS, engine }
  const privileged = PRIVILEGED_ENGINES.includes(engine)
  const list: OwnReceiver[] = [
    { kind: 'gigewire', name: OWN, stream: base, privileged },
    { kind: 'gigewire', name: AT_ONCE, stream: { ...base, coalesce: 0 } },
    { kind: 'gigewire', name: BASELINE, stream: { ...base, engine: 'copy', coalesce: 0 } },
    ...MANNERS.map(
      (engine): OwnReceiver => ({ kind: 'gigewire', name: manner(engine), stream: { ...base, engine } }),
    ),
    { kind: 'gigewire', name: SMALL, stream: { ...base, buffers: SMALL_FRAME_BUFFERS } },
    ...STALLS_MS.map(
      (stall): OwnReceiver => ({
        kind: 'gigewire',
        name: stalled(stall),
        stream: { ...base, buffers: 2 * BUFFERS },
        stall,
      }),
    ),
    ...PRIVILEGED_ENGINES.filter(knows).map(
      (special): OwnReceiver => ({
        kind: 'gigewire',
        name: withEngine(special),
        stream: { ...base, engine: special as Engine },
        privileged: true,
      }),
    ),
  ]
  return Object.fromEntries(list.map((one) => [one.name, one]))
}
