// Preflight that is interrupted: whenever that is, the camera is left as it was, and free.

import { expect, it } from 'vitest'
import type { SimulatorOptions } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { CAMERA, defaultDeny, HOST, look, SMALL } from './laboratory.js'

const MOMENTS = 30

describeWith(['netns', 'nft'], 'an interrupted preflight', () => {
  it('leaves control, destination, port and packet size of the camera as they were', async () => {
    using network = new Namespace()
    const result = await insideOk(
      network,
      async (gigewire, moments) => {
        const options = { width: 320, height: 240, frameRate: 60, packetSize: 1200 }
        const simulator = await gigewire.startSimulator(options)
        const monitor = await gigewire.openCamera('127.0.0.1', { access: 'monitor' })
        // CCP, SCP, SCPS, SCDA
        const registers = () => monitor.readRegisters([0x0a00, 0x0d00, 0x0d04, 0x0d18])
        const before = await registers()
        await gigewire.preflight({ camera: '127.0.0.1' }) // what runs for the first time takes longer
        const started = performance.now()
        const whole = await gigewire.preflight({ camera: '127.0.0.1' })
        const took = performance.now() - started
        const after = [{ how: String(whole.findings[0]?.code), registers: await registers() }]
        for (let i = 0; i < moments; i++) {
          const signal = AbortSignal.timeout(Math.round((took * i) / moments))
          const how = await gigewire.preflight({ camera: '127.0.0.1', signal }).then(
            () => 'ended',
            (error: Error) => error.name,
          )
          after.push({ how, registers: await registers() })
        }
        await monitor.close()
        await simulator.stop()
        return { before, after, steps: whole.facts.probes.map(({ probe }) => probe) }
      },
      MOMENTS,
    )
    expect(result.after[0]?.how).toBe('ok')
    expect(new Set(result.steps)).toEqual(
      new Set(['unicast', 'broadcast', 'access', 'test-packet', 'capabilities', 'restore', 'burst']),
    )
    for (const { how, registers } of result.after) expect([how, registers]).toEqual([how, result.before])
    const interrupted = result.after.filter(({ how }) => how === 'TimeoutError').length
    expect(interrupted).toBeGreaterThan(MOMENTS / 2)
  })

  it('leaves them so when exactly one frame has been sent', async () => {
    using network = new Namespace()
    const result = await insideOk(network, async (gigewire) => {
      // The next one is due when the look at the stream is long over.
      const simulator = await gigewire.startSimulator({
        width: 320,
        height: 240,
        frameRate: 1,
        packetSize: 1200,
      })
      const monitor = await gigewire.openCamera('127.0.0.1', { access: 'monitor' })
      const registers = () => monitor.readRegisters([0x0a00, 0x0d00, 0x0d04, 0x0d18])
      const before = await registers()
      const whole = await gigewire.preflight({ camera: '127.0.0.1' })
      const sent = (await simulator.stats()).blocksSent
      const stop = new AbortController()
      const interrupted = gigewire
        .preflight({ camera: '127.0.0.1', signal: stop.signal })
        .then(({ findings }) => String(findings[0]?.code))
        .catch((error: Error) => error.name)
      let frames = 0
      while (frames === 0) {
        await registers() // a round trip: what was sent before is in the socket's queue
        frames = (await simulator.stats()).blocksSent - sent
      }
      await registers()
      stop.abort()
      const how = await interrupted
      frames = (await simulator.stats()).blocksSent - sent
      const after = await registers()
      await monitor.close()
      await simulator.stop()
      const seen = whole.facts.probes.flatMap((one) =>
        one.probe === 'burst' ? one.stream.framesComplete : [],
      )
      return { before, after, how, frames, seen }
    })
    expect([result.how, result.frames, result.seen]).toEqual(['AbortError', 1, [1]])
    expect(result.after).toEqual(result.before)
  })

  it('tells what it could not put back', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    const simulator = await remoteSimulator(camera, { ...SMALL, address: CAMERA })
    const looking = look(host, { camera: CAMERA })
    await until(async () => (await simulator.stats()).blocksSent > 0, 'the stream')
    await simulator.call('loseControl')
    const { findings, facts } = await looking
    const restores = facts.probes.flatMap((one) => (one.probe === 'restore' ? [one.failed] : []))
    expect(restores).toEqual([[], ['0xd04']])
    expect(findings.map(({ code }) => code)).toContain('camera.not-restored')
  })

  /** What the camera sends unasked is dropped on its own side, where no counter of this computer sees it. */
  const farFirewall = `table inet far {
    chain output {
      type filter hook output priority 0; policy accept;
      udp sport 3956 accept
      ct state new ip protocol udp drop
    }
  }`

  it.each<[way: string, probe: string, options: SimulatorOptions, near: string, far: string]>([
    ['a way is opened from inside', 'test-packet', {}, defaultDeny(), ''],
    ['a new port is tried', 'test-packet', {}, '', farFirewall],
    ['a stream stands for test packets', 'burst', { faults: { packetSize: 'no-test-packet' } }, '', ''],
  ])('leaves them so while %s', async (way, probe, options, near, far) => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    await remoteSimulator(camera, { ...SMALL, address: CAMERA, packetSize: 1200, ...options })
    if (near) host.nft(near)
    if (far) camera.nft(far)
    const result = await insideOk(
      host,
      async (gigewire, address) => {
        const monitor = await gigewire.openCamera(address, { access: 'monitor' })
        const registers = () => monitor.readRegisters([0x0a00, 0x0d00, 0x0d04, 0x0d18])
        const before = await registers()
        const started = performance.now()
        const whole = await gigewire.preflight({ camera: address })
        const took = performance.now() - started
        const after = [{ how: 'whole', registers: await registers() }]
        // Nothing is touched before the answers to broadcasts have been waited for.
        const quiet = whole.facts.probes.reduce(
          (sum, { probe, ms }) => sum + (['unicast', 'broadcast'].includes(probe) ? ms : 0),
          0,
        )
        for (let i = 0; i < 8; i++) {
          const signal = AbortSignal.timeout(Math.round(quiet + ((took - quiet) * i) / 8))
          const how = await gigewire.preflight({ camera: address, signal }).then(
            () => 'ended',
            (error: Error) => error.name,
          )
          after.push({ how, registers: await registers() })
        }
        await monitor.close()
        return { before, after, probes: whole.facts.probes }
      },
      CAMERA,
    )
    expect(result.probes.map((one) => one.probe)).toContain(probe)
    const shots = result.probes.filter((one) => one.probe === 'test-packet')
    if (probe === 'test-packet')
      expect(shots.some(({ punched, arrived }) => punched && arrived > 0)).toBe(true)
    const ports = new Set(shots.map(({ port }) => port))
    if (way.includes('new port')) expect(ports.size).toBe(2)
    for (const { how, registers } of result.after) expect([how, registers]).toEqual([how, result.before])
    expect(result.after.filter(({ how }) => how === 'TimeoutError').length).toBeGreaterThan(4)
  })

  it('leaves them so in the middle of a silence, and does not wait for its end', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    await remoteSimulator(camera, { ...SMALL, address: CAMERA, packetSize: 1200 })
    host.nft(defaultDeny())
    const result = await insideOk(
      host,
      async (gigewire, address) => {
        const monitor = await gigewire.openCamera(address, { access: 'monitor' })
        const registers = () => monitor.readRegisters([0x0a00, 0x0d00, 0x0d04, 0x0d18])
        const before = await registers()
        const timed = async (options: { idle?: number[]; signal?: AbortSignal }) => {
          const started = performance.now()
          const how = await gigewire.preflight({ camera: address, ...options }).then(
            ({ findings }) => String(findings[0]?.code),
            (error: Error) => error.name,
          )
          return { how, took: performance.now() - started }
        }
        const whole = await timed({})
        // The silence is before the last probe of those.
        const cut = await timed({ idle: [60], signal: AbortSignal.timeout(Math.round(whole.took)) })
        const after = await registers()
        const free = await timed({})
        await monitor.close()
        return { before, after, whole, cut, free }
      },
      CAMERA,
    )
    expect([result.whole.how, result.cut.how, result.free.how]).toEqual([
      'firewall.inbound-stream',
      'TimeoutError',
      'firewall.inbound-stream',
    ])
    expect(result.after).toEqual(result.before)
    expect(result.cut.took).toBeLessThan(20_000)
  })
})
