// Masked registers: the worked examples of genapi.md 2.7, ranges, siblings, and a bit-by-bit model.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { camera, register } from './describe-camera.js'

interface Example {
  nr: number
  order: 'BigEndian' | 'LittleEndian'
  bytes: number[]
  bits: string
  value: number
}

const lsbMsb = (lsb: number, msb: number) => `<LSB>${lsb}</LSB><MSB>${msb}</MSB>`
const bit = (number: number) => `<Bit>${number}</Bit>`

const EXAMPLES: Example[] = [
  { nr: 1, order: 'LittleEndian', bytes: [0x78, 0x56, 0x34, 0x12], bits: lsbMsb(8, 15), value: 0x56 },
  { nr: 2, order: 'BigEndian', bytes: [0x12, 0x34, 0x56, 0x78], bits: lsbMsb(31, 16), value: 0x5678 },
  { nr: 3, order: 'BigEndian', bytes: [0x80, 0, 0, 0], bits: bit(0), value: 1 },
  { nr: 4, order: 'BigEndian', bytes: [0x40, 0, 0, 0], bits: bit(1), value: 1 },
  { nr: 5, order: 'BigEndian', bytes: [0, 0, 0, 1], bits: bit(31), value: 1 },
  { nr: 6, order: 'BigEndian', bytes: [0xab, 0xcd], bits: lsbMsb(11, 0), value: 0xabc },
  { nr: 7, order: 'BigEndian', bytes: [0x02], bits: bit(6), value: 1 },
  { nr: 8, order: 'LittleEndian', bytes: [0x40, 0, 0, 0], bits: bit(6), value: 1 },
  {
    nr: 9,
    order: 'LittleEndian',
    bytes: [0xf0, 0xff],
    bits: `${lsbMsb(4, 15)}<Sign>Signed</Sign>`,
    value: -1,
  },
  { nr: 10, order: 'BigEndian', bytes: [1, 2, 3, 4, 5, 6, 7, 8], bits: lsbMsb(63, 32), value: 0x05060708 },
]

describe('masked registers', () => {
  it.each(EXAMPLES)('example $nr: $order, $bits', async ({ order, bytes, bits, value }) => {
    const { map, port } = camera(register('MaskedIntReg', 'M', 0x100, bits, { length: bytes.length, order }))
    port.poke(0x100, ...bytes)
    expect(await map.get('M')).toBe(value)
  })

  it('example 11: writing 9000 into example 2 leaves the other half alone', async () => {
    const { map, port } = camera(register('MaskedIntReg', 'M', 0x100, lsbMsb(31, 16)))
    port.poke(0x100, 0x12, 0x34, 0x56, 0x78)
    await map.set('M', 9000)
    expect(port.peek(0x100, 4)).toEqual([0x12, 0x34, 0x23, 0x28])
  })

  it('has the natural range of its width and sign', async () => {
    const { map } = camera(
      register('MaskedIntReg', 'U', 0x100, lsbMsb(31, 16)) +
        register('MaskedIntReg', 'S', 0x100, `${lsbMsb(31, 16)}<Sign>Signed</Sign>`) +
        register('IntReg', 'U64', 0x200, '', { length: 8 }) +
        register('IntReg', 'S24', 0x300, '<Sign>Signed</Sign>', { length: 3 }),
    )
    const range = async (name: string) => [await map.node(name).min(), await map.node(name).max()]
    expect(await range('U')).toEqual([0, 65535])
    expect(await range('S')).toEqual([-32768, 32767])
    expect(await range('U64')).toEqual([0, 2n ** 63n - 1n])
    expect(await range('S24')).toEqual([-(2 ** 23), 2 ** 23 - 1])
  })

  it('refuses bits outside of the register, when used and not at load', async () => {
    const { map } = camera(register('MaskedIntReg', 'M', 0x100, bit(32)))
    await expect(map.get('M')).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION' })
  })

  it('keeps siblings coherent without any pInvalidator, in one read', async () => {
    const { map, port } = camera(
      register('MaskedIntReg', 'High', 0x100, lsbMsb(15, 0)) +
        register('MaskedIntReg', 'Low', 0x100, lsbMsb(31, 16)) +
        register('IntReg', 'Whole', 0x100),
    )
    port.poke(0x100, 0x11, 0x22, 0x33, 0x44)
    expect(await map.get('Low')).toBe(0x3344)
    await map.set('High', 0xabcd)
    expect(await map.get('Whole')).toBe(0xabcd3344)
    expect(await map.get('Low')).toBe(0x3344)
    expect(port.taken()).toEqual(['read 100+4', 'write 100+4'])
  })

  it('writes a write-only register from what was written before, and never reads it', async () => {
    const { map, port } = camera(
      register('MaskedIntReg', 'A', 0x100, bit(31), { access: 'WO' }) +
        register('MaskedIntReg', 'B', 0x100, bit(30), { access: 'WO' }),
    )
    await map.set('A', 1)
    await map.set('B', 1)
    expect(port.peek(0x100, 4)).toEqual([0, 0, 0, 3])
    expect(port.taken()).toEqual(['write 100+4', 'write 100+4'])
  })

  it('matches a bit-by-bit model for every width, place, order and sign', async () => {
    const field = fc.integer({ min: 1, max: 8 }).chain((length) =>
      fc.record({
        length: fc.constant(length),
        order: fc.constantFrom('BigEndian', 'LittleEndian'),
        signed: fc.boolean(),
        // Weights of the lowest and highest bit.
        ends: fc
          .tuple(fc.integer({ min: 0, max: 8 * length - 1 }), fc.integer({ min: 0, max: 8 * length - 1 }))
          .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
        before: fc.uint8Array({ minLength: length, maxLength: length }),
        raw: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      }),
    )
    await fc.assert(
      fc.asyncProperty(field, async ({ length, order, signed, ends: [low, high], before, raw }) => {
        const last = 8 * length - 1
        const number = (weight: number) => (order === 'BigEndian' ? last - weight : weight)
        const sign = signed ? '<Sign>Signed</Sign>' : ''
        const { map, port } = camera(
          register('MaskedIntReg', 'M', 0x100, lsbMsb(number(low), number(high)) + sign, { length, order }),
        )
        port.poke(0x100, ...before)

        // Bit `weight` of the model lives in this byte and at this place.
        const place = (weight: number) => {
          const byte = Math.floor(weight / 8)
          return { byte: order === 'BigEndian' ? length - 1 - byte : byte, shift: weight % 8 }
        }
        const width = high - low + 1
        const wanted: number[] = Array.from({ length: width }, (_, index) =>
          Number((raw >> BigInt(index)) & 1n),
        )
        // 64 unsigned bits cannot be written beyond 2^63-1.
        if (!signed && width === 64) wanted[63] = 0
        let value = wanted.reduce((sum, one, index) => sum + (BigInt(one) << BigInt(index)), 0n)
        if (signed && wanted.at(-1) === 1) value -= 1n << BigInt(width)
        const expected = Uint8Array.from(before)
        for (const [index, one] of wanted.entries()) {
          const { byte, shift } = place(low + index)
          expected[byte] = (expected[byte]! & ~(1 << shift)) | (one << shift)
        }

        await map.set('M', value)
        expect(port.peek(0x100, length)).toEqual([...expected])
        expect(BigInt((await map.get('M', { ignoreCache: true })) as number | bigint)).toBe(value)
        expect(BigInt((await map.get('M')) as number | bigint)).toBe(value)
      }),
      { numRuns: 300 },
    )
  })
})
