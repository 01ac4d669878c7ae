// Errors: one class, constant codes, a hint that says what to do, wherever they are born.

import { describe, expect, it } from 'vitest'
import { GigeError, hintFor } from '../../lib/errors.js'
import { firstWrongByte, openCamera, startSimulator } from '../../lib/index.js'
import { native } from '../../lib/native.js'

async function outcome(work: () => unknown): Promise<GigeError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof GigeError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('GigeError', () => {
  it('carries code, hint, cause and details', () => {
    const cause = new Error('first')
    const error = new GigeError('ERR_GIGE_TIMEOUT', 'too late', {
      hint: 'wait',
      cause,
      details: { tried: [1] },
    })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'GigeError',
      code: 'ERR_GIGE_TIMEOUT',
      message: 'too late',
      hint: 'wait',
      tried: [1],
    })
    expect(error.cause).toBe(cause)
    expect('cause' in new GigeError('ERR_GIGE_TIMEOUT', 'x')).toBe(false)
    expect(new GigeError('ERR_GIGE_TIMEOUT', 'x').hint).toBe('')
  })

  it('has something to say for every code that native code makes, save those whose message says it all', () => {
    const born = [
      'TIMEOUT',
      'ACCESS_DENIED',
      'STATUS',
      'CONTROL_LOST',
      'NOT_FOUND',
      'NETWORK',
      'CLOSED',
      'NATIVE',
    ] as const
    for (const name of born) expect(hintFor(`ERR_GIGE_${name}`), name).not.toBe('')
  })
})

describe('native code', () => {
  it('throws GigeErrors', async () => {
    const port = await outcome(() => new native.StreamPort({ address: 'nonsense' }))
    expect(port).toMatchObject({
      code: 'ERR_GIGE_INVALID_ARGUMENT',
      message: 'address must be an IPv4 address',
    })
    const bind = await outcome(() => new native.StreamPort({ address: '203.0.113.1' }))
    expect(bind).toMatchObject({ code: 'ERR_GIGE_NETWORK', hint: hintFor('ERR_GIGE_NETWORK') })
    expect(bind.errno).toBeGreaterThan(0)
  })

  it('rejects with GigeErrors', async () => {
    const control = new native.CameraControl(() => {})
    expect(await outcome(() => control.readRegisters([0]))).toMatchObject({ code: 'ERR_GIGE_CLOSED' })
    await control.close()
  })

  it('settles every call, however it comes to a closed object, and lets the process end', async () => {
    const control = new native.CameraControl(() => {})
    const opening = outcome(() =>
      control.open({ address: '127.0.0.1', port: 9, tries: 20, ackTimeout: 1000 }),
    )
    const reading = outcome(() => control.readRegisters([0]))
    const closings = [control.close(), control.close()]
    expect([(await opening).code, (await reading).code]).toEqual(['ERR_GIGE_CLOSED', 'ERR_GIGE_CLOSED'])
    await Promise.all(closings)
    await control.close()
    const later = [
      () => control.readRegisters([0]),
      () => control.open({ address: '127.0.0.1' }),
      () => control.takeControl('control', 0),
    ]
    for (const call of later) expect((await outcome(call)).code).toBe('ERR_GIGE_CLOSED')
    expect(control.stats().requests).toBeGreaterThanOrEqual(0)
    const search = new native.Discovery()
    search.stop()
    await search.run({ timeout: 1, interfaces: ['lo'] }, () => {})
    search.stop()
    expect((await outcome(() => search.run({ timeout: 1 }, () => {}))).code).toBe('ERR_GIGE_CLOSED')
  })

  it('refuses wrong types and ranges instead of guessing', async () => {
    const control = new native.CameraControl(() => {})
    const wrong: (() => unknown)[] = [
      () => control.readRegisters([1.5]),
      () => control.readRegisters([-1]),
      () => control.readRegisters(['0x0'] as unknown as number[]),
      () => control.readRegisters([Number.NaN]),
      () => control.readRegisters(undefined as unknown as number[]),
      () => control.readMemory(2 ** 32, 4),
      () => control.readMemory(0, 2 ** 31),
      () => control.writeMemory(0, 'text' as unknown as Uint8Array),
      () => control.writeRegister(0, -1),
      () => new native.CameraControl(undefined as unknown as () => void),
      () => native.streamLayout(0, 1, 1500),
      () => native.streamLayout(5000, 1, 1500),
      () => native.streamLayout(1, 2 ** 32 - 1, 1500),
      () => new native.NativeSimulator({ frameRate: -1 }),
      () => new native.NativeSimulator({ pixelFormat: 'Mono7' }),
      () => new native.NativeSimulator({ seed: -1 }),
      () => firstWrongByte(new Uint8Array(4), 1 as unknown as bigint, 1n),
      () => firstWrongByte('image' as unknown as Uint8Array, 1n, 1n),
      () => new native.StreamConsumer('x' as unknown as number, () => {}),
      () => openCamera('', {}),
      () => openCamera('127.0.0.1', { access: 'root' as 'control' }),
      () => openCamera('127.0.0.1', { heartbeatTimeout: -1 }),
      () => startSimulator({ faults: { loss: 2 } }),
    ]
    for (const call of wrong)
      expect((await outcome(call)).code, String(call)).toBe('ERR_GIGE_INVALID_ARGUMENT')
    await control.close()
  })
})
