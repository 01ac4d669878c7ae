// Who may do what, when: the access rules of genapi.md 3.1, and commands (2.9), which depend on them.

import { describe, expect, it } from 'vitest'
import { type AccessMode, combine } from '../../lib/genapi/access.js'
import type { NodeMap } from '../../lib/genapi/index.js'
import { camera, register } from './describe-camera.js'

const refusal = (reason: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_GIGE_FEATURE', reason, ...more })
const variable = (name: string, value: number) => `<Integer Name="${name}"><Value>${value}</Value></Integer>`
const access = (map: NodeMap, name: string) => map.node(name).access()

describe('combining modes', () => {
  const modes: AccessMode[] = ['NI', 'NA', 'WO', 'RO', 'RW']
  const table: Record<AccessMode, AccessMode[]> = {
    NI: ['NI', 'NI', 'NI', 'NI', 'NI'],
    NA: ['NI', 'NA', 'NA', 'NA', 'NA'],
    WO: ['NI', 'NA', 'WO', 'NA', 'WO'],
    RO: ['NI', 'NA', 'NA', 'RO', 'RO'],
    RW: ['NI', 'NA', 'WO', 'RO', 'RW'],
  }
  it.each(modes)('%s with each other', (mode) => {
    expect(modes.map((other) => combine(mode, other))).toEqual(table[mode])
  })
})

describe('conditions', () => {
  const conditions = (tags: string, mode = 'RW') => register('IntReg', 'R', 0x100, tags, { access: mode })

  it.each([
    ['pIsImplemented', 0, 'RW', 'NI'],
    ['pIsImplemented', 1, 'RW', 'RW'],
    ['pIsImplemented', -5, 'RW', 'RW'],
    ['pIsAvailable', 0, 'RW', 'NA'],
    ['pIsAvailable', 2, 'RO', 'RO'],
    ['pIsLocked', 0, 'RW', 'RW'],
    ['pIsLocked', 1, 'RW', 'RO'],
    ['pIsLocked', 1, 'WO', 'NA'],
    ['pIsLocked', 1, 'RO', 'RO'],
  ])('%s at %i makes %s %s', async (tag, value, mode, expected) => {
    const { map } = camera(conditions(`<${tag}>V</${tag}>`, mode) + variable('V', value))
    expect(await access(map, 'R')).toBe(expected)
  })

  it.each(['pIsImplemented', 'pIsAvailable', 'pIsLocked'])('%s that cannot be read makes NA', async (tag) => {
    const { map, port } = camera(
      conditions(`<${tag}>W</${tag}>`) + register('IntReg', 'W', 0x200, '', { access: 'WO' }),
    )
    expect(await access(map, 'R')).toBe('NA')
    expect(port.taken()).toEqual([])
  })

  it('not implemented comes before not available', async () => {
    const { map } = camera(
      `${conditions('<pIsImplemented>V</pIsImplemented><pIsAvailable>V</pIsAvailable>')}${variable('V', 0)}`,
    )
    expect(await access(map, 'R')).toBe('NI')
  })

  it.each([
    ['RO', 'RW', 'RO'],
    ['WO', 'RW', 'WO'],
    ['WO', 'RO', 'NA'],
    ['NA', 'RW', 'NA'],
    ['NI', 'RW', 'NI'],
  ])('ImposedAccessMode %s on %s gives %s', async (imposed, mode, expected) => {
    const { map } = camera(conditions(`<ImposedAccessMode>${imposed}</ImposedAccessMode>`, mode))
    expect(await access(map, 'R')).toBe(expected)
  })

  it.each([
    ['R', 'RO'],
    ['W', 'WO'],
    ['WR', 'RW'],
    [' RO\n', 'RO'],
  ])('AccessMode spelled %j is %s', async (spelling, expected) => {
    const { map } = camera(conditions('', spelling))
    expect(await access(map, 'R')).toBe(expected)
  })

  it('conditions may be Booleans and formulas', async () => {
    const { map } = camera(
      `${conditions('<pIsLocked>B</pIsLocked><pIsAvailable>K</pIsAvailable>')}<Boolean Name="B"><Value>1</Value></Boolean>
       <IntSwissKnife Name="K"><pVariable Name="V">V</pVariable><Formula>V &gt; 3</Formula></IntSwissKnife>${variable('V', 4)}`,
    )
    expect(await access(map, 'R')).toBe('RO')
    await map.set('V', 3)
    expect(await access(map, 'R')).toBe('NA')
  })

  it('goes through pValue, and a node of variables is RW', async () => {
    const { map } = camera(
      `<Integer Name="I"><pValue>R</pValue></Integer>${conditions('', 'RO')}<Float Name="F"><Value>1</Value></Float>`,
    )
    expect([await access(map, 'I'), await access(map, 'F')]).toEqual(['RO', 'RW'])
  })

  it('formulas are as readable as their variables', async () => {
    const knife = (name: string, variables: string) =>
      `<IntSwissKnife Name="${name}">${variables}<Formula>1</Formula></IntSwissKnife>`
    const use = (name: string) => `<pVariable Name="${name}">${name}</pVariable>`
    const { map } = camera(
      knife('Good', use('V')) +
        knife('Na', use('V') + use('W')) +
        knife('Ni', use('W') + use('N')) +
        variable('V', 0) +
        register('IntReg', 'W', 0x200, '', { access: 'WO' }) +
        `<Integer Name="N"><pIsImplemented>V</pIsImplemented><Value>1</Value></Integer>`,
    )
    expect([await access(map, 'Good'), await access(map, 'Na'), await access(map, 'Ni')]).toEqual([
      'RO',
      'NA',
      'NI',
    ])
  })

  it('ends loops of availability, as available', async () => {
    const loop = (name: string, other: string) =>
      `<Integer Name="${name}"><pIsAvailable>${other}</pIsAvailable><Value>1</Value></Integer>`
    const { map } = camera(loop('A', 'B') + loop('B', 'A') + loop('Self', 'Self'))
    expect([await access(map, 'A'), await access(map, 'B'), await access(map, 'Self')]).toEqual([
      'RW',
      'RW',
      'RW',
    ])
  })

  it('every refusal names its reason and the access now', async () => {
    const { map, port } = camera(
      conditions('<pIsLocked>TLParamsLocked</pIsLocked>') +
        register('IntReg', 'W', 0x200, '', { access: 'WO' }) +
        `<Integer Name="Na"><pIsAvailable>TLParamsLocked</pIsAvailable><Value>1</Value></Integer>
         <Integer Name="Ni"><pIsImplemented>TLParamsLocked</pIsImplemented><Value>1</Value></Integer>`,
    )
    await expect(map.get('W')).rejects.toEqual(refusal('write-only', { access: 'WO', feature: 'W' }))
    await expect(map.get('Na')).rejects.toEqual(refusal('not-available', { access: 'NA' }))
    await expect(map.set('Ni', 1)).rejects.toEqual(refusal('not-implemented', { access: 'NI' }))
    expect(port.taken()).toEqual([])
  })

  it('TLParamsLocked exists even where the description forgot it, and locks without hiding', async () => {
    const { map, port } = camera(conditions('<pIsLocked>TLParamsLocked</pIsLocked>'))
    port.poke32(0x100, 640)
    expect(map.node('TLParamsLocked').type).toBe('Integer')
    await map.set('TLParamsLocked', 1)
    expect(await map.get('R')).toBe(640)
    await expect(map.set('R', 320)).rejects.toEqual(refusal('read-only', { access: 'RO' }))
    await map.set('TLParamsLocked', 0)
    await map.set('R', 320)
    expect(port.peek32(0x100)).toBe(320)
  })

  it('an Enumeration needs an entry that can be used', async () => {
    const entry = (condition: string) =>
      `<Enumeration Name="${condition}"><EnumEntry Name="A"><Value>1</Value><${condition}>V</${condition}></EnumEntry><Value>1</Value></Enumeration>`
    const { map } = camera(entry('pIsImplemented') + entry('pIsAvailable') + variable('V', 0))
    expect([await access(map, 'pIsImplemented'), await access(map, 'pIsAvailable')]).toEqual(['NI', 'NA'])
  })

  it('a Category is there while anything in it is implemented', async () => {
    const { map } = camera(
      `<Category Name="Some"><pFeature>Ni</pFeature><pFeature>Na</pFeature></Category><Category Name="None"><pFeature>Ni</pFeature></Category>
       <Integer Name="Ni"><pIsImplemented>V</pIsImplemented><Value>1</Value></Integer>
       <Integer Name="Na"><pIsAvailable>V</pIsAvailable><Value>1</Value></Integer>${variable('V', 0)}`,
    )
    expect([await access(map, 'Some'), await access(map, 'None')]).toEqual(['RO', 'NI'])
    expect(await map.get('Some')).toBe('Some')
    await expect(map.set('Some', 'x')).rejects.toEqual(refusal('read-only'))
  })
})

describe('commands', () => {
  const command = (mode: string, rest = '') =>
    `<Command Name="Go"><pValue>R</pValue><CommandValue>5</CommandValue>${rest}</Command>${register('IntReg', 'R', 0x100, '<Cachable>WriteThrough</Cachable>', { access: mode })}`

  it('writes its value, and asks until the device is done, past the cache', async () => {
    const { map, port } = camera(command('RW', '<PollingTime>1</PollingTime>'))
    let reads = 0
    port.onAccess = ({ op }) => {
      if (op === 'read' && ++reads === 3) port.poke32(0x100, 0)
    }
    await map.execute('Go')
    expect(port.taken()).toEqual(['write 100+4', 'read 100+4', 'read 100+4', 'read 100+4'])
  })

  it('does not read a write-only register', async () => {
    const { map, port } = camera(command('WO'))
    await map.execute('Go')
    expect(port.taken()).toEqual(['write 100+4'])
    expect(port.peek32(0x100)).toBe(5)
  })

  it('gives up with a typed error, or does not wait at all', async () => {
    const { map, port } = camera(command('RW', '<PollingTime>1</PollingTime>'))
    await expect(map.execute('Go', { timeout: 10 })).rejects.toMatchObject({
      code: 'ERR_GIGE_TIMEOUT',
      feature: 'Go',
    })
    port.taken()
    await map.execute('Go', { wait: false })
    expect(port.taken()).toEqual(['write 100+4'])
    await expect(map.execute('Go', { signal: AbortSignal.abort(new Error('stop')) })).rejects.toThrow('stop')
  })

  it('lets other features be used while it waits', async () => {
    const { map, port } = camera(
      command('RW', '<PollingTime>1</PollingTime>') + register('IntReg', 'Other', 0x200),
    )
    const done = map.execute('Go')
    await map.set('Other', 1)
    port.poke32(0x100, 0)
    await done
    expect(port.peek32(0x200)).toBe(1)
  })

  it('forgets its dependents when sent and again when done', async () => {
    const { map, port } = camera(
      command('RW', '<PollingTime>1</PollingTime>') +
        register('IntReg', 'Result', 0x200, '<pInvalidator>Go</pInvalidator>'),
    )
    expect(await map.get('Result')).toBe(0)
    const done = map.execute('Go')
    await map.get('Result')
    port.poke32(0x200, 42).poke32(0x100, 0)
    await done
    expect(await map.get('Result')).toBe(42)
  })

  it('takes the value from pCommandValue, and is NA when that cannot be read', async () => {
    const body = '<Command Name="Go"><pValue>R</pValue><pCommandValue>V</pCommandValue></Command>'
    const target = register('IntReg', 'R', 0x100, '', { access: 'WO' })
    const good = camera(body + target + variable('V', 9))
    await good.map.execute('Go')
    expect(good.port.peek32(0x100)).toBe(9)
    const bad = camera(body + target + register('IntReg', 'V', 0x200, '', { access: 'WO' }))
    expect(await access(bad.map, 'Go')).toBe('NA')
    await expect(bad.map.execute('Go')).rejects.toEqual(refusal('not-available'))
  })

  it('reads idle as false and as "0"; true executes', async () => {
    const { map, port } = camera(command('RW'))
    expect([await map.get('Go'), await map.node('Go').getText()]).toEqual([false, '0'])
    await map.set('Go', true)
    expect(port.peek32(0x100)).toBe(5)
    expect(await map.get('Go')).toBe(true)
    await expect(map.set('Go', false)).rejects.toEqual(refusal('type'))
    await expect(map.node('Go').setText('2')).rejects.toEqual(refusal('type'))
  })

  it('executes a Boolean that other cameras declare as Command, and nothing else', async () => {
    const { map, port } = camera(
      `<Boolean Name="Fire"><pValue>Bit</pValue></Boolean>${register('MaskedIntReg', 'Bit', 0x100, '<Bit>0</Bit>')}${variable('V', 0)}`,
    )
    await map.execute('Fire')
    expect(port.peek(0x100, 1)).toEqual([0x80])
    await expect(map.execute('V')).rejects.toEqual(refusal('type'))
  })

  it('forgets everything after UserSetLoad', async () => {
    const { map, port } = camera(
      `<Command Name="UserSetLoad"><pValue>L</pValue></Command>${register('IntReg', 'L', 0x100, '', { access: 'WO' })}${register('IntReg', 'R', 0x200)}`,
    )
    await map.get('R')
    port.poke32(0x200, 3)
    await map.execute('UserSetLoad')
    expect(await map.get('R')).toBe(3)
  })

  it('reports what pError says after a write', async () => {
    const { map, port } = camera(
      register('IntReg', 'R', 0x100, '<pError>Status</pError>') +
        `<Enumeration Name="Status"><EnumEntry Name="Ok"><Value>0</Value></EnumEntry>
           <EnumEntry Name="Hot"><ToolTip>too hot for that</ToolTip><Value>3</Value></EnumEntry><pValue>S</pValue></Enumeration>` +
        register('IntReg', 'S', 0x200, '', { access: 'RO' }),
    )
    await map.set('R', 1)
    port.onAccess = ({ op }) => {
      if (op === 'write') port.poke32(0x200, 3)
    }
    await expect(map.set('R', 2)).rejects.toEqual(
      refusal('device-error', { errorFeature: 'Status', entry: 'Hot' }),
    )
    await map.set('R', 3, { verify: false })
  })
})
