// The map as a whole: names, tree, selectors, faults that stay where they are, ports with data (genapi.md 1.2, 2.4,
// 3.5, 6).

import { describe, expect, it } from 'vitest'
import type { GigeError } from '../../lib/errors.js'
import { camera, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const variable = (name: string, rest = '') => `<Integer Name="${name}"><Value>0</Value>${rest}</Integer>`

describe('names', () => {
  it('unknown ones fail with near ones', () => {
    const { map } = camera(variable('ExposureTimeAbs') + variable('Gain'))
    const error = (() => {
      try {
        return map.node('exposuretime')
      } catch (thrown) {
        return thrown as GigeError
      }
    })() as GigeError
    expect(error).toMatchObject({ code: 'ERR_GIGE_FEATURE', reason: 'unknown', feature: 'exposuretime' })
    expect(error.hint).toContain('ExposureTimeAbs')
    expect(error.hint).not.toContain('Gain')
    expect(map.has('exposuretime')).toBe(false)
  })

  it('may be qualified, and a wrong qualifier finds nothing', () => {
    const { map } = camera(
      '<Integer Name="S" NameSpace="Standard"><Value>0</Value></Integer><Integer Name="C"><Value>0</Value></Integer>',
    )
    expect(['Std::S', 'Cust::S', 'Std::C', 'Cust::C'].map((name) => map.has(name))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })

  it.each(['constructor', '__proto__', 'toString', ''])('%j is no feature', (name) => {
    expect(camera('').map.has(name)).toBe(false)
  })

  it('firstOf takes the first that exists, fits and is implemented', async () => {
    const { map } = camera(
      `<Category Name="Gain"/>${variable('Off')}${variable('GainRaw')}${variable('GainAbs', '<pIsImplemented>Off</pIsImplemented>')}`,
    )
    const found = await map.firstOf(['Nothing', 'Gain', 'GainAbs', 'GainRaw'], 'Integer')
    expect(found?.name).toBe('GainRaw')
    expect(await map.firstOf(['Nothing', 'GainAbs'])).toBeUndefined()
  })
})

describe('tree', () => {
  const { map } = camera(
    `<Group Comment="x"><Group Comment="y"><Category Name="Root"><pFeature>Image</pFeature><pFeature>Empty</pFeature><Oddity/></Category></Group></Group>
     <Category Name="Image"><Visibility>Beginner</Visibility><pFeature>Width</pFeature><pFeature>Nowhere</pFeature></Category>
     <Category Name="Empty"/>
     ${variable('Width', '<Visibility>Expert</Visibility><DisplayName>The  width</DisplayName><Description>a\n b</Description><Streamable>Yes</Streamable>')}
     ${variable('Hidden', '<Streamable/>')}`,
  )

  it('goes through groups, and leaves out what does not exist', () => {
    expect(
      map
        .node('Root')
        .features()
        .map(({ name }) => name),
    ).toEqual(['Image', 'Empty'])
    expect(
      map
        .node('Image')
        .features()
        .map(({ name }) => name),
    ).toEqual(['Width'])
  })

  it('has one object for each node', () => {
    expect(map.node('Image').features()[0]).toBe(map.node('Width'))
  })

  it('knows features from other nodes', () => {
    expect(['Width', 'Image', 'Root', 'Hidden'].map((name) => map.node(name).isFeature)).toEqual([
      true,
      true,
      true,
      false,
    ])
  })

  it('shows a category as its most visible member is', () => {
    expect(['Root', 'Image', 'Empty'].map((name) => map.node(name).visibility)).toEqual([
      'Expert',
      'Expert',
      'Invisible',
    ])
  })

  it('has texts with white space collapsed, and the name for a caption', () => {
    expect(map.node('Width')).toMatchObject({
      displayName: 'The width',
      description: 'a b',
      streamable: true,
      type: 'Integer',
    })
    expect(map.node('Hidden')).toMatchObject({ displayName: 'Hidden', streamable: false, toolTip: '' })
  })

  it('iterates all nodes in document order', () => {
    expect([...map].map(({ name }) => name)).toEqual([
      'Root',
      'Image',
      'Empty',
      'Width',
      'Hidden',
      'Device',
      'TLParamsLocked',
    ])
  })
})

describe('selectors', () => {
  it('select what they list and what reads that through pValue', () => {
    const { map } = camera(
      `${variable('Sel', '<pSelected>B</pSelected><pSelected>A</pSelected>')}${variable('Other', '<pSelected>A</pSelected>')}
       ${variable('A')}${variable('B')}<Float Name="AA"><pValue>A</pValue></Float>`,
    )
    expect(map.node('Sel').selects).toEqual(['B', 'A', 'AA'])
    expect(map.node('AA').selectedBy).toEqual(['Sel', 'Other'])
    expect(map.node('B').selectedBy).toEqual(['Sel'])
  })
})

describe('faults', () => {
  it('of one node stay with it, and are listed', async () => {
    const { map } = camera(
      `<Integer Name="Bad"><Value>12abc</Value></Integer><Integer Name="Empty"/><IntReg Name="NoAddress"><Length>4</Length></IntReg>
       <Wonder Name="What"/><Integer><Value>1</Value></Integer><Integer Name="Good"><Value>1</Value></Integer>
       <Integer Name="Good"><Value>2</Value></Integer><Enumeration Name="E"><EnumEntry Name="X"/><EnumEntry Name="Y"><Value>1</Value></EnumEntry><Value>1</Value></Enumeration>
       <ConfRom Name="Rom"/>`,
    )
    expect(await map.get('Good')).toBe(1)
    expect(await map.get('E')).toBe('Y')
    for (const name of ['Bad', 'Empty', 'NoAddress', 'What']) {
      await expect(map.get(name), name).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION' })
    }
    const problems = map.problems()
    expect(problems.map(({ name }) => name).sort()).toEqual(
      ['', 'Bad', 'Empty', 'EnumEntry_E_X', 'Good', 'NoAddress', 'What'].sort(),
    )
    expect(problems.find(({ name }) => name === 'Bad')).toMatchObject({
      line: 5,
      message: expect.stringContaining('12abc'),
    })
    expect(await map.node('Rom').access()).toBe('NI')
  })

  it('of dangling pointers fail where they are used', async () => {
    const { map } = camera('<Integer Name="I"><pValue>Nowhere</pValue></Integer>')
    await expect(map.get('I')).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      message: expect.stringContaining('Nowhere'),
    })
  })

  it('of the port keep their type and learn the feature', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100))
    const { GigeError } = await import('../../lib/errors.js')
    port.onAccess = () => {
      throw new GigeError('ERR_GIGE_TIMEOUT', 'no answer')
    }
    await expect(map.get('R')).rejects.toMatchObject({ code: 'ERR_GIGE_TIMEOUT', feature: 'R' })
    port.onAccess = undefined
    expect(await map.get('R')).toBe(0)
  })

  it('of a port that gives too few bytes are told', async () => {
    const port = new FakePort()
    port.read = async () => new Uint8Array(3)
    await expect(camera(register('IntReg', 'R', 0x100), { port }).map.get('R')).rejects.toMatchObject({
      code: 'ERR_GIGE_STATUS',
    })
  })
})

