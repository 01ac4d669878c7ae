// A stream's shared memory made by hand, as native/core/path/slot_pool.cc lays it out, so that what reads it can be tested
// without a stream.

import { CONST, EVENT, HEADER, SLOT, STATS } from '../../lib/layout.js'

export interface Fixture {
  memory: SharedArrayBuffer
  u32(offset: number, value: number): void
  u64(offset: number, value: bigint): void
  /** Byte offset of a slot's header. */
  slotAt(slot: number): number
  dataAt(slot: number): number
  mapAt(slot: number): number
  eventAt(index: number): number
  ringAt: number
  statsAt: number
  /** Makes a slot READY and pushes it. */
  push(slot: number, fields?: Partial<Record<keyof typeof SLOT, number | bigint>>): void
}

const STRIDE = 4096
const MAP_STRIDE = 64

export function makeRegion(slots = 4, capacity = 4000): Fixture {
  let at: number = HEADER.size
  const place = (size: number, align = 64) => {
    at = Math.ceil(at / align) * align
    const here = at
    at += size
    return here
  }
  const ringCapacity = 2 ** Math.ceil(Math.log2(slots))
  const statsOffset = place(STATS.values + 8 * STATS.names.length)
  const eventsOffset = place(EVENT.size * EVENT.capacity)
  const slotsOffset = place(SLOT.size * slots)
  const ringOffset = place(4 * ringCapacity)
  const mapsOffset = place(MAP_STRIDE * slots)
  const dataOffset = place(STRIDE * slots, 4096)
  const memory = new SharedArrayBuffer(at)
  const view = new DataView(memory)
  const u32 = (offset: number, value: number) => view.setUint32(offset, value >>> 0, true)
  const u64 = (offset: number, value: bigint) => view.setBigUint64(offset, value, true)
  u32(HEADER.magic, CONST.magic)
  u32(HEADER.version, CONST.version)
  u32(HEADER.slotCount, slots)
  u32(HEADER.ringCapacity, ringCapacity)
  u64(HEADER.slotCapacity, BigInt(capacity))
  u64(HEADER.slotStride, BigInt(STRIDE))
  u64(HEADER.dataOffset, BigInt(dataOffset))
  u64(HEADER.totalSize, BigInt(at))
  u32(HEADER.statsOffset, statsOffset)
  u32(HEADER.eventsOffset, eventsOffset)
  u32(HEADER.slotsOffset, slotsOffset)
  u32(HEADER.ringOffset, ringOffset)
  u32(HEADER.mapsOffset, mapsOffset)
  u32(HEADER.mapStride, MAP_STRIDE)
  u32(HEADER.mapBits, MAP_STRIDE * 8)
  u32(HEADER.streamState, CONST.streamRunning)
  let head = 0
  const slotAt = (slot: number) => slotsOffset + slot * SLOT.size
  return {
    memory,
    u32,
    u64,
    slotAt,
    dataAt: (slot) => dataOffset + slot * STRIDE,
    mapAt: (slot) => mapsOffset + slot * MAP_STRIDE,
    eventAt: (index) => eventsOffset + index * EVENT.size,
    statsAt: statsOffset,
    ringAt: ringOffset,
    push(slot, fields = {}) {
      for (const [name, value] of Object.entries(fields)) {
        const offset = slotAt(slot) + SLOT[name as keyof typeof SLOT]
        if (typeof value === 'bigint') u64(offset, value)
        else u32(offset, value)
      }
      const generation = view.getUint32(slotAt(slot), true) & ~CONST.stateMask
      u32(slotAt(slot), (generation + 4) | CONST.slotReady)
      u32(slotAt(slot) + SLOT.holder, CONST.unclaimed + ((generation + 4) >>> 2))
      u32(ringOffset + 4 * (head & (ringCapacity - 1)), slot)
      u32(HEADER.ringHead, ++head)
    },
  }
}
