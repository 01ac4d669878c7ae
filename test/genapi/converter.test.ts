// Converters both ways, and knives (genapi.md 2.12).

import { describe, expect, it } from 'vitest'
import { camera, register } from './describe-camera.js'

const refusal = (reason: string, more: object = {}) =>
  expect.objectContaining({ code: 'ERR_GIGE_FEATURE', reason, ...more })

async function range(node: {
  min(): Promise<unknown>
  max(): Promise<unknown>
  inc(): Promise<unknown>
}): Promise<unknown[]> {
  return [await node.min(), await node.max(), await node.inc()]
}

describe('Converter', () => {
  const raw = register('IntReg', 'Raw', 0x100, '', { length: 2 })
  const converter = (to: string, from: string, rest = '') =>
    `<Converter Name="C"><FormulaTo>${to}</FormulaTo><FormulaFrom>${from}</FormulaFrom><pValue>Raw</pValue>${rest}</Converter>${raw}`

  it('reads by FormulaFrom of TO and writes by FormulaTo of FROM', async () => {
    const { map, port } = camera(converter('FROM / 0.5 - 10', '(TO + 10) * 0.5'))
    port.poke(0x100, 0, 20)
    expect(await map.get('C')).toBe(15)
    await map.set('C', 25.1)
    expect(port.peek(0x100, 2)).toEqual([0, 40])
  })

  it.each([
    ['Increasing', '0.5*TO', [0, 32767.5]],
    ['Decreasing', '-0.5*TO', [-32767.5, 0]],
    ['Automatic', '-0.5*TO', [-32767.5, 0]],
    ['Decreasing', '0.5*TO', [32767.5, 0]], // a description that lies is taken at its word
    ['Varying', '0.5*TO', [-Number.MAX_VALUE, Number.MAX_VALUE]],
  ])('has limits by the slope %s', async (slope, from, limits) => {
    const { map } = camera(converter('FROM*2', from, `<Slope>${slope}</Slope>`))
    expect(await range(map.node('C'))).toEqual([...limits, undefined])
  })

  it('has limits though the formula has no result at one end', async () => {
    const { map } = camera(converter('1000000/FROM', '1000000/TO'))
    expect(await range(map.node('C'))).toEqual([1000000 / 65535, 1000000, undefined])
  })

  it('has an increment when it is linear', async () => {
    const { map } = camera(converter('FROM/-0.5', '-0.5*TO', '<IsLinear>Yes</IsLinear>'))
    expect(await map.node('C').inc()).toBe(0.5)
  })

  it('needs one read and one write for a read-modify-write formula', async () => {
    const { map, port } = camera(
      `<Integer Name="Sel"><Value>3</Value></Integer>${register('IntReg', 'Raw', 0x100)}
       <IntConverter Name="Line"><pVariable Name="CUR">Raw</pVariable><pVariable Name="SEL">Sel</pVariable>
         <FormulaTo>(FROM) ? (CUR | (1 &lt;&lt; SEL)) : (CUR &amp; ~(1 &lt;&lt; SEL))</FormulaTo>
         <FormulaFrom>(TO &gt;&gt; SEL) &amp; 1</FormulaFrom><pValue>Raw</pValue><Slope>Varying</Slope></IntConverter>`,
    )
    port.poke32(0x100, 0xf0)
    await map.set('Line', 1)
    expect(port.peek32(0x100)).toBe(0xf8)
    expect(port.taken()).toEqual(['read 100+4', 'write 100+4'])
    expect(await map.get('Line')).toBe(1)
    await map.set('Line', 0)
    expect(port.peek32(0x100)).toBe(0xf0)
  })

  it('IntConverter keeps 64 bits', async () => {
    const { map } = camera(
      `<IntConverter Name="C"><FormulaTo>FROM + 1</FormulaTo><FormulaFrom>TO - 1</FormulaFrom><pValue>R</pValue></IntConverter>${register('IntReg', 'R', 0x100, '', { length: 8 })}`,
    )
    await map.set('C', 2n ** 60n)
    expect(await map.get('R')).toBe(2n ** 60n + 1n)
    expect(await map.get('C')).toBe(2n ** 60n)
    expect(await range(map.node('C'))).toEqual([-1, 2n ** 63n - 1n, 1])
  })

  it('refuses what the register cannot hold', async () => {
    const { map, port } = camera(converter('FROM*100', 'TO/100', '<Slope>Varying</Slope>'))
    await expect(map.set('C', 700)).rejects.toEqual(refusal('out-of-range', { feature: 'C' }))
    expect(port.taken()).toEqual([])
  })
})

describe('SwissKnife', () => {
  it('divides as floats do, or as integers do', async () => {
    const formula = '<pVariable Name="A">I</pVariable><Formula>A/2</Formula>'
    const { map } = camera(
      `<Integer Name="I"><Value>5</Value></Integer><SwissKnife Name="F">${formula}</SwissKnife><IntSwissKnife Name="N">${formula}</IntSwissKnife>`,
    )
    expect([await map.get('F'), await map.get('N')]).toEqual([2.5, 2])
    await expect(map.set('F', 1)).rejects.toEqual(refusal('read-only'))
  })
})
