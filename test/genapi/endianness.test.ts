// Which cameras want their registers accessed by value (genapi.md 7.1): by evidence, else by the table, else by the schema.

import { describe, expect, it } from 'vitest'
import { createNodeMap } from '../../lib/genapi/index.js'
import { description, register } from './describe-camera.js'
import { RegisterFakePort } from './fake-port.js'

/** A little-endian device: memory holds numbers with their bytes reversed, registers give them by value. */
class LittleEndianPort extends RegisterFakePort {
  override async readRegister(address: number): Promise<number> {
    this.log.push({ op: 'readRegister', address, length: 4 })
    return new DataView(this.memory.buffer).getUint32(address, true)
  }
}

const WIDTH = 0x100
const little = (value: number) => new LittleEndianPort().poke(WIDTH, value & 0xff, value >> 8, 0, 0)

function open(
  port: RegisterFakePort,
  { order = 'BigEndian', schemaMinor = 1 as 0 | 1, vendor = 'Vendor', model = 'Model', rest = '' } = {},
) {
  const xml = description(
    `<Integer Name="Width"><pValue>WidthReg</pValue><Min>16</Min><Max>4096</Max></Integer>${register('IntReg', 'WidthReg', WIDTH, '', { order })}${rest}`,
    schemaMinor,
  )
  return createNodeMap(
    xml
      .replace('VendorName="Vendor"', `VendorName="${vendor}"`)
      .replace('ModelName="Model"', `ModelName="${model}"`),
    port,
  )
}

describe('the evidence', () => {
  it('of a camera of schema 1.1 that is written like one of 1.0: Width would be 196608', async () => {
    const map = open(little(768))
    expect(await map.get('Width')).toBe(196_608)
    expect(await map.settleEndianness()).toEqual({ legacy: true, by: 'evidence' })
    expect(await map.get('Width')).toBe(768)
  })

  it('of a camera whose tags are true', async () => {
    const map = open(little(768), { order: 'LittleEndian', schemaMinor: 1 })
    expect(await map.settleEndianness()).toMatchObject({ legacy: false })
    expect(await map.get('Width')).toBe(768)
  })

  it('goes before the schema', async () => {
    // Schema 1.0, but by value the number makes no sense.
    const port = new RegisterFakePort().poke(WIDTH, 0, 3, 0, 0)
    port.poke(WIDTH, 0, 0, 3, 0)
    port.readRegister = async () => 0x00030000
    expect(await open(port, { schemaMinor: 0 }).settleEndianness()).toEqual({ legacy: false, by: 'evidence' })
  })

  it('is sought without writing', async () => {
    const port = little(768)
    await open(port).settleEndianness()
    expect(port.log.filter(({ op }) => op.startsWith('write'))).toEqual([])
  })
})

describe('without evidence', () => {
  const big = () => new RegisterFakePort().poke32(WIDTH, 768)

  it.each([
    ['Imperx', 'IpxGEVCamera'],
    ['AutomationTechnology', 'C6_2040_GigE'],
    ['IDS', 'GV_5240CP_NIR'],
    ['Sony', 'XCG_CGSeries'],
  ])('%s %s is known for it', async (vendor, model) => {
    expect(await open(big(), { vendor, model }).settleEndianness()).toEqual({ legacy: true, by: 'table' })
  })

  it.each([
    [0, true],
    [1, false],
  ] as const)('schema 1.%s decides', async (schemaMinor, legacy) => {
    expect(await open(big(), { schemaMinor }).settleEndianness()).toEqual({ legacy, by: 'schema' })
  })

  it('a camera that does not answer decides nothing', async () => {
    const port = big()
    port.onAccess = () => {
      throw new Error('no answer')
    }
    port.readRegister = async () => {
      throw new Error('no answer')
    }
    expect(await open(port, { schemaMinor: 0 }).settleEndianness()).toEqual({ legacy: true, by: 'schema' })
  })
})