describe('ports', () => {
  it('without a device are not implemented; options give them one', async () => {
    const nodes = `<Port Name="Device"/><Port Name="Second"/>${register('IntReg', 'R', 0x100).replace('>Device<', '>Second<')}`
    const bare = camera(nodes)
    expect(await bare.map.node('R').access()).toBe('NI')
    expect(bare.port.taken()).toEqual([])
    const second = new FakePort().poke32(0x100, 4)
    expect(await camera(nodes, { ports: { Second: second } }).map.get('R')).toBe(4)
  })

  it('SwapEndianess reverses each group of 4 bytes', async () => {
    const { map, port } = camera(
      `<Port Name="Device"><SwapEndianess>Yes</SwapEndianess></Port>${register('IntReg', 'R', 0x100)}`,
    )
    port.poke(0x100, 4, 3, 2, 1)
    expect(await map.get('R')).toBe(0x01020304)
    await map.set('R', 0x0a0b0c0d)
    expect(port.peek(0x100, 4)).toEqual([13, 12, 11, 10])
  })

  const onPort = (name: string, address: number, port: string, length = 4) =>
    register('IntReg', name, `<Address>${address}</Address>`, '', { length, access: 'RO' }).replace(
      '>Device<',
      `>${port}<`,
    )

  it('of chunks read the data attached to them, from either end', async () => {
    const { map } = camera(
      `<Port Name="Chunk"><ChunkID>0a01</ChunkID></Port>${onPort('Start', 0, 'Chunk')}${onPort('End', -2, 'Chunk', 2)}${onPort('Beyond', 4, 'Chunk')}`,
    )
    expect(await map.node('Start').access()).toBe('NA')
    await expect(map.get('Start')).rejects.toMatchObject({ reason: 'not-available' })
    map.attachChunks(new Map([[0xa01, Uint8Array.of(0, 0, 1, 2, 3, 4)]]))
    expect([await map.get('Start'), await map.get('End')]).toEqual([0x0102, 0x0304])
    await expect(map.get('Beyond')).rejects.toMatchObject({ reason: 'not-available' })
    map.attachChunks(new Map([[0xa01, Uint8Array.of(0, 0, 0, 9)]]))
    expect(await map.get('Start')).toBe(9)
    map.attachChunks(new Map())
    expect(await map.node('Start').access()).toBe('NA')
  })

  it('of events read the item delivered to them, and name the nodes of the event', async () => {
    const { map } = camera(
      `<Port Name="Event"><EventID>9001</EventID></Port>${onPort('Id', 2, 'Event', 2)}<Integer Name="EventX"><EventID>9001</EventID><Value>0</Value></Integer>`,
    )
    expect(map.deliverEvent(0x9001, Uint8Array.of(0, 16, 0x90, 0x01))).toEqual(['Event', 'EventX'])
    expect(await map.get('Id')).toBe(0x9001)
    expect(map.deliverEvent(0x9002, Uint8Array.of(0, 0, 0, 0))).toEqual([])
    expect(await map.get('Id')).toBe(0x9001)
  })
})
