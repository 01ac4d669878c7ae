// The event loop of the program stands still for ten seconds while the camera streams: heartbeat and reception are native, so the
// camera is not lost, the slots hold the first frames in order, and what found none is counted as just that.

import { afterEach, expect, it } from 'vitest'
import { fakeCamera, sequenceOf } from '../helpers/aravis.js'
import { insideOk, type Tools } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const CAMERA = '10.99.0.2'
const BUFFERS = 16
const BEFORE = 20 // frames in front of the pause

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

/** Receives 300 frames with a pause of the whole event loop among them. Runs inside of a child process, as text. */
const receiveWithPause = async (
  gigewire: typeof import('../../lib/index.js'),
  argument: { target: string; buffers: number; how: string; check: number | 'aravis'; before: number },
  tools: Tools,
) => {
  let seen = 0
  let resumed = 0
  const result = await tools.receive(gigewire, {
    camera: argument.target,
    open: { heartbeatTimeout: 1000 },
    features: argument.check === 'aravis' ? { AcquisitionFrameRate: 50 } : {},
    stream: { buffers: argument.buffers },
    frames: 300,
    check: argument.check,
    onFrame: (_frame, stream) => {
      if (++seen !== argument.before) return
      const sleeper = new Int32Array(new SharedArrayBuffer(4))
      const end = performance.now() + 10_000
      while (performance.now() < end) if (argument.how === 'waits') Atomics.wait(sleeper, 0, 0, 1000)
      resumed = stream.stats().blocksNoSlot
    },
  })
  return { ...result, resumed }
}

/** `numbers`: which block of the camera each frame is, counted without a wrap. */
function expectControlAndOrder(
  result: Awaited<ReturnType<typeof receiveWithPause>>,
  numbers: number[],
): void {
  expect(result.lost).toEqual([])
  expect(result.wrong).toEqual([])
  expect(result.sums).toEqual([])
  expect(result.ids).toHaveLength(300)
  expect(result.stats).toMatchObject({ packetsMissing: 0, kernelDrops: 0, blocksIncomplete: 0, resyncs: 0 })

  // In order; the slots were filled without a gap, then there is one gap, then it goes on without one.
  const gaps = numbers.slice(1).flatMap((number, i) => (number === numbers[i]! + 1 ? [] : [i + 1]))
  expect(gaps).toHaveLength(1)
  const gap = gaps[0]!
  // All slots but the one of the frame in hand were filled while the loop stood still.
  expect(gap).toBe(BEFORE + BUFFERS - 1)
  const skipped = numbers[gap]! - numbers[gap - 1]! - 1
  expect(skipped).toBeGreaterThan(300)
  expect(result.stats.blocksNoSlot).toBe(skipped)
  expect(result.resumed).toBeGreaterThan(300)
  // What happened is told afterwards; there is room for so many events, and the others are counted.
  expect(result.events.starved! + result.stats.eventsLost).toBe(skipped)
}

function cabled(): [host: Namespace, camera: Namespace] {
  const [host, camera] = [new Namespace(), new Namespace()]
  opened.push(host, camera)
  cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
  return [host, camera]
}

const plan = { target: CAMERA, buffers: BUFFERS, before: BEFORE }

describeWith(['netns'], 'an event loop that is blocked for 10 s', () => {
  for (const how of ['waits', 'computes'] as const) {
    it(`because it ${how}`, async () => {
      const [host, camera] = cabled()
      // The camera forgets who controls it after 1 s of silence.
      const simulator = await remoteSimulator(camera, {
        ...{ address: CAMERA, width: 320, height: 240, frameRate: 50, heartbeatTimeout: 1000 },
      })
      const result = await insideOk(host, receiveWithPause, { ...plan, how, check: 1 }, { timeout: 28_000 })
      expectControlAndOrder(result, result.ids)
      const stats = await simulator.stats()
      expect(stats.heartbeatExpired).toBe(0)
      expect(stats.controlTaken).toBe(1)
      expect(stats.controller).toBeUndefined()
    })
  }
})

describeWith(['netns', 'arv-fake-gv-camera-0.8'], 'the same with a camera of others', () => {
  it("Aravis' fake camera is kept, and its frames stay in order", async () => {
    const [host, camera] = cabled()
    await fakeCamera(camera, 'v1', 'GV01')
    const result = await insideOk(
      host,
      receiveWithPause,
      { ...plan, how: 'computes', check: 'aravis' as const },
      { timeout: 28_000 },
    )
    expectControlAndOrder(result, sequenceOf(result.ids))
  })
})
