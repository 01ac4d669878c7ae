// What is special about engines below the IP stack: they see fragments, and what a firewall drops; they need privileges; they leave
// something in the kernel that must be gone afterwards. Camera and program are at the two ends of a cable of their own.

import { afterEach, expect, it } from 'vitest'
import type { GigeError, SimulatorOptions, StreamEngine } from '../../lib/index.js'
import { inside, insideOk } from '../helpers/inside.js'
import { type CableOptions, cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const HOST = '10.99.0.1'
const CAMERA = '10.99.0.2'
const SMALL = { width: 320, height: 240, frameRate: 100, address: CAMERA, seed: 1 }
const ENGINES: StreamEngine[] = ['packet-ring', 'xdp']

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

/** A host and its camera. */
async function ends(options: SimulatorOptions = {}, link: CableOptions = {}): Promise<Namespace> {
  const [host, camera] = [namespace(), namespace()]
  const near = { device: 'v0', cidr: `${HOST}/24` }
  cable(host, near, camera, { device: 'v1', cidr: `${CAMERA}/24` }, { mtu: 9000, ...link })
  await remoteSimulator(camera, { ...SMALL, ...options })
  return host
}

/** What engines leave behind in a network: packet sockets, and programs at interfaces. */
function leftIn(host: Namespace): string[] {
  const sockets = host.exec('cat', '/proc/net/packet').trim().split('\n').slice(1)
  const programs = host.exec('ip', '-d', 'link').match(/(?:xdp|prog\/)\S*/g) ?? []
  return [...sockets, ...programs]
}

/** Inbound UDP only as the answer to what was sent, and nothing to the ports given. */
function stateful(closed = ''): string {
  return `table inet filter {
    chain input {
      type filter hook input priority 0; policy drop;
      iif "lo" accept
      ${closed}
      ct state established,related accept
    }
  }`
}

/** What comes of a stream with this engine: its frames, or the error of its start. */
async function attempt(host: Namespace, engine: StreamEngine, target = CAMERA) {
  return await insideOk(
    host,
    async (gigewire, { target, engine }, tools) => {
      const own = target === '127.0.0.1' ? await gigewire.startSimulator({ frameRate: 100 }) : undefined
      let mode: string | undefined
      try {
        const received = await tools.receive(gigewire, {
          camera: target,
          check: 1,
          frames: 20,
          stream: { engine },
          onFrame: (_, stream) => {
            mode = stream.xdpMode
          },
        })
        return { ...received, mode }
      } catch (error) {
        const { code, message, hint } = error as GigeError
        return { code, message, hint }
      } finally {
        await own?.stop()
      }
    },
    { target, engine },
  )
}
const WHOLE = {
  wrong: [],
  sums: [],
  warnings: [],
  stats: { blocksComplete: 20, packetsLost: 0, malformed: 0 },
}

describeWith(['netns'], 'xdp', () => {
  it('in the driver where that can, on each of several queues', async () => {
    expect(await attempt(await ends({}, { queues: 4 }), 'xdp')).toMatchObject({ ...WHOLE, mode: 'native' })
  })

  it('behind the driver where it cannot: a bridge', async () => {
    const host = await ends({ gso: false, udpChecksum: false })
    host.exec('ip', 'link', 'add', 'br0', 'mtu', '9000', 'type', 'bridge')
    host.exec('ip', 'addr', 'del', `${HOST}/24`, 'dev', 'v0')
    host.address('br0', `${HOST}/24`)
    host.exec('ip', 'link', 'set', 'v0', 'master', 'br0')
    host.exec('ip', 'link', 'set', 'br0', 'up')
    expect(await attempt(host, 'xdp')).toMatchObject({ ...WHOLE, mode: 'generic' })
  })

  it('refuses what it cannot do, and says what to do: the loopback, too many queues, an interface that is taken', async () => {
    expect(await attempt(namespace(), 'xdp', '127.0.0.1')).toMatchObject({
      code: 'ERR_GIGE_NETWORK',
      message: expect.stringContaining('loopback'),
      hint: expect.stringContaining("engine: 'auto'"),
    })
    expect(await attempt(await ends({}, { queues: 17 }), 'xdp')).toMatchObject({
      code: 'ERR_GIGE_NETWORK',
      message: expect.stringContaining('17 receive queues of v0'),
      hint: expect.stringContaining('ethtool -L'),
    })
    const [host, far] = [namespace(), namespace()]
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, far, { device: 'v1', cidr: `${CAMERA}/24` })
    far.address('v1', '10.99.0.3/24')
    await remoteSimulator(far, SMALL)
    await remoteSimulator(far, { ...SMALL, address: '10.99.0.3', serial: 'S2' })
    const second = await insideOk(
      host,
      async (gigewire, targets) => {
        const [one, two] = [await gigewire.openCamera(targets[0]!), await gigewire.openCamera(targets[1]!)]
        try {
          await one.stream({ engine: 'xdp' }).start()
          const refused = await two
            .stream({ engine: 'xdp' })
            .start()
            .catch(({ code, message, hint }: GigeError) => ({ code, message, hint }))
          const ring = two.stream({ engine: 'packet-ring', frames: 5 })
          let frames = 0
          for await (const frame of ring) {
            if (gigewire.firstWrongByte(frame.data, frame.blockId, 1n) < 0) frames++
            frame.release()
          }
          return { refused, frames }
        } finally {
          await one.close()
          await two.close()
        }
      },
      [CAMERA, '10.99.0.3'],
    )
    expect(second.refused).toMatchObject({
      code: 'ERR_GIGE_NETWORK',
      message: expect.stringMatching(/another XDP program.*v0/),
      hint: expect.stringContaining("'packet-ring'"),
    })
    expect(second.frames).toBe(5)
  })
})

