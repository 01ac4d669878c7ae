// What discovery makes of cameras that are hard to tell apart.

import { expect, it } from 'vitest'
import { watchCameras } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

describeWith(['netns'], 'discovery', () => {
  it('lists cameras with the same serial number and MAC by their addresses, and opens the one that is meant', async () => {
    const net = new Namespace()
    try {
      const result = await insideOk(net, async ({ startSimulator, discover, openCamera }) => {
        const addresses = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
        const simulators = []
        for (const address of addresses)
          simulators.push(await startSimulator({ address, serial: 'the same' }))
        const found = await discover({ addresses, until: (all) => all.length === 3 })
        const opened: string[] = []
        for (let round = 0; round < 10; round++) {
          const camera = await openCamera(addresses[round % 3] as string)
          opened.push(camera.info.address)
          await camera.close()
        }
        for (const simulator of simulators) await simulator.stop()
        return { found: found.map((camera) => camera.address).sort(), opened }
      })
      expect(result.found).toEqual(['127.0.0.1', '127.0.0.2', '127.0.0.3'])
      expect(result.opened).toEqual(Array.from({ length: 10 }, (_, i) => `127.0.0.${(i % 3) + 1}`))
    } finally {
      net[Symbol.dispose]()
    }
  })

  it('refuses a user name that two cameras have, each time, and names both; a serial number tells them apart', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ startSimulator, openCamera }) => {
      const cameras = []
      for (const [i, userName] of ['left', 'left', 'right'].entries())
        cameras.push(await startSimulator({ address: `127.0.0.${i + 1}`, serial: 'ABC'[i]!, userName }))
      const open = async (target: Parameters<typeof openCamera>[0]) => {
        try {
          const camera = await openCamera(target, { discoverTimeout: 400 })
          await camera.close()
          return camera.info.serial
        } catch (error) {
          const { code, message } = error as { code: string; message: string }
          return `${code}: ${message}`
        }
      }
      const results = {
        twice: [await open('left'), await open({ userName: 'left' })],
        known: [await open({ userName: 'left', serial: 'B' }), await open('A'), await open('right')],
      }
      for (const camera of cameras) await camera.stop()
      return results
    })
    for (const message of result.twice) {
      expect(message).toMatch(/^ERR_GIGE_NOT_FOUND: More than one camera is called .*left.*: 127.0.0/)
      expect(message).toMatch(/127\.0\.0\.1 \(.* A\)/)
      expect(message).toMatch(/127\.0\.0\.2 \(.* B\)/)
    }
    expect(result.known).toEqual(['B', 'A', 'C'])
  })

  it('does not open another camera that has come to the address of the one that was discovered', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ startSimulator, discover, openCamera }) => {
      const first = await startSimulator({ serial: 'first' })
      const [info] = await discover({ until: (all) => all.length > 0 })
      await first.stop()
      const { hint } = await openCamera(info!).catch((error) => error)
      const second = await startSimulator({ serial: 'second' })
      const refusal = await openCamera(info!).catch((error) => ({ code: error.code, message: error.message }))
      const { controlTaken } = second.stats()
      await second.stop()
      const again = await startSimulator({ serial: 'first' })
      const camera = await openCamera({ ...info!, mac: info!.mac.toUpperCase().replaceAll(':', '-') })
      const { serial } = camera.info
      await camera.close()
      await again.stop()
      return { hint, refusal, controlTaken, serial, mac: info!.mac }
    })
    expect(result.refusal).toEqual({
      code: 'ERR_GIGE_NOT_FOUND',
      message: expect.stringMatching(
        `^At 127.0.0.1 is another camera now: its MAC is .*, not ${result.mac}$`,
      ),
    })
    expect(result.controlTaken).toBe(0)
    expect(result.hint, 'where nobody is any more').toMatch(/gigewire list/)
    expect(result.serial).toBe('first')
  })

  it('tells how many answers it left out when more cameras answer than it remembers', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ discover }) => {
      const { createSocket } = await import('node:dgram')
      const { setImmediate: turn } = await import('node:timers/promises')
      const crowd = createSocket('udp4')
      // 1100 cameras behind one address. They answer again and again: the queue of the search does not hold them all at once.
      let over = false
      crowd.once('message', async (question, from) => {
        const answer = Buffer.alloc(8 + 248)
        answer.writeUInt16BE(0x0003, 2)
        answer.writeUInt16BE(248, 4)
        question.copy(answer, 6, 6, 8)
        for (let camera = 0; !over; camera = (camera + 1) % 1100) {
          answer.writeUInt32BE(0x02000000 + camera, 8 + 0x0c)
          answer.writeUInt32BE(0x7f000100 + camera, 8 + 0x24)
          crowd.send(Buffer.from(answer), from.port, from.address)
          if (camera % 20 === 0) await turn()
        }
      })
      await new Promise<void>((bound) => crowd.bind(3956, '127.0.0.2', bound))
      const messages: string[] = []
      const found = await discover({
        addresses: ['127.0.0.2'],
        timeout: 1500,
        onWarning: ({ message }) => messages.push(message),
      })
      over = true
      crowd.close()
      return { found: found.length, messages }
    })
    expect(result.found).toBe(1024)
    expect(result.messages).toEqual([
      expect.stringMatching(/^1024 cameras are as many as a search remembers; [1-9]\d* answers/),
    ])
  })

  it('searches at intervals while watching, however short each search is', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ startSimulator, discover, watchCameras }, _, { until }) => {
      const simulator = await startSimulator()
      const asked = () => simulator.stats().discovery as number
      await discover({ timeout: 50 })
      const questions = asked()
      const end = new AbortController()
      const begin = performance.now()
      const watch = async () => {
        for await (const _ of watchCameras({ interval: 1000, timeout: 50, signal: end.signal }));
      }
      const ended = watch().catch((reason) => reason)
      await until(() => asked() > 3 * questions, 'the third search')
      const third = performance.now()
      end.abort('enough')
      const reason = await ended
      const took = performance.now() - third
      await simulator.stop()
      return { questions, third: third - begin, reason, took }
    })
    expect(result.questions).toBeGreaterThan(0)
    expect(result.third).toBeGreaterThanOrEqual(1990) // a timer may be early by a little
    expect(result.reason).toBe('enough')
    expect(result.took).toBeLessThan(900) // the fourth search would begin after 1000
  })

  it.each([{ interval: 0 }, { interval: -5 }, { interval: Number.NaN }, { interval: 1e12 }, { misses: 0 }])(
    'refuses to watch with %j',
    async (options) => {
      await expect(watchCameras(options).next()).rejects.toMatchObject({
        code: 'ERR_GIGE_INVALID_ARGUMENT',
      })
    },
  )

  it('refuses another NIC than the one a CameraInfo names, and takes that one by name and by address', async () => {
    using net = new Namespace()
    const result = await insideOk(net, async ({ startSimulator, discover, openCamera }) => {
      const simulator = await startSimulator()
      const [camera] = await discover({ until: (all) => all.length > 0 })
      const results: string[] = []
      for (const name of ['eth7', '10.1.2.3', camera!.interface.name, camera!.interface.address]) {
        try {
          await (await openCamera(camera!, { interface: name })).close()
          results.push('opened')
        } catch (error) {
          const { code, message } = error as { code: string; message: string }
          results.push(`${code}: ${message}`)
        }
      }
      await simulator.stop()
      return results
    })
    const refused = (name: string) =>
      `ERR_GIGE_INVALID_ARGUMENT: Camera 127.0.0.1 was seen through lo (127.0.0.1), not through '${name}'`
    expect(result).toEqual([refused('eth7'), refused('10.1.2.3'), 'opened', 'opened'])
  })
})
