// Against a camera that nobody here wrote: Aravis' fake camera, with an unprivileged program and default options. Every pixel of
// every frame is compared with the ramp it draws.

import { afterEach, expect, it } from 'vitest'
import { expectedIds, fakeCamera } from '../helpers/aravis.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { aboutTheCamera, type Received } from '../helpers/tools.mjs'

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

function expectFlawless(result: Received, frames: number): void {
  expect(result.wrong).toEqual([])
  expect(result.ids).toEqual(expectedIds(frames))
  expect(result.sums).toEqual([])
  expect(result.stats).toMatchObject({
    packetsMissing: 0,
    packetsLost: 0,
    kernelDrops: 0,
    duplicate: 0,
    late: 0,
    foreign: 0,
    malformed: 0,
    test: 0,
    refused: 0,
    blocksIncomplete: 0,
    blocksNoSlot: 0,
    blocksMissed: 0,
    framesOverwritten: 0,
    resyncs: 0,
  })
  expect(result.stats.blocksComplete).toBeGreaterThanOrEqual(frames)
  expect(result.events).toEqual({ incomplete: 0, starved: 0, missed: 0, leak: 0 })
  expect(result.lost).toEqual([])
}

describeWith(['netns', 'setpriv', 'arv-fake-gv-camera-0.8'], "Aravis' fake camera", () => {
  it('over a veth pair: 1000 frames in a row from the first one on, every pixel right, across the wrap', async () => {
    const [host, camera] = [namespace(), namespace()]
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.2/24' })
    await fakeCamera(camera, 'v1', 'GV01')
    const result = await insideOk(
      host,
      (gigewire, _, tools) =>
        tools.receive(gigewire, {
          camera: 'GV01',
          features: { AcquisitionFrameRate: 200 },
          stream: { buffers: 8 },
          frames: 1000,
          check: 'aravis',
        }),
      undefined,
      { unprivileged: true },
    )
    expectFlawless(result, 1000)
    // It has no test packets: its own size is kept, and that is said.
    expect(result.packetSize).toMatchObject({ packetSize: 1400, confirmed: false })
    expect(aboutTheCamera(result.warnings)).toEqual(['no-test-packets'])
  })

  it('over loopback: the same', async () => {
    const host = namespace()
    await fakeCamera(host, '127.0.0.1', 'GVLO')
    const result = await insideOk(
      host,
      (gigewire, _, tools) =>
        tools.receive(gigewire, {
          camera: 'GVLO',
          features: { AcquisitionFrameRate: 200 },
          stream: { buffers: 8 },
          frames: 1000,
          check: 'aravis',
        }),
      undefined,
      { unprivileged: true },
    )
    expectFlawless(result, 1000)
  })

  it('two at once on two NICs: the same of each', async () => {
    const [host, left, right] = [namespace(), namespace(), namespace()]
    cable(host, { device: 'v0', cidr: '10.99.1.1/24' }, left, { device: 'v1', cidr: '10.99.1.2/24' })
    cable(host, { device: 'w0', cidr: '10.99.2.1/24' }, right, { device: 'w1', cidr: '10.99.2.2/24' })
    await Promise.all([fakeCamera(left, 'v1', 'GV01'), fakeCamera(right, 'w1', 'GV02')])
    const results = await insideOk(
      host,
      async (gigewire, _, tools) => {
        const found = await gigewire.discover({ until: (all) => all.length === 2 })
        const one = async (serial: string) => ({
          nic: found.find((camera) => camera.serial === serial)?.interface.name,
          ...(await tools.receive(gigewire, {
            camera: found.find((camera) => camera.serial === serial) ?? serial,
            features: { AcquisitionFrameRate: 100 },
            stream: { buffers: 8 },
            frames: 1000,
            check: 'aravis',
          })),
        })
        return await Promise.all([one('GV01'), one('GV02')])
      },
      undefined,
      { unprivileged: true },
    )
    expect(results.map((result) => result.nic)).toEqual(['v0', 'w0'])
    for (const result of results) expectFlawless(result, 1000)
  })
})

