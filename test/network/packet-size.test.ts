// The packet-size matrix: camera and program in network namespaces of their own, with what lies between them real. Each case
// negotiates, receives frames with what came of it, and looks at the register that is left.

import { afterEach, expect, it } from 'vitest'
import type { PacketSizeResult, SimulatorOptions } from '../../lib/index.js'
import { inside, insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { aboutTheCamera } from '../helpers/tools.mjs'

const HOST = '10.99.0.1'
const CAMERA = '10.99.0.2'
const SMALL = { width: 320, height: 240, frameRate: 100 }

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

/** Two namespaces and one cable. */
function direct(mtu: number, farMtu = mtu): { host: Namespace; camera: Namespace } {
  const [host, camera] = [namespace(), namespace()]
  const near = { device: 'v0', cidr: `${HOST}/24` }
  cable(host, near, camera, { device: 'v1', cidr: `${CAMERA}/24` }, { mtu, farMtu })
  return { host, camera }
}

/** Negotiates, then receives five frames with default options; what both found, and what the camera was left with. */
async function negotiated(
  { host, camera }: { host: Namespace; camera: Namespace },
  options: SimulatorOptions,
  { target = CAMERA, max }: { target?: string; max?: number } = {},
) {
  const simulator = await remoteSimulator(camera, { ...SMALL, ...options, address: target })
  const result = await insideOk(
    host,
    async (gigewire, argument: { target: string; max?: number }, tools) => {
      const opened = await gigewire.openCamera(argument.target)
      let first: PacketSizeResult
      try {
        first = await opened.negotiatePacketSize(argument.max === undefined ? {} : { max: argument.max })
      } finally {
        await opened.close()
      }
      const received = await tools.receive(gigewire, { camera: argument.target, frames: 5, check: 1 })
      return { first, received }
    },
    { target, ...(max !== undefined && { max }) },
  )
  expect(result.received.wrong).toEqual([])
  expect(result.received.sums).toEqual([])
  expect(result.received.ids).toEqual([1, 2, 3, 4, 5])
  expect(result.received.stats).toMatchObject({ packetsMissing: 0, packetsResent: 0, malformed: 0 })
  const left = (await simulator.stats()).packetSize
  console.info(
    `${result.first.packetSize} bytes after ${result.first.tried.length} tries and ${result.first.ms.toFixed(0)} ms`,
  )
  return { ...result, stream: result.received.packetSize!, left }
}

/** What makes a negotiation on a healthy link quick: no test packet is waited for in vain, and what is waited for comes at once. */
function expectQuick({ tried, ms }: PacketSizeResult): void {
  expect(tried.filter(({ arrived }) => !arrived)).toEqual([])
  expect(ms).toBeLessThan(1000)
}

describeWith(['netns', 'sysctl'], 'packet size', () => {
  for (const mtu of [1500, 9000]) {
    it(`MTU ${mtu}: the largest packet the interface takes, within a few tries`, async () => {
      const { first, stream, left } = await negotiated(direct(mtu), {})
      expect(first).toMatchObject({
        packetSize: mtu,
        limitedBy: 'interface-mtu',
        confirmed: true,
        punched: true,
      })
      expect(first.tried[0]).toMatchObject({ size: 576, arrived: true })
      expect(first.tried.length).toBeLessThanOrEqual(3)
      expectQuick(first)
      expectQuick(stream)
      expect(stream).toMatchObject({ packetSize: mtu, limitedBy: 'interface-mtu', confirmed: true })
      expect(left).toBe(mtu)
    })
  }

  // Nothing is proven then, and nothing promised: what the camera has is kept, as far as it can pass.
  const unproven = [
    { name: 'its own size is kept', mtu: 9000, own: 1200, kept: 1200 },
    { name: 'it has none yet, so the largest that any path takes', mtu: 9000, own: 0, kept: 1500 },
    { name: 'it has none yet, and the interface takes less', mtu: 1400, own: 0, kept: 1400 },
    { name: 'its own is more than any path takes', mtu: 9000, own: 8000, kept: 1500 },
    { name: 'its own is more than the interface takes', mtu: 1400, own: 1500, kept: 1400 },
  ]
  for (const { name, mtu, own, kept } of unproven) {
    it(`a camera without test packets: ${name}`, async () => {
      const { first, received, stream, left } = await negotiated(direct(mtu), {
        packetSize: own,
        testPackets: false,
      })
      expect(first).toMatchObject({ packetSize: kept, previous: own, limitedBy: 'camera', confirmed: false })
      expect(first.tried).toContainEqual(expect.objectContaining({ size: 576, arrived: false }))
      expect(first.tried.some(({ arrived }) => arrived)).toBe(false)
      expect(aboutTheCamera(received.warnings)).toEqual(['no-test-packets'])
      expect(stream).toMatchObject({ packetSize: kept, confirmed: false })
      expect(left).toBe(kept)
    })
  }

  it('a limit that the caller sets', async () => {
    const { first } = await negotiated(direct(9000), {}, { max: 2000 })
    expect(first).toMatchObject({ packetSize: 2000, limitedBy: 'option' })
    expect(Math.max(...first.tried.map((t) => t.size))).toBe(2000)
  })

  it("a camera whose interface is narrower than the host's", async () => {
    const { first, stream, left } = await negotiated(direct(9000, 1500), {})
    expect(first).toMatchObject({ packetSize: 1500, limitedBy: 'path' })
    expect([stream.packetSize, left]).toEqual([1500, 1500])
  })

  it('a host whose interface is narrower: larger sizes are not even tried', async () => {
    const { first } = await negotiated(direct(1500, 9000), {})
    expect(first).toMatchObject({ packetSize: 1500, limitedBy: 'interface-mtu' })
    expect(Math.max(...first.tried.map((t) => t.size))).toBe(1500)
  })

  it('a switch on the way that drops large packets without a word', async () => {
    const [host, middle, camera] = [namespace(), namespace(), namespace()]
    middle.exec('ip', 'link', 'add', 'br0', 'type', 'bridge')
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, middle, { device: 'm0' }, { mtu: 9000 })
    cable(
      camera,
      { device: 'v1', cidr: `${CAMERA}/24` },
      middle,
      { device: 'm1' },
      { mtu: 9000, farMtu: 4000 },
    )
    for (const device of ['m0', 'm1']) middle.exec('ip', 'link', 'set', device, 'master', 'br0')
    // The bridge sends to the host by the MTU of that port.
    middle.exec('ip', 'link', 'set', 'm0', 'mtu', '4000')
    middle.exec('ip', 'link', 'set', 'br0', 'up')
    const { first, stream, left } = await negotiated({ host, camera }, {})
    expect(first).toMatchObject({ packetSize: 4000, limitedBy: 'path', confirmed: true })
    expect(first.tried.length).toBeLessThanOrEqual(20)
    expect([stream.packetSize, left]).toEqual([4000, 4000])
  })

  it('a router on the way', async () => {
    const [host, router, camera] = [namespace(), namespace(), namespace()]
    cable(
      host,
      { device: 'v0', cidr: '10.99.1.1/24' },
      router,
      { device: 'r0', cidr: '10.99.1.254/24' },
      { mtu: 9000 },
    )
    cable(
      camera,
      { device: 'v1', cidr: '10.99.2.2/24' },
      router,
      { device: 'r1', cidr: '10.99.2.254/24' },
      { mtu: 9000 },
    )
    for (const [where, device, via] of [
      [host, 'v0', '10.99.1.254'],
      [camera, 'v1', '10.99.2.254'],
    ] as const) {
      where.exec('ip', 'route', 'add', 'default', 'via', via, 'dev', device)
    }
    router.exec('ip', 'link', 'set', 'r0', 'mtu', '3000')
    router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    const { first, stream } = await negotiated({ host, camera }, {}, { target: '10.99.2.2' })
    expect(first).toMatchObject({ packetSize: 3000, limitedBy: 'path' })
    expect(stream.packetSize).toBe(3000)
  })

  it('packets that only arrive as reassembled fragments are refused', async () => {
    // The camera ignores the don't-fragment bit, so its 9000 bytes come in pieces over 1500.
    const { first, stream, left } = await negotiated(direct(9000, 1500), {
      faults: { packetSize: 'ignore-df' },
    })
    expect(first).toMatchObject({ packetSize: 1500, limitedBy: 'path' })
    expect([stream.packetSize, left]).toEqual([1500, 1500])
  })

  it('a camera that clamps, at a size other than any default', async () => {
    const { first, stream, left } = await negotiated(direct(9000), {
      faults: { packetSize: 'clamp', clampSize: 3072 },
    })
    expect(first).toMatchObject({ packetSize: 3072, limitedBy: 'camera', confirmed: true })
    expect([stream.packetSize, left]).toEqual([3072, 3072])
  })

  it('a camera that clamps what it sends, and says nothing', async () => {
    const { first, stream } = await negotiated(direct(9000), {
      faults: { packetSize: 'silent-clamp', clampSize: 3072 },
    })
    expect(first).toMatchObject({ packetSize: 3072, limitedBy: 'camera' })
    expect(stream.packetSize).toBe(3072)
  })

  it('a camera that rounds', async () => {
    const { first, stream, left } = await negotiated(direct(9000), {
      faults: { packetSize: 'round', roundTo: 1000 },
    })
    expect(first).toMatchObject({ packetSize: 9000, confirmed: true })
    expect([stream.packetSize, left]).toEqual([9000, 9000])
    const coarse = await negotiated(direct(1500), { faults: { packetSize: 'round', roundTo: 128 } })
    expect(coarse.first).toMatchObject({ packetSize: 1408, limitedBy: 'camera', confirmed: true })
    expect(coarse.left).toBe(1408)
  })

  it('a camera that refuses sizes that are not round', async () => {
    const { first, left } = await negotiated(direct(1500), {
      faults: { packetSize: 'unaligned', roundTo: 16 },
    })
    expect(first).toMatchObject({ packetSize: 1488, confirmed: true })
    expect(left).toBe(1488)
  })

  it('a camera that ignores what is written', async () => {
    const { first, stream, left } = await negotiated(direct(9000), {
      packetSize: 1200,
      faults: { packetSize: 'ignore' },
    })
    expect(first).toMatchObject({ packetSize: 1200, previous: 1200, limitedBy: 'camera', confirmed: true })
    expect([stream.packetSize, left]).toEqual([1200, 1200])
  })

  it('a camera that fires one test packet in a session: what that one proved', async () => {
    const { first, stream } = await negotiated(direct(1500), { faults: { packetSize: 'fire-once' } })
    expect(first).toMatchObject({ packetSize: 576, limitedBy: 'camera', confirmed: true })
    expect(stream.packetSize).toBe(576)
  })
})

