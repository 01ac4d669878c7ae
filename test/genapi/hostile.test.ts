// Descriptions made to hurt: each must end in a typed error, soon (issue: entity bombs, circles, depth, size).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GigeError } from '../../lib/errors.js'
import { loadDescription } from '../../lib/genapi/description.js'
import { createNodeMap } from '../../lib/genapi/index.js'
import { parseXml } from '../../lib/genapi/xml.js'
import { camera, description, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const fault = expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' })

/** Fails the test if it took long: under a second on an idle machine, with room for a busy one. */
async function soon<T>(run: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  try {
    return await run()
  } finally {
    expect(performance.now() - start).toBeLessThan(3000)
  }
}

describe('documents', () => {
  it.each([
    ['an entity bomb', `<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "${'&x;'.repeat(1000)}">]><a>&z;</a>`],
    ['any DOCTYPE', '<!DOCTYPE html><a/>'],
    ['100 000 levels', '<a>'.repeat(100_000)],
    ['100 000 levels in an Extension', `<a><Extension>${'<b>'.repeat(100_000)}`],
    ['a million elements', `<a>${'<b/>'.repeat(1_000_000)}</a>`],
    ['a million elements that could hold text', `<a>${'<b></b>'.repeat(1_000_000)}</a>`],
    ['4 MiB of ampersands', `<a>${'&'.repeat(4 << 20)}`],
    ['4 MiB of half a CDATA section', `<a>&${'<![CDATA['.repeat(400_000)}`],
    ['4 MiB of half a comment', `<a>&${'<!-- &'.repeat(700_000)}`],
    ['4 MiB of half tags', '<'.repeat(4 << 20)],
    ['4 MiB of one name', `<${'a'.repeat(4 << 20)}`],
    ['2 MiB of one text', `<a><b>${'&lt;'.repeat(1 << 19)}</b></a>`],
    ['2 MiB of one text beside markup', `<a><b x="1">${'\x01'.repeat(2 << 20)}</b></a>`],
    ['2 MiB of one text in pieces', `<a>${`<![CDATA[${'x'.repeat(1 << 16)}]]>`.repeat(32)}</a>`],
    ['an attribute of 128 KiB', `<a><b x="${'&lt;'.repeat(1 << 15)}"/></a>`],
  ])('%s is refused', async (_what, xml) => {
    await expect(soon(async () => parseXml(xml))).rejects.toEqual(fault)
  })

  it('31 MiB of line ends and of bytes of another code page are read in little memory', async () => {
    const bytes = new Uint8Array(31 << 20).fill(0x0a)
    bytes.fill(0x80, 10 << 20)
    bytes.set(Buffer.from('<a>'), 9 << 20)
    const before = process.memoryUsage().rss
    const { xml, encoding } = loadDescription(bytes)
    expect(encoding).toBe('windows-1252')
    await expect(soon(async () => parseXml(xml))).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      line: (10 << 20) - 3 + 1,
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(400 << 20)
  })

  it('random bytes are refused or read, and nothing else happens', () => {
    const pieces = fc.constantFrom(
      '<',
      '>',
      '/',
      'a',
      '&',
      ';',
      '"',
      '=',
      ' ',
      '<![CDATA[',
      ']]>',
      '<!--',
      '-->',
      '<?xml',
      '?>',
      '\0',
      '<!DOCTYPE',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        try {
          createNodeMap(parts.join(''), new FakePort())
        } catch (error) {
          expect(error).toBeInstanceOf(GigeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('circles', () => {
  const pointing = (name: string, target: string) =>
    `<Integer Name="${name}"><pValue>${target}</pValue></Integer>`
  const knife = (name: string, target: string) =>
    `<IntSwissKnife Name="${name}"><pVariable Name="X">${target}</pVariable><Formula>X+1</Formula></IntSwissKnife>`

  it.each([
    ['pValue to itself', pointing('A', 'A')],
    ['pValue in a ring', pointing('A', 'B') + pointing('B', 'C') + pointing('C', 'A')],
    ['a formula', knife('A', 'B') + knife('B', 'A')],
    [
      'an expression',
      '<IntSwissKnife Name="A"><Expression Name="P">Q</Expression><Expression Name="Q">P</Expression><Formula>P</Formula></IntSwissKnife>',
    ],
    ['an address', register('IntReg', 'A', '<pAddress>A</pAddress>')],
    [
      'a length',
      '<StringReg Name="A"><Address>0</Address><pLength>B</pLength></StringReg><IntReg Name="B"><Address>0</Address><pLength>B</pLength></IntReg>',
    ],
    ['an index', '<Integer Name="A"><pIndex>A</pIndex><ValueDefault>1</ValueDefault></Integer>'],
    [
      'a converter',
      '<Converter Name="A"><FormulaTo>FROM</FormulaTo><FormulaFrom>TO</FormulaFrom><pValue>B</pValue></Converter>' +
        pointing('B', 'A'),
    ],
    [
      'a condition that is a circle',
      `<Integer Name="A"><pIsAvailable>B</pIsAvailable><Value>1</Value></Integer>${pointing('B', 'B')}`,
    ],
  ])('of %s end in a typed error', async (_what, nodes) => {
    const { map } = camera(nodes)
    await expect(soon(() => map.get('A'))).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      reason: 'cycle',
    })
    expect(map.problems()).toEqual([])
  })

  it('of pValue end in a typed error on writing, and static facts end too', async () => {
    const { map } = camera(pointing('A', 'B') + pointing('B', 'A'))
    await expect(map.set('A', 1)).rejects.toEqual(fault)
    expect(map.node('A').unit).toBe('')
  })

  it('of limits end in a typed error', async () => {
    const { map } = camera(
      '<Integer Name="A"><Value>1</Value><pMax>B</pMax></Integer><IntSwissKnife Name="B"><pVariable Name="A.Max">A</pVariable><Formula>A.Max</Formula></IntSwissKnife>',
    )
    await expect(map.set('A', 1)).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION', reason: 'cycle' })
  })

  it('of categories and selectors do no harm', async () => {
    const { map } = camera(
      '<Category Name="Root"><pFeature>Root</pFeature><pFeature>C</pFeature></Category><Category Name="C"><pFeature>Root</pFeature></Category><Integer Name="S"><Value>0</Value><pSelected>S</pSelected></Integer>',
    )
    expect(map.node('Root').visibility).toBe('Invisible')
    expect(await soon(() => map.node('Root').access())).toBe('RO')
    expect(map.node('S').selects).toEqual(['S'])
    await map.set('S', 1)
  })
})

describe('size and depth', () => {
  it('a chain of 10 000 nodes ends in a typed error', async () => {
    const chain = Array.from(
      { length: 10_000 },
      (_, index) => `<Integer Name="N${index}"><pValue>N${index + 1}</pValue></Integer>`,
    )
    const { map } = camera(`${chain.join('')}<Integer Name="N10000"><Value>1</Value></Integer>`)
    await expect(soon(() => map.get('N0'))).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      reason: 'depth',
      message: expect.stringContaining('more than 150 nodes'),
    })
    expect(await map.get('N9990')).toBe(1)
  })

  it('doubling at each of 60 levels stays linear, in values, failures and limits', async () => {
    const doubled = (level: number, of: string) =>
      `<IntSwissKnife Name="${of}${level}"><pVariable Name="A">${of}${level + 1}</pVariable><pVariable Name="B">${of}${level + 1}</pVariable><Formula>A+B</Formula></IntSwissKnife>`
    const levels = Array.from({ length: 60 }, (_, level) => level)
    const converters = levels.map(
      (
        level,
      ) => `<Converter Name="C${level}"><pVariable Name="M.Max">C${level + 1}</pVariable><pVariable Name="N.Min">C${level + 1}</pVariable>
        <FormulaTo>FROM</FormulaTo><FormulaFrom>TO + M.Max + N.Min + MISSING</FormulaFrom><pValue>C${level + 1}</pValue></Converter>`,
    )
    const { map } = camera(
      levels.map((level) => doubled(level, 'V')).join('') +
        levels.map((level) => doubled(level, 'E')).join('') +
        `<Integer Name="V60"><Value>1</Value></Integer><IntSwissKnife Name="E60"><Formula>1/0</Formula></IntSwissKnife>` +
        `${converters.join('')}${register('IntReg', 'C60', 0x100)}`,
    )
    expect(await soon(() => map.get('V0'))).toBe(2n ** 60n)
    await expect(soon(() => map.get('E0'))).rejects.toMatchObject({ reason: 'formula' })
    await soon(() => map.node('C0').max())
  })

  it('expressions that double are computed once each', async () => {
    const expressions = Array.from(
      { length: 60 },
      (_, level) => `<Expression Name="X${level}">X${level + 1}+X${level + 1}</Expression>`,
    )
    const { map } = camera(
      `<IntSwissKnife Name="K">${expressions.join('')}<Constant Name="X60">1</Constant><Formula>X0</Formula></IntSwissKnife>`,
    )
    expect(await soon(() => map.get('K'))).toBe(2n ** 60n)
  })

  it('formulas too deep and too long are refused', async () => {
    const knife = (formula: string) =>
      camera(`<IntSwissKnife Name="K"><Formula>${formula}</Formula></IntSwissKnife>`).map
    for (const formula of [`${'('.repeat(10_000)}1${')'.repeat(10_000)}`, '1+'.repeat(100_000)]) {
      await expect(soon(() => knife(formula).get('K'))).rejects.toEqual(fault)
    }
  })

  it('a structure whose entries inherit enormously is bounded', async () => {
    const many = (count: number, element: (index: number) => string) =>
      Array.from({ length: count }, (_, index) => element(index)).join('')
    const { map } = camera(
      `<StructReg>${many(20_000, () => '<pInvalidator>T</pInvalidator>')}<Address>0</Address><Length>4</Length>${many(20_000, (index) => `<StructEntry Name="S${index}"><Bit>1</Bit></StructEntry>`)}</StructReg><Integer Name="T"><Value>0</Value></Integer>`,
    )
    await expect(soon(() => map.set('T', 1))).rejects.toEqual(fault)
  })

  it('a description of 3000 nodes is ready quickly', async () => {
    const nodes = Array.from({ length: 1000 }, (_, index) => {
      const name = `Feature${index}`
      return `<Integer Name="${name}"><ToolTip>${'A description of some length. '.repeat(8)}</ToolTip><DisplayName>Feature ${index}</DisplayName>
        <Visibility>Expert</Visibility><pIsAvailable>${name}Available</pIsAvailable><pValue>${name}Reg</pValue><Min>0</Min><Max>1000</Max></Integer>
        ${register('MaskedIntReg', `${name}Reg`, 0x100 + 4 * index, `<LSB>31</LSB><MSB>16</MSB><pInvalidator>Feature${(index + 1) % 1000}Reg</pInvalidator>`)}
        <IntSwissKnife Name="${name}Available"><pVariable Name="V">${name}Reg</pVariable><Formula>(V &gt; 1000) ? 0 : 1</Formula></IntSwissKnife>`
    })
    const xml = description(nodes.join('\n'))
    const start = performance.now()
    const map = createNodeMap(xml, new FakePort())
    expect(await map.get('Feature999')).toBe(0)
    expect(performance.now() - start).toBeLessThan(1500)
    expect(map.problems()).toEqual([])
  })
})

it('many names in a formula of schema 1.0, and selectors that select much, take no time', async () => {
  const names = Array.from({ length: 40_000 }, (_, index) => `V${index}`)
  const formula = `<IntSwissKnife Name="Sum">${names.map((name) => `<pVariable Name="${name}">One</pVariable>`).join('')}
    <Formula>${names
      .slice(-9000)
      .map((name) => name.toLowerCase())
      .join('+')}</Formula></IntSwissKnife><Integer Name="One"><Value>1</Value></Integer>`
  const { map } = camera(formula, { schemaMinor: 0 })
  expect(await soon(() => map.get('Sum'))).toBe(9000)
  const selectors = Array.from(
    { length: 900 },
    (_, index) =>
      `<Integer Name="S${index}"><Value>1</Value>${Array.from({ length: 100 }, (_, other) => `<pSelected>S${(index + other) % 900}</pSelected>`).join('')}</Integer>`,
  ).join('')
  expect(await soon(() => camera(selectors).map.problems())).toBeInstanceOf(Array)
})
