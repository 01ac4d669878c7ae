// Integer, Float, Boolean and Enumeration, read and written (genapi.md 2.5, 2.8, 2.9).

import { describe, expect, it } from 'vitest'
import type { GigeError } from '../../lib/errors.js'
import { roundHalfAway } from '../../lib/genapi/literals.js'
import { formatFloat } from '../../lib/genapi/text-format.js'
import { camera, description, register } from './describe-camera.js'

const refusal = (reason: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_GIGE_FEATURE', reason, ...more })

async function range(node: {
  min(): Promise<unknown>
  max(): Promise<unknown>
  inc(): Promise<unknown>
}): Promise<unknown[]> {
  return [await node.min(), await node.max(), await node.inc()]
}

describe('Integer', () => {
  const width = `<Integer Name="Width"><Unit>px</Unit><pValue>WidthReg</pValue><Min>16</Min><pMax>WidthMax</pMax><Inc>4</Inc></Integer>
    <Integer Name="WidthMax"><Value>640</Value></Integer>${register('IntReg', 'WidthReg', 0x100)}`

  it('checks range and increment before anything goes out, and says what would do', async () => {
    const { map, port } = camera(width)
    for (const [value, reason] of [
      [12, 'out-of-range'],
      [644, 'out-of-range'],
      [18, 'bad-increment'],
    ] as const) {
      await expect(map.set('Width', value)).rejects.toEqual(
        refusal(reason, { feature: 'Width', min: 16, max: 640, inc: 4 }),
      )
    }
    const error = (await map.set('Width', 18).catch((thrown) => thrown)) as GigeError
    expect(error.message).toContain('18 is not 16 plus a multiple of 4')
    expect(error.hint).toContain('16 and 20')
    expect(port.taken()).toEqual([])
    await map.set('Width', 20)
    expect(port.peek32(0x100)).toBe(20)
  })

  it('skips the checks with verify: false', async () => {
    const { map, port } = camera(width)
    await map.set('Width', 18, { verify: false })
    expect(port.peek32(0x100)).toBe(18)
  })

  it('verifies at the target too', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pValue>R</pValue><Max>1000</Max></Integer>${register('IntReg', 'R', 0x100, '', { length: 1 })}`,
    )
    await expect(map.set('I', 256)).rejects.toEqual(refusal('out-of-range', { feature: 'I', max: 255 }))
    expect(port.taken()).toEqual([])
  })

  it('takes limits, unit and representation from the target when it has none', async () => {
    const { map } = camera(
      `<Integer Name="I"><pValue>Width</pValue></Integer>${width.replace('<Unit>', '<Representation>HexNumber</Representation><Unit>')}`,
    )
    expect(await range(map.node('I'))).toEqual([16, 640, 4])
    expect(map.node('I')).toMatchObject({ unit: 'px', representation: 'HexNumber' })
  })

  it('is number while safe, bigint beyond, and takes both', async () => {
    const { map } = camera(register('IntReg', 'R', 0x100, '', { length: 8 }))
    await map.set('R', 2n ** 53n - 1n)
    expect(await map.get('R')).toBe(2 ** 53 - 1)
    await map.set('R', 2n ** 53n + 1n)
    expect(await map.get('R')).toBe(2n ** 53n + 1n)
    await expect(map.set('R', 2 ** 53 + 2)).rejects.toEqual(refusal('type'))
  })

  it.each([1.5, Number.NaN, 'x', new Uint8Array(1)])('does not take %s', async (value) => {
    await expect(camera(width).map.set('Width', value)).rejects.toEqual(refusal('type'))
  })

  it('converts booleans, as older descriptions use Integer for switches', async () => {
    const { map } = camera('<Integer Name="I"><Value>0</Value></Integer>')
    await map.set('I', true)
    expect(await map.get('I')).toBe(1)
  })

  it('accepts nothing with increment 0', async () => {
    const { map } = camera('<Integer Name="I"><Value>0</Value><Inc>0</Inc></Integer>')
    await expect(map.set('I', 0)).rejects.toEqual(refusal('bad-increment'))
  })

  it('accepts only members of ValidValueSet within the limits', async () => {
    const { map } = camera(
      '<Integer Name="I"><Value>1</Value><Max>8</Max><ValidValueSet>1;2;4;8;16</ValidValueSet></Integer>',
    )
    await map.set('I', 4)
    await expect(map.set('I', 3)).rejects.toEqual(refusal('bad-increment', { valid: [1, 2, 4, 8] }))
  })

  it('writes copies in document order and reads only pValue', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pValueCopy>A</pValueCopy><pValue>B</pValue><pValueCopy>C</pValueCopy></Integer>` +
        register('IntReg', 'A', 0x100, '', { length: 1 }) +
        register('IntReg', 'B', 0x110) +
        register('IntReg', 'C', 0x120, '', { length: 2 }),
    )
    expect(await range(map.node('I'))).toEqual([0, 255, 1])
    await map.set('I', 7)
    expect(port.taken()).toEqual(['write 110+4', 'write 100+1', 'write 120+2'])
    expect(await map.get('I')).toBe(7)
    expect(port.taken()).toEqual([])
  })

  it('chooses by pIndex, with a default, and writes through the choice', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pIndex>Sel</pIndex><ValueIndexed Index="0">10</ValueIndexed>
         <pValueIndexed Index="0x1">R</pValueIndexed><ValueDefault>99</ValueDefault></Integer>
       <Integer Name="Sel"><Value>0</Value></Integer>${register('IntReg', 'R', 0x100, '', { length: 1 })}`,
    )
    expect(await map.get('I')).toBe(10)
    await map.set('Sel', 1)
    await map.set('I', 5)
    expect(port.peek(0x100, 1)).toEqual([5])
    expect(await map.node('I').max()).toBe(255)
    await map.set('Sel', 2)
    expect(await map.get('I')).toBe(99)
  })

  it('shows and reads text by its representation', async () => {
    const { map } = camera(
      ['HexNumber', 'IPV4Address', 'MACAddress', 'Boolean', 'Linear']
        .map(
          (kind) =>
            `<Integer Name="${kind}"><Value>0xC0A8010A</Value><Representation>${kind}</Representation></Integer>`,
        )
        .join(''),
    )
    const text = (name: string) => map.node(name).getText()
    expect(await text('HexNumber')).toBe('0xc0a8010a')
    expect(await text('IPV4Address')).toBe('192.168.1.10')
    expect(await text('MACAddress')).toBe('00:00:c0:a8:01:0a')
    expect(await text('Boolean')).toBe('true')
    expect(await text('Linear')).toBe('3232235786')
    await map.node('Boolean').setText('true')
    expect(await map.get('Boolean')).toBe(1)
    await map.node('Linear').setText('0X1f')
    expect(await map.get('Linear')).toBe(31)
    await expect(map.node('Linear').setText('&h1')).rejects.toEqual(refusal('type'))
  })

  it('rounds a Float behind it, and its increment', async () => {
    const { map } = camera(
      `<Integer Name="I"><pValue>F</pValue></Integer><Float Name="F"><Value>2.5</Value><Min>-1.5</Min><Max>9.5</Max><Inc>2.1</Inc></Float>`,
    )
    expect(await map.get('I')).toBe(3)
    expect(await range(map.node('I'))).toEqual([-1, 9, 2])
  })
})

describe('Float', () => {
  it('checks its range, with infinities and not-a-number outside of it', async () => {
    const { map } = camera('<Float Name="F"><Value>1e0</Value><Min>0.5</Min><Max>2</Max></Float>')
    for (const value of [0.4, 2.1, Infinity, Number.NaN]) {
      await expect(map.set('F', value)).rejects.toEqual(refusal('out-of-range', { min: 0.5, max: 2 }))
    }
    await map.set('F', 2n)
    expect(await map.get('F')).toBe(2)
    await expect(map.set('F', '1')).rejects.toEqual(refusal('type'))
  })

  it('lands on the grid of an integer behind it', async () => {
    const { map } = camera(
      `<Float Name="F"><pValue>I</pValue></Float><Integer Name="I"><Value>1</Value><Min>1</Min><Max>12</Max><Inc>3</Inc></Integer>`,
    )
    for (const [value, raw] of [
      [2.4, 1],
      [2.6, 4],
      [11.9, 10],
    ] as const) {
      await map.set('F', value)
      expect(await map.get('I')).toBe(raw)
    }
    await expect(map.set('F', 13)).rejects.toEqual(refusal('out-of-range'))
  })

  it('takes an enumeration behind it by NumericValue, the nearest entry on writing', async () => {
    const entry = (name: string, value: number, numeric?: number) =>
      `<EnumEntry Name="${name}"><Value>${value}</Value>${numeric === undefined ? '' : `<NumericValue>${numeric}</NumericValue>`}</EnumEntry>`
    const { map } = camera(
      `<Float Name="F"><pValue>E</pValue></Float><Integer Name="I"><pValue>E</pValue></Integer>
       <Enumeration Name="E">${entry('A', 0, 1.5)}${entry('B', 1, 1.7)}${entry('C', 20)}<Value>0</Value></Enumeration>`,
    )
    expect([await map.get('F'), await map.get('I')]).toEqual([1.5, 1])
    for (const [value, name] of [
      [1, 'A'],
      [2, 'B'],
      [20, 'C'],
    ] as const) {
      await map.set('I', value)
      expect(await map.get('E')).toBe(name)
    }
    await map.set('F', 7)
    expect(await map.get('E')).toBe('B')
  })

  it.each([
    ['Automatic', 3, '3.14159', '3.14'],
    ['Automatic', 6, '100000', '100000'],
    ['Automatic', 3, '123456', '1.23e+5'],
    ['Fixed', 2, '3.14159', '3.14'],
    ['Scientific', 2, '31415.9', '3.14e+4'],
    ['Automatic', 6, 'INF', 'INF'],
  ])('prints %s with %i digits', async (notation, precision, value, text) => {
    const { map } = camera(
      `<Float Name="F"><Value>${value}</Value><Max>INF</Max><DisplayNotation>${notation}</DisplayNotation><DisplayPrecision>${precision}</DisplayPrecision></Float>`,
    )
    expect(await map.node('F').getText()).toBe(text)
  })

  it('prints nothing outside of its range', async () => {
    const { map } = camera(
      '<Float Name="F"><Value>3.14159</Value><Max>3.14159</Max><DisplayNotation>Fixed</DisplayNotation><DisplayPrecision>4</DisplayPrecision></Float>',
    )
    expect(await map.node('F').getText()).toBe('3.1415')
  })
})

describe('Boolean', () => {
  const flag = `<Boolean Name="B"><pValue>R</pValue><OnValue>0x141</OnValue><OffValue>123</OffValue></Boolean>${register('IntReg', 'R', 0x100)}`

  it('maps its two values; anything else is false', async () => {
    const { map, port } = camera(flag)
    await map.set('B', true)
    expect([port.peek32(0x100), await map.get('B')]).toEqual([321, true])
    await map.set('B', 0)
    expect([port.peek32(0x100), await map.get('B')]).toEqual([123, false])
    port.poke32(0x100, 7)
    expect(await map.get('B', { ignoreCache: true })).toBe(false)
    await expect(map.set('B', 2)).rejects.toEqual(refusal('type'))
    expect(await map.node('B').getText()).toBe('0')
    await map.node('B').setText('true')
    expect(port.peek32(0x100)).toBe(321)
  })

  it('counts as 1 or 0 behind an Integer', async () => {
    const { map, port } = camera(`<Integer Name="I"><pValue>B</pValue></Integer>${flag}`)
    port.poke32(0x100, 321)
    expect(await map.get('I')).toBe(1)
    await map.set('I', 0)
    expect(port.peek32(0x100)).toBe(123)
  })

  it('stands alone with a literal', async () => {
    const { map } = camera('<Boolean Name="B"><Value>true</Value></Boolean>')
    expect(await map.get('B')).toBe(true)
  })

  it('is a fault of the description when on equals off', () => {
    const { map } = camera('<Boolean Name="B"><Value>1</Value><OnValue>0</OnValue></Boolean>')
    expect(() => map.node('B')).toThrow(expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' }))
  })
})

describe('Enumeration', () => {
  const formats = `<Enumeration Name="PixelFormat">
      <EnumEntry Name="Mono8"><DisplayName>Mono 8</DisplayName><Value>0x01080001</Value></EnumEntry>
      <EnumEntry Name="Mono10"><Value>0x01100003</Value><pIsAvailable>Has10</pIsAvailable></EnumEntry>
      <EnumEntry Name="Mono12"><Value>0x01100005</Value><pIsImplemented>Zero</pIsImplemented></EnumEntry>
      <EnumEntry Name="Old"><Symbolic>New</Symbolic><Value>9</Value></EnumEntry>
      <pValue>R</pValue></Enumeration>
    <Integer Name="Has10"><Value>0</Value></Integer><Integer Name="Zero"><Value>0</Value></Integer>
    ${register('IntReg', 'R', 0x100)}`

  it('reads and writes names, and writes numbers', async () => {
    const { map, port } = camera(formats)
    await map.set('PixelFormat', 'Mono8')
    expect(port.peek32(0x100)).toBe(0x01080001)
    expect(await map.get('PixelFormat')).toBe('Mono8')
    expect(await map.node('PixelFormat').getInteger()).toBe(0x01080001)
    await map.set('PixelFormat', 9)
    expect(await map.get('PixelFormat')).toBe('New')
    await map.node('PixelFormat').setText('0x01080001')
    expect(await map.get('PixelFormat')).toBe('Mono8')
  })

  it('lists what the camera implements, with availability', async () => {
    const { map } = camera(formats)
    expect(await map.node('PixelFormat').entries()).toEqual([
      { name: 'Mono8', value: 0x01080001, displayName: 'Mono 8', available: true },
      { name: 'Mono10', value: 0x01100003, displayName: 'Mono10', available: false },
      { name: 'New', value: 9, displayName: 'New', available: true },
    ])
  })

  it('refuses unknown, missing and unavailable entries with the list of what is possible', async () => {
    const { map, port } = camera(formats)
    const entries = ['Mono8', 'New']
    await expect(map.set('PixelFormat', 'mono8')).rejects.toEqual(refusal('no-such-entry', { entries }))
    await expect(map.set('PixelFormat', 5)).rejects.toEqual(refusal('no-such-entry', { entries }))
    await expect(map.set('PixelFormat', 'Mono10')).rejects.toEqual(refusal('not-available', { entries }))
    await expect(map.set('PixelFormat', 'Mono12')).rejects.toEqual(refusal('not-implemented', { entries }))
    await expect(map.set('PixelFormat', 'Mono10', { verify: false })).rejects.toEqual(
      refusal('not-available'),
    )
    expect(port.taken()).toEqual([])
    await map.set('Has10', 1)
    await map.set('PixelFormat', 'Mono10')
    expect(port.peek32(0x100)).toBe(0x01100003)
  })

  it('tells a number without a name by its number', async () => {
    const { map, port } = camera(formats)
    port.poke32(0x100, 77)
    await expect(map.get('PixelFormat')).rejects.toEqual(refusal('no-such-entry', { value: 77 }))
    expect(await map.node('PixelFormat').getInteger()).toBe(77)
  })

  it('prefers an available entry where two have one value', async () => {
    const { map } = camera(
      `<Enumeration Name="E"><EnumEntry Name="A"><Value>1</Value><pIsAvailable>Zero</pIsAvailable></EnumEntry>
       <EnumEntry Name="B"><Value>1</Value></EnumEntry><Value>1</Value></Enumeration><Integer Name="Zero"><Value>0</Value></Integer>`,
    )
    expect(await map.get('E')).toBe('B')
  })

  it('always reads a self-clearing value from the device', async () => {
    const { map, port } = camera(
      `<Enumeration Name="E"><EnumEntry Name="Off"><Value>0</Value></EnumEntry>
       <EnumEntry Name="Once"><Value>1</Value><IsSelfClearing>Yes</IsSelfClearing></EnumEntry><pValue>R</pValue></Enumeration>${register('IntReg', 'R', 0x100)}`,
    )
    await map.set('E', 'Once')
    expect(await map.get('E')).toBe('Once')
    port.poke32(0x100, 0)
    expect(await map.get('E')).toBe('Off')
  })

  it('has a node for each entry', async () => {
    const { map } = camera(formats)
    expect(map.has('EnumEntry_PixelFormat_Mono8')).toBe(true)
    expect(await map.node('EnumEntry_PixelFormat_Mono10').access()).toBe('NA')
    expect([...map].map(({ name }) => name)).not.toContain('EnumEntry_PixelFormat_Mono8')
  })
})

it('reads what identifies the description', () => {
  expect(camera('').map.info).toEqual({
    modelName: 'Model',
    vendorName: 'Vendor',
    toolTip: 'Tip',
    standardNameSpace: 'None',
    version: '2.3.7',
    schemaVersion: '1.1.0',
  })
  expect(description('')).not.toContain('Name="Root"')
})

it('an entry of a number that no double holds is written as it is', async () => {
  const { map } = camera(
    `<Integer Name="Through"><pValue>Mode</pValue></Integer>
     <Enumeration Name="Mode"><EnumEntry Name="A"><Value>9007199254740993</Value></EnumEntry><EnumEntry Name="B"><Value>9007199254740992</Value></EnumEntry><pValue>ModeReg</pValue></Enumeration>
     ${register('IntReg', 'ModeReg', 0x10, '', { length: 8 })}`,
  )
  await map.set('Through', 9007199254740992n)
  expect(await map.get('Mode')).toBe('B')
  await map.set('Through', 9007199254740993n)
  expect(await map.get('Mode')).toBe('A')
})

it.each(['NaN', 'INF', '-INF'])(
  'a NumericValue and an increment of %s are no way out of the types',
  async (number) => {
    const { map } = camera(
      `<Integer Name="Through"><pValue>Mode</pValue></Integer>
     <Enumeration Name="Mode"><EnumEntry Name="A"><Value>1</Value><NumericValue>${number}</NumericValue></EnumEntry><Value>1</Value></Enumeration>
     <Integer Name="OfFloat"><pValue>Float</pValue></Integer><Float Name="Float"><Value>1</Value><Inc>${number}</Inc></Float>`,
    )
    expect(['bigint', 'number']).toContain(typeof (await map.get('Through')))
    expect(await map.node('OfFloat').inc()).toBe(number === 'INF' ? 2n ** 63n - 1n : 1)
  },
)

it('rounds halves away from zero, and nothing else', () => {
  const cases = [
    0.5,
    -0.5,
    2.5,
    -5.5,
    0.49999999999999994,
    -0.49999999999999994,
    2 ** 52 + 1,
    2 ** 53 - 1,
    Infinity,
  ]
  expect(cases.map(roundHalfAway)).toEqual([1, -1, 3, -6, 0, -0, 2 ** 52 + 1, 2 ** 53 - 1, Infinity])
})

it('a precision that is none prints no digits, within the limits', () => {
  const format = { notation: 'Fixed', precision: Number.NaN, min: 0, max: 0.7 }
  expect(formatFloat(0.6, format)).toBe('0')
})
