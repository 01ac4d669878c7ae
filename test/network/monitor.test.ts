// Cameras that are only listened to, without control: that they are gone is told as well.

import { expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

describeWith(['netns'], 'monitor access', () => {
  it('is told that the camera died, and the multicast stream it listens to ends', async () => {
    using network = new Namespace()
    network.exec('ip', 'link', 'set', 'lo', 'multicast', 'on')
    network.exec('ip', 'route', 'add', '239.0.0.0/8', 'dev', 'lo')
    const result = await insideOk(network, async (gigewire, _, tools) => {
      const simulator = await gigewire.startSimulator({ width: 320, height: 240, frameRate: 50 })
      const group = { multicast: '239.1.2.3', streamPort: 20_000, packetSize: 1500 }
      const controller = await gigewire.openCamera('127.0.0.1')
      const sending = controller.stream(group)
      await sending.start()
      const listener = await gigewire.openCamera('127.0.0.1', { access: 'monitor', heartbeatTimeout: 3000 })
      const lost: string[] = []
      let told = 0
      listener.on('lost', ({ reason }) => {
        lost.push(reason)
        told = performance.now()
      })
      let frames = 0
      let crashed = 0
      const code = (error: { code: string }) => error.code
      let end = ''
      const read = async () => {
        for await (const frame of listener.stream(group)) {
          frame.release()
          if (++frames !== 10) continue
          crashed = performance.now()
          simulator.crash()
        }
        return 'ended well'
      }
      void read()
        .catch(code)
        .then((how) => {
          end = how
        })
      await tools.until(() => end, 'the end of the stream')
      const call = await listener.readRegister(0).catch(code)
      await listener.close()
      await controller.close()
      await simulator.stop()
      return { frames, lost, end, call, intervals: (told - crashed) / 1000 }
    })
    expect(result.frames).toBeGreaterThanOrEqual(10)
    expect([result.lost, result.end]).toEqual([['timeout'], 'ERR_GIGE_CONTROL_LOST'])
    expect(result.call).toBe('ERR_GIGE_CONTROL_LOST')
    expect(result.intervals).toBeLessThan(1.5 + 0.25)
  })

  it('stays while the camera only answers that it lets nobody read, and while it only streams', async () => {
    using network = new Namespace()
    network.exec('ip', 'link', 'set', 'lo', 'multicast', 'on')
    network.exec('ip', 'route', 'add', '239.0.0.0/8', 'dev', 'lo')
    const result = await insideOk(network, async (gigewire, _, tools) => {
      const simulator = await gigewire.startSimulator({ width: 320, height: 240, frameRate: 100 })
      const group = { multicast: '239.1.2.3', streamPort: 20_000, packetSize: 1500 }
      const listener = await gigewire.openCamera('127.0.0.1', { access: 'monitor', heartbeatTimeout: 1500 })
      const lost: string[] = []
      listener.on('lost', ({ reason }) => lost.push(reason))
      const beats = async (more: number) => {
        const wanted = (listener.controlStats().heartbeats ?? 0) + more
        await tools.until(() => (listener.controlStats().heartbeats ?? 0) >= wanted, `${more} heartbeats`)
      }
      await beats(1)
      const owner = await gigewire.openCamera('127.0.0.1', { access: 'exclusive', heartbeatTimeout: 20_000 })
      await beats(2)
      const denied = listener.controlStats().errorAcks
      await owner.close()
      const controller = await gigewire.openCamera('127.0.0.1', { heartbeatTimeout: 20_000 })
      const sending = controller.stream(group)
      await sending.start()
      let deaf = 0
      let silent = 0
      for await (const frame of listener.stream(group)) {
        frame.release()
        if (frame.blockId === 10n) {
          deaf = performance.now()
          simulator.stallControl(1000)
        }
        silent = performance.now() - deaf
        if (deaf > 0 && silent > 1000) break
      }
      await beats(1)
      await listener.close()
      await controller.close()
      await simulator.stop()
      return { lost, denied, silent }
    })
    expect(result.lost).toEqual([])
    expect(result.denied).toBeGreaterThanOrEqual(2)
    expect(result.silent).toBeGreaterThan(1000)
  })
})
