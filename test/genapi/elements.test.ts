// Elements that are rare or that no known camera uses (genapi.md 2.2 to 2.5), which a description may nevertheless have.

import { describe, expect, it } from 'vitest'
import { createNodeMap } from '../../lib/genapi/index.js'
import { camera, description, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const variable = (name: string, value: number | string, rest = '') =>
  `<Integer Name="${name}"><Value>${value}</Value>${rest}</Integer>`

describe('facts about a node', () => {
  it('aliases, name space, deprecation, event, caching', () => {
    const { map } = camera(
      `<Float Name="Gain" NameSpace="Standard"><IsDeprecated>Yes</IsDeprecated><EventID>9A</EventID><pAlias>GainRaw</pAlias><pCastAlias>Std::GainRaw</pCastAlias>
       <pValue>GainReg</pValue></Float>${variable('GainRaw', 1)}${register('FloatReg', 'GainReg', 0x100)}`,
    )
    expect(map.node('Gain')).toMatchObject({
      nameSpace: 'Standard',
      deprecated: true,
      alias: 'GainRaw',
      castAlias: 'GainRaw',
      eventId: 0x9a,
      cachingMode: 'WriteAround',
    })
    expect(map.node('GainRaw')).toMatchObject({
      nameSpace: 'Custom',
      deprecated: false,
      alias: undefined,
      castAlias: undefined,
      eventId: undefined,
    })
  })

  it('the URL of its documentation, with placeholders filled in', () => {
    const { map } = camera(
      variable(
        'I',
        1,
        '<DocuURL>http://maker.example/$(Sys::VendorName)/$(Node)?v=$(Sys::DeviceVersion)&amp;x=$(Sys::Secret)</DocuURL>',
      ),
    )
    expect(map.node('I').documentationUrl).toBe('http://maker.example/Vendor/I?v=2.3.7&x=Unknown')
    expect(map.node('TLParamsLocked').documentationUrl).toBe('')
  })

  it('its valid values, through a converter too', async () => {
    const { map } = camera(
      `${variable('I', 2, '<Min>0</Min><Max>8</Max><ValidValueSet>1;2;4;8;16</ValidValueSet>')}
       <Float Name="F"><pValue>C</pValue></Float>
       <Converter Name="C"><FormulaTo>FROM / -10</FormulaTo><FormulaFrom>TO * -10</FormulaFrom><pValue>I</pValue></Converter>`,
    )
    expect(await map.node('I').validValues()).toEqual([1, 2, 4, 8])
    expect(await map.node('F').validValues()).toEqual([-80, -40, -20, -10])
    expect(await map.node('TLParamsLocked').validValues()).toBeUndefined()
  })
})

describe('text', () => {
  it.each([
    ['IPV4Address', '192.168.1.20', 0xc0a80114],
    ['MACAddress', '00:11:1c:f5:a0:b1', 0x00111cf5a0b1],
    ['HexNumber', '0xff', 255],
    ['Linear', '255', 255],
    ['Boolean', 'true', 1],
  ])('%s is read as it is shown, and as a number always', async (representation, text, value) => {
    const { map } = camera(variable('I', 0, `<Representation>${representation}</Representation>`))
    const node = map.node('I')
    await node.setText(text)
    expect(await node.get()).toBe(value)
    expect(await node.getText()).toBe(text)
    await node.setText('0x0')
    expect(await node.get()).toBe(0)
    for (const wrong of ['&h1', '300.1.1.1', '1.2.3', '00:11:22:33:44', '']) {
      await expect(node.setText(wrong)).rejects.toMatchObject({ reason: 'type' })
    }
  })
})

describe('commands', () => {
  it('tell whether they are done, past the cache', async () => {
    const port = new FakePort()
    const { map } = camera(
      `${register('IntReg', 'R', 0x100)}<Command Name="C"><pValue>R</pValue><CommandValue>1</CommandValue></Command>${variable('I', 0)}`,
      { port },
    )
    await map.execute('C', { wait: false })
    expect(await map.node('C').isDone()).toBe(false)
    port.poke32(0x100, 0)
    expect(await map.node('C').isDone()).toBe(true)
    await expect(map.node('I').isDone()).rejects.toMatchObject({ reason: 'type' })
  })
})

describe('a port that can only be read', () => {
  it('makes its registers read only', async () => {
    const port = Object.assign(new FakePort(), { access: 'RO' as const })
    const { map } = camera(register('IntReg', 'R', 0x100), { port })
    expect(await map.node('R').access()).toBe('RO')
    await expect(map.set('R', 1)).rejects.toMatchObject({
      reason: 'read-only',
      hint: expect.stringContaining('listen only'),
    })
  })
})

describe('what keeps a feature from being used', () => {
  it('is named, down the value path', async () => {
    const { map } = camera(
      `<Integer Name="I"><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100, '<pIsLocked>Busy</pIsLocked>')}${variable('Busy', 1)}
       ${variable('Gone', 1, '<pIsAvailable>No</pIsAvailable>')}${variable('No', 0)}`,
    )
    await expect(map.set('I', 1)).rejects.toMatchObject({ reason: 'read-only', by: 'Busy' })
    await expect(map.get('Gone')).rejects.toMatchObject({ reason: 'not-available', by: 'No' })
  })
})

describe('selectors in a circle', () => {
  it('are told, and do no harm', async () => {
    const { map } = camera(
      variable('A', 0, '<pSelected>B</pSelected>') + variable('B', 0, '<pSelected>A</pSelected>'),
    )
    expect(map.problems().map(({ name }) => name)).toEqual(['A', 'B'])
    await map.set('A', 1)
    expect(map.node('A').selects).toEqual(['B'])
  })
})

describe('injected descriptions', () => {
  const inject = (own: string, ...others: string[]) =>
    createNodeMap(description(own), new FakePort(), { inject: others.map((nodes) => description(nodes)) })
  const entry = (name: string) => `<EnumEntry Name="${name}"><Value>0</Value></EnumEntry>`

  it('add what is missing, and unite categories', () => {
    const map = inject(
      `<Category Name="Root"><pFeature>A</pFeature></Category>${variable('A', 1)}`,
      `<Category Name="Root" MergePriority="-1"><pFeature>A</pFeature><pFeature>B</pFeature></Category>${variable('B', 2)}`.replace(
        '<Port Name="Device"/>',
        '',
      ),
    )
    expect(
      map
        .node('Root')
        .features()
        .map(({ name }) => name),
    ).toEqual(['A', 'B'])
  })

  it('replace by priority, entries included', async () => {
    const own = `<Enumeration Name="E">${entry('Old')}<Value>0</Value></Enumeration>${variable('A', 1)}`
    const map = inject(
      own,
      `<Enumeration Name="E" MergePriority="1">${entry('New')}<Value>0</Value></Enumeration>${variable('A', 2).replace('>', ' MergePriority="-1">')}`,
    )
    expect([await map.get('E'), await map.get('A')]).toEqual(['New', 1])
    expect([map.has('EnumEntry_E_Old'), map.has('EnumEntry_E_New')]).toEqual([false, true])
  })

  it('are refused where nothing says which node counts', () => {
    expect(() => inject(variable('A', 1), variable('A', 2))).toThrow(
      expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION', feature: 'A' }),
    )
  })
})
