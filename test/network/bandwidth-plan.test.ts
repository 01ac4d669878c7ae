// Two cameras behind one slow link (a token bucket on the cameras' side of a veth pair): their bursts together overrun its queue, and
// the same cameras with the delays of the plan lose nothing.

import { afterAll, beforeAll, expect, it } from 'vitest'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { type RemoteSimulator, remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const LINK = 200e6
const ADDRESSES = ['10.72.0.2', '10.72.0.3']

let host: Namespace
let far: Namespace
let simulators: RemoteSimulator[]

describeWith(['netns', 'tc'], 'cameras that share a link', () => {
  beforeAll(async () => {
    host = new Namespace()
    far = new Namespace()
    cable(host, { device: 'host0', cidr: '10.72.0.1/24' }, far, {
      device: 'cams0',
      cidr: `${ADDRESSES[0]}/24`,
    })
    far.address('cams0', `${ADDRESSES[1]}/24`)
    // The queue of a switch: less than one frame.
    const queue = ['tbf', 'rate', `${LINK / 1e6}mbit`, 'burst', '16kb', 'limit', '1500kb']
    far.exec('tc', 'qdisc', 'add', 'dev', 'cams0', 'root', ...queue)
    simulators = []
    for (const address of ADDRESSES) {
      simulators.push(
        await remoteSimulator(far, {
          address,
          serial: address,
          frameRate: 3,
          lineRateBps: 1e9,
          udpChecksum: false,
        }),
      )
    }
  })
  afterAll(async () => {
    for (const simulator of simulators ?? []) await simulator.stop()
    far?.[Symbol.dispose]()
    host?.[Symbol.dispose]()
  })

  /** Packets of each camera that the link lost, in 6 frames; and the plan. */
  const run = (planned: boolean) =>
    insideOk(
      host,
      async (gigewire, { addresses, planned, linkSpeed }, { until }) => {
        const cameras = []
        for (const address of addresses) cameras.push(await gigewire.openCamera(address))
        const facts = []
        for (const camera of cameras) facts.push(await gigewire.collectBandwidthFacts(camera))
        const plan = gigewire.planBandwidth(facts, { linkSpeed })
        const streams: import('../../lib/index.js').FrameStream[] = []
        for (const [i, camera] of cameras.entries()) {
          const { packetSize } = plan.cameras[i]!
          if (planned) await gigewire.applyBandwidthShare(camera, plan.cameras[i]!)
          else await camera.features.set('GevSCPD', 0)
          const stream = camera.stream({ packetSize, resend: false, incomplete: 'deliver' })
          streams.push(stream)
        }
        for (const stream of streams) await stream.start()
        const reading = streams.map(async (stream) => {
          for await (const frame of stream) frame.release()
        })
        await until(() => streams.every((stream) => stream.stats().blocksExpected >= 6), '6 blocks of each')
        const lost = streams.map((stream) => stream.stats().lostOnWire)
        for (const camera of cameras) await camera.close()
        await Promise.all(reading)
        return { plan, facts, lost }
      },
      { addresses: ADDRESSES, planned, linkSpeed: LINK },
    )

  it('lose packets without the plan, and none with it', async () => {
    const without = await run(false)
    expect(Math.min(...without.lost)).toBeGreaterThan(0)
    const { plan, facts, lost } = await run(true)
    expect(facts[0]).toMatchObject({
      name: ADDRESSES[0],
      payloadSize: 1936 * 1216,
      frameRate: 3,
      packetDelay: { tickFrequency: 1e9 },
    })
    expect(plan.feasible).toBe(true)
    expect(plan.used).toBeLessThanOrEqual((LINK / 8) * 0.9)
    expect(lost).toEqual([0, 0])
  })
})
