// Addresses, caching, invalidation, byte order by schema (genapi.md 2.3, 3.2 to 3.5, 7.1).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { camera, register } from './describe-camera.js'
import { FakePort, RegisterFakePort } from './fake-port.js'

const variable = (name: string, value: number | string) =>
  `<Integer Name="${name}"><Value>${value}</Value></Integer>`

describe('addresses', () => {
  const terms = '<pAddress>Base</pAddress><Address>0x0F00</Address>'
  const nodes = variable('Base', '0xF000') + variable('Index', 1)

  it('are the sum of all terms', async () => {
    const { map, port } = camera(
      nodes +
        register('IntReg', 'WithOffset', `${terms}<pIndex Offset="0xF0">Index</pIndex>`) +
        register('IntReg', 'Bare', `${terms}<pIndex>Index</pIndex>`) +
        register('IntReg', 'Pointed', `${terms}<pIndex pOffset="Step">Index</pIndex>`) +
        register(
          'IntReg',
          'Knife',
          `<Address>8</Address><Address>8</Address><IntSwissKnife Name="Anonymous"><pVariable Name="I">Index</pVariable><Formula>I*0x100+0x200</Formula></IntSwissKnife>`,
        ) +
        variable('Step', 0x20),
    )
    for (const name of ['WithOffset', 'Bare', 'Pointed', 'Knife']) await map.get(name)
    expect(port.taken()).toEqual(['read fff0+4', 'read ff04+4', 'read ff20+4', 'read 310+4'])
    expect(map.has('Anonymous')).toBe(false)
  })

  it('follow a selector, while the cache of the other places stays right', async () => {
    const { map, port } = camera(
      variable('Sel', 0) + register('IntReg', 'R', '<Address>0x100</Address><pIndex>Sel</pIndex>'),
    )
    port.poke32(0x100, 10).poke32(0x104, 11)
    const seen: unknown[] = []
    for (const index of [0, 1, 0, 1]) {
      await map.set('Sel', index)
      seen.push(await map.get('R'))
    }
    expect(seen).toEqual([10, 11, 10, 11])
  })

  it('beyond 2^53 reach the port as bigint', async () => {
    const asked: unknown[] = []
    const port = new FakePort()
    port.read = async (address, length) => {
      asked.push(address)
      return new Uint8Array(length)
    }
    const { map } = camera(register('IntReg', 'R', '<Address>0x20000000000001</Address>'), { port })
    await map.get('R')
    expect(asked).toEqual([0x20000000000001n])
  })

  it.each([
    ['a negative address', '<Address>-4</Address>', 4],
    ['a gigabyte', '<Address>0</Address>', 2 ** 30],
    ['nothing', '<Address>0</Address>', 0],
    ['a negative length', '<Address>0</Address>', -1],
  ])('refuse %s', async (_what, place, length) => {
    const { map, port } = camera(register('Register', 'R', place, '', { length }))
    await expect(map.get('R')).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION' })
    expect(port.taken()).toEqual([])
  })

  it('take their length from pLength', async () => {
    const { map, port } = camera(
      `<StringReg Name="S"><Address>0x100</Address><pLength>L</pLength><pPort>Device</pPort></StringReg>${variable('L', 3)}`,
    )
    port.poke(0x100, ...Buffer.from('abcdef'))
    expect(await map.get('S')).toBe('abc')
    await map.set('L', 5)
    expect(await map.get('S')).toBe('abcde')
  })
})

