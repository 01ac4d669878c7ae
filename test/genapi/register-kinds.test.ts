// Registers by kind: integers of any length, floats, strings, bytes, structures (genapi.md 2.6, 2.8, 2.10, 2.11).

import { describe, expect, it } from 'vitest'
import { camera, register } from './describe-camera.js'

const refusal = (reason: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_GIGE_FEATURE', reason, ...more })

describe('registers of other kinds', () => {
  it.each([
    ['BigEndian', [0x12, 0x34, 0x56], 0x123456],
    ['LittleEndian', [0x12, 0x34, 0x56], 0x563412],
  ])('IntReg of 3 bytes, %s', async (order, bytes, value) => {
    const { map, port } = camera(register('IntReg', 'R', 0x100, '', { length: 3, order }))
    port.poke(0x100, ...bytes)
    expect(await map.get('R')).toBe(value)
    await map.set('R', 0xabcdef)
    expect(port.peek(0x100, 4)).toEqual([
      ...(order === 'BigEndian' ? [0xab, 0xcd, 0xef] : [0xef, 0xcd, 0xab]),
      0,
    ])
  })

  it('is unsigned unless told otherwise', async () => {
    const { map, port } = camera(
      register('IntReg', 'U', 0x100) + register('IntReg', 'S', 0x100, '<Sign>Signed</Sign>'),
    )
    port.poke32(0x100, 0xfffffffe)
    expect([await map.get('U'), await map.get('S')]).toEqual([0xfffffffe, -2])
  })

  it.each([
    ['BigEndian', 4, [0x40, 0x48, 0xf5, 0xc3], 3.14],
    ['LittleEndian', 4, [0xc3, 0xf5, 0x48, 0x40], 3.14],
    ['BigEndian', 8, [0x40, 0x09, 0x1e, 0xb8, 0x51, 0xeb, 0x85, 0x1f], 3.14],
  ])('FloatReg %s of %i bytes', async (order, length, bytes, value) => {
    const { map, port } = camera(register('FloatReg', 'F', 0x100, '', { length, order }))
    await map.set('F', value)
    expect(port.peek(0x100, length)).toEqual(bytes)
    expect(await map.get('F')).toBeCloseTo(value, 6)
  })

  it('FloatReg of another length fails at access, not at load', async () => {
    const { map } = camera(register('FloatReg', 'F', 0x100, '', { length: 3 }))
    expect(map.problems()).toEqual([])
    await expect(map.get('F')).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION' })
  })

  it('FloatReg of 4 bytes ends at the largest single', async () => {
    const { map } = camera(register('FloatReg', 'F', 0x100))
    await expect(map.set('F', 1e39)).rejects.toEqual(refusal('out-of-range'))
    expect(await map.node('F').max()).toBeCloseTo(3.4028235e38, -31)
  })

  it('StringReg ends at NUL, is padded with NUL, and takes as many bytes as it has', async () => {
    const { map, port } = camera(register('StringReg', 'S', 0x100, '', { length: 8 }))
    port.poke(0x100, ...Buffer.from('old text'))
    expect(await map.get('S')).toBe('old text')
    await map.set('S', 'grün')
    expect(port.peek(0x100, 8)).toEqual([...Buffer.from('grün'), 0, 0, 0])
    expect(await map.get('S')).toBe('grün')
    await expect(map.set('S', 'ninebytes')).rejects.toEqual(refusal('out-of-range', { max: 8 }))
    await expect(map.set('S', 'a\0b')).rejects.toEqual(refusal('out-of-range'))
    await expect(map.set('S', 5)).rejects.toEqual(refusal('type'))
    port.poke(0x100, 0x35, 0xb0, 0)
    expect(await map.get('S', { ignoreCache: true })).toBe('5°')
  })

  it('String stands alone or on another string', async () => {
    const { map } = camera(
      '<String Name="A"><Value> text </Value></String><String Name="B"><pValue>A</pValue></String>',
    )
    expect(await map.get('B')).toBe('text')
    await map.set('B', 'new')
    expect(await map.get('A')).toBe('new')
  })

  it('Register gives bytes of its own, and takes up to its length', async () => {
    const { map, port } = camera(register('Register', 'R', 0x100, '', { length: 4 }))
    port.poke(0x100, 1, 2, 3, 255)
    const bytes = (await map.get('R')) as Uint8Array
    bytes.fill(0)
    expect(await map.node('R').getText()).toBe('0x010203ff')
    await map.set('R', Uint8Array.of(9, 8))
    expect(await map.get('R')).toEqual(Uint8Array.of(9, 8, 3, 255))
    await map.node('R').setText('0x0A0b0C0d')
    expect(port.peek(0x100, 4)).toEqual([10, 11, 12, 13])
    await expect(map.set('R', new Uint8Array(5))).rejects.toEqual(refusal('out-of-range'))
    await expect(map.node('R').setText('0x00')).rejects.toEqual(refusal('type'))
  })

  it('StructReg: entries take what they do not say, address terms included', async () => {
    const { map, port } = camera(
      `<StructReg Comment="Status"><ToolTip>shared</ToolTip><pAddress>Base</pAddress><Address>4</Address><Length>2</Length>
         <AccessMode>RO</AccessMode><pPort>Device</pPort><Endianess>BigEndian</Endianess>
         <StructEntry Name="B0"><Bit>0</Bit></StructEntry>
         <StructEntry Name="B1"><ToolTip>own</ToolTip><AccessMode>RW</AccessMode><Bit>1</Bit></StructEntry>
         <StructEntry Name="Low"><LSB>15</LSB><MSB>8</MSB><Sign>Signed</Sign></StructEntry>
       </StructReg><Integer Name="Base"><Value>0x100</Value></Integer>`,
    )
    port.poke(0x104, 0x80, 0xff)
    expect([await map.get('B0'), await map.get('B1'), await map.get('Low')]).toEqual([1, 0, -1])
    await map.set('B1', 1)
    expect(port.peek(0x104, 2)).toEqual([0xc0, 0xff])
    await expect(map.set('B0', 0)).rejects.toEqual(refusal('read-only'))
    expect([map.node('B0').toolTip, map.node('B1').toolTip]).toEqual(['shared', 'own'])
    expect(map.node('B0').kind).toBe('MaskedIntReg')
  })
})
