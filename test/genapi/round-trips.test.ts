// How many requests reading takes (genapi.md 7.3): neighbours as blocks, scattered registers together by value, cached ones none.

import { describe, expect, it } from 'vitest'
import { GigeError } from '../../lib/errors.js'
import { createNodeMap } from '../../lib/genapi/index.js'
import {
  generatedDescription,
  generatedFeatures,
  generatedMemory,
} from '../helpers/generated-description.mjs'
import { camera, register } from './describe-camera.js'
import { RegisterFakePort } from './fake-port.js'

/** A big-endian camera as GVCP shows it: many registers in one request. Addresses in `holes` are refused by value. */
class CameraPort extends RegisterFakePort {
  registersAreBytes = true
  requests = 0
  holes = new Set<number>()
  failure: () => Error = () => new GigeError('ERR_GIGE_STATUS', 'INVALID_ADDRESS')

  override async read(address: number | bigint, length: number): Promise<Uint8Array> {
    this.requests++
    if (this.holes.has(Number(address)) && this.holesAreReal) throw this.failure()
    return await super.read(address, length)
  }
  holesAreReal = true

  async readRegisters(addresses: number[]): Promise<number[]> {
    this.requests += Math.ceil(addresses.length / 135)
    if (addresses.some((address) => this.holes.has(address))) throw this.failure()
    return addresses.map((address) => this.peek32(address))
  }
}

const scattered = (count: number) =>
  Array.from({ length: count }, (_, i) => register('IntReg', `R${i}`, 0x100 + 16 * i)).join('')
const names = (count: number) => Array.from({ length: count }, (_, i) => `R${i}`)

describe('scattered registers', () => {
  it.each([0, 1] as const)('are read together, in schema 1.%s', async (schemaMinor) => {
    const port = new CameraPort()
    for (let i = 0; i < 100; i++) port.poke32(0x100 + 16 * i, i)
    const { map } = camera(scattered(100), { port, schemaMinor })
    const values = await map.getMany(names(100))
    expect([...values.values()]).toEqual(Array.from({ length: 100 }, (_, value) => ({ value })))
    expect(port.requests).toBe(1)
    await map.getMany(names(100))
    expect(port.requests).toBe(1)
  })

  it('are read one by one where bytes and registers may differ', async () => {
    const port = new CameraPort()
    port.registersAreBytes = false
    const { map } = camera(scattered(10), { port })
    await map.getMany(names(10))
    expect(port.requests).toBe(10)
  })

  it('keep their bytes in little-endian registers', async () => {
    const port = new CameraPort().poke(0x100, 1, 2, 3, 4).poke(0x200, 5, 6, 7, 8)
    const order = { order: 'LittleEndian' }
    const { map } = camera(
      register('IntReg', 'A', 0x100, '', order) + register('IntReg', 'B', 0x200, '', order),
      { port },
    )
    const values = await map.getMany(['A', 'B'])
    expect([values.get('A'), values.get('B')]).toEqual([{ value: 0x04030201 }, { value: 0x08070605 }])
    expect(port.requests).toBe(1)
  })

  it('are told apart when one of them is refused, by halves', async () => {
    const port = new CameraPort()
    port.holes.add(0x100 + 16 * 20)
    const { map } = camera(scattered(64), { port })
    const values = await map.getMany(names(64))
    for (const [name, outcome] of values) expect('error' in outcome, name).toBe(name === 'R20')
    expect(port.requests).toBeLessThanOrEqual(13) // 2 for each of the 6 halvings, and the first
  })

  it('are not asked for in this manner again where the device does not like it', async () => {
    const port = new CameraPort()
    for (let i = 0; i < 8; i++) port.holes.add(0x100 + 16 * i)
    port.holesAreReal = false
    const { map } = camera(scattered(8), { port })
    const values = await map.getMany(names(8))
    expect([...values.values()].every((outcome) => 'value' in outcome)).toBe(true)
    port.requests = 0
    map.invalidate()
    await map.getMany(names(8))
    expect(port.requests).toBe(8)
  })

  it('end with the first request when the camera is gone', async () => {
    const port = new CameraPort()
    for (let i = 0; i < 64; i++) port.holes.add(0x100 + 16 * i)
    port.failure = () => new GigeError('ERR_GIGE_TIMEOUT', 'no answer')
    const { map } = camera(scattered(64), { port })
    const values = await map.getMany(names(64))
    expect([...values.values()].every((outcome) => 'error' in outcome)).toBe(true)
    expect(port.requests).toBe(1)
  })
})

it('reading every feature of 3000 nodes takes few requests, and a second time none but for what must be fresh', async () => {
  const port = new CameraPort(0)
  Object.assign(port, { memory: generatedMemory() })
  let time = 0
  const map = createNodeMap(generatedDescription(), port, { now: () => time })
  const features = generatedFeatures()
  expect((await map.getMany(features)).size).toBe(900)
  expect(port.requests).toBeLessThan(200)
  const first = port.requests
  await map.getMany(features)
  expect(port.requests).toBe(first)
  time = 1000 // the temperatures have a PollingTime
  await map.getMany(features)
  expect(port.requests - first).toBe(Math.ceil(150 / 135))
})
