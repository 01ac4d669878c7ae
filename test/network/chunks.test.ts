// Chunk data from the camera to `frame.chunks`: switched on for a stream, read by the camera's own description, off again behind it.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

describeWith(['netns'], 'chunks', () => {
  it('come with every frame as its own, while the stream lasts, and the camera is left as it was', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire) => {
      const simulator = await gigewire.startSimulator({ width: 320, height: 240, frameRate: 200, seed: 5 })
      const camera = await gigewire.openCamera('127.0.0.1')
      const payloadSize = () => camera.features.get('PayloadSize')
      const [before, mode] = [await payloadSize(), () => camera.features.get('ChunkModeActive')]
      const wrong: unknown[] = []
      let during: unknown
      for await (const frame of camera.stream({ frames: 40, chunks: true })) {
        during = [await mode(), await payloadSize()]
        const [first, again] = await Promise.all([frame.chunks, frame.chunks])
        const values = Object.fromEntries(
          [...first].map(([name, outcome]) => [
            name,
            'value' in outcome ? BigInt(outcome.value as number) : outcome,
          ]),
        )
        const { blockId, timestamp, payloadType } = frame
        const right =
          values.ChunkFrameID === blockId && values.ChunkTimestamp === timestamp && again === first
        if (!right || first.size !== 2 || payloadType !== 'image+chunks')
          wrong.push({ values, blockId, timestamp, payloadType })
        frame.release()
      }
      const after = [await mode(), await payloadSize()]
      await camera.close()
      await simulator.stop()
      return { wrong, during, before, after }
    })
    expect(result.wrong).toEqual([])
    expect(result.before).toBe(320 * 240)
    expect(result.during).toEqual([true, 320 * 240 + 40])
    expect(result.after).toEqual([false, 320 * 240])
  })

  it('stay on where they were, some of them can be asked for, and a name that the camera has not changes nothing', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire) => {
      const simulator = await gigewire.startSimulator({ width: 64, height: 64, frameRate: 100 })
      const camera = await gigewire.openCamera('127.0.0.1')
      const mode = () => camera.features.get('ChunkModeActive')
      const outcome = (work: Promise<unknown>) =>
        work.then(
          () => 'well',
          (error: { code: string; reason?: string }) => `${error.code} ${error.reason ?? ''}`.trim(),
        )
      const unknown = await outcome(camera.stream({ chunks: ['Gain'] }).start())
      const unchanged = await mode()
      const grabbed = await camera.grab({ chunks: ['Timestamp'] })
      const named = [...(await grabbed.chunks).keys()]
      grabbed.release()
      const without = await camera.grab()
      const none = (await without.chunks).size
      without.release()
      await camera.features.set('ChunkModeActive', true)
      ;(await camera.grab({ chunks: true })).release()
      const kept = await mode()
      const listener = await gigewire.openCamera('127.0.0.1', { access: 'monitor' })
      const invalid = await outcome((async () => listener.stream({ chunks: true, multicast: '239.1.1.1' }))())
      const nonsense = await outcome((async () => camera.stream({ chunks: 'all' as unknown as true }))())
      await listener.close()
      await camera.close()
      await simulator.stop()
      return { unknown, unchanged, named, none, kept, invalid, nonsense }
    })
    expect(result).toEqual({
      unknown: 'ERR_GIGE_FEATURE no-such-entry',
      unchanged: false,
      named: ['ChunkFrameID', 'ChunkTimestamp'], // this camera attaches all or none
      none: 0,
      kept: true,
      invalid: 'ERR_GIGE_INVALID_ARGUMENT',
      nonsense: 'ERR_GIGE_INVALID_ARGUMENT',
    })
  })

  it('of a frame that was released meanwhile are refused, never those of a later image; in a worker there are none', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire) => {
      const simulator = await gigewire.startSimulator({ width: 64, height: 64, frameRate: 200 })
      const camera = await gigewire.openCamera('127.0.0.1')
      const stream = camera.stream({ chunks: true, buffers: 4 })
      const code = (error: { code: string }) => error.code
      await stream.start()
      const iterator = stream[Symbol.asyncIterator]()
      const next = async () => (await iterator.next()).value as import('../../lib/index.js').Frame
      const late = await next()
      late.release()
      const released = await late.chunks.catch(code)
      const early = await next()
      const asked = early.chunks
      early.release()
      const meanwhile = await asked.catch(code)
      const attached = gigewire.attachStream(stream.share())
      const other = (await attached[Symbol.asyncIterator]().next())
        .value as import('../../lib/index.js').Frame
      const elsewhere = await other.chunks.catch(code)
      other.release()
      attached.close()
      await stream.close()
      await camera.close()
      await simulator.stop()
      return { released, meanwhile, elsewhere }
    })
    expect(result).toEqual({
      released: 'ERR_GIGE_FRAME_RELEASED',
      meanwhile: 'ERR_GIGE_FRAME_RELEASED',
      elsewhere: 'ERR_GIGE_FEATURE',
    })
  })
})

describeWith(['netns', 'cc', 'aravis-0.8'], "chunks to Aravis' reader", () => {
  it('are those of their frames, by the description of the simulator', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-chunks-'))
    try {
      const program = path.join(folder, 'aravis-chunks')
      const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'aravis-0.8'], { encoding: 'utf8' })
      const source = path.join(import.meta.dirname, 'aravis-chunks.c')
      // Without what asan.test.ts puts in front of every program.
      const env = { ...process.env, LD_PRELOAD: '' }
      execFileSync('cc', [source, '-o', program, ...flags.trim().split(/\s+/)], { env })
      using host = new Namespace()
      using camera = new Namespace()
      cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.2/24' })
      // Its packet ring, which it takes as root, would see many packets as one.
      await remoteSimulator(camera, {
        address: '10.99.0.2',
        width: 320,
        height: 240,
        frameRate: 50,
        gso: false,
      })
      const printed = await host.output('env', ['-u', 'LD_PRELOAD', program, '10.99.0.2', '10'])
      const rows = printed
        .trim()
        .split('\n')
        .map((line) => line.split(' ').map(BigInt))
      expect(rows).toHaveLength(10)
      for (const [frameId, timestamp, chunkId, chunkTime] of rows)
        expect([chunkId, chunkTime]).toEqual([frameId, timestamp])
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
