// Types of memory.mjs.

import type { StreamShare } from '../../lib/index.js'

export const FREE: 0
export const FILLING: 1
export const READY: 2
export const LEASED: 3
export function slotStates(share: StreamShare): number[]
export function framesWaiting(share: StreamShare): number
export declare function writeRingTail(
  share: { memory: SharedArrayBuffer; baseOffset: number },
  value: number,
): void
