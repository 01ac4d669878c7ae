// Settings saved and loaded (genapi.md 3.5, 3.6): in the order that selectors need, with a report of what did not take.

import { describe, expect, it } from 'vitest'
import { loadSettings, type Settings, saveSettings } from '../../lib/genapi/index.js'
import { camera, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const streamable = '<Streamable>Yes</Streamable>'
const entries = (...names: string[]) =>
  names.map((name, value) => `<EnumEntry Name="${name}"><Value>${value}</Value></EnumEntry>`).join('')

const ROOT = (...names: string[]) =>
  `<Category Name="Root">${names.map((name) => `<pFeature>${name}</pFeature>`).join('')}</Category>`

/** Offset is bounded by Width; Gain lies at a place of its own for each selector; Level at one for each pair. */
const NODES = `${ROOT('OffsetX', 'Width', 'GainSelector', 'Gain', 'Row', 'Column', 'Level', 'Label', 'Stamp', 'Reset', 'ReadOnly', 'Private')}
  <Integer Name="OffsetX">${streamable}<pValue>OffsetReg</pValue><pMax>OffsetMax</pMax></Integer>
  <IntSwissKnife Name="OffsetMax"><pVariable Name="W">WidthReg</pVariable><Formula>1000 - W</Formula></IntSwissKnife>
  <Integer Name="Width">${streamable}<pValue>WidthReg</pValue><Max>1000</Max></Integer>
  <Enumeration Name="GainSelector">${streamable}${entries('Red', 'Green', 'Blue')}<pValue>SelectorReg</pValue><pSelected>Gain</pSelected></Enumeration>
  <Float Name="Gain">${streamable}<pValue>GainReg</pValue><Max>10</Max></Float>
  <Integer Name="Row"><Value>1</Value><Min>0</Min><Max>1</Max><pSelected>Column</pSelected></Integer>
  <Integer Name="Column"><Value>2</Value><Min>0</Min><Max>2</Max><pSelected>Level</pSelected></Integer>
  ${register('IntReg', 'Level', '<Address>0x500</Address><pIndex Offset="16">Row</pIndex><pIndex>Column</pIndex>', streamable)}
  ${register('StringReg', 'Label', 0x300, streamable, { length: 16 })}
  ${register('IntReg', 'Stamp', 0x340, streamable, { length: 8 })}
  <Command Name="Reset">${streamable}<pValue>WidthReg</pValue><CommandValue>0</CommandValue></Command>
  ${register('IntReg', 'ReadOnly', 0x350, streamable, { access: 'RO' })}
  ${register('IntReg', 'Private', 0x360)}
  ${register('IntReg', 'OffsetReg', 0x100)}${register('IntReg', 'WidthReg', 0x104)}${register('IntReg', 'SelectorReg', 0x108)}
  ${register('FloatReg', 'GainReg', '<Address>0x200</Address><pIndex>SelectorReg</pIndex>')}`

async function filled() {
  const { map, port } = camera(NODES)
  await map.set('Width', 400)
  await map.set('OffsetX', 600)
  for (const [index, name] of ['Red', 'Green', 'Blue'].entries()) {
    await map.set('GainSelector', name)
    await map.set('Gain', index + 0.5)
  }
  for (let row = 0; row < 2; row++) {
    for (let column = 0; column < 3; column++) port.poke32(0x500 + 16 * row + 4 * column, 10 * row + column)
  }
  map.invalidate()
  await map.set('Label', 'left camera')
  await map.set('Stamp', 2n ** 60n + 1n)
  await map.set('GainSelector', 'Green')
  return { map, port }
}

describe('saving', () => {
  it('reads each streamable feature, selected ones for every selector, and leaves the selectors as they were', async () => {
    const { map } = await filled()
    const settings = await saveSettings(map)
    expect(JSON.parse(JSON.stringify(settings))).toEqual(settings)
    expect(settings).toEqual({
      camera: { vendor: 'Vendor', model: 'Model', version: '2.3.7' },
      features: [
        { name: 'OffsetX', value: 600 },
        { name: 'Width', value: 400 },
        { name: 'Label', value: 'left camera' },
        { name: 'Stamp', value: '1152921504606846977' },
        { name: 'Gain', when: { GainSelector: 'Red' }, value: 0.5 },
        { name: 'Gain', when: { GainSelector: 'Green' }, value: 1.5 },
        { name: 'Gain', when: { GainSelector: 'Blue' }, value: 2.5 },
        ...[0, 1].flatMap((Row) =>
          [0, 1, 2].map((Column) => ({ name: 'Level', when: { Row, Column }, value: 10 * Row + Column })),
        ),
        { name: 'GainSelector', value: 'Green' },
      ],
    })
    expect([await map.get('GainSelector'), await map.get('Row'), await map.get('Column')]).toEqual([
      'Green',
      1,
      2,
    ])
  })

  it('tells what cannot be read or gone through, and saves the rest', async () => {
    const { map, port } = camera(
      `${ROOT('Broken', 'Fixed', 'FixedSelector', 'Table', 'TableIndex', 'Wide', 'Gone', 'GoneSelector')}
       <Enumeration Name="Broken">${streamable}${entries('Known')}<pValue>BrokenReg</pValue></Enumeration>
       ${register('IntReg', 'BrokenReg', 0x30)}
       <Enumeration Name="FixedSelector">${entries('All')}<ImposedAccessMode>RO</ImposedAccessMode><Value>0</Value><pSelected>Fixed</pSelected></Enumeration>
       ${register('IntReg', 'Fixed', 0x10, streamable)}
       <Integer Name="TableIndex"><Value>3</Value><Min>0</Min><Max>1000</Max><pSelected>Table</pSelected></Integer>
       ${register('IntReg', 'Table', '<Address>0x1000</Address><pIndex Offset="4">TableIndex</pIndex>', streamable)}
       <Integer Name="GoneSelector"><pIsImplemented>Zero</pIsImplemented><Value>0</Value><pSelected>Gone</pSelected></Integer>
       <Integer Name="Zero"><Value>0</Value></Integer>
       ${register('IntReg', 'Gone', 0x20, streamable)}
       <Float Name="Wide">${streamable}<Value>0.5</Value></Float>`,
    )
    port.poke32(0x30, 7) // for which the description has no name
    const { features, skipped } = await saveSettings(map)
    expect(features).toEqual([
      { name: 'Wide', value: 0.5 },
      { name: 'Fixed', value: 0, when: { FixedSelector: 'All' } },
      { name: 'Table', value: 0, when: { TableIndex: 3 } },
      { name: 'Gone', value: 0 },
    ])
    expect(skipped).toEqual([
      { name: 'Broken', reason: expect.stringContaining('holds 7') },
      { name: 'Table', reason: 'TableIndex has more than 256 values' },
    ])
    expect(await loadSettings(map, { camera: { vendor: '', model: '', version: '' }, features })).toEqual({
      taken: 4,
      failed: [],
    })
  })

  it('takes what can be written where a description marks nothing', async () => {
    const { map } = camera(
      `${ROOT('Width', 'GevHeartbeatTimeout', 'TLParamsLocked')}<Integer Name="Width"><Value>5</Value></Integer>
       <Integer Name="GevHeartbeatTimeout"><Value>3000</Value></Integer>`,
    )
    expect((await saveSettings(map)).features).toEqual([{ name: 'Width', value: 5 }])
  })
})

describe('loading', () => {
  it('brings another camera of the kind to the same state, whatever the order', async () => {
    const source = await filled()
    const settings = await saveSettings(source.map)
    const { map } = camera(NODES)
    await map.set('Width', 1000) // so that OffsetX, which comes first, is refused at first
    expect(await loadSettings(map, settings)).toEqual({ taken: settings.features.length, failed: [] })
    expect(await saveSettings(map)).toEqual(settings)
  })

  it('reports what the camera refused, what it changed and what it does not have, and applies the rest', async () => {
    const port = new FakePort()
    const { map } = camera(NODES, { port })
    port.onAccess = ({ op, address }) => {
      if (op === 'read' && address === 0x104) port.poke32(0x104, Math.min(port.peek32(0x104), 512))
    }
    const settings: Settings = {
      camera: { vendor: '', model: '', version: '' },
      features: [
        { name: 'Width', value: 600 },
        { name: 'Gain', when: { GainSelector: 'Red' }, value: 11 },
        { name: 'Gain', when: { GainSelector: 'Violet' }, value: 1 },
        { name: 'Gain', when: { GainSelector: 'Blue' }, value: 3 },
        { name: 'Gama', value: 1 },
      ],
    }
    const report = await loadSettings(map, settings)
    expect(report.taken).toBe(1)
    expect(report.failed).toEqual([
      { name: 'Width', value: 600, actual: 512 },
      expect.objectContaining({
        name: 'Gain',
        value: 11,
        actual: 0,
        error: expect.objectContaining({ reason: 'out-of-range' }),
      }),
      expect.objectContaining({
        when: { GainSelector: 'Violet' },
        error: expect.objectContaining({ reason: 'no-such-entry' }),
      }),
      expect.objectContaining({ name: 'Gama', error: expect.objectContaining({ reason: 'unknown' }) }),
    ])
    expect(await map.get('GainSelector')).toBe('Red')
  })

  it('tells the camera about the load where it wants to know', async () => {
    const command = (name: string, address: number) =>
      `<Command Name="DeviceRegistersStreaming${name}"><pValue>${name}</pValue><CommandValue>1</CommandValue></Command>${register('IntReg', name, address, '', { access: 'WO' })}`
    const { map, port } = camera(
      `${ROOT('A')}${command('Start', 0x10)}${command('End', 0x14)}${register('IntReg', 'A', 0x20)}`,
    )
    await loadSettings(map, {
      camera: { vendor: '', model: '', version: '' },
      features: [{ name: 'A', value: 1 }],
    })
    expect(port.taken().filter((access) => access.startsWith('write'))).toEqual([
      'write 10+4',
      'write 20+4',
      'write 14+4',
    ])
  })

  it.each([
    [undefined],
    [{}],
    [{ features: [{ name: 1, value: 1 }] }],
    [{ features: [{ name: 'A', value: null }] }],
    [{ features: [{ name: 'A', value: 1, when: 3 }] }],
  ])('refuses %j before anything is written', async (settings) => {
    const { map, port } = camera(NODES)
    await expect(loadSettings(map, settings as never)).rejects.toMatchObject({
      code: 'ERR_GIGE_INVALID_ARGUMENT',
    })
    expect(port.taken()).toEqual([])
  })
})
