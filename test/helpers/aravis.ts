// Aravis' fake camera as the tests start it, and its block ids.

import type { Namespace } from './netns.js'

const FIRST_ID = 65401 // it starts here, so that its 16-bit ids wrap early

/** Starts one on a NIC or address of the namespace, and waits until it can be asked. */
export async function fakeCamera(where: Namespace, device: string, serial: string): Promise<void> {
  where.spawn('arv-fake-gv-camera-0.8', ['-i', device, '-s', serial], { stdio: 'ignore' })
  await where.listening(3956)
}

/** Its first ids: from 65401 over 65535; 0 is never used. */
export function expectedIds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((FIRST_ID - 1 + i) % 65535) + 1)
}

/** Which of its blocks these are, counted from 0. */
export function sequenceOf(ids: number[]): number[] {
  return ids.map((id) => (id - FIRST_ID + 65535) % 65535)
}
