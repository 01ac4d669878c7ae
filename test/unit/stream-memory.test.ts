// A camera's PayloadSize is a claim: what it would cost is said before it is paid.

import { expect, it } from 'vitest'
import { allocateStream } from '../../lib/stream-memory.js'

const MEBI = 1 << 20

it('memory for a stream is at most half of what is available; a little is always tried', () => {
  expect(allocateStream(8, 16 * MEBI, 1500, 512 * MEBI).byteLength).toBeGreaterThan(128 * MEBI)
  expect(allocateStream(4, MEBI, 1500, 0).byteLength).toBeGreaterThan(4 * MEBI)
  const greedy = () => allocateStream(8, 64 * MEBI, 1500, 900 * MEBI)
  expect(greedy).toThrow(
    /8 buffers for blocks of 67108864 bytes.* need 51\d MiB, more than half of the 900 MiB/,
  )
  expect(greedy).toThrow(
    expect.objectContaining({ code: 'ERR_GIGE_INVALID_ARGUMENT', buffers: 8, payloadSize: 64 * MEBI }),
  )
})

it('memory that the system does not give is refused in the same way', () => {
  const refused = expect(() => allocateStream(4096, 2 ** 30, 1500, Number.POSITIVE_INFINITY))
  refused.toThrow(
    expect.objectContaining({ code: 'ERR_GIGE_INVALID_ARGUMENT', cause: expect.any(RangeError) }),
  )
})