for (const engine of ENGINES) {
  describeWith(['netns', 'nft', 'setpriv'], engine, () => {
    it('fragments: never a wrong pixel, counted as what they are, and told with what to do', async () => {
      // The camera ignores the don't-fragment bit, so its 4000 bytes come in pieces over 1500.
      const host = await ends({ faults: { packetSize: 'ignore-df' } }, { farMtu: 1500 })
      const result = await insideOk(
        host,
        async (gigewire, { target, engine }, tools) => {
          const about: string[] = []
          const told: { code: string; message: string; hint: string }[] = []
          const received = await tools.receive(gigewire, {
            camera: target,
            check: 1,
            blocks: 10,
            features: { AcquisitionMode: 'MultiFrame', AcquisitionFrameCount: 10 },
            stream: { engine, packetSize: 4000, incomplete: 'deliver', resend: false },
            settle: tools.quietFor(100),
            onStream: (stream) => void stream.on('warning', (warning) => told.push(warning)),
            onFrame: (frame) => {
              if (frame.complete) return
              const right = tools.patternBytes(1n, frame.blockId, frame.data.length)
              const wrong = tools.wrongAboutMissing(frame, right)
              if (wrong !== '') about.push(`block ${frame.blockId}: ${wrong}`)
            },
          })
          return { ...received, about, told }
        },
        { target: CAMERA, engine },
      )
      expect(result).toMatchObject({ wrong: [], about: [], sums: [] })
      const { stats, told } = result
      expect(told.map(({ code }) => code)).toEqual(['fragments'])
      expect(told[0]?.hint).toMatch(/packetSize/)
      if (engine === 'xdp') {
        // The IP stack puts them together, and the stream reads them from its socket.
        expect(stats).toMatchObject({ blocksComplete: 10, packetsLost: 0, fragments: 0 })
        return
      }
      // 19 of 20 data packets are longer than the path is wide; leader, trailer and the last of them come whole.
      expect(stats.blocksIncomplete).toBe(10)
      expect(stats.fragments).toBeGreaterThanOrEqual(10 * 19)
      expect(stats).toMatchObject({ packetsMissing: stats.fragments, lostInFragments: stats.fragments })
      expect(stats.lostOnWire).toBe(0)
    })

    it('tells when a firewall would have kept the stream from anybody else', async () => {
      const host = await ends()
      const receive = () =>
        insideOk(
          host,
          async (gigewire, { target, engine }, tools) => {
            const hints: string[] = []
            const received = await tools.receive(gigewire, {
              camera: target,
              check: 1,
              frames: 40,
              stream: { engine, packetSize: 1500, streamPort: 50123 },
              onStream: (stream) => void stream.on('warning', ({ hint }) => hints.push(hint)),
            })
            return { ...received, hints }
          },
          { target: CAMERA, engine },
        )
      const open = await receive()
      expect(open).toMatchObject({ wrong: [], sums: [], warnings: [] })
      host.nft(stateful()) // opened by the datagram that every stream sends to its camera
      expect(await receive()).toMatchObject({ wrong: [], sums: [], warnings: [] })
      host.nft(`flush ruleset\n${stateful('udp dport 50123 drop')}`)
      const closed = await receive()
      expect(closed).toMatchObject({ wrong: [], sums: [], warnings: ['firewall-bypassed'] })
      expect(closed.ids.length).toBe(40)
      expect(closed.hints[0]).toContain(`ip saddr ${CAMERA} udp dport 50123 accept`)
    })

    it('says which privilege is lacking, and how to give it', async () => {
      const host = await ends()
      const { value } = await inside(
        host,
        async (gigewire, { target, engine }) => {
          const camera = await gigewire.openCamera(target)
          try {
            await camera.stream({ engine }).start()
            return undefined
          } catch (error) {
            const { code, message, hint, errno } = error as GigeError
            return { code, message, hint, errno }
          } finally {
            await camera.close()
          }
        },
        { target: CAMERA, engine },
        { unprivileged: true },
      )
      expect(value).toMatchObject({ code: 'ERR_GIGE_NETWORK', errno: 1 })
      expect(value?.message).toContain(`'${engine}'`)
      expect(value?.hint).toMatch(/CAP_NET_RAW.*sudo setcap cap_\S*net_raw\S*\+ep \//)
    })

    it('leaves nothing behind: closed and opened 20 times, and killed', async () => {
      const host = await ends()
      const result = await insideOk(
        host,
        async (gigewire, { target, engine }) => {
          const { readdirSync, readFileSync } = await import('node:fs')
          const camera = await gigewire.openCamera(target)
          const descriptors: number[] = []
          const queued: string[] = []
          for (let round = 0; round < 20; round++) {
            const stream = camera.stream({ engine, frames: 2 })
            for await (const frame of stream) {
              if (gigewire.firstWrongByte(frame.data, frame.blockId, 1n) >= 0) throw new Error('wrong byte')
              frame.release()
              // The second copy that a bound socket would queue: transmit:receive in hexadecimal.
              const sockets = readFileSync('/proc/net/udp', 'utf8').trim().split('\n').slice(1)
              queued.push(...sockets.map((line) => line.trim().split(/\s+/)[4]!))
            }
            descriptors.push(readdirSync('/proc/self/fd').length)
          }
          await camera.close()
          return { descriptors, queued: [...new Set(queued)] }
        },
        { target: CAMERA, engine },
      )
      expect(new Set(result.descriptors.slice(1)).size).toBe(1)
      expect(result.queued).toEqual(['00000000:00000000'])
      expect(leftIn(host)).toEqual([])

      const killed = await inside(
        host,
        async (gigewire, { target, engine }) => {
          const camera = await gigewire.openCamera(target)
          for await (const frame of camera.stream({ engine })) {
            frame.release()
            const { execFileSync } = await import('node:child_process')
            const there = execFileSync('sh', ['-c', 'cat /proc/net/packet; ip -d link'], { encoding: 'utf8' })
            process.stdout.write(there)
            process.kill(process.pid, 'SIGKILL')
          }
        },
        { target: CAMERA, engine },
      )
      expect(killed.signal ?? killed.code).not.toBe(0)
      expect(killed.stdout).toContain(engine === 'packet-ring' ? ' 0800 ' : 'prog/xdp')
      expect(leftIn(host)).toEqual([])
    })

    it('each camera by the NIC that it is behind', async () => {
      const [host, one, two] = [namespace(), namespace(), namespace()]
      cable(host, { device: 'v0', cidr: `${HOST}/24` }, one, { device: 'v1', cidr: `${CAMERA}/24` })
      cable(host, { device: 'w0', cidr: '10.98.0.1/24' }, two, { device: 'w1', cidr: '10.98.0.2/24' })
      await remoteSimulator(one, SMALL)
      await remoteSimulator(two, { ...SMALL, address: '10.98.0.2', serial: 'S2', seed: 2 })
      const both = await insideOk(
        host,
        async (gigewire, { targets, engine }, tools) =>
          await Promise.all(
            targets.map((camera, i) =>
              tools.receive(gigewire, { camera, check: i + 1, frames: 30, stream: { engine } }),
            ),
          ),
        { targets: [CAMERA, '10.98.0.2'], engine },
      )
      for (const result of both) {
        expect(result).toMatchObject({ wrong: [], sums: [], warnings: [] })
        expect(result.ids.length).toBe(30)
        expect(result.stats).toMatchObject({ foreign: 0, duplicate: 0, packetsMissing: 0, kernelDrops: 0 })
      }
    })
  })
}
