// The camera's events from its message channel to listeners: each once, with the values that the description attaches; whatever the
// network does to messages and acknowledges.

import { expect, it } from 'vitest'
import type { CameraEvent } from '../../lib/index.js'
import { capture } from '../helpers/capture.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const CAMERA = '10.99.0.2'

function twoEnds(): [host: Namespace, camera: Namespace] {
  const [host, camera] = [new Namespace(), new Namespace()]
  cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
  return [host, camera]
}

describeWith(['netns'], 'events', () => {
  it.each([false, true])('come in order, once, with their values; extended ids: %s', async (extendedIds) => {
    using network = new Namespace()
    const result = await insideOk(
      network,
      async (gigewire, extendedIds, tools) => {
        const simulator = await gigewire.startSimulator({
          width: 64,
          height: 64,
          frameRate: 100,
          extendedIds,
        })
        const camera = await gigewire.openCamera('127.0.0.1')
        const events: CameraEvent[] = []
        camera.on('event', (event) => events.push(event))
        const on = await camera.enableEvents(['FrameEnd'])
        const alsoTest = await camera.enableEvents(['Test'])
        await camera.features.execute('TestEventGenerate')
        const frames: bigint[] = []
        for await (const frame of camera.stream({ frames: 20 })) {
          frames.push(frame.blockId)
          frame.release()
        }
        await tools.until(() => events.length >= 21, 'all events')
        await camera.disableEvents()
        await camera.features.execute('TestEventGenerate')
        await camera.features.set('EventSelector', 'FrameEnd')
        const off = await camera.features.get('EventNotification')
        // What somebody else has switched on stays on.
        await camera.features.set('EventNotification', 'On')
        const again = await camera.enableEvents()
        await camera.disableEvents()
        const kept = await camera.features.get('EventNotification')
        await camera.features.set('EventNotification', 'Off')
        await tools.until(
          () => simulator.stats().eventsAcknowledged === simulator.stats().eventsSent,
          'the acks',
        )
        const port = await camera.readRegister(0x0b00)
        await camera.close()
        const monitor = await gigewire.openCamera('127.0.0.1', { access: 'monitor' })
        const portAfter = await monitor.readRegister(0x0b00)
        await monitor.close()
        const { eventsSent, eventsSentAgain } = simulator.stats()
        await simulator.stop()
        const plain = events.map(({ values, data, ...event }) => ({
          ...event,
          data: data.length,
          values: Object.fromEntries(
            [...values].map(([name, outcome]) => [
              name,
              'value' in outcome ? outcome.value : String(outcome.error),
            ]),
          ),
        }))
        return {
          on,
          alsoTest,
          again,
          kept,
          frames,
          events: plain,
          off,
          port,
          portAfter,
          eventsSent,
          eventsSentAgain,
        }
      },
      extendedIds,
    )
    expect([result.on, result.alsoTest, result.off]).toEqual([['FrameEnd'], ['Test', 'FrameEnd'], 'Off'])
    expect([result.again, result.kept]).toEqual([['Test', 'FrameEnd'], 'On'])
    expect([result.port > 0, result.portAfter]).toEqual([true, 0])
    const [test, ...ends] = result.events
    expect(test).toMatchObject({ id: 0x9001, name: 'Test', blockId: '0n', data: 0 })
    expect(test).not.toHaveProperty('streamChannel')
    expect(test!.values).toEqual({
      EventTest: 0x9001,
      EventTestTimestamp: Number.parseInt(`${test!.timestamp}`, 10),
    })
    expect(ends.slice(0, 20).map(({ blockId }) => blockId)).toEqual(result.frames)
    for (const event of ends) {
      const [block, timestamp] = [event.blockId, event.timestamp].map((text) =>
        Number.parseInt(`${text}`, 10),
      )
      expect(event).toMatchObject({ id: 0x9002, name: 'FrameEnd', streamChannel: 0, data: 8 })
      expect(event.timestampNs).toBe(event.timestamp)
      expect(event.values).toEqual({
        EventFrameEnd: 0x9002,
        EventFrameEndTimestamp: timestamp,
        EventFrameEndFrameID: block,
      })
    }
    expect([result.eventsSent, result.eventsSentAgain]).toEqual([result.events.length, 0])
  })

  it('are told once where the camera repeats them, and wait while the event loop is blocked', async () => {
    const [host, cameraEnd] = twoEnds()
    using _host = host
    using _camera = cameraEnd
    const simulator = await remoteSimulator(cameraEnd, { address: CAMERA, width: 64, height: 64 })
    // Of what the host sends, nothing but commands arrives: no acknowledge, and no way is opened.
    cameraEnd.nft(`table ip t {
      chain in {
        type filter hook input priority 0
        udp dport != 3956 drop
      }
    }`)
    const result = await insideOk(
      host,
      async (gigewire, address, tools) => {
        const camera = await gigewire.openCamera(address)
        const ids: number[] = []
        camera.on('event', ({ id }) => ids.push(id))
        await camera.enableEvents(['Test'])
        await camera.writeRegister(0x0b14, 50)
        for (let i = 0; i < 5; i++) await camera.features.execute('TestEventGenerate')
        const end = performance.now() + 300 // the repetitions come meanwhile
        while (performance.now() < end);
        await tools.until(() => ids.length >= 5, 'the events')
        // What comes behind the repetitions is the sixth.
        await camera.features.execute('TestEventGenerate')
        await tools.until(() => ids.length >= 6, 'one more')
        await camera.close()
        return ids
      },
      CAMERA,
    )
    expect(result).toEqual(Array(6).fill(0x9001))
    const { eventsSent, eventsSentAgain, eventsAcknowledged } = await simulator.stats()
    expect([eventsSent, eventsAcknowledged]).toEqual([6, 0])
    expect(eventsSentAgain).toBeGreaterThanOrEqual(15)
  })

  it('of strangers are none, nor are messages that make no sense', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire, _, tools) => {
      const { createSocket } = await import('node:dgram')
      const simulator = await gigewire.startSimulator({ width: 64, height: 64 })
      const camera = await gigewire.openCamera('127.0.0.1')
      const ids: number[] = []
      camera.on('event', ({ id }) => ids.push(id))
      await camera.enableEvents(['Test'])
      const port = await camera.readRegister(0x0b00)
      const event = (id: number) => [0, 0, id >> 8, id & 255, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 9]
      const send = async (from: string, bytes: number[]) => {
        const socket = createSocket('udp4')
        await new Promise<void>((resolve) => socket.bind(0, from, resolve))
        await new Promise<void>((resolve) =>
          socket.send(Uint8Array.from(bytes), port, '127.0.0.1', () => resolve()),
        )
        socket.close()
      }
      const command = [0x42, 1, 0, 0xc0, 0, 16, 0, 77]
      await send('127.0.0.9', [...command, ...event(0x9009)]) // another address
      await send('127.0.0.1', [...command, ...event(0x9009)]) // the camera's address, another port
      await send('127.0.0.1', [0x42, 1])
      await camera.features.execute('TestEventGenerate')
      await tools.until(() => ids.length > 0, 'the true event')
      await camera.close()
      await simulator.stop()
      return ids
    })
    expect(result).toEqual([0x9001])
  })

  it('need control; a listener alone keeps no process alive, and one that cannot be served is told so', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire, _, tools) => {
      const simulator = await gigewire.startSimulator({ width: 64, height: 64 })
      const warnings: string[] = []
      process.on('warning', ({ message }) => warnings.push(message))
      const monitor = await gigewire.openCamera('127.0.0.1', { access: 'monitor' })
      const refused = await monitor.enableEvents().catch((error) => error.code)
      monitor.on('event', () => {})
      await tools.until(() => warnings.length > 0, 'the warning')
      await monitor.close()
      const camera = await gigewire.openCamera('127.0.0.1')
      const unknown = await camera.enableEvents(['Nothing']).catch((error) => `${error.code} ${error.reason}`)
      camera.on('event', () => {})
      await camera.enableEvents()
      // Neither is closed: the process ends all the same.
      void simulator
      return { refused, warnings, unknown }
    })
    expect(result.refused).toBe('ERR_GIGE_ACCESS_DENIED')
    expect(result.warnings).toEqual([expect.stringContaining('No events of camera 127.0.0.1')])
    expect(result.unknown).toBe('ERR_GIGE_FEATURE no-such-entry')
  })
})

