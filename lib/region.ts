// One stream's shared memory as a consumer sees it: takes frames, gives them back, reads events and statistics. Works in any
// worker of the process, with Atomics and without a native call. Whatever is read is bounds-checked: another consumer may
// have written nonsense.

import { GigeError } from './errors.js'
import { CONST, EVENT, HEADER, SLOT, STATS } from './layout.js'

/** A slot taken by one consumer; `word` is its state word while the lease lasts. */
export interface Lease {
  slot: number
  word: number
}

export interface RegionEvent {
  kind: number
  a: number
  b: number
  blockId: bigint
  timeNs: bigint
}

/** Raw counters by their native names; see docs/statistics.md. */
export type RawCounters = Record<(typeof STATS.names)[number], number>

/** Counters that are being written are read again. The writer needs nanoseconds, unless it is kept from running. */
const COUNTER_TRIES = 1000
const COUNTER_WAITS_MS = 1000

function corrupt(what: string): GigeError {
  return new GigeError(
    'ERR_GIGE_INVALID_ARGUMENT',
    `The shared memory is not a stream of this version: ${what}`,
  )
}

export class Region {
  /** Number that claims a frame; see StreamConsumer. 0: the stream's owner. */
  holder = 0
  readonly slotCount: number
  readonly slotCapacity: number
  readonly mapStride: number
  private readonly words: Int32Array
  private readonly bigs: BigUint64Array
  private readonly bytes: Uint8Array
  private readonly ringMask: number
  private readonly ring: number // word index of the first ring entry
  private readonly slots: number // word index of the first slot header
  private readonly dataOffset: number
  private readonly slotStride: number
  private readonly mapsOffset: number
  private readonly statsOffset: number
  private readonly eventsOffset: number
  private readonly views: (Uint8Array | undefined)[]

  constructor(
    readonly memory: SharedArrayBuffer,
    readonly baseOffset: number,
  ) {
    if (!(memory instanceof SharedArrayBuffer)) throw corrupt('no SharedArrayBuffer')
    const length = memory.byteLength - baseOffset
    if (!Number.isInteger(baseOffset) || baseOffset < 0 || baseOffset % 8 !== 0) throw corrupt('base offset')
    if (length < HEADER.size) throw corrupt('too short')
    const whole = length - (length % 8)
    this.words = new Int32Array(memory, baseOffset, whole / 4)
    this.bigs = new BigUint64Array(memory, baseOffset, whole / 8)
    this.bytes = new Uint8Array(memory, baseOffset, length)
    if (this.u32(HEADER.magic) !== CONST.magic || this.u32(HEADER.version) !== CONST.version)
      throw corrupt('no header')
    this.slotCount = this.u32(HEADER.slotCount)
    this.slotCapacity = this.u64(HEADER.slotCapacity)
    this.slotStride = this.u64(HEADER.slotStride)
    this.dataOffset = this.u64(HEADER.dataOffset)
    this.mapStride = this.u32(HEADER.mapStride)
    this.mapsOffset = this.u32(HEADER.mapsOffset)
    this.statsOffset = this.u32(HEADER.statsOffset)
    this.eventsOffset = this.u32(HEADER.eventsOffset)
    const ringCapacity = this.u32(HEADER.ringCapacity)
    const slotsOffset = this.u32(HEADER.slotsOffset)
    const ringOffset = this.u32(HEADER.ringOffset)
    const inside = (offset: number, size: number) =>
      offset >= HEADER.size && offset % 8 === 0 && offset + size <= length
    if (
      this.slotCount === 0 ||
      this.slotCapacity > this.slotStride ||
      ringCapacity < this.slotCount ||
      (ringCapacity & (ringCapacity - 1)) !== 0 ||
      !inside(this.dataOffset, this.slotStride * this.slotCount) ||
      !inside(slotsOffset, SLOT.size * this.slotCount) ||
      !inside(ringOffset, 4 * ringCapacity) ||
      !inside(this.mapsOffset, this.mapStride * this.slotCount) ||
      !inside(this.statsOffset, STATS.values + 8 * STATS.names.length) ||
      !inside(this.eventsOffset, EVENT.size * EVENT.capacity)
    ) {
      throw corrupt('offsets beyond its end')
    }
    this.ringMask = ringCapacity - 1
    this.ring = ringOffset / 4
    this.slots = slotsOffset / 4
    this.views = new Array(this.slotCount)
  }

  private u32(offset: number): number {
    return this.words[offset / 4]! >>> 0
  }

  private u64(offset: number): number {
    return Number(this.bigs[offset / 8]!)
  }

  /**
   * READY -> LEASED for the oldest finished frame, or undefined. Any number of consumers may compete, and each may be terminated
   * behind any step. So the claim on the slot decides, in one step, who has the frame and who is known to have it; the ring's tail
   * only follows, moved on by whoever comes next.
   */
  take(): Lease | undefined {
    const lease = this.pop()
    if (lease) Atomics.add(this.words, HEADER.framesTaken / 4, 1)
    return lease
  }

  /** READY -> FREE for the oldest finished frame: nobody will take it. False when there is none. */
  giveBack(): boolean {
    const lease = this.pop()
    if (lease) this.release(lease)
    return lease !== undefined
  }

