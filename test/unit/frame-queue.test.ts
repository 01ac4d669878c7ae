// What waits for frames always learns how it ends, and by which cause.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { FrameQueue } from '../../lib/frame-queue.js'
import { CONST, HEADER } from '../../lib/layout.js'
import { Region } from '../../lib/region.js'
import { type Fixture, makeRegion } from './region-fixture.js'

function queueOver(fixture: Fixture): FrameQueue {
  return new FrameQueue(new Region(fixture.memory, 0), 0n, { ref: () => {}, onLeak: () => {} })
}

function failSocket(fixture: Fixture): void {
  fixture.u32(HEADER.failErrno, 100)
  fixture.u32(HEADER.streamState, CONST.streamFailed)
}

describe('a queue of frames', () => {
  const failure = { code: 'ERR_GIGE_NETWORK', errno: 100 }

  it('rejects when the socket has failed, also before any knock has told so', async () => {
    const fixture = makeRegion()
    const queue = queueOver(fixture)
    fixture.push(1, { blockId: 7n })
    failSocket(fixture)
    const ready = await queue.next() // what is complete is handed out first
    expect(ready.done ? undefined : ready.value.blockId).toBe(7n)
    await expect(queue.next()).rejects.toMatchObject(failure)
    await expect(queue.next()).rejects.toMatchObject(failure)
  })

  it('rejects all who wait when the socket fails', async () => {
    const fixture = makeRegion()
    const queue = queueOver(fixture)
    const waiting = Promise.allSettled([queue.next(), queue.next()])
    failSocket(fixture)
    queue.wake()
    for (const outcome of await waiting)
      expect(outcome).toMatchObject({ status: 'rejected', reason: failure })
  })

  it('ends without an error when the stream has ended, and with the one that finish() was given', async () => {
    const ended = makeRegion()
    ended.u32(HEADER.streamState, CONST.streamEnded)
    expect(await queueOver(ended).next()).toEqual({ done: true, value: undefined })
    const queue = queueOver(makeRegion())
    const waiting = queue.next()
    queue.finish(new Error('lost'))
    await expect(waiting).rejects.toThrow('lost')
  })

  it('rejects who waits while another consumer writes nonsense', async () => {
    const fixture = makeRegion()
    const queue = queueOver(fixture)
    const waiting = queue.next()
    fixture.u32(HEADER.ringTail, 0x7fffffff)
    queue.wake()
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_GIGE_INVALID_ARGUMENT' })
    await expect(queue.next()).rejects.toMatchObject({ code: 'ERR_GIGE_INVALID_ARGUMENT' })
    queue.releaseReady()
  })

  it('notices a forgotten frame although one that was released before it, from the same slot, is kept', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const fixture = makeRegion()
    const leaks: bigint[] = []
    const hooks = { ref: () => {}, onLeak: (blockId: bigint) => leaks.push(blockId) }
    const queue = new FrameQueue(new Region(fixture.memory, 0), 0n, hooks)
    fixture.push(1, { blockId: 7n })
    const kept = queue.takeReady()
    kept?.release()
    fixture.push(1, { blockId: 8n })
    ;(() => expect(queue.takeReady()?.blockId).toBe(8n))() // and nobody has it any more
    const end = performance.now() + 10_000
    while (leaks.length === 0 && performance.now() < end) {
      gc()
      await new Promise(setImmediate)
    }
    kept?.release()
    expect([leaks, queue.leased, kept?.blockId]).toEqual([[8n], 0, 7n])
  })
})
