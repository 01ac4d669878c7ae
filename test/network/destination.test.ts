// Where a camera sends its stream to: a pinned port, another address than this machine's own, a multicast group that others listen
// to. Camera and programs are in network namespaces of their own.

import { afterEach, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'

const HOST = '10.99.0.1'
const CAMERA = '10.99.0.2'
const SMALL = { address: CAMERA, width: 320, height: 240, frameRate: 100 }

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

function direct(): { host: Namespace; camera: Namespace } {
  const [host, camera] = [namespace(), namespace()]
  cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
  return { host, camera }
}

describeWith(['netns'], 'streamPort', () => {
  it('is the port that the camera sends to', async () => {
    const { host, camera } = direct()
    const simulator = await remoteSimulator(camera, SMALL)
    const receiving = insideOk(
      host,
      (gigewire, target: string, tools) =>
        tools.receive(gigewire, {
          camera: target,
          features: { TriggerMode: 'On', TriggerSource: 'Line1' },
          stream: { streamPort: 50123 },
          frames: 5,
          check: 1,
        }),
      CAMERA,
    )
    await until(async () => (await simulator.stats()).streaming, 'the acquisition')
    expect((await simulator.stats()).destination).toEqual({ address: HOST, port: 50123 })
    for (let block = 0; block < 5; block++) await simulator.call('trigger')
    const result = await receiving
    expect(result).toMatchObject({ ids: [1, 2, 3, 4, 5], wrong: [], sums: [] })
    expect(result.stats.packetsMissing).toBe(0)
  })

  it('of a range is the first that is free; where none is, the error says so and the camera is as before', async () => {
    const { host, camera } = direct()
    const simulator = await remoteSimulator(camera, SMALL)
    const result = await insideOk(
      host,
      async (gigewire, { target, address }) => {
        const { createSocket } = await import('node:dgram')
        const take = async (port: number) => {
          const socket = createSocket('udp4')
          await new Promise<void>((resolve) => socket.bind(port, address, resolve))
          return socket
        }
        const listening = async () => {
          const { execFileSync } = await import('node:child_process')
          const lines = execFileSync('ss', ['-Hnlu', `src ${address}`], { encoding: 'utf8' })
          return [...lines.matchAll(/:(502\d\d) /g)].map(([, port]) => Number(port)).sort()
        }
        const sockets = [await take(50200), await take(50201)]
        const opened = await gigewire.openCamera(target)
        const streamed = async (streamPort: number | [number, number]) => {
          const stream = opened.stream({ streamPort, frames: 3 })
          const ids: number[] = []
          let ports: number[] = []
          try {
            for await (const frame of stream) {
              if (gigewire.firstWrongByte(frame.data, frame.blockId, 1n) < 0) ids.push(Number(frame.blockId))
              ports = await listening()
              frame.release()
            }
          } catch (error) {
            const { code, message, hint } = error as InstanceType<typeof gigewire.GigeError>
            return { code, message, hint: hint !== '' }
          }
          return { ids, ports }
        }
        const third = await streamed([50200, 50203])
        const channel = () => opened.readRegisters([0x0d00, 0x0d04, 0x0d18])
        const before = await channel()
        const none = await streamed([50200, 50201])
        const single = await streamed(50200)
        const after = await channel()
        const afterwards = await streamed([50200, 50202])
        await opened.close()
        for (const socket of sockets) socket.close()
        return { third, none, single, before, after, afterwards }
      },
      { target: CAMERA, address: HOST },
    )
    const free = { ids: [1, 2, 3], ports: [50200, 50201, 50202] }
    expect(result.third).toEqual(free)
    expect(result.none).toMatchObject({ code: 'ERR_GIGE_NETWORK', hint: true })
    expect(result.single).toMatchObject({ code: 'ERR_GIGE_NETWORK', hint: true })
    expect(result.none.message).toMatch(/50200.*50201/)
    expect(result.single.message).toMatch(/50200/)
    expect(result.after).toEqual(result.before)
    expect(result.afterwards).toEqual(free)
    expect((await simulator.stats()).controller).toBeUndefined()
  })
})

describeWith(['netns', 'nft'], 'streamDestination', () => {
  it('is where the camera sends to: a program behind NAT, with its port forwarded', async () => {
    const [host, router, camera] = [namespace(), namespace(), namespace()]
    cable(host, { device: 'v0', cidr: '192.168.5.2/24' }, router, { device: 'r0', cidr: '192.168.5.1/24' })
    cable(router, { device: 'r1', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    host.exec('ip', 'route', 'add', 'default', 'via', '192.168.5.1', 'dev', 'v0')
    router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    router.nft(`table ip nat {
      chain out { type nat hook postrouting priority 100; oif "r1" masquerade; }
      chain in {
        type nat hook prerouting priority -100;
        iif "r1" udp dport 50300 dnat to 192.168.5.2
      }
    }`)
    const simulator = await remoteSimulator(camera, SMALL)
    const receive = (streamDestination?: string) =>
      insideOk(
        host,
        async (gigewire, { target, streamDestination }, tools) =>
          await tools
            .receive(gigewire, {
              camera: target,
              stream: {
                streamPort: streamDestination ? 50300 : 50299,
                ...(streamDestination && { streamDestination }),
              },
              frames: 20,
              check: 1,
            })
            .catch((error: { code: string }) => error.code),
        { target: CAMERA, streamDestination },
      )
    const result = await receive(HOST)
    expect(result).toMatchObject({
      ids: Array.from({ length: 20 }, (_, i) => i + 1),
      wrong: [],
      sums: [],
      packetSize: { packetSize: 1500, confirmed: true },
    })
    // The address that the program knows as its own leads nowhere from the camera.
    expect(await receive()).toBe('ERR_GIGE_PACKET_SIZE_NEGOTIATION')
    expect((await simulator.stats()).controller).toBeUndefined()
  })
})

describeWith(['netns'], 'multicast', () => {
  it('is the group that the camera sends to, and that a monitor on another machine listens to', async () => {
    const GROUP = '239.192.7.7'
    const PORT = 50400
    const [host, monitor, camera, middle] = [namespace(), namespace(), namespace(), namespace()]
    middle.exec('ip', 'link', 'add', 'br0', 'type', 'bridge')
    middle.exec('ip', 'link', 'set', 'br0', 'up')
    const ends = [
      { where: host, address: HOST },
      { where: monitor, address: '10.99.0.3' },
      { where: camera, address: CAMERA },
    ]
    for (const [i, { where, address }] of ends.entries()) {
      cable(where, { device: 'v0', cidr: `${address}/24` }, middle, { device: `m${i}` })
      middle.exec('ip', 'link', 'set', `m${i}`, 'master', 'br0')
    }
    // All blocks fit into a socket's queue: the monitor may not have come to reading when the first is sent.
    const simulator = await remoteSimulator(camera, { ...SMALL, width: 64, height: 32 })
    const receive = (where: Namespace, access: 'control' | 'monitor') =>
      insideOk(
        where,
        (gigewire, { target, access, multicast, streamPort }, tools) =>
          tools.receive(gigewire, {
            camera: target,
            open: { access },
            ...(access === 'control' && { features: { TriggerMode: 'On', TriggerSource: 'Line1' } }),
            stream: { multicast, streamPort },
            frames: 20,
            check: 1,
          }),
        { target: CAMERA, access, multicast: GROUP, streamPort: PORT },
      )
    const controlling = receive(host, 'control')
    await until(async () => (await simulator.stats()).streaming, 'the acquisition')
    expect(await simulator.stats()).toMatchObject({
      destination: { address: GROUP, port: PORT },
      controller: { address: HOST },
    })
    const listening = receive(monitor, 'monitor')
    await monitor.listening(PORT)
    for (let block = 0; block < 20; block++) await simulator.call('trigger')
    for (const result of await Promise.all([controlling, listening])) {
      expect(result).toMatchObject({
        ids: Array.from({ length: 20 }, (_, i) => i + 1),
        wrong: [],
        sums: [],
        lost: [],
      })
      expect(result.stats).toMatchObject({ packetsMissing: 0, foreign: 0, malformed: 0 })
    }
    expect((await controlling).packetSize).toMatchObject({ packetSize: 1500, confirmed: true })
    expect((await listening).packetSize).toBeUndefined() // it takes what the controlling program chose
    const stats = await simulator.stats()
    expect(stats.controlTaken).toBe(1)
    // Each packet was sent once, for both.
    expect(stats.packetsSent).toBe((await listening).stats.packetsReceived)
  })
})
