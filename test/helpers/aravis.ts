// Aravis' fake camera as the tests start it, and its block ids.

import type { ChildProcess } from 'node:child_process'
import { isIPv4 } from 'node:net'
import type { Namespace } from './netns.js'

const FIRST_ID = 65401 // it starts here, so that its 16-bit ids wrap early

/** Starts one on a NIC or address of the namespace, and waits until it can be asked. Description: of its own, by file name. */
export async function fakeCamera(
  where: Namespace,
  device: string,
  serial: string,
  description?: string,
): Promise<ChildProcess> {
  const args = ['-i', device, '-s', serial, ...(description === undefined ? [] : ['-g', description])]
  const camera = where.spawn('arv-fake-gv-camera-0.8', args, { stdio: 'ignore' })
  await where.listening(3956, isIPv4(device) ? device : undefined)
  return camera
}

/** Its first ids: from 65401 over 65535; 0 is never used. */
export function expectedIds(count: number): number[] {
  return Array.from({ length: count }, (_, i) => ((FIRST_ID - 1 + i) % 65535) + 1)
}

/** Which of its blocks these are, counted from 0. */
export function sequenceOf(ids: number[]): number[] {
  return ids.map((id) => (id - FIRST_ID + 65535) % 65535)
}
