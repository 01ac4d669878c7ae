// Looks into a stream's shared memory from outside. Purpose: tests see where every slot is, without asking the code they test.

export const FREE = 0
export const FILLING = 1
export const READY = 2
export const LEASED = 3

/** State of each slot, from the memory that share() names. */
export function slotStates({ memory, baseOffset }) {
  const words = new Int32Array(memory, baseOffset)
  const count = words[2] // slotCount
  const first = words[14] / 4 // slotsOffset
  return Array.from({ length: count }, (_, slot) => Atomics.load(words, first + slot * 32) & 3)
}

/** Finished frames that wait for a reader. */
export function framesWaiting({ memory, baseOffset }) {
  const words = new Int32Array(memory, baseOffset)
  return Atomics.load(words, 32) - Atomics.load(words, 48) // ringHead, ringTail
}

/** What a consumer that has lost its mind could write. */
export function writeRingTail({ memory, baseOffset }, value) {
  Atomics.store(new Int32Array(memory, baseOffset), 192 / 4, value)
}