/** 200 frames and more through a rule of nftables, where packets reach the host. */
async function receiveThrough(
  rule: string,
  packetSize: number,
): Promise<{ result: Received; dropped: number; fragments: number }> {
  const [host, camera] = [namespace(), namespace()]
  cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: '10.99.0.2/24' })
  host.nft(`table netdev loss {
    counter dropped {}
    counter fragments {}
    chain ingress {
      type filter hook ingress device "v0" priority 0;
      ip frag-off & 0x3fff != 0 counter name "fragments"
      ${rule}
    }
  }`)
  await fakeCamera(camera, 'v1', 'GV01')
  const result = await insideOk(
    host,
    (gigewire, packetSize, tools) => {
      return tools.receive(gigewire, {
        camera: '10.99.0.2',
        features: { AcquisitionFrameRate: 100 },
        stream: { packetSize, buffers: 16, acquisition: 'manual', frameTimeout: 500 },
        blocks: 200,
        check: 'aravis',
        onStream: async (stream, opened) => {
          await stream.start()
          await opened.features.execute('AcquisitionStart')
          void tools
            .until(() => stream.stats().blocksExpected >= 200, '200 blocks')
            .then(() => opened.features.execute('AcquisitionStop'))
        },
        settle: tools.quietFor(300),
      })
    },
    packetSize,
    { unprivileged: true },
  )
  return { result, dropped: host.counted('dropped'), fragments: host.counted('fragments') }
}

/** What nftables dropped is missing, to the packet, and nothing else is wrong. */
function expectMissing(result: Received, dropped: number): void {
  expect(result.timeout).toBeUndefined()
  expect(result.wrong).toEqual([])
  expect(result.sums).toEqual([])
  expect(dropped).toBeGreaterThan(50)
  expect(result.stats).toMatchObject({
    packetsMissing: dropped,
    missingNotRequested: dropped,
    blocksMissed: 0,
    blocksNoSlot: 0,
    malformed: 0,
    kernelDrops: 0,
  })
  expect(result.stats.blocksIncomplete).toBeGreaterThan(20)
  expect(result.stats.blocksComplete).toBeGreaterThan(20)
  expect(result.events.incomplete).toBe(result.stats.blocksIncomplete)
  expect(result.ids.length).toBe(result.stats.blocksComplete)
  const expected = result.stats.blocksComplete + result.stats.blocksIncomplete
  expect([result.stats.blocksExpected, expected >= 200]).toEqual([expected, true])
}

describeWith(['netns', 'nft', 'setpriv', 'arv-fake-gv-camera-0.8'], 'loss on the way from it', () => {
  it('just the packets that were dropped are missing, and no frame says complete wrongly', async () => {
    // Each frame has 195 packets.
    const rule = 'udp sport != 3956 numgen random mod 200 < 1 counter name "dropped" drop'
    const { result, dropped, fragments } = await receiveThrough(rule, 1400)
    expectMissing(result, dropped)
    expect(fragments).toBe(0)
  })
})

// Packets of 8000 bytes over an MTU of 1500 travel in six fragments, of which one may be lost: then the whole packet is.
describeWith(['netns', 'nft', 'setpriv', 'arv-fake-gv-camera-0.8'], 'packets in fragments', () => {
  it('all of them: every frame is right, and the packet size is called too large', async () => {
    const { result, fragments } = await receiveThrough('accept', 8000)
    expect(result.timeout).toBeUndefined()
    expect(aboutTheCamera(result.warnings)).toEqual(['packet-size'])
    expect(result.wrong).toEqual([])
    expect(result.sums).toEqual([])
    expect(result.ids.length).toBeGreaterThanOrEqual(200)
    expect(result.ids).toEqual(expectedIds(result.ids.length))
    // 32 packets of a frame in six fragments, the rest of it in five.
    expect(fragments).toBeGreaterThanOrEqual(200 * (32 * 6 + 5))
    expect(result.stats).toMatchObject({
      ...{ packetsLost: 0, packetsMissing: 0, malformed: 0 },
      ...{ blocksComplete: result.ids.length, blocksIncomplete: 0, blocksMissed: 0, blocksNoSlot: 0 },
    })
  })

  const SOME = 'numgen random mod 100 < 2 counter name "dropped" drop'
  const lost = [
    { which: 'the first', rule: `ip frag-off & 0x3fff == 0x2000 ${SOME}` },
    { which: 'one in the middle', rule: `ip frag-off & 0x1fff == 185 ${SOME}` },
    { which: 'the last', rule: `ip frag-off & 0x1fff != 0 ip frag-off & 0x2000 == 0 ${SOME}` },
  ]
  for (const { which, rule } of lost) {
    it(`${which} of some is lost: just the packets they belong to are missing, and no frame says complete wrongly`, async () => {
      const { result, dropped, fragments } = await receiveThrough(rule, 8000)
      expectMissing(result, dropped)
      expect(fragments).toBeGreaterThanOrEqual(200 * (32 * 6 + 5))
    })
  }
})