describe('caching modes', () => {
  const modes = ['NoCache', 'WriteThrough', 'WriteAround'] as const
  const traffic = {
    NoCache: ['write 100+4', 'read 100+4', 'read 100+4'],
    WriteThrough: ['write 100+4'],
    WriteAround: ['write 100+4', 'read 100+4'],
  }
  const indirect = '<Integer Name="I"><pValue>R</pValue></Integer>'

  it.each(modes)('%s, directly and through a node above', async (mode) => {
    for (const name of ['R', 'I']) {
      const { map, port } = camera(indirect + register('IntReg', 'R', 0x100, `<Cachable>${mode}</Cachable>`))
      await map.set(name, 1)
      await map.get(name)
      await map.get(name)
      expect(port.taken(), name).toEqual(traffic[mode])
    }
  })

  it('are WriteThrough for integers and WriteAround for floats when nothing is said', async () => {
    for (const [kind, mode] of [
      ['IntReg', 'WriteThrough'],
      ['FloatReg', 'WriteAround'],
    ] as const) {
      const { map, port } = camera(register(kind, 'R', 0x100))
      await map.set('R', 1)
      await map.get('R')
      await map.get('R')
      expect(port.taken()).toEqual(traffic[mode])
    }
  })

  it('are as weak as the weakest node that the address comes from', async () => {
    const { map, port } = camera(
      register('IntReg', 'R', '<pAddress>A</pAddress>') +
        register('IntReg', 'A', 0x200, '<Cachable>NoCache</Cachable>'),
    )
    port.poke32(0x200, 0x100)
    await map.get('R')
    await map.get('R')
    expect(port.taken()).toEqual(['read 200+4', 'read 100+4', 'read 200+4', 'read 100+4'])
  })

  it('read each register once in one operation, even without cache', async () => {
    const { map, port } = camera(
      `${register('IntReg', 'R', 0x100, '<Cachable>NoCache</Cachable>')}
       <IntSwissKnife Name="K"><pVariable Name="A">R</pVariable><Formula>A*A+A</Formula></IntSwissKnife>`,
    )
    port.poke32(0x100, 3)
    expect(await map.get('K')).toBe(12)
    expect(port.taken()).toEqual(['read 100+4'])
  })

  it('let values with PollingTime expire by the clock', async () => {
    let now = 0
    const { map, port } = camera(register('IntReg', 'R', 0x100, '<PollingTime>1000</PollingTime>'), {
      now: () => now,
    })
    await map.get('R')
    now = 999
    await map.get('R')
    expect(port.taken()).toEqual(['read 100+4'])
    now = 1000
    await map.get('R')
    expect(port.taken()).toEqual(['read 100+4'])
  })

  it('can be passed over for one read', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100))
    await map.get('R')
    port.poke32(0x100, 8)
    expect(await map.get('R')).toBe(0)
    expect(await map.get('R', { ignoreCache: true })).toBe(8)
    expect(await map.get('R')).toBe(8)
  })

  it('keep nothing of a write that failed', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100))
    await map.get('R')
    port.onAccess = ({ op }) => {
      if (op === 'write') throw new Error('lost')
    }
    await expect(map.set('R', 5)).rejects.toThrow('lost')
    port.taken()
    expect(await map.get('R')).toBe(0)
    expect(port.taken()).toEqual(['read 100+4'])
  })

  it('keep nothing that was on its way when it was invalidated', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100))
    port.onAccess = () => {
      map.invalidate('R')
      port.onAccess = undefined
    }
    await map.get('R')
    await map.get('R')
    expect(port.taken()).toEqual(['read 100+4', 'read 100+4'])
  })
})

