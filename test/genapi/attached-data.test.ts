// What cameras attach to frames and send as events, taken apart (genapi.md 6.1, 6.2; the cases of 11.7).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { disableChunks, enableChunks, parseChunks, parseEventItems } from '../../lib/genapi/index.js'
import { camera, register } from './describe-camera.js'

const word = (value: number) => [(value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]
const chunk = (id: number, ...data: number[]) => [...data, ...word(id), ...word(data.length)]

describe('chunks', () => {
  it('two, one of them empty, from the end of the payload', () => {
    const { chunks, rest, problem } = parseChunks(
      Uint8Array.from([...chunk(1, 10, 20, 30, 40), ...chunk(0xffff0001)]),
    )
    expect(chunks).toEqual(
      new Map([
        [0xffff0001, new Uint8Array(0)],
        [1, Uint8Array.of(10, 20, 30, 40)],
      ]),
    )
    expect([rest, problem]).toEqual([0, undefined])
  })

  it('of a truncated trailer, and of a length beyond the payload, keep what was sound', () => {
    const cut = parseChunks(Uint8Array.from([1, 2, 3, ...chunk(5, 9)]))
    expect([...cut.chunks.keys(), cut.rest, cut.problem]).toEqual([5, 3, '3 bytes are too few for a chunk'])
    const long = parseChunks(Uint8Array.from([...word(7), ...word(0xffffffff), ...chunk(5, 9)]))
    expect([...long.chunks.keys()]).toEqual([5])
    expect(long.problem).toMatch(/claims 4294967295 bytes/)
    expect(parseChunks(new Uint8Array(0))).toEqual({ chunks: new Map(), rest: 0, problem: undefined })
  })

  it('come out as they were put in, and no bytes can make the walk leave the payload', () => {
    const parts = fc.uniqueArray(
      fc.record({ id: fc.nat(0xffffffff), data: fc.uint8Array({ maxLength: 40 }) }),
      { selector: ({ id }) => id },
    )
    fc.assert(
      fc.property(parts, (list) => {
        const payload = Uint8Array.from(list.flatMap(({ id, data }) => chunk(id, ...data)))
        expect(parseChunks(payload).chunks).toEqual(
          new Map([...list].reverse().map(({ id, data }) => [id, data])),
        )
      }),
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (payload) => {
        const { chunks, rest } = parseChunks(payload)
        const total = [...chunks.values()].reduce((sum, data) => sum + data.length + 8, 0)
        expect(total + rest).toBeLessThanOrEqual(payload.length)
      }),
    )
  })

  it('have values by feature name, counted from the end where addresses are negative', async () => {
    const { map } = camera(
      `<Port Name="Image"><ChunkID>1</ChunkID></Port><Port Name="Info"><ChunkID>0000A000</ChunkID></Port>
       ${register('IntReg', 'ChunkImageLength', '<Address>-4</Address>', '', { access: 'RO' }).replace('Device', 'Info')}
       ${register('IntReg', 'ChunkLineStatus', '<Address>0</Address>', '', { access: 'RO', length: 1 }).replace('Device', 'Info')}`,
    )
    const { chunks } = parseChunks(
      Uint8Array.from([...chunk(1, 0, 0), ...chunk(0xa000, 3, 0, 0, 0, 0, 0, 0, 2)]),
    )
    map.attachChunks(chunks)
    expect([await map.get('ChunkImageLength'), await map.get('ChunkLineStatus')]).toEqual([2, 3])
  })
})

