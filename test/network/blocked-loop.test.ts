// The event loop of the program stands still for ten seconds while the camera streams: heartbeat and reception are native, so the
// camera is not lost, the slots hold the first frames in order, and what found none is counted as just that.

import { afterEach, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const CAMERA = '10.99.0.2'
const BUFFERS = 16

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

describeWith(['netns'], 'an event loop that is blocked for 10 s', () => {
  for (const how of ['waits', 'computes'] as const) {
    it(`because it ${how}`, async () => {
      const [host, camera] = [new Namespace(), new Namespace()]
      opened.push(host, camera)
      cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
      // The camera forgets who controls it after 1 s of silence.
      const simulator = await remoteSimulator(camera, {
        ...{ address: CAMERA, width: 320, height: 240, frameRate: 50, heartbeatTimeout: 1000 },
      })
      const result = await insideOk(
        host,
        async (gigewire, argument: { target: string; buffers: number; how: string }, tools) => {
          let blockedAt = 0
          let resumed = 0
          const before = 20
          const result = await tools.receive(gigewire, {
            camera: argument.target,
            open: { heartbeatTimeout: 1000 },
            stream: { buffers: argument.buffers },
            frames: 300,
            check: 1,
            onFrame: (_frame, stream) => {
              if (++blockedAt === before) {
                const sleeper = new Int32Array(new SharedArrayBuffer(4))
                const end = performance.now() + 10_000
                while (performance.now() < end)
                  if (argument.how === 'waits') Atomics.wait(sleeper, 0, 0, 1000)
                resumed = stream.stats().blocksNoSlot
              }
            },
          })
          return { ...result, before, resumed }
        },
        { target: CAMERA, buffers: BUFFERS, how },
        { timeout: 28_000 },
      )
      expect(result.lost).toEqual([])
      expect(result.wrong).toEqual([])
      expect(result.sums).toEqual([])
      expect(result.ids).toHaveLength(300)
      expect(result.stats).toMatchObject({
        packetsMissing: 0,
        kernelDrops: 0,
        blocksIncomplete: 0,
        resyncs: 0,
      })

      // In order; the slots were filled without a gap, then there is one gap, then it goes on without one.
      const gaps = result.ids.slice(1).flatMap((id, i) => (id === result.ids[i]! + 1 ? [] : [i + 1]))
      expect(gaps).toHaveLength(1)
      const gap = gaps[0]!
      // All slots but the one of the frame in hand were filled while the loop stood still.
      expect(gap).toBe(result.before + BUFFERS - 1)
      const skipped = result.ids[gap]! - result.ids[gap - 1]! - 1
      expect(skipped).toBeGreaterThan(300)
      expect(result.stats.blocksNoSlot).toBe(skipped)
      expect(result.resumed).toBeGreaterThan(300)
      // What happened is told afterwards; there is room for so many events, and the others are counted.
      expect(result.events.starved + result.stats.eventsLost).toBe(skipped)

      const stats = await simulator.stats()
      expect(stats.heartbeatExpired).toBe(0)
      expect(stats.controlTaken).toBe(1)
      expect(stats.controller).toBeUndefined()
    })
  }
})
