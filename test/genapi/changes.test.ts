// What tells that something has changed: events, watching, polling, reading back (genapi.md 3.3, 3.4).

import { describe, expect, it } from 'vitest'
import type { FeatureValue } from '../../lib/genapi/index.js'
import { camera, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

const variable = (name: string, value: number, rest = '') =>
  `<Integer Name="${name}"><Value>${value}</Value>${rest}</Integer>`
const microtasks = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('change events', () => {
  it('name each node once per operation, after it', async () => {
    const { map, port } = camera(
      `<Integer Name="I"><pValue>R</pValue><pMax>R</pMax></Integer>${register('IntReg', 'R', 0x100)}`,
    )
    const changes: string[] = []
    map.on('change', (name) => {
      changes.push(name)
      expect(port.peek32(0x100)).toBe(7)
    })
    await map.set('R', 7)
    await microtasks()
    expect(changes).toEqual(['R', 'I'])
  })

  it('may lead to further writes', async () => {
    const { map } = camera(variable('A', 0) + variable('B', 0))
    map.on('change', (name) => {
      if (name === 'A') void map.set('B', 5)
    })
    await map.set('A', 1)
    await expect.poll(() => map.get('B')).toBe(5)
  })

  it('tell of access imposed at run time', async () => {
    const { map } = camera(variable('A', 0))
    const changes: string[] = []
    map.on('change', (name) => changes.push(name))
    map.node('A').imposeAccess('RO')
    await expect(map.set('A', 1)).rejects.toMatchObject({ reason: 'read-only' })
    map.node('A').imposeAccess('RW')
    await map.set('A', 1)
    expect(changes).toEqual(['A', 'A', 'A'])
  })

  it('a Boolean that is neither on nor off warns once', async () => {
    const { map } = camera(
      `<Boolean Name="B"><pValue>R</pValue><OnValue>2</OnValue></Boolean>${register('IntReg', 'R', 0x100)}`,
      { port: new FakePort().poke32(0x100, 1) },
    )
    const warnings: unknown[] = []
    map.on('warning', (warning) => warnings.push(warning))
    expect([await map.get('B'), await map.node('B').get({ ignoreCache: true })]).toEqual([false, false])
    await microtasks()
    expect(warnings).toEqual([{ feature: 'B', message: expect.stringContaining('holds 1') }])
  })
})

describe('watch', () => {
  it('gives the value now, then each other one, and stops with the loop', async () => {
    const { map } = camera(variable('A', 1))
    const seen: FeatureValue[] = []
    for await (const value of map.watch('A')) {
      seen.push(value)
      if (seen.length === 3) break
      await map.set('A', 1) // no change
      await map.set('A', Number(value) * 10)
    }
    expect(seen).toEqual([1, 10, 100])
  })

  it('sees what a dependency changes', async () => {
    const { map } = camera(
      `${variable('A', 1)}<IntSwissKnife Name="K"><pVariable Name="A">A</pVariable><Formula>A * 2</Formula></IntSwissKnife>`,
    )
    const values = map.watch('K')
    expect((await values.next()).value).toBe(2)
    await map.set('A', 4)
    expect((await values.next()).value).toBe(8)
    await values.return()
  })

  it('asks the device at the PollingTime of the register, and tells dependents', async () => {
    const port = new FakePort().poke32(0x100, 20)
    const { map } = camera(
      `<Integer Name="Temperature"><pValue>R</pValue></Integer>${register('IntReg', 'R', 0x100, '<PollingTime>20</PollingTime>')}
       <IntSwissKnife Name="K"><pVariable Name="T">Temperature</pVariable><Formula>T</Formula></IntSwissKnife>`,
      { port },
    )
    expect(map.node('Temperature').pollingTime).toBe(20)
    const changed: string[] = []
    const values = map.watch('Temperature')
    expect((await values.next()).value).toBe(20)
    map.on('change', (name) => changed.push(name))
    port.poke32(0x100, 21)
    expect((await values.next()).value).toBe(21)
    expect(changed).toContain('K')
    await values.return()
  })

  it('waits while the feature is not available', async () => {
    const { map } = camera(variable('On', 1) + variable('A', 5, '<pIsAvailable>On</pIsAvailable>'))
    const values = map.watch('A')
    expect((await values.next()).value).toBe(5)
    const next = values.next()
    await map.set('On', 0)
    await map.set('On', 1)
    await map.set('A', 6)
    expect((await next).value).toBe(6)
    await values.return()
  })

  it('ends by its signal, and by what cannot be read at all', async () => {
    const { map } = camera(variable('A', 1) + register('IntReg', 'W', 0, '', { access: 'WO' }))
    const abort = new AbortController()
    const values = map.watch('A', { signal: abort.signal })
    await values.next()
    const next = values.next()
    abort.abort(new Error('enough'))
    await expect(next).rejects.toThrow('enough')
    await expect(map.watch('W').next()).rejects.toMatchObject({ reason: 'write-only' })
    expect(() => map.watch('Nothing')).toThrow(expect.objectContaining({ reason: 'unknown' }))
  })
})

describe('PollingTime', () => {
  const clock = () => {
    let time = 0
    return { now: () => time, set: (value: number) => (time = value) }
  }

  it('reaches registers that depend on the one that has it', async () => {
    const { now, set } = clock()
    const { map, port } = camera(
      register('IntReg', 'R', 0x100, '<PollingTime>100</PollingTime>') +
        register('IntReg', 'Named', 0x200, '<pInvalidator>R</pInvalidator>'),
      { now },
    )
    await map.get('Named')
    set(99)
    await map.get('Named')
    set(100)
    await map.get('Named')
    expect(port.taken()).toEqual(['read 200+4', 'read 200+4'])
    expect(map.node('Named').pollingTime).toBe(100)
    expect(map.node('TLParamsLocked').pollingTime).toBeUndefined()
  })

  it('is suspended by pBlockPolling', async () => {
    const { now, set } = clock()
    const { map, port } = camera(
      register('IntReg', 'R', 0x100, '<PollingTime>100</PollingTime><pBlockPolling>Block</pBlockPolling>') +
        variable('Block', 0),
      { now },
    )
    await map.set('Block', 1)
    await map.get('R')
    set(1000)
    await map.get('R')
    expect(port.taken()).toEqual(['read 100+4'])
    await map.set('Block', 0) // a change of the condition is one of the node
    await map.get('R')
    expect(port.taken()).toEqual(['read 100+4'])
  })

  it('blocked by the very register it belongs to does no harm', async () => {
    const { map } = camera(
      register('IntReg', 'R', 0x100, '<PollingTime>0</PollingTime><pBlockPolling>R</pBlockPolling>'),
    )
    expect(await map.get('R')).toBe(0)
  })
})

describe('reading back', () => {
  const rounding = () => {
    const port = new FakePort()
    port.onAccess = ({ op }) => {
      if (op === 'read') port.memory[0x103]! &= 0xf0 // the device rounds to multiples of 16
    }
    return camera(
      `${register('IntReg', 'R', 0x100)}<Float Name="F"><pValue>R</pValue></Float><Enumeration Name="E"><EnumEntry Name="Odd"><Value>17</Value></EnumEntry>
       <EnumEntry Name="Even"><Value>16</Value></EnumEntry><pValue>R</pValue></Enumeration>`,
      { port },
    ).map
  }

  it('tells what the device made of a value', async () => {
    const map = rounding()
    await expect(map.set('R', 100, { readBack: true })).rejects.toMatchObject({
      reason: 'differs',
      asked: 100,
      value: 96,
    })
    await expect(map.node('F').setText('33', { readBack: true })).rejects.toMatchObject({
      asked: 33,
      value: 32,
    })
    await expect(map.set('E', 'Odd', { readBack: true })).rejects.toMatchObject({
      asked: 'Odd',
      value: 'Even',
    })
    await expect(map.set('E', 17, { readBack: true })).rejects.toMatchObject({ asked: 17, value: 16 })
    for (const [name, value] of [
      ['R', 64],
      ['R', 64n],
      ['F', 48],
      ['E', 'Even'],
      ['E', 16],
    ] as const) {
      await map.set(name, value, { readBack: true })
    }
  })

  it('forgives single precision, and what cannot be read', async () => {
    const { map } = camera(
      register('FloatReg', 'F', 0x100) +
        register('IntReg', 'W', 0x200, '', { access: 'WO' }) +
        register('Register', 'Bytes', 0x300, '', { length: 8 }),
    )
    await map.set('F', 0.1, { readBack: true })
    await map.set('W', 1, { readBack: true })
    await map.set('Bytes', Uint8Array.of(1, 2), { readBack: true })
    await map.node('Bytes').setText('0x0102030405060708', { readBack: true })
  })
})