describeWith(['netns', 'arv-fake-gv-camera-0.8'], "events of Aravis' fake camera", () => {
  it('it has none, and says so; a listener is warned, and the camera works all the same', async () => {
    const [host, cameraEnd] = twoEnds()
    using _host = host
    using _camera = cameraEnd
    cameraEnd.spawn('arv-fake-gv-camera-0.8', ['-i', 'v1', '-s', 'EVENTS'], { stdio: 'ignore' })
    await cameraEnd.listening(3956)
    const result = await insideOk(
      host,
      async (gigewire, address, tools) => {
        const warnings: string[] = []
        process.on('warning', ({ message }) => warnings.push(message))
        const camera = await gigewire.openCamera(address)
        const refused = await camera.enableEvents().catch((error) => [error.code, error.message])
        camera.on('event', () => {})
        await tools.until(() => warnings.length > 0, 'the warning')
        const frame = await camera.grab({ timeout: 5000 })
        const { complete } = frame
        frame.release()
        await camera.close()
        return { refused, warnings, complete }
      },
      CAMERA,
    )
    const message = `Camera ${CAMERA} has no message channel: it sends no events`
    expect(result.refused).toEqual(['ERR_GIGE_FEATURE', message])
    expect(result.warnings[0]).toBe(`No events of camera ${CAMERA}: ${message}`)
    expect(result.complete).toBe(true)
  })
})

