// What descriptions and cameras of the field do (genapi.md 7.2), each under the number that the table gives it.

import { zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { createNodeMap, loadDescription, parseDescriptionUrl } from '../../lib/genapi/index.js'
import { camera, description, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const variable = (name: string, value: number | string, rest = '') =>
  `<Integer Name="${name}"><Value>${value}</Value>${rest}</Integer>`

describe('quirk', () => {
  it('1: a URL carries ?SchemaVersion= behind its length', () => {
    expect(parseDescriptionUrl('Local:c.zip;1000;20?SchemaVersion=1.1.0')).toMatchObject({
      address: 0x1000,
      length: 0x20,
    })
  })

  it('2: bytes that are not UTF-8 in a file that claims it', () => {
    const bytes = Buffer.from('<?xml version="1.0" encoding="UTF-8"?><a>25 \u00b0C \u00ae</a>', 'latin1')
    expect(loadDescription(bytes)).toMatchObject({
      encoding: 'windows-1252',
      xml: expect.stringContaining('25 °C ®'),
    })
  })

  it('3: text that is no XML is read, and broken structure is told with its line', () => {
    const xml = description(
      '<Integer Name="I"><ToolTip>R&D & more &copy;</ToolTip><Value>1</Value></Integer>',
    )
    expect(createNodeMap(xml, new FakePort()).node('I').toolTip).toBe('R&D & more &copy;')
    expect(() => createNodeMap(xml.replace('</Integer>', '</Intger>'), new FakePort())).toThrow(/Line 5/)
  })

  it('4: PayloadSize comes of Expressions and Constants', async () => {
    const { map } = camera(
      `${variable('W', 640)}${variable('H', 480)}<IntSwissKnife Name="PayloadSize"><pVariable Name="W">W</pVariable><pVariable Name="H">H</pVariable>
       <Constant Name="BPP">2</Constant><Expression Name="PIXELS">W * H</Expression><Formula>PIXELS * BPP</Formula></IntSwissKnife>`,
    )
    expect(await map.get('PayloadSize')).toBe(614_400)
  })

  it('5: an Expression uses another', async () => {
    const { map } = camera(
      '<IntSwissKnife Name="K"><Expression Name="A">B + 1</Expression><Expression Name="B">20</Expression><Formula>A * 2</Formula></IntSwissKnife>',
    )
    expect(await map.get('K')).toBe(42)
  })

  it('6: integer formulas are not evaluated in doubles', async () => {
    const { map } = camera(
      '<IntSwissKnife Name="K"><Formula>9007199254740993 / 3 * 3 - 9007199254740992</Formula></IntSwissKnife>',
    )
    expect(await map.get('K')).toBe(1)
  })

  it('7: ~ binds tightest', async () => {
    const { map } = camera('<IntSwissKnife Name="K"><Formula>0xF0 &amp; ~0x30 | 1</Formula></IntSwissKnife>')
    expect(await map.get('K')).toBe(0xc1)
  })

  it('8: availability that depends on itself', async () => {
    const { map } = camera(
      `<Enumeration Name="E"><EnumEntry Name="A"><pIsAvailable>K</pIsAvailable><Value>0</Value></EnumEntry><Value>0</Value></Enumeration>
       <IntSwissKnife Name="K"><pVariable Name="V">E</pVariable><Formula>V = 0</Formula></IntSwissKnife>`,
    )
    expect(await map.get('E')).toBe('A')
  })

  it('9: nodes of variables are RW', async () => {
    const { map } = camera(variable('I', 1))
    expect(await map.node('I').access()).toBe('RW')
  })

  it('10: pIsLocked points to a Boolean', async () => {
    const { map } = camera(
      `${variable('I', 1, '<pIsLocked>B</pIsLocked>')}<Boolean Name="B"><Value>true</Value></Boolean>`,
    )
    expect(await map.node('I').access()).toBe('RO')
    await map.set('B', false)
    expect(await map.node('I').access()).toBe('RW')
  })

  it('11: a Category has children that it should not have', () => {
    const { map } = camera(
      `<Category Name="Root"><pFeature>I</pFeature><Foo/><pValue>I</pValue></Category>${variable('I', 1)}`,
    )
    expect(
      map
        .node('Root')
        .features()
        .map(({ name }) => name),
    ).toEqual(['I'])
  })

  it('12: a String has a pValue', async () => {
    const { map } = camera(
      `<String Name="S"><pValue>R</pValue></String>${register('StringReg', 'R', 0x100, '', { length: 8 })}`,
    )
    await map.set('S', 'abc')
    expect(await map.get('R')).toBe('abc')
  })

  it('13: names of variables have dots, and registers have many pIndex', async () => {
    const { map, port } = camera(
      `<IntSwissKnife Name="K"><pVariable Name="A.B">I</pVariable><Formula>A.B + 1</Formula></IntSwissKnife>${variable('I', 2)}
       ${register('IntReg', 'R', '<Address>0</Address><pIndex Offset="16">I</pIndex><pIndex Offset="256">I</pIndex>')}`,
    )
    expect(await map.get('K')).toBe(3)
    await map.get('R')
    expect(port.taken()).toEqual(['read 220+4'])
  })

  it('14: nothing is written before every check has passed', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pValue>R</pValue><Max>10</Max></Integer>${register('IntReg', 'R', 0x100)}`,
    )
    await expect(map.set('I', 11)).rejects.toMatchObject({ reason: 'out-of-range', max: 10 })
    expect(port.taken()).toEqual([])
  })

  it('15: a Boolean is written as an integer, and an Integer as a boolean', async () => {
    const { map } = camera(`<Boolean Name="B"><Value>false</Value></Boolean>${variable('I', 0)}`)
    await map.set('B', 1)
    await map.set('I', true)
    expect([await map.get('B'), await map.get('I')]).toEqual([true, 1])
  })

  it('16: pInvalidator stands in nodes that are no registers', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pInvalidator>T</pInvalidator><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100)}${variable('T', 0)}`,
    )
    await map.get('I')
    await map.set('T', 1)
    await map.get('I')
    expect(port.taken()).toEqual(['read 100+4', 'read 100+4'])
  })

  it('17: one node that makes no sense takes no other with it, and is listed', async () => {
    const { map } = camera(
      `<IntReg Name="Bad"><Address>zz</Address></IntReg><Strange Name="Odd"/>${variable('I', 3)}`,
    )
    expect(await map.get('I')).toBe(3)
    expect(map.problems().map(({ name }) => name)).toEqual(['Bad', 'Odd'])
  })

  it('18: a formula of constants has no variable', async () => {
    expect(await camera('<SwissKnife Name="K"><Formula>2.5 * 2</Formula></SwissKnife>').map.get('K')).toBe(5)
  })

  it('19: access modes are spelled R and W, and nonsense counts as RW and is told', async () => {
    const of = (access: string) => camera(register('IntReg', 'R', 0x100, '', { access })).map
    const modes = await Promise.all(['R', 'W', 'WR', 'Maybe'].map((access) => of(access).node('R').access()))
    expect(modes).toEqual(['RO', 'WO', 'RW', 'RW'])
    expect(of('WR').problems()).toEqual([])
    expect(of('Maybe').problems()).toEqual([
      { name: 'R', line: 5, message: 'access mode "Maybe" counts as RW' },
    ])
  })

  it('20: a chunk that lags behind is shown as it came', async () => {
    const { map } = camera(
      `<Port Name="Chunk"><ChunkID>0504</ChunkID></Port>${register('IntReg', 'ChunkExposure', 0).replace('Device', 'Chunk')}`,
    )
    for (const value of [1, 2]) {
      map.attachChunks(new Map([[0x504, Uint8Array.of(0, 0, 0, value)]]))
      expect(await map.get('ChunkExposure')).toBe(value)
    }
  })

  it('21: a temperature does not freeze at its first value', async () => {
    let now = 0
    const port = new FakePort().poke32(0x100, 20)
    const { map } = camera(register('IntReg', 'Temperature', 0x100, '<PollingTime>1000</PollingTime>'), {
      port,
      now: () => now,
    })
    expect(await map.get('Temperature')).toBe(20)
    port.poke32(0x100, 21)
    now = 999
    expect(await map.get('Temperature')).toBe(20)
    now = 1000
    expect(await map.get('Temperature')).toBe(21)
  })

  it('22: what a cache holds can be told from what the device holds', async () => {
    const port = new FakePort().poke32(0x100, 1)
    const { map } = camera(register('IntReg', 'R', 0x100), { port })
    const node = map.node('R')
    expect(node.isCached()).toBe(false)
    await node.get()
    expect(node.isCached()).toBe(true)
    port.poke32(0x100, 2)
    expect([await node.get(), await node.get({ ignoreCache: true })]).toEqual([1, 2])
  })

  it('23: a byte order mark, and values padded with lines', async () => {
    const xml = description(variable('I', '\n\t 0x10 \r\n'))
    const bytes = new TextEncoder().encode(`\ufeff${xml}`)
    expect(await createNodeMap(loadDescription(bytes).xml, new FakePort()).get('I')).toBe(16)
  })

  it('24: the same feature has another type elsewhere', async () => {
    const fire = register('IntReg', 'Fire', 0x100)
    const asCommand = camera(
      `${fire}<Command Name="GevSCPSFireTestPacket"><pValue>Fire</pValue><CommandValue>1</CommandValue></Command>`,
    )
    const asBoolean = camera(`${fire}<Boolean Name="GevSCPSFireTestPacket"><pValue>Fire</pValue></Boolean>`)
    for (const { map, port } of [asCommand, asBoolean]) {
      await map.execute('GevSCPSFireTestPacket', { wait: false })
      expect(port.peek32(0x100)).toBe(1)
    }
    const selectors = [
      '<Integer Name="S"><Value>0</Value></Integer>',
      '<Enumeration Name="S"><EnumEntry Name="E"><Value>0</Value></EnumEntry><Value>0</Value></Enumeration>',
    ]
    for (const selector of selectors) {
      const { map } = camera(selector)
      await map.set('S', 0)
      expect(await map.node('S').getInteger()).toBe(0)
    }
  })

  it('25: two entries have one value: the one that is available counts', async () => {
    const { map } = camera(
      `<Enumeration Name="E"><EnumEntry Name="Old"><pIsAvailable>No</pIsAvailable><Value>1</Value></EnumEntry>
       <EnumEntry Name="New"><Value>1</Value></EnumEntry><Value>1</Value></Enumeration>${variable('No', 0)}`,
    )
    expect(await map.get('E')).toBe('New')
  })

  it('26: Min lies above Max for a while', async () => {
    const { map } = camera(`<Integer Name="I"><Value>5</Value><Min>10</Min><Max>3</Max></Integer>`)
    expect(await map.get('I')).toBe(5)
    await expect(map.set('I', 5)).rejects.toMatchObject({
      reason: 'out-of-range',
      min: 10,
      max: 3,
      hint: expect.stringContaining('other features'),
    })
  })

  it('27: archives hold junk beside the description', () => {
    const archive = zipSync({ '__MACOSX/._c.xml': Buffer.from('junk'), 'c.xml': Buffer.from('<a/>') })
    expect(loadDescription(archive)).toMatchObject({ entry: 'c.xml', xml: '<a/>' })
  })

  it('28: descriptions are told apart by their bytes, whatever their GUID says', () => {
    const [one, other] = [1, 2].map((value) =>
      loadDescription(Buffer.from(description(variable('I', value)))),
    )
    expect(one!.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(one!.hash).not.toBe(other!.hash)
  })

  it("29: the description's names are kept apart from those of the camera", () => {
    expect(camera('').map.info).toMatchObject({ vendorName: 'Vendor', modelName: 'Model' })
  })

  it('30: a register that takes its time is waited for', async () => {
    const port = new FakePort()
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    port.onAccess = ({ op }) => (op === 'write' ? held : undefined)
    const { map } = camera(register('IntReg', 'Flash', 0x100), { port })
    let isDone = false
    const written = map.set('Flash', 1).then(() => {
      isDone = true
    })
    await expect.poll(() => port.taken()).toEqual(['write 100+4'])
    expect(isDone).toBe(false)
    release()
    await written
    expect(port.peek32(0x100)).toBe(1)
  })
})
