// The acceptance cases of genapi.md section 11, each under its number. Where a case is large, the file that covers it in breadth is
// named, and its core is here.

import { describe, expect, it } from 'vitest'
import { type AccessMode, combine, locked } from '../../lib/genapi/access.js'
import { createNodeMap } from '../../lib/genapi/index.js'
import {
  generatedDescription,
  generatedFeatures,
  generatedMemory,
} from '../helpers/generated-description.mjs'
import { camera, description, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const MODES: AccessMode[] = ['NI', 'NA', 'WO', 'RO', 'RW']
const variable = (name: string, value: number, rest = '') =>
  `<Integer Name="${name}"><Value>${value}</Value>${rest}</Integer>`

function generated() {
  const port = new FakePort(0)
  Object.assign(port, { memory: generatedMemory() })
  return { map: createNodeMap(generatedDescription(), port), port }
}

describe('acceptance case', () => {
  it('1: every node of a description of 3000 nodes builds, and every feature reads', async () => {
    const { map } = generated()
    expect([...map].length).toBeGreaterThan(3000)
    expect(map.problems()).toEqual([])
    const outcomes = await map.getMany(generatedFeatures())
    const failed = [...outcomes].filter(([, outcome]) => 'error' in outcome)
    expect(failed).toEqual([])
    expect(outcomes.get('Rate7')).toEqual({ value: 28 }) // 7000 * (3 + 1) / 1000
    expect(outcomes.get('Mode7')).toEqual({ value: 'External' })
    expect(outcomes.get('Level7')).toEqual({ value: 703 }) // the fourth, by the selector
  })

  // Examples 1 to 11 of the masks: masked-register.test.ts.
  it('2: masks, natural ranges and signs', async () => {
    const { map } = camera(
      register('MaskedIntReg', 'Signed', 0, '<LSB>4</LSB><MSB>15</MSB><Sign>Signed</Sign>', {
        length: 2,
        order: 'LittleEndian',
      }),
      { port: new FakePort().poke(0, 0xf0, 0xff) },
    )
    const node = map.node('Signed')
    expect([await node.get(), await node.min(), await node.max()]).toEqual([-1, -2048, 2047])
  })

  it('3: a selector moves the address while the cache is valid', async () => {
    const { map, port } = camera(
      register('IntReg', 'R', '<Address>0x100</Address><pIndex>S</pIndex>') + variable('S', 0),
      { port: new FakePort().poke32(0x100, 10).poke32(0x104, 11) },
    )
    const seen = []
    for (const index of [0, 1, 0, 1]) {
      await map.set('S', index)
      seen.push(await map.get('R'))
    }
    expect(seen).toEqual([10, 11, 10, 11])
    expect(port.taken().every((access) => access.startsWith('read'))).toBe(true)
  })

  describe('4: the matrix of caches', () => {
    const CASES = [
      ['NoCache', ['write 100+4', 'read 100+4', 'read 100+4']],
      ['WriteThrough', ['write 100+4']],
      ['WriteAround', ['write 100+4', 'read 100+4']],
    ] as const
    it.each(CASES)('%s, directly and through another node', async (mode, accesses) => {
      const { map, port } = camera(
        `${register('IntReg', 'R', 0x100, `<Cachable>${mode}</Cachable>`)}<Integer Name="I"><pValue>R</pValue></Integer>`,
      )
      for (const name of ['R', 'I']) {
        await map.set(name, 5)
        await map.get(name)
        await map.get(name)
        expect(port.taken()).toEqual(accesses)
        expect(map.node(name).cachingMode).toBe(mode)
        map.invalidate()
      }
    })

    const NODES =
      '<Integer Name="Top"><pValue>Middle</pValue></Integer><Integer Name="Middle"><pValue>R</pValue></Integer>' +
      register('IntReg', 'R', 0x100) +
      '<IntSwissKnife Name="Uses"><pVariable Name="M">Middle</pVariable><Formula>M</Formula></IntSwissKnife>' +
      register('IntReg', 'Named', 0x200, '<pInvalidator>Uses</pInvalidator>') +
      variable('Apart', 0)

    it('writing a node changes its path down to the register, and all that depends on it, once each', async () => {
      const { map } = camera(NODES)
      const changes: string[][] = []
      map.onChange((names) => changes.push(names))
      await map.set('Top', 1)
      expect(changes.map((names) => [...names].sort())).toEqual([['Middle', 'Named', 'R', 'Top', 'Uses']])
    })

    it('reading changes nothing', async () => {
      const { map } = camera(NODES)
      const changes: string[][] = []
      map.onChange((names) => changes.push(names))
      await map.get('Top')
      await map.node('Uses').access()
      expect(changes).toEqual([])
    })

    it('a command changes its dependents when sent, and again when done', async () => {
      const { map, port } = camera(
        `${register('IntReg', 'R', 0x100)}<Command Name="Load"><pValue>R</pValue><CommandValue>1</CommandValue></Command>
         ${register('IntReg', 'After', 0x200, '<pInvalidator>Load</pInvalidator>')}`,
      )
      port.onAccess = ({ op }) => {
        if (op === 'read') port.poke32(0x100, 0)
      }
      let changes = 0
      map.on('change', (name) => {
        if (name === 'After') changes++
      })
      await map.execute('Load')
      expect(changes).toBe(2)
    })
  })

  it('5: the truth table of access', () => {
    const table = MODES.map((a) => MODES.map((b) => combine(a, b)).join(' '))
    expect(table).toEqual([
      'NI NI NI NI NI',
      'NI NA NA NA NA',
      'NI NA WO NA WO',
      'NI NA NA RO RO',
      'NI NA WO RO RW',
    ])
    expect(MODES.map(locked)).toEqual(['NI', 'NA', 'NA', 'RO', 'RO'])
  })

  it('5: conditions that cannot be read make a node not available', async () => {
    const { map } = camera(
      `${register('IntReg', 'Hidden', 0, '', { access: 'WO' })}${[
        'pIsImplemented',
        'pIsAvailable',
        'pIsLocked',
      ]
        .map((tag) => variable(tag, 1, `<${tag}>Hidden</${tag}>`))
        .join('')}`,
    )
    const modes = await Promise.all(
      ['pIsImplemented', 'pIsAvailable', 'pIsLocked'].map((name) => map.node(name).access()),
    )
    expect(modes).toEqual(['NA', 'NA', 'NA'])
  })

  it('5: TLParamsLocked locks, and the refusal says so', async () => {
    const { map } = camera(
      `<Integer Name="Width"><pIsLocked>TLParamsLocked</pIsLocked><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100)}`,
    )
    await map.set('TLParamsLocked', 1)
    await expect(map.set('Width', 1)).rejects.toMatchObject({
      reason: 'read-only',
      access: 'RO',
      by: 'TLParamsLocked',
      hint: expect.stringContaining('close the stream'),
    })
    expect(await map.get('Width')).toBe(0)
    await map.set('TLParamsLocked', 0)
    await map.set('Width', 1)
  })

  // The vectors of 4.6 and 128 nested ternaries: formula.test.ts.
  it('6: int64 wraps, and rounding is away from zero', async () => {
    const values = async (kind: string, ...formulas: string[]) =>
      await Promise.all(
        formulas.map((formula) =>
          camera(`<${kind} Name="K"><Formula>${formula}</Formula></${kind}>`).map.get('K'),
        ),
      )
    expect(
      await values('IntSwissKnife', '0x7FFFFFFFFFFFFFFF + 1', '0xFFFFFFFFFFFFFFFF', '~0', '~0xFDFFFFFF'),
    ).toEqual([-(2n ** 63n), -1, -1, -0xfe000000])
    expect(
      await values('SwissKnife', 'ROUND(5.5)', 'ROUND(-5.5)', 'ROUND(-45.4545, 2)', 'ROUND(45.4545, -1)'),
    ).toEqual([6, -6, -45.45, 50])
  })

  describe('7: data that is attached', () => {
    const chunk = (name: string, id: string, rest = '') =>
      `<Port Name="${name}"><ChunkID>${id}</ChunkID>${rest}</Port>`
    const on = (port: string, name: string, address: string, length = 4) =>
      register('IntReg', name, `<Address>${address}</Address>`, '', { length, access: 'RO' }).replace(
        'Device',
        port,
      )

    it('two chunks, an empty one, an address from the end, an unknown id, and the length of the chunk', async () => {
      const { map } = camera(
        `${chunk('A', '00000001')}${chunk('B', '0504')}${chunk('Empty', '09')}${chunk('Absent', '7')}
         ${on('A', 'First', '0')}${on('A', 'Last', '-4')}${on('B', 'Other', '0')}${on('Empty', 'Nothing', '0')}${on('Absent', 'Missing', '0')}
         ${on('A', 'Size', '0x7FFFFFFFFFFFFFF0', 8)}${on('A', 'Beyond', '5')}`,
      )
      map.attachChunks(
        new Map([
          [1, Uint8Array.of(0, 0, 0, 1, 0, 0, 0, 2)],
          [0x504, Uint8Array.of(0, 0, 0, 3)],
          [9, new Uint8Array(0)],
          [0xffff, Uint8Array.of(1)],
        ]),
      )
      expect(await Promise.all(['First', 'Last', 'Other', 'Size'].map((name) => map.get(name)))).toEqual([
        1, 2, 3, 8,
      ])
      for (const name of ['Nothing', 'Missing', 'Beyond']) {
        await expect(map.get(name)).rejects.toMatchObject({ reason: 'not-available' })
      }
      map.attachChunks(new Map())
      await expect(map.get('First')).rejects.toMatchObject({ reason: 'not-available' })
    })

    it('a chunk whose id a node tells, and a copy where the description asks for one', async () => {
      const { map } = camera(
        `<Port Name="P"><pChunkID>Id</pChunkID></Port>${variable('Id', 5)}${on('P', 'R', '0')}
         ${chunk('C', '6', '<CacheChunkData>Yes</CacheChunkData>')}${on('C', 'Kept', '0')}${chunk('D', '6')}${on('D', 'Lent', '0')}`,
      )
      const buffer = Uint8Array.of(0, 0, 0, 7)
      map.attachChunks(
        new Map([
          [5, Uint8Array.of(0, 0, 0, 1)],
          [6, buffer],
        ]),
      )
      expect(await map.get('R')).toBe(1)
      await map.set('Id', 6)
      expect(await map.get('R')).toBe(7)
      buffer[3] = 8
      expect([await map.get('Kept'), await map.get('Lent')]).toEqual([7, 8])
    })

    it('an event, and what it invalidates', async () => {
      const { map } = camera(
        `<Port Name="E"><EventID>9001</EventID></Port>${on('E', 'Id', '0x2', 2)}${on('E', 'Timestamp', '0x8', 8)}
         <Integer Name="Count"><EventID>9001</EventID><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100)}`,
      )
      const changed: string[] = []
      map.on('change', (name) => changed.push(name))
      const item = new Uint8Array(16)
      new DataView(item.buffer).setUint16(2, 0x9001)
      new DataView(item.buffer).setBigUint64(8, 2n ** 60n)
      expect(map.deliverEvent(0x9001, item)).toEqual(['E', 'Count'])
      expect([await map.get('Id'), await map.get('Timestamp')]).toEqual([0x9001, 2n ** 60n])
      expect(changed).toEqual(expect.arrayContaining(['E', 'Id', 'Timestamp', 'Count', 'R']))
    })
  })

  // More of this: hostile.test.ts and fuzz.test.ts.
  it('8: what is made to hurt ends in a typed error', async () => {
    const fault = expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' })
    const { map } = camera(
      '<Integer Name="A"><pValue>B</pValue></Integer><Integer Name="B"><pValue>A</pValue></Integer>' +
        '<IntSwissKnife Name="K"><Expression Name="X">Y</Expression><Expression Name="Y">X</Expression><Formula>X</Formula></IntSwissKnife>' +
        register('Register', 'Huge', 0, '', { length: 1 << 30 }),
    )
    for (const name of ['A', 'K', 'Huge']) await expect(map.get(name)).rejects.toEqual(fault)
    expect(() => createNodeMap(`<!DOCTYPE x>${description('')}`, new FakePort())).toThrow(fault)
  })
})
