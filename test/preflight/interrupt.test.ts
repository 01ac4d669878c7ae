// Preflight that is interrupted: whenever that is, the camera is left as it was, and free.

import { expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { CAMERA, defaultDeny, HOST, SMALL } from './laboratory.js'

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
