// Messages of the message channel as bytes: what is an event, and what is not even read.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseEventCommand } from '../../lib/event-message.js'

const message = (flags: number, command: number, id: number, ...payload: number[]) =>
  Uint8Array.from([
    0x42,
    flags,
    command >> 8,
    command & 255,
    0,
    payload.length,
    id >> 8,
    id & 255,
    ...payload,
  ])

describe('event messages', () => {
  it('tell their layout, and what the camera waits for', () => {
    expect(parseEventCommand(message(0x11, 0xc2, 0x1234, 1, 2, 3))).toEqual({
      requestId: 0x1234,
      hasData: true,
      extendedIds: true,
      payload: Uint8Array.of(1, 2, 3),
      acknowledge: Uint8Array.of(0, 0, 0, 0xc3, 0, 0, 0x12, 0x34),
    })
    expect(parseEventCommand(message(0, 0xc0, 1))).toMatchObject({
      hasData: false,
      extendedIds: false,
      acknowledge: undefined,
    })
    // What a message announces ends it, whatever follows.
    const longer = Uint8Array.from([...message(1, 0xc0, 9, 7), 8, 8])
    expect(parseEventCommand(longer)?.payload).toEqual(Uint8Array.of(7))
  })

  it('are no other commands, no acknowledges, and none that are cut off or without an id', () => {
    expect(parseEventCommand(message(1, 0x80, 1))).toBeUndefined()
    expect(parseEventCommand(Uint8Array.of(0, 0, 0, 0xc1, 0, 0, 0, 1))).toBeUndefined()
    expect(parseEventCommand(message(1, 0xc0, 0))).toBeUndefined()
    expect(parseEventCommand(message(1, 0xc0, 1, 2, 3).subarray(0, 9))).toBeUndefined()
    expect(parseEventCommand(new Uint8Array(0))).toBeUndefined()
  })

  it('never lead outside of the datagram', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.boolean(), (bytes, sound) => {
        if (sound && bytes.length >= 4) bytes.set([0x42, 1, 0, 0xc2])
        const command = parseEventCommand(bytes)
        if (command) expect(command.payload.length).toBeLessThanOrEqual(bytes.length - 8)
      }),
    )
  })
})