describeWith(['netns', 'sysctl', 'nft'], 'a firewall that drops what was not asked for', () => {
  const STATEFUL = `table inet filter {
    counter dropped {}
    chain input {
      type filter hook input priority 0; policy drop;
      iif "lo" accept
      ct state established,related accept
      counter name "dropped"
    }
  }`

  it('is opened by the datagram sent to the stream port', async () => {
    const ends = direct(1500)
    ends.host.nft(STATEFUL)
    const { first, stream } = await negotiated(ends, {})
    expect(first).toMatchObject({ packetSize: 1500, confirmed: true, punched: true })
    expect(stream).toMatchObject({ packetSize: 1500, punched: true })
  })

  it('is opened by it before the camera sends, also where the packet size is given', async () => {
    const ends = direct(1500)
    ends.host.nft(STATEFUL)
    await remoteSimulator(ends.camera, { ...SMALL, address: CAMERA })
    const result = await insideOk(
      ends.host,
      (gigewire, target: string, tools) =>
        tools.receive(gigewire, { camera: target, stream: { packetSize: 1500 }, frames: 5, check: 1 }),
      CAMERA,
    )
    expect(result.ids).toEqual([1, 2, 3, 4, 5])
    expect(result.wrong).toEqual([])
    expect(result.packetSize).toMatchObject({ packetSize: 1500, punched: true, tried: [] })
    expect(result.stats).toMatchObject({ packetsMissing: 0, keepalives: 0 })
  })

  it('is opened by repeating it, while the camera waits for a trigger and the firewall forgets', async () => {
    const ends = direct(1500)
    ends.host.nft(STATEFUL)
    for (const name of ['udp_timeout', 'udp_timeout_stream']) {
      ends.host.exec('sysctl', '-qw', `net.netfilter.nf_conntrack_${name}=5`)
    }
    const simulator = await remoteSimulator(ends.camera, { ...SMALL, address: CAMERA })
    const result = await insideOk(
      ends.host,
      (gigewire, target: string, tools) =>
        tools.receive(gigewire, {
          camera: target,
          features: { TriggerMode: 'On', TriggerSource: 'Software' },
          blocks: 1,
          check: 1,
          onStream: async (stream, camera) => {
            await stream.start()
            // Ten seconds after what opened it first, which is forgotten by then.
            await tools.until(() => stream.stats().keepalives === 1, 'a keep-alive')
            await camera.features.execute('TriggerSoftware')
          },
        }),
      CAMERA,
    )
    expect(result.timeout).toBeUndefined()
    expect(result.ids).toEqual([1])
    expect(result.wrong).toEqual([])
    expect(result.stats.keepalives).toBe(1)
    expect((await simulator.stats()).punches).toBeGreaterThan(1)
  })

  for (const noScsp of [true, false]) {
    const name = noScsp
      ? 'and a camera that does not tell its stream port: the typed error, and everything as before'
      : 'and not even answers: the typed error, and everything as before'
    it(name, async () => {
      const ends = direct(1500)
      ends.host.nft(noScsp ? STATEFUL : STATEFUL.replace('ct state', 'udp sport 3956 ct state'))
      const simulator = await remoteSimulator(ends.camera, {
        ...SMALL,
        address: CAMERA,
        packetSize: 1234,
        faults: { noScsp },
      })
      const { code, value } = await inside(
        ends.host,
        async (gigewire, target: string) => {
          const camera = await gigewire.openCamera(target)
          const facts = async (action: () => Promise<unknown>) => {
            try {
              await action()
              return undefined
            } catch (error) {
              const {
                message,
                code: errorCode,
                hint,
                tried,
                punched,
              } = error as InstanceType<typeof gigewire.GigeError>
              const registers = await camera.readRegisters([0x0d00, 0x0d04])
              return {
                message,
                errorCode,
                hint,
                tried,
                punched,
                registers,
                isGigeError: error instanceof gigewire.GigeError,
              }
            }
          }
          const results = [
            await facts(() => camera.negotiatePacketSize()),
            await facts(async () => {
              for await (const frame of camera.stream()) frame.release()
            }),
          ]
          await camera.close()
          return results
        },
        CAMERA,
      )
      expect(code).toBe(0)
      for (const error of value) {
        expect(error).toMatchObject({
          errorCode: 'ERR_GIGE_PACKET_SIZE_NEGOTIATION',
          isGigeError: true,
          punched: !noScsp,
        })
        expect(error?.message).toMatch(/^Could not negotiate packet size/)
        expect(error?.hint).toMatch(/firewall/)
        expect(error?.tried).toContainEqual(expect.objectContaining({ size: 576, arrived: false }))
        const [port, scps] = error!.registers as [number, number]
        expect([port & 0xffff, scps & 0xffff]).toEqual([0, 1234])
      }
      const stats = await simulator.stats()
      expect(stats.testPackets).toBeGreaterThan(0)
      expect(stats).toMatchObject({
        packetSize: 1234,
        destination: undefined,
        controller: undefined,
        blocksSent: 0,
      })
      expect(ends.host.counted('dropped')).toBeGreaterThanOrEqual(stats.testPackets ?? 0)
    })
  }

  it('no test packets although the camera describes them: the same error, never a silent guess', async () => {
    const ends = direct(1500)
    const simulator = await remoteSimulator(ends.camera, {
      ...SMALL,
      address: CAMERA,
      faults: { packetSize: 'no-test-packet' },
    })
    const code = await insideOk(
      ends.host,
      async (gigewire, target: string) => {
        const camera = await gigewire.openCamera(target)
        const failure = await camera.negotiatePacketSize().catch((error: { code: string }) => error.code)
        await camera.close()
        return failure
      },
      CAMERA,
    )
    expect(code).toBe('ERR_GIGE_PACKET_SIZE_NEGOTIATION')
    expect((await simulator.stats()).packetSize).toBe(1500)
  })
  it('close() in the middle of it: the camera has its former size again', async () => {
    const result = await insideOk(namespace(), async (gigewire, _, { until }) => {
      const simulator = await gigewire.startSimulator({
        packetSize: 1234,
        faults: { packetSize: 'no-test-packet' },
      })
      const camera = await gigewire.openCamera(simulator.address)
      const negotiation = camera.negotiatePacketSize().catch((error: { code: string }) => error.code)
      await until(() => simulator.stats().packetSize === 576, 'the first size')
      await camera.close()
      const { packetSize, controller } = simulator.stats()
      const outcome = await negotiation
      // What was put back once stays: a later owner's size is his own.
      const later = await gigewire.openCamera(simulator.address)
      await later.features.set('GevSCPSPacketSize', 1400)
      await later.close()
      const kept = simulator.stats().packetSize
      await simulator.stop()
      return { packetSize, controller, outcome, kept }
    })
    expect(result).toEqual({ packetSize: 1234, outcome: 'ERR_GIGE_CLOSED', kept: 1400 })
  })
})
