// Takes finished frames out of shared memory for one consumer, as an async iterator. Purpose: the same logic for the stream's
// owner and for a worker that attached. Knocks from native code are merged; each knock drains what is ready.

import { GigeError } from './errors.js'
import { LeasedFrame, type LeaseOwner } from './frame.js'
import { CONST, SLOT } from './layout.js'
import type { Lease, Region } from './region.js'
import { type ChunkValues, noChunkValues } from './stream-chunks.js'

/** Frames handed out without letting the event loop turn: microtasks alone would starve timers and I/O. */
const FRAMES_PER_TURN = 64

interface Waiter {
  resolve: (result: IteratorResult<LeasedFrame, void>) => void
  reject: (error: unknown) => void
}

/** What is known of a frame in use when nobody else knows of it any more. */
interface Watch {
  queue: FrameQueue | undefined
  lease: Lease | undefined
}

/**
 * Dies with a frame that was forgotten, and serves the next one where it was released: to register each frame and to undo that
 * would cost more than all the rest that JavaScript does for it.
 */
class Guard {
  readonly watch: Watch = { queue: undefined, lease: undefined }
}

// Never the way frames are returned, only the way a forgotten one is noticed.
const forgotten = new FinalizationRegistry<Watch>(({ queue, lease }) => {
  if (queue && lease) queue.onForgotten(lease)
})

function socketFailure({ failErrno }: Region): GigeError {
  return new GigeError('ERR_GIGE_NETWORK', 'The stream socket failed', {
    hint: '`errno` says why. Open the stream again when the network interface is up.',
    details: { errno: failErrno },
  })
}

export class FrameQueue implements LeaseOwner {
  private readonly waiters: Waiter[] = []
  private readonly spare: Guard[] = []
  private outstanding = 0
  private unseen = 0
  private served = 0
  private failure: unknown
  private failed = false
  private over = false
  private turning = false

  constructor(
    private readonly region: Region,
    readonly tickFrequency: bigint,
    private readonly hooks: {
      /** Whether a wait for frames keeps the process alive. */
      ref: (waiting: boolean) => void
      onLeak: (blockId: bigint) => void
      /** Absent where the camera's description is not at hand. */
      chunkValues?: (payload: Uint8Array) => Promise<ChunkValues>
    },
  ) {}

  /** A knock: frames may be ready, or the stream may have ended. */
  wake(): void {
    if (this.turning && !this.over) return // the loop's turn first: a knock is no way round it
    while (this.waiters.length > 0) {
      let frame: LeasedFrame | undefined
      try {
        frame = this.take()
      } catch (error) {
        this.settle().reject(error) // the memory holds nonsense: nobody is left waiting for what cannot come
        continue
      }
      if (frame) {
        this.settle().resolve({ done: false, value: frame })
        continue
      }
      const { state } = this.region
      if (!this.over && state === CONST.streamRunning) return
      // Seen here, since a call for the next frame may come before the knock that tells of it.
      if (state === CONST.streamFailed) this.fail(socketFailure(this.region))
      const waiter = this.settle()
      if (this.failed) waiter.reject(this.failure)
      else waiter.resolve({ done: true, value: undefined })
    }
  }

  /** The oldest ready frame where it can be had at once: nobody waits before the caller, and it is not the event loop's turn. */
  takeReady(): LeasedFrame | undefined {
    if (this.waiters.length > 0 || this.served >= FRAMES_PER_TURN) return undefined
    return this.take()
  }

  next(): Promise<IteratorResult<LeasedFrame, void>> {
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject })
      if (this.waiters.length === 1) this.hooks.ref(true)
      if (this.served < FRAMES_PER_TURN || !this.region.ready) {
        this.wake()
        return
      }
      this.served = 0
      this.turning = true
      setImmediate(() => {
        this.turning = false
        this.wake()
      })
    })
  }

  /** No more frames are to be expected: waiting calls end after what is ready, with an error if there is one. */
  finish(error?: unknown): void {
    if (error !== undefined) this.fail(error)
    this.over = true
    for (const guard of this.spare.splice(0)) forgotten.unregister(guard)
    this.wake()
  }

  /** Frames taken and not yet released. */
  get leased(): number {
    return this.outstanding
  }

  /** Frames given back unseen by releaseReady(). */
  get returned(): number {
    return this.unseen
  }

  /**
   * Gives back what nobody took. Frames that were taken stay valid: their memory is theirs until they are released. Never an
   * error: what a consumer filled with nonsense has nothing to give back, and must not keep a stream from being closed.
   */
  releaseReady(): void {
    try {
      while (this.region.giveBack()) this.unseen++
    } catch (error) {
      if (!(error instanceof GigeError)) throw error
    }
  }

  chunkValues(payload: Uint8Array): Promise<ChunkValues> {
    return this.hooks.chunkValues?.(payload) ?? noChunkValues()
  }

  onRelease(frame: LeasedFrame): void {
    this.outstanding--
    const guard = frame.guard as Guard
    frame.guard = undefined // whoever keeps a released frame must not keep the guard of another one
    guard.watch.queue = undefined
    guard.watch.lease = undefined
    if (this.over) forgotten.unregister(guard)
    else this.spare.push(guard)
  }

  /** Nobody can release that frame any more. */
  onForgotten(lease: Lease): void {
    const blockId = this.region.slotU64(lease.slot, SLOT.blockId)
    if (!this.region.release(lease)) return
    this.outstanding--
    this.hooks.onLeak(blockId)
  }

  private take(): LeasedFrame | undefined {
    const lease = this.region.take()
    if (!lease) {
      this.served = 0
      return undefined
    }
    this.served++
    this.outstanding++
    const frame = new LeasedFrame(this.region, lease, this)
    const guard = this.spare.pop() ?? this.newGuard()
    guard.watch.queue = this
    guard.watch.lease = lease
    frame.guard = guard
    return frame
  }

  private newGuard(): Guard {
    const guard = new Guard()
    forgotten.register(guard, guard.watch, guard)
    return guard
  }

  /** The first cause counts. */
  private fail(error: unknown): void {
    if (this.failed) return
    this.failed = true
    this.failure = error
  }

  private settle(): Waiter {
    const waiter = this.waiters.shift() as Waiter
    if (this.waiters.length === 0) this.hooks.ref(false)
    return waiter
  }
}
