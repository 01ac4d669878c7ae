// The ten facts that break first implementations (genapi.md, its first page), each under its number.

import { describe, expect, it } from 'vitest'
import { loadDescription } from '../../lib/genapi/index.js'
import { camera, description, register } from './describe-camera.js'
import { FakePort, RegisterFakePort } from './fake-port.js'

const knife = (formula: string, kind = 'IntSwissKnife') =>
  `<${kind} Name="K"><Formula>${formula}</Formula></${kind}>`

describe('fact', () => {
  it('1: in formulas = is equality and <> inequality', async () => {
    expect(await camera(knife('(2 = 2) * 10 + (2 &lt;&gt; 3)')).map.get('K')).toBe(11)
    await expect(camera(knife('!1')).map.get('K')).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      at: 0,
    })
  })

  it('2: an address is the sum of Address, pAddress, pIndex and embedded formulas', async () => {
    const { map, port } = camera(
      register(
        'IntReg',
        'R',
        '<Address>0x100</Address><Address>0x10</Address><pAddress>Base</pAddress><pIndex Offset="0x20">Index</pIndex>' +
          '<IntSwissKnife Name="Anonymous"><pVariable Name="I">Index</pVariable><Formula>I * 2</Formula></IntSwissKnife>',
      ) +
        '<Integer Name="Base"><Value>0x1000</Value></Integer><Integer Name="Index"><Value>2</Value></Integer>',
    )
    await map.get('R')
    expect(port.taken()).toEqual([`read ${(0x1000 + 0x110 + 0x40 + 4).toString(16)}+4`])
  })

  it('3: pIndex without an offset multiplies by the length of the register', async () => {
    const nodes = (index: string) =>
      register('IntReg', 'R', `<pAddress>Base</pAddress><Address>0x0F00</Address>${index}`) +
      '<Integer Name="Base"><Value>0xF000</Value></Integer><Integer Name="I"><Value>1</Value></Integer>'
    const offset = camera(nodes('<pIndex Offset="0xF0">I</pIndex>'))
    await offset.map.get('R')
    expect(offset.port.taken()).toEqual(['read fff0+4'])
    const bare = camera(nodes('<pIndex>I</pIndex>'))
    await bare.map.get('R')
    expect(bare.port.taken()).toEqual(['read ff04+4'])
  })

  it('4: bits of big-endian registers count from the most significant one', async () => {
    const { map } = camera(register('MaskedIntReg', 'Size', 0xd04, '<LSB>31</LSB><MSB>16</MSB>'), {
      port: new FakePort().poke32(0xd04, 0x12345678),
    })
    expect(await map.get('Size')).toBe(0x5678)
  })

  it('5: a Converter reads by FormulaFrom of TO, and writes by FormulaTo of FROM', async () => {
    const { map, port } = camera(
      register('IntReg', 'R', 0x100) +
        '<Converter Name="C"><FormulaTo>FROM * 10</FormulaTo><FormulaFrom>TO / 10</FormulaFrom><pValue>R</pValue></Converter>',
      { port: new FakePort().poke32(0x100, 25) },
    )
    expect(await map.get('C')).toBe(2.5)
    await map.set('C', 7)
    expect(port.peek32(0x100)).toBe(70)
  })

  it('6: integer formulas have 64 bits and divide by truncation', async () => {
    expect(await camera(knife('0x20000000000001 + 2')).map.get('K')).toBe(9007199254740995n)
    expect(await camera(knife('-7 / 2')).map.get('K')).toBe(-3)
    expect(await camera(knife('5 / 2', 'SwissKnife')).map.get('K')).toBe(2.5)
  })

  it('7: integers are unsigned unless Sign says otherwise', async () => {
    const { map } = camera(register('IntReg', 'U', 0) + register('IntReg', 'S', 0, '<Sign>Signed</Sign>'), {
      port: new FakePort().poke32(0, 0xffffffff),
    })
    expect([await map.get('U'), await map.get('S')]).toEqual([0xffffffff, -1])
  })

  it('8: cameras of schema 1.0 are accessed by value where registers have 4 bytes', async () => {
    const port = new RegisterFakePort().poke32(0x100, 5)
    const { map } = camera(register('IntReg', 'R', 0x100), { port, schemaMinor: 0 })
    await map.set('R', 6)
    expect(await map.get('R')).toBe(6)
    expect(port.taken()).toEqual(['writeRegister 100+4'])
  })

  it('9: a register that says nothing is cached, and written through', async () => {
    const { map, port } = camera(register('IntReg', 'R', 0x100))
    await map.get('R')
    await map.get('R')
    await map.set('R', 9)
    expect(await map.get('R')).toBe(9)
    expect(port.taken()).toEqual(['read 100+4', 'write 100+4'])
    expect(map.node('R').cachingMode).toBe('WriteThrough')
  })

  it('10: texts may be padded, and documents carry marks, sections, comments and vendor trees', async () => {
    const nodes = `<!-- <Integer Name="Ghost"/> --><Integer Name="I"><Extension><PvRename Name="Bogus"/></Extension><Value>
        12
      </Value></Integer><IntSwissKnife Name="K"><Formula><![CDATA[1 << 4]]></Formula></IntSwissKnife>`
    const xml = description(nodes).replace(/^<\?xml.*\n/, '')
    const bytes = new TextEncoder().encode(`\ufeff${xml}`)
    const { map } = camera(nodes)
    expect([await map.get('I'), await map.get('K')]).toEqual([12, 16])
    expect([map.has('Ghost'), map.has('Bogus')]).toEqual([false, false])
    expect(loadDescription(bytes).xml.startsWith('<RegisterDescription')).toBe(true)
  })
})
