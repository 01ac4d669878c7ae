// The simulator's checkable images, made again from their description (native/sim/pattern.h) and not by its code. Purpose: what
// arrives is compared byte by byte with something that the binary under test had no hand in.

const STEP = 67
const BLOCKS = 4093n

function word(seed, index) {
  const s = Number(seed & 0xffffffffn) ^ Number(seed >> 32n)
  let h = Math.imul(index, 0x9e3779b1) ^ Math.imul(s, 0x85ebca77)
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d)
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39)
  return (h ^ (h >>> 15)) >>> 0
}

/** The image bytes of a block. */
export function patternBytes(seed, blockId, length) {
  const begin = Number(blockId % BLOCKS) * STEP
  return Uint8Array.from({ length }, (_, offset) => {
    const at = begin + offset
    return (word(seed, Math.floor(at / 4)) >>> (8 * (at % 4))) & 0xff
  })
}

const mask = (value) => BigInt.asUintN(64, value)

// splitmix64's finaliser
function mix(value) {
  let z = mask((value ^ (value >> 30n)) * 0xbf58476d1ce4e5b9n)
  z = mask((z ^ (z >> 27n)) * 0x94d049bb133111ebn)
  return z ^ (z >> 31n)
}

/** Lines of the block with this ordinal where the camera's height varies: a draw from its seed. */
export function variableHeight(seed, ordinal, nominal) {
  const drawn = mix(mix(mask(seed + 0x9e3779b97f4a7c15n)) ^ mask(BigInt(ordinal) + 0x632be59bd9b4e019n))
  return 1 + Number(mix(drawn) % BigInt(nominal))
}

function be(value, bytes) {
  return Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * (bytes - 1 - i))) & 0xffn))
}

/** What chunk mode puts behind the image: its descriptor, then block id and timestamp with theirs. */
export function chunkTail(imageBytes, blockId, timestamp) {
  const descriptor = (id, length) => [...be(BigInt(id), 4), ...be(BigInt(length), 4)]
  return Uint8Array.from([
    ...descriptor(0x47570001, imageBytes),
    ...be(blockId, 8),
    ...descriptor(0x47570002, 8),
    ...be(timestamp, 8),
    ...descriptor(0x47570003, 8),
  ])
}
