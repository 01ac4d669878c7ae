// Which of a camera's two description URLs is followed: only into the camera itself, and to the second where the first is no use.

import { describe, expect, it } from 'vitest'
import type { CameraControl } from '../../binding.js'
import { CameraLife } from '../../lib/camera-life.js'
import { cameraPort, readNodeMap } from '../../lib/camera-port.js'
import { GigeError } from '../../lib/errors.js'
import { description } from '../genapi/describe-camera.js'

const life = new CameraLife('10.0.0.1')
const FIRST = 0x0200
const SECOND = 0x0400
const AT = 0x1000
const ELSEWHERE = 0x8000

const named = (name: string) => Buffer.from(description(`<Integer Name="${name}"><Value>1</Value></Integer>`))

/** A camera of memory alone; what it has not refuses as a camera does. Records what was read. */
class Memory {
  readonly reads: number[] = []
  private readonly places = new Map<number, Uint8Array | Error>()

  constructor(first: string, second: string) {
    this.put(FIRST, Buffer.from(first))
    this.put(SECOND, Buffer.from(second))
  }

  put(address: number, content: Uint8Array | Error): this {
    this.places.set(address, content)
    return this
  }

  get control(): CameraControl {
    const readMemory = async (address: number, length: number): Promise<Uint8Array> => {
      this.reads.push(address)
      const content = this.places.get(address)
      if (content instanceof Error) throw content
      if (!content) throw new GigeError('ERR_GIGE_STATUS', 'INVALID_ADDRESS')
      const bytes = new Uint8Array(length)
      bytes.set(content.subarray(0, length))
      return bytes
    }
    return { readMemory } as unknown as CameraControl
  }
}

const local = (address: number, content: Uint8Array) =>
  `Local:camera.xml;${address.toString(16)};${content.length.toString(16)}`

const good = named('Second')
const toGood = local(ELSEWHERE, good)

describe('the description of a camera', () => {
  it('is the one of the first URL, and the second is not even read', async () => {
    const first = named('First')
    const camera = new Memory(local(AT, first), toGood).put(AT, first).put(ELSEWHERE, good)
    const map = await readNodeMap(camera.control, life)
    expect([map.has('First'), map.has('Second')]).toEqual([true, false])
    expect(camera.reads).toEqual([FIRST, AT])
  })

  it.each([
    ['File:/etc/passwd'],
    ['http://maker.example/camera.zip'],
    ['https://maker.example/camera.zip'],
    ['nonsense'],
    [''],
    ['Local:camera.xml;1000;0'],
    ['Local:camera.xml;1000;ffffffff'],
  ])('is the one of the second URL where the first is %j', async (first) => {
    const camera = new Memory(first, toGood).put(ELSEWHERE, good)
    expect((await readNodeMap(camera.control, life)).has('Second')).toBe(true)
    expect(camera.reads).toEqual([FIRST, SECOND, ELSEWHERE])
  })

  const zip = Buffer.from('PK\u0003\u0004 torn archive')
  const cut = named('First').subarray(0, 200)
  it.each<[string, Uint8Array | GigeError]>([
    ['a torn archive', zip],
    ['no XML', Buffer.from('what is this?')],
    ['XML that ends half-way', cut],
    ['nothing but zeros', new Uint8Array(100)],
    ['refused by the camera', new GigeError('ERR_GIGE_STATUS', 'INVALID_ADDRESS')],
    ['not answered', new GigeError('ERR_GIGE_TIMEOUT', 'no answer')],
  ])('is the one of the second URL where the first leads to what is %s', async (_, content) => {
    const url = local(AT, content instanceof Error ? good : content)
    const camera = new Memory(url, toGood).put(AT, content).put(ELSEWHERE, good)
    expect((await readNodeMap(camera.control, life)).has('Second')).toBe(true)
  })

  it('fails with what is wrong about the first where the second is no better', async () => {
    for (const second of ['', local(ELSEWHERE, good)]) {
      const camera = new Memory(local(AT, zip), second).put(AT, zip)
      await expect(readNodeMap(camera.control, life)).rejects.toMatchObject({
        code: 'ERR_GIGE_DESCRIPTION',
        message: expect.stringContaining('zipped description'),
      })
    }
    await expect(readNodeMap(new Memory('Local:c.xml;0;ffffffff', '').control, life)).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      message: expect.stringContaining('4294967295 bytes'),
    })
    const denied = new GigeError('ERR_GIGE_ACCESS_DENIED', 'exclusive')
    const camera = new Memory('', '').put(FIRST, denied).put(SECOND, denied)
    await expect(readNodeMap(camera.control, life)).rejects.toBe(denied)
  })

  it('fails with every URL that was not followed', async () => {
    const camera = new Memory('File:/etc/passwd', 'http://maker.example/camera.zip')
    await expect(readNodeMap(camera.control, life)).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      message: expect.stringContaining('File:/etc/passwd, http://maker.example/camera.zip'),
      urls: ['File:/etc/passwd', 'http://maker.example/camera.zip'],
    })
    expect(camera.reads).toEqual([FIRST, SECOND])
    const broken = new Memory('File:/etc/passwd', local(AT, zip)).put(AT, zip)
    await expect(readNodeMap(broken.control, life)).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      message: expect.stringContaining('File:/etc/passwd, Local:camera.xml'),
      cause: expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' }),
    })
  })

  it.each(['ERR_GIGE_CLOSED', 'ERR_GIGE_CONTROL_LOST'] as const)(
    'asks nothing more after %s',
    async (code) => {
      const gone = new GigeError(code, 'gone')
      const camera = new Memory(local(AT, good), toGood).put(AT, gone).put(ELSEWHERE, good)
      await expect(readNodeMap(camera.control, life)).rejects.toBe(gone)
      expect(camera.reads).toEqual([FIRST, AT])
    },
  )
})

it('takes the low word of addresses above 32 bits, and all others as they are', async () => {
  const camera = new Memory('', '')
  const port = cameraPort(camera.control, life)
  const named = [0x1000, 0xffff_fffc, 0x1_0000_2000, 0x8000_0000_0000_3000n, 0xffff_ffff_ffff_fffcn]
  for (const address of named) await port.read(address, 4).catch(() => undefined)
  expect(camera.reads).toEqual([0x1000, 0xffff_fffc, 0x2000, 0x3000, 0xffff_fffc])
})
