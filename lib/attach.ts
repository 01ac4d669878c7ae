// A worker's end of a stream: the same shared memory, its own knock, no copy and no native call for each frame.

import { invalidArgument } from './errors.js'
import { FrameQueue } from './frame-queue.js'
import { native } from './native.js'
import { Region } from './region.js'
import { type StreamStats, streamStats } from './stats.js'
import type { AttachedStream, Frame, StreamShare } from './types.js'

/**
 * Takes part in a stream that another thread of this process owns. Every frame goes to exactly one of those that read.
 * Errors: ERR_GIGE_CLOSED when the stream is gone; ERR_GIGE_INVALID_ARGUMENT when `share` is not one.
 */
export function attachStream(share: StreamShare): AttachedStream {
  return new AttachedConsumer(share)
}

class AttachedConsumer implements AttachedStream {
  private readonly region: Region
  private readonly queue: FrameQueue
  private readonly consumer: InstanceType<typeof native.StreamConsumer>
  private leaked = 0

  constructor(share: StreamShare) {
    if (typeof share?.tickFrequency !== 'bigint')
      throw invalidArgument('This is nothing that stream.share() gave')
    this.region = new Region(share.memory, share.baseOffset)
    this.consumer = new native.StreamConsumer(share.id, () => this.queue.wake())
    this.region.holder = this.consumer.holder
    this.queue = new FrameQueue(this.region, share.tickFrequency, {
      ref: (waiting) => this.consumer.ref(waiting),
      onLeak: () => {
        this.leaked++
      },
    })
  }

  stats(): StreamStats {
    return streamStats(this.region.counters(), {
      framesTaken: this.region.framesTaken,
      framesReturned: 0,
      framesLeaked: this.leaked,
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame, void, undefined> {
    return {
      next: async () => {
        try {
          const result = await this.queue.next()
          if (result.done) this.close()
          return result
        } catch (error) {
          this.close()
          throw error
        }
      },
      return: async () => {
        this.close()
        return { done: true, value: undefined }
      },
    }
  }

  close(): void {
    this.consumer.close()
    this.queue.finish()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