describe('chunk data of a camera', () => {
  const NODES = `<Category Name="Root"><pFeature>ChunkWidth</pFeature><pFeature>ChunkGain</pFeature><pFeature>Width</pFeature></Category>
    <Port Name="A"><ChunkID>A</ChunkID></Port><Port Name="B"><ChunkID>B</ChunkID></Port>
    <Integer Name="ChunkWidth"><pValue>ChunkWidthReg</pValue></Integer>
    ${register('IntReg', 'ChunkWidthReg', 0, '', { access: 'RO' }).replace('Device', 'A')}
    <SwissKnife Name="ChunkGain"><pVariable Name="RAW">ChunkGainReg</pVariable><pVariable Name="STEP">Step</pVariable><Formula>RAW / STEP</Formula></SwissKnife>
    ${register('IntReg', 'ChunkGainReg', 0, '', { access: 'RO' }).replace('Device', 'B')}${register('IntReg', 'Step', 0x100)}
    <Integer Name="Width"><Value>1</Value></Integer>`

  it('has values by feature name, with formulas that need the device, and without what the payload lacks', async () => {
    const { map, port } = camera(NODES)
    port.poke32(0x100, 4)
    const both = Uint8Array.from([...chunk(0xa, ...word(640)), ...chunk(0xb, ...word(10))])
    const one = Uint8Array.from(chunk(0xa, ...word(320)))
    // At once: each sees its own payload.
    const [first, second, third] = await Promise.all(
      [both, one, both].map((payload) => map.chunkValues(payload)),
    )
    expect(first).toEqual(
      new Map([
        ['ChunkWidth', { value: 640 }],
        ['ChunkGain', { value: 2.5 }],
      ]),
    )
    expect(second).toEqual(new Map([['ChunkWidth', { value: 320 }]]))
    expect(third).toEqual(first)
    await expect(map.get('ChunkWidth')).rejects.toMatchObject({ reason: 'not-available' })
  })

  it('is switched on chunk by chunk', async () => {
    const { map, port } = camera(
      `<Boolean Name="ChunkModeActive"><pValue>Mode</pValue></Boolean>${register('IntReg', 'Mode', 0x200)}
       <Enumeration Name="ChunkSelector"><EnumEntry Name="Image"><Value>0</Value></EnumEntry><EnumEntry Name="Gain"><Value>1</Value></EnumEntry>
       <EnumEntry Name="Width"><Value>2</Value></EnumEntry><Value>2</Value><pSelected>ChunkEnable</pSelected></Enumeration>
       <Boolean Name="ChunkEnable"><pIsLocked>IsImage</pIsLocked><pValue>Enable</pValue></Boolean>
       <IntSwissKnife Name="IsImage"><pVariable Name="S">ChunkSelector</pVariable><Formula>S = 0</Formula></IntSwissKnife>
       ${register('IntReg', 'Enable', '<Address>0x300</Address><pIndex>ChunkSelector</pIndex>')}`,
    )
    port.poke32(0x300, 1)
    expect(await enableChunks(map, ['Gain'])).toEqual(['Image', 'Gain'])
    expect([port.peek32(0x200), port.peek32(0x304), port.peek32(0x308)]).toEqual([1, 1, 0])
    expect(await map.get('ChunkSelector')).toBe('Width')
    expect(await enableChunks(map)).toEqual(['Image', 'Gain', 'Width'])
    await expect(enableChunks(map, ['Gian'])).rejects.toMatchObject({
      reason: 'no-such-entry',
      entries: ['Image', 'Gain', 'Width'],
    })
    await disableChunks(map)
    expect(port.peek32(0x200)).toBe(0)
    await expect(enableChunks(camera('').map)).rejects.toMatchObject({ reason: 'not-implemented' })
  })
})