describe('invalidation', () => {
  it('goes through pInvalidator on any kind of node, down to its register, and on from there', async () => {
    const { map, port } = camera(
      register('IntReg', 'Trigger', 0x100) +
        `<Float Name="F"><pInvalidator>Trigger</pInvalidator><pValue>Raw</pValue></Float>${register('IntReg', 'Raw', 0x200)}` +
        register('IntReg', 'Next', 0x300, '<pInvalidator>F</pInvalidator>'),
    )
    await map.getMany(['F', 'Next'])
    port.poke32(0x200, 7).poke32(0x300, 8)
    await map.set('Trigger', 1)
    expect([await map.get('F'), await map.get('Next')]).toEqual([7, 8])
  })

  it('covers what a selector selects, though no address depends on it', async () => {
    const { map, port } = camera(
      register('IntReg', 'Selector', 0x100, '<pSelected>Gain</pSelected>') +
        `<Integer Name="Gain"><pValue>GainReg</pValue></Integer>${register('IntReg', 'GainReg', 0x200)}`,
    )
    await map.get('Gain')
    port.poke32(0x200, 5)
    await map.set('Selector', 1)
    expect(await map.get('Gain')).toBe(5)
  })

  it('covers overlapping registers of other nodes', async () => {
    const { map, port } = camera(
      register('IntReg', 'Half', 0x102, '', { length: 2 }) + register('IntReg', 'Whole', 0x100),
    )
    expect(await map.get('Whole')).toBe(0)
    await map.set('Half', 0xbeef)
    expect(await map.get('Whole')).toBe(0xbeef)
    await map.set('Whole', 0x12345678)
    expect(await map.get('Half')).toBe(0x5678)
    expect(port.peek32(0x100)).toBe(0x12345678)
  })

  it('of a port covers every register on it', async () => {
    const { map, port } = camera(
      `<Port Name="Device"><pInvalidator>Load</pInvalidator></Port>${register('IntReg', 'Load', 0x100)}${register('IntReg', 'R', 0x200)}`,
    )
    await map.get('R')
    port.poke32(0x200, 9)
    await map.set('Load', 1)
    expect(await map.get('R')).toBe(9)
  })

  it('survives circles of pInvalidator', async () => {
    const { map } = camera(
      register('IntReg', 'A', 0x100, '<pInvalidator>B</pInvalidator>') +
        register('IntReg', 'B', 0x104, '<pInvalidator>A</pInvalidator>'),
    )
    await map.set('A', 1)
    await map.set('B', 2)
    expect([await map.get('A'), await map.get('B')]).toEqual([1, 2])
  })

  it('tells listeners which nodes changed, once per operation', async () => {
    const { map } = camera(
      `<Integer Name="Top"><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100)}
       <IntSwissKnife Name="K"><pVariable Name="T">Top</pVariable><Formula>T</Formula></IntSwissKnife>${variable('Other', 0)}`,
    )
    const calls: string[][] = []
    const stop = map.onChange((names) => calls.push([...names].sort()))
    await map.set('Top', 1)
    await map.get('K')
    expect(calls).toEqual([['K', 'R', 'Top']])
    stop()
    await map.set('Top', 2)
    expect(calls.length).toBe(1)
  })

  it('reaches an enumeration through the conditions of its entries', async () => {
    const { map } = camera(
      `<Enumeration Name="E"><EnumEntry Name="A"><Value>0</Value><pIsAvailable>V</pIsAvailable></EnumEntry><Value>0</Value></Enumeration>${variable('V', 1)}`,
    )
    const calls: string[][] = []
    map.onChange((names) => calls.push(names))
    await map.set('V', 0)
    await map.node('E').access()
    expect(calls.flat()).toContain('E')
  })

  it('invalidate() makes the next read ask the device', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100)}`,
    )
    for (const name of ['I', undefined]) {
      await map.get('I')
      port.taken()
      map.invalidate(name)
      await map.get('I')
      expect(port.taken()).toEqual(['read 100+4'])
    }
  })
})

describe('coherence', () => {
  it('of a cached map with memory, under random reads and writes of overlapping nodes', async () => {
    const nodes =
      variable('Sel', 0) +
      register('IntReg', 'Indexed', '<Address>0x100</Address><pIndex Offset="2">Sel</pIndex>') +
      register('IntReg', 'Byte', 0x101, '', { length: 1 }) +
      register('IntReg', 'Little', 0x102, '<Cachable>WriteAround</Cachable>', { order: 'LittleEndian' }) +
      register('MaskedIntReg', 'Bits', 0x100, '<LSB>20</LSB><MSB>5</MSB>') +
      register('IntReg', 'Wide', 0x100, '<Cachable>NoCache</Cachable>', { length: 8 })
    const names = ['Indexed', 'Byte', 'Little', 'Bits', 'Wide']
    const step = fc.oneof(
      fc.record({ do: fc.constant('get' as const), name: fc.constantFrom(...names) }),
      fc.record({
        do: fc.constant('set' as const),
        name: fc.constantFrom(...names),
        value: fc.nat({ max: 255 }),
      }),
      fc.record({ do: fc.constant('set' as const), name: fc.constant('Sel'), value: fc.nat({ max: 3 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const port = new FakePort()
        const { map } = camera(nodes, { port })
        const uncached = camera(nodes, { port }).map
        for (const action of steps) {
          if (action.do === 'set') {
            await map.set(action.name, action.value)
            if (action.name === 'Sel') await uncached.set('Sel', action.value)
          } else {
            expect(await map.get(action.name)).toEqual(await uncached.get(action.name, { ignoreCache: true }))
          }
        }
      }),
      { numRuns: 150 },
    )
  })

  it('of two masked siblings written at the same time', async () => {
    const { map, port } = camera(
      register('MaskedIntReg', 'A', 0x100, '<LSB>31</LSB><MSB>16</MSB>') +
        register('MaskedIntReg', 'B', 0x100, '<LSB>15</LSB><MSB>0</MSB>'),
    )
    port.onAccess = () => new Promise((resolve) => setTimeout(resolve, 1))
    await Promise.all([map.set('A', 0x1111), map.set('B', 0x2222)])
    expect(port.peek32(0x100)).toBe(0x22221111)
  })
})

describe('round trips', () => {
  it('getMany reads neighbours as blocks, and again not at all', async () => {
    const names = Array.from({ length: 300 }, (_, index) => `R${index}`)
    const { map, port } = camera(
      names.map((name, index) => register('IntReg', name, 0x100 + 4 * index)).join(''),
    )
    port.poke32(0x100 + 4 * 299, 77)
    const values = await map.getMany(names)
    expect(values.get('R299')).toEqual({ value: 77 })
    expect(port.taken()).toEqual(['read 100+512', 'read 300+512', 'read 500+176'])
    await map.getMany(names)
    expect(port.taken()).toEqual([])
  })

  it('getMany never reads what lies between the registers', async () => {
    const { map, port } = camera(register('IntReg', 'A', 0x100) + register('IntReg', 'B', 0x108))
    await map.getMany(['B', 'A'])
    expect(port.taken()).toEqual(['read 100+4', 'read 108+4'])
  })

  it('getMany has an error for each that fails, and values for the others', async () => {
    const { map, port } = camera(register('IntReg', 'A', 0x100) + register('IntReg', 'B', 0x104))
    port.onAccess = ({ address, length }) => {
      if (address + length > 0x104) throw new Error(`no ${address.toString(16)}`)
    }
    const values = await map.getMany(['A', 'B', 'Missing'])
    expect(values.get('A')).toEqual({ value: 0 })
    expect(values.get('B')).toEqual({ error: new Error('no 104') })
    expect(values.get('Missing')).toMatchObject({ error: { reason: 'unknown', feature: 'Missing' } })
    expect(port.taken()).toEqual(['read 100+8', 'read 100+4', 'read 104+4'])
  })
})

describe('legacy endianness', () => {
  const nodes =
    register('IntReg', 'Four', 0x100) +
    register('MaskedIntReg', 'Bit31', 0x100, '<Bit>31</Bit>') +
    register('FloatReg', 'Float', 0x110) +
    register('IntReg', 'Eight', 0x120, '', { length: 8 })

  it('schema 1.0 accesses 4-byte registers by value and longer ones as memory', async () => {
    const { map, port } = camera(nodes, { schemaMinor: 0, port: new RegisterFakePort() })
    await map.set('Four', 0x01020304)
    await map.set('Bit31', 1)
    await map.set('Float', 1.5)
    await map.set('Eight', 5)
    expect(await map.get('Float')).toBe(1.5)
    expect(await map.get('Four', { ignoreCache: true })).toBe(0x01020305)
    expect(port.taken()).toEqual([
      'writeRegister 100+4',
      'writeRegister 100+4',
      'writeRegister 110+4',
      'write 120+8',
      'readRegister 110+4',
      'readRegister 100+4',
    ])
  })

  it('is big-endian whatever the tag says', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100, '', { order: 'LittleEndian' }), {
      schemaMinor: 0,
      port: new RegisterFakePort(),
    })
    port.poke32(0x100, 768)
    expect(await map.get('R')).toBe(768)
  })

  it('schema 1.1, and ports without registers, use memory', async () => {
    const modern = camera(nodes, { port: new RegisterFakePort() })
    await modern.map.get('Four')
    expect(modern.port.taken()).toEqual(['read 100+4'])
    const plain = camera(nodes, { schemaMinor: 0 })
    await plain.map.get('Four')
    expect(plain.port.taken()).toEqual(['read 100+4'])
  })

  it('can be decided by the caller', async () => {
    const { map, port } = camera(nodes, { port: new RegisterFakePort(), legacyEndianness: true })
    await map.get('Four')
    expect(port.taken()).toEqual(['readRegister 100+4'])
  })
})