  private pop(): Lease | undefined {
    const tailAt = HEADER.ringTail / 4
    let tail = Atomics.load(this.words, tailAt)
    for (;;) {
      const ready = (Atomics.load(this.words, HEADER.ringHead / 4) - tail) >>> 0
      if (ready === 0) return undefined
      const slot = Atomics.load(this.words, this.ring + (tail & this.ringMask)) >>> 0
      const holderAt = this.slots + ((slot * SLOT.size + SLOT.holder) >>> 2)
      const claim = slot < this.slotCount ? Atomics.load(this.words, holderAt) : 0
      // While the tail stands, the entry and the claim belong together: no slot is filled anew before it has left the ring.
      const now = Atomics.load(this.words, tailAt)
      if (now !== tail) {
        tail = now
        continue
      }
      if (ready > this.ringMask + 1) throw corrupt('ring ends')
      const mine = claim < 0 && Atomics.compareExchange(this.words, holderAt, claim, this.holder) === claim
      Atomics.compareExchange(this.words, tailAt, tail, (tail + 1) | 0)
      if (slot >= this.slotCount) throw corrupt('ring entry')
      if (!mine) {
        tail = Atomics.load(this.words, tailAt)
        continue
      }
      const at = this.stateAt(slot)
      const word = (Atomics.load(this.words, at) & ~CONST.stateMask) | CONST.slotLeased
      Atomics.store(this.words, at, word)
      return { slot, word }
    }
  }

  /** LEASED -> FREE. False when the lease is over already. */
  release(lease: Lease): boolean {
    const free = (lease.word & ~CONST.stateMask) | CONST.slotFree
    return Atomics.compareExchange(this.words, this.stateAt(lease.slot), lease.word, free) === lease.word
  }

  holds(lease: Lease): boolean {
    return Atomics.load(this.words, this.stateAt(lease.slot)) === lease.word
  }

  get ready(): boolean {
    return Atomics.load(this.words, HEADER.ringTail / 4) !== Atomics.load(this.words, HEADER.ringHead / 4)
  }

  get state(): number {
    return Atomics.load(this.words, HEADER.streamState / 4)
  }

  get failErrno(): number {
    return this.u32(HEADER.failErrno)
  }

  get framesTaken(): number {
    return Atomics.load(this.words, HEADER.framesTaken / 4) >>> 0
  }

  /** A field of a slot header. */
  slotU32(slot: number, offset: number): number {
    return this.words[this.slots + ((slot * SLOT.size + offset) >>> 2)]! >>> 0
  }

  slotU64(slot: number, offset: number): bigint {
    return this.bigs[(this.slots >>> 1) + ((slot * SLOT.size + offset) >>> 3)]!
  }

  /** A 64-bit field where no more than 53 bits are needed: without a bigint on the way. */
  slotNumber(slot: number, offset: number): number {
    return this.slotU32(slot, offset) + this.slotU32(slot, offset + 4) * 2 ** 32
  }

  /** The frame's bytes. One view for each slot is kept, since frames of a stream rarely change their size. */
  data(slot: number, length: number): Uint8Array {
    const size = Math.min(length, this.slotCapacity)
    let view = this.views[slot]
    if (view?.length !== size) {
      view = new Uint8Array(this.memory, this.baseOffset + this.dataOffset + slot * this.slotStride, size)
      this.views[slot] = view
    }
    return view
  }

  packetArrived(slot: number, packet: number): boolean {
    const byte = packet >>> 3
    if (byte >= this.mapStride) return false
    return ((this.bytes[this.mapsOffset + slot * this.mapStride + byte]! >>> (packet & 7)) & 1) === 1
  }

  /** Whether drainEvents() would give any. */
  get hasEvents(): boolean {
    return Atomics.load(this.words, HEADER.eventTail / 4) !== Atomics.load(this.words, HEADER.eventHead / 4)
  }

  /** Events since the last call; only the stream's owner calls this. */
  *drainEvents(): Generator<RegionEvent> {
    const tailAt = HEADER.eventTail / 4
    let tail = Atomics.load(this.words, tailAt)
    for (let n = 0; n < EVENT.capacity && tail !== Atomics.load(this.words, HEADER.eventHead / 4); n++) {
      const at = this.eventsOffset + ((tail >>> 0) % EVENT.capacity) * EVENT.size
      const event = {
        kind: this.u32(at + EVENT.kind),
        a: this.u32(at + EVENT.a),
        b: this.u32(at + EVENT.b),
        blockId: this.bigs[(at + EVENT.blockId) / 8]!,
        timeNs: this.bigs[(at + EVENT.timeNs) / 8]!,
      }
      tail = (tail + 1) | 0
      Atomics.store(this.words, tailAt, tail)
      yield event
    }
  }

  /** A consistent copy: the receive thread writes under a sequence lock. */
  counters(): RawCounters {
    const sequenceAt = (this.statsOffset + STATS.sequence) / 4
    const first = (this.statsOffset + STATS.values) / 8
    const result = {} as RawCounters
    for (let tries = 0; tries < COUNTER_TRIES + COUNTER_WAITS_MS; tries++) {
      const before = Atomics.load(this.words, sequenceAt)
      if (tries >= COUNTER_TRIES) Atomics.wait(this.words, sequenceAt, before, 1)
      STATS.names.forEach((name, i) => {
        result[name] = Number(Atomics.load(this.bigs, first + i))
      })
      if ((before & 1) === 0 && Atomics.load(this.words, sequenceAt) === before) return result
    }
    throw corrupt('its counters never come to rest')
  }

  private stateAt(slot: number): number {
    return this.slots + ((slot * SLOT.size + SLOT.state) >>> 2)
  }
}