describe('event items', () => {
  const classic = (id: number, timestamp: number, block = 5) => [
    0,
    0,
    id >> 8,
    id & 255,
    0,
    1,
    0,
    block,
    0,
    0,
    0,
    0,
    ...word(timestamp),
  ]
  const extended = (id: number, timestamp: number) => [
    0,
    0,
    id >> 8,
    id & 255,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    1,
    ...word(6),
    0,
    0,
    0,
    0,
    ...word(timestamp),
  ]

  it('several in one EVENT, and a rest that is none', () => {
    const message = Uint8Array.from([...classic(3, 100), ...classic(0x9001, 200), 1, 2, 3])
    const items = parseEventItems(message, { hasData: false, extendedIds: false })
    expect(
      items.map(({ id, streamChannel, blockId, timestamp }) => ({ id, streamChannel, blockId, timestamp })),
    ).toEqual([
      { id: 3, streamChannel: 1, blockId: 5n, timestamp: 100n },
      { id: 0x9001, streamChannel: 1, blockId: 5n, timestamp: 200n },
    ])
  })

  it.each([false, true])(
    'one in an EVENTDATA, with extended ids: %s; descriptions find the same in both',
    async (extendedIds) => {
      const header = extendedIds ? extended(0x9001, 77) : classic(0x9001, 77)
      const [item, ...more] = parseEventItems(Uint8Array.from([...header, 0, 0, 0, 9]), {
        hasData: true,
        extendedIds,
      })
      expect(more).toEqual([])
      expect(item!.blockId).toBe(extendedIds ? 0x1_00000006n : 5n)
      const on = (name: string, address: number, length: number) =>
        register('IntReg', name, address, '', { access: 'RO', length }).replace('Device', 'Event')
      const { map } = camera(
        `<Port Name="Event"><EventID>9001</EventID></Port>${on('EventTimestamp', 8, 8)}${on('EventValue', 16, 4)}${on('EventId', 2, 2)}`,
      )
      map.deliverEvent(item!.id, item!.bytes)
      expect(
        await Promise.all(['EventTimestamp', 'EventValue', 'EventId'].map((name) => map.get(name))),
      ).toEqual([77, 9, 0x9001])
    },
  )

  it('several with data where they tell their sizes; a size that cannot be is not believed', () => {
    const sized = (id: number, size: number, ...data: number[]) => {
      const item = extended(id, 7)
      item.splice(0, 2, size >> 8, size & 255)
      return [...item, ...data]
    }
    const items = (...bytes: number[]) =>
      parseEventItems(Uint8Array.from(bytes), { hasData: true, extendedIds: true }).map(({ id, data }) => [
        id,
        ...data,
      ])
    expect(items(...sized(1, 26, 8, 9), ...sized(2, 24), ...sized(3, 25, 5))).toEqual([
      [1, 8, 9],
      [2],
      [3, 5],
    ])
    expect(items(...sized(1, 23, 8, 9))).toEqual([[1, 8, 9]])
    expect(items(...sized(1, 27, 8, 9))).toEqual([[1, 8, 9]])
  })

  it('belong to an event by what their features are called, with the values that the description finds', async () => {
    const item = (id: number) => {
      const message = Uint8Array.from([...classic(id, 77), 0, 0, 0, 9])
      return parseEventItems(message, { hasData: true, extendedIds: false })[0]!
    }
    const on = (name: string, address: number, length: number) =>
      register('IntReg', name, address, '', { access: 'RO', length }).replace('Device', 'EventPort')
    const { map } = camera(
      `<Category Name="Root"><pFeature>EventOverheat</pFeature><pFeature>EventOverheatTemperature</pFeature></Category>
       <Port Name="EventPort"><EventID>9001</EventID></Port>${on('EventOverheat', 2, 2)}
       <SwissKnife Name="EventOverheatTemperature"><pVariable Name="RAW">Raw</pVariable><Formula>RAW / 2.0</Formula></SwissKnife>${on('Raw', 16, 4)}`,
    )
    expect(await Promise.all([map.eventValues(item(0x9001)), map.eventValues(item(5))])).toEqual([
      {
        name: 'Overheat',
        values: new Map<string, unknown>([
          ['EventOverheat', { value: 0x9001 }],
          ['EventOverheatTemperature', { value: 4.5 }],
        ]),
      },
      { name: undefined, values: new Map() },
    ])
  })

  it('of messages that are too short are none', () => {
    expect(parseEventItems(new Uint8Array(15), { hasData: true, extendedIds: false })).toEqual([])
    expect(parseEventItems(new Uint8Array(23), { hasData: false, extendedIds: true })).toEqual([])
  })
})
