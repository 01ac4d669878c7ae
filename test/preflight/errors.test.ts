// Failures that carry the diagnosis: what fails says why, without anybody asking preflight.

import { expect, it } from 'vitest'
import type { Finding, SimulatorOptions } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const CAMERA = '10.99.0.2'
const dropStream = `table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
    udp sport != 3956 ip saddr ${CAMERA} drop
  }
}`

interface Failure {
  code: string
  message: string
  hint: string
  findings: Finding[]
}

describeWith(['netns', 'nft'], 'errors', () => {
  async function lab<T = Failure | undefined>(
    prepare: (host: Namespace, camera: Namespace) => void,
    body: (gigewire: typeof import('../../lib/index.js'), address: string) => Promise<T>,
    options: SimulatorOptions = {},
  ): Promise<T> {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    await remoteSimulator(camera, { address: CAMERA, width: 320, height: 240, frameRate: 60, ...options })
    prepare(host, camera)
    return await insideOk(host, body, CAMERA, { unprivileged: true })
  }

  it('of a negotiation: the firewall, by what was counted', async () => {
    const failure = await lab(
      (host) => host.nft(dropStream),
      async (gigewire, address) => {
        const camera = await gigewire.openCamera(address)
        const stream = camera.stream()
        const failure = await stream.start().then(
          () => undefined,
          ({ code, message, hint, findings }) => ({ code, message, hint, findings }),
        )
        await camera.close()
        return failure
      },
    )
    expect(failure).toMatchObject({
      code: 'ERR_GIGE_PACKET_SIZE_NEGOTIATION',
      message: expect.stringMatching(/^Could not negotiate packet size/),
      findings: [{ code: 'firewall.inbound-stream', confidence: 'certain', severity: 'error' }],
    })
    expect(failure?.findings[0]?.remedy?.commands.length).toBeGreaterThan(0)
  })

  it('of an opening: who does not answer, and why', async () => {
    const failure = await lab(
      (host) =>
        host.nft(
          'table inet filter {\n chain input {\n type filter hook input priority 0\n meta l4proto udp drop\n }\n}',
        ),
      async (gigewire, address) => {
        return await gigewire.openCamera(address, { discoverTimeout: 500 }).then(
          () => undefined,
          ({ code, message, hint, findings }) => ({ code, message, hint, findings }),
        )
      },
    )
    expect(failure).toMatchObject({
      code: 'ERR_GIGE_NOT_FOUND',
      findings: [{ code: 'firewall.inbound-all' }],
    })
    expect(failure?.hint).toContain('drops everything')
  })

  it('of a grab: a camera that waits for a trigger; and of a stream, as a warning', async () => {
    const result = await lab(
      () => {},
      async (gigewire, address) => {
        const camera = await gigewire.openCamera(address)
        await camera.features.set('TriggerMode', 'On')
        const grabbed = await camera.grab({ timeout: 300 }).then(
          () => undefined,
          ({ code, message, hint, findings }) => ({ code, message, hint, findings }),
        )
        const stream = camera.stream({ firstFrameTimeout: 100 })
        const warned = new Promise<{ code: string; message: string; findings?: { code: string }[] }>(
          (resolve) => stream.on('warning', resolve),
        )
        const next = stream[Symbol.asyncIterator]().next() // somebody who waits keeps the process alive
        const warning = await warned
        await stream.close()
        await next
        await camera.close()
        return (
          grabbed && {
            ...grabbed,
            message: `${grabbed.message} / ${warning.code} ${warning.findings?.[0]?.code}`,
          }
        )
      },
    )
    expect(result).toMatchObject({
      code: 'ERR_GIGE_TIMEOUT',
      findings: [{ code: 'stream.waiting-for-trigger', confidence: 'certain' }],
      hint: 'Trigger it, or set TriggerMode to Off.',
    })
    expect(result?.message).toMatch(
      /The camera waits for a trigger.* \/ no-frames stream\.waiting-for-trigger$/,
    )
  })

  it('of an opening: a camera that somebody else controls', async () => {
    const failure = await lab(
      () => {},
      async (gigewire, address) => {
        const first = await gigewire.openCamera(address)
        const failure = await gigewire.openCamera(address).then(
          () => undefined,
          ({ code, message, hint, findings }) => ({ code, message, hint, findings }),
        )
        await first.close()
        return failure
      },
    )
    expect(failure).toMatchObject({
      code: 'ERR_GIGE_ACCESS_DENIED',
      findings: [{ code: 'camera.busy', confidence: 'certain' }],
    })
  })

  it('of a stream whose acquisition nobody has started: only where it is asked for', async () => {
    const codes = await lab(
      () => {},
      async (gigewire, address) => {
        const camera = await gigewire.openCamera(address)
        const stream = camera.stream({ acquisition: 'manual', firstFrameTimeout: 100, streamPort: 50_123 })
        const warned = new Promise<{ findings?: { code: string; confidence: string }[] }>((resolve) =>
          stream.on('warning', resolve),
        )
        const next = stream[Symbol.asyncIterator]().next()
        const { findings = [] } = await warned
        await stream.close()
        await next
        await camera.close()
        return findings.map(({ code, confidence }) => `${code} ${confidence}`)
      },
    )
    expect(codes).toEqual(['stream.not-acquiring certain'])
  })

  it('of a stream of which no frame is whole', async () => {
    const warning = await lab(
      () => {},
      async (gigewire, address) => {
        const camera = await gigewire.openCamera(address)
        const stream = camera.stream({ firstFrameTimeout: 500, resend: false, frameTimeout: 50 })
        const warned = new Promise<{ code: string; findings?: { code: string; severity: string }[] }>(
          (resolve) => stream.on('warning', resolve),
        )
        const next = stream[Symbol.asyncIterator]().next()
        const { code, findings = [] } = await warned
        await stream.close()
        await next
        await camera.close()
        return { code, first: findings[0]?.code, severity: findings[0]?.severity }
      },
      { faults: { drop: [{ packet: 3 }] } },
    )
    expect(warning).toEqual({ code: 'no-frames', first: 'network.switch-loss', severity: 'error' })
  })

  it('of a stream of a fixed packet size behind a firewall: what was counted since it began', async () => {
    const failure = await lab(
      (host) => host.nft(dropStream),
      async (gigewire, address) => {
        const camera = await gigewire.openCamera(address)
        const failure = await camera.grab({ timeout: 500, packetSize: 1500 }).then(
          () => undefined,
          ({ code, message, hint, findings }) => ({ code, message, hint, findings }),
        )
        await camera.close()
        return failure
      },
    )
    expect(failure?.findings[0]).toMatchObject({ code: 'firewall.inbound-stream', confidence: 'high' })
  })
})
