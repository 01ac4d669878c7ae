// A stream to a group, and who listens to it without control.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

describeWith(['netns', 'setpriv'], 'multicast', () => {
  let host: Namespace
  let side: Namespace
  beforeAll(async () => {
    ;[host, side] = [new Namespace(), new Namespace()]
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, side, { device: 'v1', cidr: '10.99.0.2/24' })
    await remoteSimulator(side, { address: '10.99.0.2', width: 320, height: 240, frameRate: 50 })
  })
  afterAll(() => {
    side?.[Symbol.dispose]()
    host?.[Symbol.dispose]()
  })

  it('is heard by a listener that names the group alone: the camera knows the port', async () => {
    const result = await insideOk(
      host,
      async ({ openCamera, firstWrongByte }) => {
        const read = async (frames: AsyncIterator<import('../../lib/index.js').Frame>) => {
          const wrong: number[] = []
          for (let n = 0; n < 5; n++) {
            const { value } = await frames.next()
            wrong.push(value.complete ? firstWrongByte(value.data, value.blockId, 1n) : value.data.length)
            value.release()
          }
          return wrong
        }
        const controller = await openCamera('10.99.0.2')
        const sent = controller.stream({ multicast: '239.1.2.3' })
        await sent.start()
        const listener = await openCamera('10.99.0.2', { access: 'monitor' })
        const heard = listener.stream({ multicast: '239.1.2.3' })
        const wrong = await Promise.all([
          read(sent[Symbol.asyncIterator]()),
          read(heard[Symbol.asyncIterator]()),
        ])
        await listener.close()
        await controller.close()
        return wrong
      },
      undefined,
      { timeout: 15_000 },
    )
    expect(result).toEqual([new Array(5).fill(-1), new Array(5).fill(-1)])
  })

  it('is refused to a listener while the camera sends nowhere, unless the port is named', async () => {
    const result = await insideOk(host, async ({ openCamera }) => {
      const listener = await openCamera('10.99.0.2', { access: 'monitor' })
      const refused = await listener
        .stream({ multicast: '239.1.2.3' })
        .start()
        .then(
          () => undefined,
          ({ code, message, hint }) => ({ code, message, hint }),
        )
      const named = listener.stream({ multicast: '239.1.2.3', streamPort: 40_000 })
      await named.start()
      await listener.close()
      return refused
    })
    expect(result).toEqual({
      code: 'ERR_GIGE_INVALID_ARGUMENT',
      message: expect.stringContaining('10.99.0.2'),
      hint: expect.stringContaining('streamPort'),
    })
  })
})
