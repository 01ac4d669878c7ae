// Every feature of a description that nobody here wrote: Aravis' fake camera. Each is read; each that can be written is written and read
// back at its ends; what is out of range never reaches the camera, whose registers would have taken it.

import { afterEach, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

interface Found {
  read: Record<string, unknown>
  unreadable: string[]
  written: string[]
  lost: string[]
  refused: string[]
  changed: string[]
  problems: unknown[]
  trips: { first: number; second: number }
  settings: { saved: number; taken: number; failed: unknown[] }
  width: [before: unknown, after: unknown]
}

describeWith(['netns', 'setpriv', 'arv-fake-gv-camera-0.8'], "the features of Aravis' fake camera", () => {
  it('are all read, all that can be written take their limits, and nothing out of range is sent', async () => {
    const host = new Namespace()
    opened.push(host)
    host.spawn('arv-fake-gv-camera-0.8', ['-i', '127.0.0.1', '-s', 'FEATURES'], { stdio: 'ignore' })
    await host.listening(3956)
    const found = await insideOk<Found>(
      host,
      async (gigewire) => {
        const camera = await gigewire.openCamera('127.0.0.1')
        const { features } = camera
        const sent = () => {
          const { requests = 0, heartbeats = 0 } = camera.controlStats()
          return requests - heartbeats
        }
        const values = [...features].filter((node) =>
          ['Integer', 'Float', 'Boolean', 'Enumeration', 'String', 'Register'].includes(node.type),
        )
        const result: Found = {
          read: {},
          unreadable: [],
          written: [],
          lost: [],
          refused: [],
          changed: [],
          problems: features.problems(),
          trips: { first: 0, second: 0 },
          settings: { saved: 0, taken: 0, failed: [] },
          width: [0, 0],
        }
        const names = values.map((node) => node.name)
        let before = sent()
        const outcomes = await features.getMany(names)
        result.trips.first = sent() - before
        before = sent()
        await features.getMany(names)
        result.trips.second = sent() - before
        const readable = new Set<string>()
        for (const [name, outcome] of outcomes) {
          if ('value' in outcome) {
            readable.add(name)
            if (!(outcome.value instanceof Uint8Array)) result.read[name] = outcome.value
          } else if (!['WO', 'NA', 'NI'].includes(await features.node(name).access())) {
            result.unreadable.push(`${name}: ${(outcome.error as Error).message}`)
          }
        }
        const settings = await camera.saveSettings()
        const attempt = async (name: string, value: unknown) => {
          await features.set(name, value as never, { readBack: true }).then(
            () => result.written.push(name),
            (error: Error) => result.lost.push(`${name}: ${error.message}`),
          )
        }
        for (const node of values) {
          // Registers behind the features are left alone: one of them starts the acquisition.
          if (!node.isFeature || !readable.has(node.name) || (await node.access()) !== 'RW') continue
          if (node.name === 'TLParamsLocked') continue
          const value = await node.get()
          if (node.type === 'Boolean') await attempt(node.name, !value)
          if (node.type === 'Enumeration') {
            for (const { name, available } of await node.entries())
              if (available) await attempt(node.name, name)
          }
          if (node.type === 'String') await attempt(node.name, 'gigewire')
          if (node.type === 'Integer' || node.type === 'Float') {
            const [min, max] = [await node.min(), await node.max()]
            for (const end of [min, max]) if (end !== undefined) await attempt(node.name, end)
            const isOpen = max === undefined || Math.abs(Number(max)) > 2 ** 53
            const held = await node.get()
            if (!isOpen) {
              const beyond = typeof max === 'bigint' ? max + 1n : Number(max) + 1
              await features.set(node.name, beyond as never).then(
                () => result.lost.push(`${node.name} took ${beyond}`),
                (error: { reason?: string }) => result.refused.push(`${node.name}: ${error.reason}`),
              )
              if ((await node.get({ ignoreCache: true })) !== held) result.changed.push(node.name)
            }
          }
          await attempt(node.name, value)
        }
        await features.set('Width', 128)
        const report = await camera.loadSettings(settings)
        result.settings = { saved: settings.features.length, taken: report.taken, failed: report.failed }
        result.width = [result.read.Width, await features.get('Width', { ignoreCache: true })]
        await camera.close()
        return result
      },
      undefined,
      { unprivileged: true },
    )
    expect(found.problems).toEqual([])
    expect(found.unreadable).toEqual([])
    expect(found.read).toMatchObject({
      Width: 512,
      Height: 512,
      DeviceVendorName: 'Aravis',
      PixelFormat: 'Mono8',
    })
    expect(Object.keys(found.read).length).toBeGreaterThan(30)
    expect(found.lost).toEqual([])
    expect(found.written).toEqual(
      expect.arrayContaining(['Width', 'OffsetX', 'PixelFormat', 'AcquisitionMode', 'ExposureTimeAbs']),
    )
    expect(found.refused.length).toBeGreaterThan(3)
    expect(new Set(found.refused.map((text) => text.split(': ')[1]))).toEqual(new Set(['out-of-range']))
    expect(found.changed).toEqual([])
    expect(found.settings.failed).toEqual([])
    expect(found.settings.saved).toBeGreaterThan(5)
    expect(found.width).toEqual([512, 512])
    expect(found.trips.second).toBeLessThan(found.trips.first)
  })
})