describeWith(['netns', 'tshark'], 'event messages and acknowledges', () => {
  it("are well formed to Wireshark's dissector, with and without data, in both layouts", async () => {
    for (const extendedIds of [false, true]) {
      const [host, cameraEnd] = twoEnds()
      using _host = host
      using _camera = cameraEnd
      const simulator = await remoteSimulator(cameraEnd, {
        address: CAMERA,
        width: 64,
        height: 64,
        extendedIds,
      })
      using traffic = await capture(host, 'v0')
      const ports = await insideOk(
        host,
        async (gigewire, address, tools) => {
          const camera = await gigewire.openCamera(address)
          const events: number[] = []
          camera.on('event', ({ id }) => events.push(id))
          await camera.enableEvents()
          await camera.features.execute('TestEventGenerate')
          for await (const frame of camera.stream({ frames: 2 })) frame.release()
          await tools.until(() => events.length >= 3, 'the events')
          const source = await camera.readRegister(0x0b1c)
          await camera.close()
          return source
        },
        CAMERA,
      )
      await traffic.stop()
      const { eventsSent, eventsAcknowledged } = await simulator.stats()
      expect(eventsAcknowledged).toBe(eventsSent)
      const filter = `udp.port == ${ports} && udp.length > 8`
      expect(traffic.count(`${filter} && (_ws.malformed || _ws.short)`)).toBe(0)
      const commands = traffic.values(`${filter} && gvcp.cmd.command`, 'gvcp.cmd.command')
      expect(new Set(commands.map(Number))).toEqual(new Set([0xc0, 0xc2]))
      const acks = traffic.values(`${filter} && gvcp.ack`, 'gvcp.ack')
      expect(acks.length).toBe(eventsAcknowledged)
    }
  })
})
