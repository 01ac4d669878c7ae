// A frame: a lease on one slot of shared memory. Facts are copied when it is taken, so that they can be read after release;
// the pixels are not, so that a stale frame throws instead of showing a later image.

import { GigeError } from './errors.js'
import { CONST, SLOT } from './layout.js'
import { native } from './native.js'
import type { Lease, Region } from './region.js'
import type { ChunkValues } from './stream-chunks.js'
import type { Frame } from './types.js'

interface PixelFormatFacts {
  name: string
  bitsPerPixel: number
  packedLines: boolean
}

const pixelFormats = new Map<number, PixelFormatFacts>()

function pixelFormatFacts(code: number): PixelFormatFacts {
  let facts = pixelFormats.get(code)
  if (!facts) {
    const known = native.pixelFormat(code)
    const name = known?.name || (code === 0 ? '' : `0x${code.toString(16).toUpperCase().padStart(8, '0')}`)
    facts = { name, bitsPerPixel: known?.bitsPerPixel ?? 0, packedLines: known?.packedLines ?? false }
    if (pixelFormats.size < 1000) pixelFormats.set(code, facts) // codes come from the network
  }
  return facts
}

const PAYLOAD_TYPES: Record<number, string> = {
  1: 'image',
  2: 'raw',
  3: 'file',
  4: 'chunk',
  5: 'extended-chunk',
  6: 'jpeg',
  7: 'jpeg2000',
  8: 'h264',
  9: 'multi-zone',
  10: 'multi-part',
  11: 'gendc',
}

function hasChunks(type: number): boolean {
  const base = type & 0x3fff
  return (type & 0x4000) !== 0 || base === 4 || base === 5
}

function payloadTypeName(type: number): string {
  const base = PAYLOAD_TYPES[type & 0x3fff]
  if (!base || type >= 0x8000) return `0x${type.toString(16).padStart(4, '0')}`
  return (type & 0x4000) !== 0 ? `${base}+chunks` : base
}

/** Called when a frame is let go; the owner keeps count. */
export interface LeaseOwner {
  readonly tickFrequency: bigint
  chunkValues(payload: Uint8Array): Promise<ChunkValues>
  onRelease(frame: LeasedFrame): void
}

export class LeasedFrame implements Frame {
  readonly width: number
  readonly height: number
  readonly offsetX: number
  readonly offsetY: number
  readonly paddingX: number
  readonly paddingY: number
  readonly pixelFormatCode: number
  readonly blockId: bigint
  readonly timestamp: bigint
  readonly hostTimeNs: bigint
  /** Host monotonic clock: when the frame was complete. */
  readonly readyTimeNs: bigint
  readonly complete: boolean
  readonly packets: { expected: number; received: number; resent: number }
  /** The owner's: nothing but this frame holds it, so that it is garbage when a frame was forgotten. */
  guard: object | undefined
  private readonly payloadBytes: number
  private readonly payloadTypeCode: number
  private readonly flags: number
  private readonly dataSize: number
  private released = false
  private chunkValues: Promise<ChunkValues> | undefined

  constructor(
    private readonly region: Region,
    readonly lease: Lease,
    private readonly owner: LeaseOwner,
  ) {
    const slot = lease.slot
    this.flags = region.slotU32(slot, SLOT.flags)
    this.complete = (this.flags & CONST.frameComplete) !== 0
    this.blockId = region.slotU64(slot, SLOT.blockId)
    this.timestamp = region.slotU64(slot, SLOT.timestamp)
    this.hostTimeNs = region.slotU64(slot, SLOT.hostTimeNs)
    this.readyTimeNs = region.slotU64(slot, SLOT.readyTimeNs)
    this.payloadBytes = Math.min(region.slotNumber(slot, SLOT.payloadBytes), region.slotCapacity)
    this.payloadTypeCode = region.slotU32(slot, SLOT.payloadType)
    this.pixelFormatCode = region.slotU32(slot, SLOT.pixelFormat)
    this.width = region.slotU32(slot, SLOT.width)
    this.height = region.slotU32(slot, SLOT.height)
    this.offsetX = region.slotU32(slot, SLOT.offsetX)
    this.offsetY = region.slotU32(slot, SLOT.offsetY)
    this.paddingX = region.slotU32(slot, SLOT.paddingX)
    this.paddingY = region.slotU32(slot, SLOT.paddingY)
    this.dataSize = region.slotU32(slot, SLOT.dataSize)
    this.packets = {
      expected: region.slotU32(slot, SLOT.packetsExpected),
      received: region.slotU32(slot, SLOT.packetsReceived),
      resent: region.slotU32(slot, SLOT.packetsResent),
    }
  }

  get data(): Uint8Array {
    this.assertLeased()
    return this.region.data(this.lease.slot, this.payloadBytes)
  }

  get pixelFormat(): string {
    return pixelFormatFacts(this.pixelFormatCode).name
  }

  get bitsPerPixel(): number {
    return pixelFormatFacts(this.pixelFormatCode).bitsPerPixel
  }

  get stride(): number {
    const facts = pixelFormatFacts(this.pixelFormatCode)
    const bits = this.width * facts.bitsPerPixel
    if (this.paddingX > 0 && facts.packedLines) return Math.ceil(this.width / 2) * 3 + this.paddingX
    return this.paddingX === 0 && bits % 8 !== 0 ? 0 : Math.ceil(bits / 8) + this.paddingX
  }

  get payloadType(): string {
    return payloadTypeName(this.payloadTypeCode)
  }

  get timestampNs(): bigint | undefined {
    const frequency = this.owner.tickFrequency
    return frequency === 0n ? undefined : (this.timestamp * 1_000_000_000n) / frequency
  }

  get missing(): { offset: number; length: number }[] {
    if (this.complete) return []
    this.assertLeased()
    // Where packets carry their own place, a lost packet does not tell which bytes it had.
    if ((this.flags & CONST.frameExplicitOffsets) !== 0 || this.dataSize === 0) {
      return [{ offset: 0, length: this.payloadBytes }]
    }
    const ranges: { offset: number; length: number }[] = []
    const packets = Math.ceil(this.payloadBytes / this.dataSize)
    if (packets > this.region.mapStride * 8) return [{ offset: 0, length: this.payloadBytes }]
    for (let i = 0; i < packets; i++) {
      if (this.region.packetArrived(this.lease.slot, i + 1)) continue
      const offset = i * this.dataSize
      const length = Math.min(this.dataSize, this.payloadBytes - offset)
      const last = ranges.at(-1)
      if (last && last.offset + last.length === offset) last.length += length
      else ranges.push({ offset, length })
    }
    return ranges
  }

  get chunks(): Promise<ChunkValues> {
    this.chunkValues ??= this.readChunks()
    return this.chunkValues
  }

  release(): void {
    if (this.released) return
    this.released = true
    this.region.release(this.lease)
    this.owner.onRelease(this)
  }

  [Symbol.dispose](): void {
    this.release()
  }

  copy(): Uint8Array {
    return new Uint8Array(this.data)
  }

  private async readChunks(): Promise<ChunkValues> {
    const { data } = this
    if (!this.complete || !hasChunks(this.payloadTypeCode)) return new Map()
    const values = await this.owner.chunkValues(data)
    this.assertLeased() // else they may be of a later image
    return values
  }

  private assertLeased(): void {
    if (!this.released && this.region.holds(this.lease)) return
    throw new GigeError(
      'ERR_GIGE_FRAME_RELEASED',
      `Frame ${this.blockId} was released; its memory may hold a later image`,
      {
        hint: 'Use the data before release() or the end of the `using` block, or keep frame.copy().',
      },
    )
  }
}
