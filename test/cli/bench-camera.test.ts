// `gigewire bench --camera` as a user runs it, against the simulator and Aravis' fake camera, with each cause made for real: what it
// says limits the camera or loses frames is what was done to it.

import { afterEach, expect, it } from 'vitest'
import type { BenchFinding, CameraBenchFacts } from '../../lib/bench/camera/facts.js'
import type { SimulatorOptions } from '../../lib/index.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { cli, lines, main, RunningCli, startCli } from './run-cli.js'

interface Result {
  facts: CameraBenchFacts
  findings: BenchFinding[]
}

const CAMERA = '10.99.0.2'
/** 320 x 240, 60 frames per second: 38 Mbit/s. */
const SMALL = { width: 320, height: 240, frameRate: 60 }
const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0)) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

function twoEnds(): [host: Namespace, camera: Namespace] {
  const [host, camera] = [namespace(), namespace()]
  cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
  return [host, camera]
}

async function bench(host: Namespace, args: string[], nodeArgs: string[] = []): Promise<Result> {
  const command = [...nodeArgs, main, 'bench', '--camera', CAMERA, '--duration', '1', '--json', ...args]
  const { code, stdout, stderr } = await new RunningCli(host.spawn(process.execPath, command)).end()
  if (code !== 0) throw new Error(`exit code ${code}:\n${stderr}${stdout}`)
  return lines(stdout)[0] as Result
}

/** A simulated camera over a cable, something done to the way, and what is said then. */
async function measured(
  simulator: SimulatorOptions,
  args: string[] = [],
  prepare: (host: Namespace, camera: Namespace) => void = () => {},
  nodeArgs: string[] = [],
): Promise<Result & { codes: string[] }> {
  const [host, camera] = twoEnds()
  await remoteSimulator(camera, { ...SMALL, ...simulator, address: CAMERA })
  prepare(host, camera)
  const result = await bench(host, args, nodeArgs)
  return { ...result, codes: result.findings.map(({ severity, code }) => `${severity} ${code}`) }
}

/** Lets one of so many stream packets vanish behind the camera: not on their way out of its system, which would tell it to try again. */
const losing = (oneOf: number) => (_: Namespace, camera: Namespace) =>
  camera.nft(`table netdev t {
    chain out {
      type filter hook egress device v1 priority 0;
      udp sport != 3956 meta length > 1000 numgen random mod ${oneOf} == 0 drop
    }
  }`)

describeWith(['netns', 'nft'], 'bench --camera', () => {
  it('the rate that was asked for; what is measured adds up, what cannot be known is said', async () => {
    const { facts, codes } = await measured({})
    expect(codes.at(-1)).toBe('info camera.frame-rate')
    expect(facts.camera).toMatchObject({ acquisitionFrameRate: 60, triggerMode: 'Off', canResend: true })
    expect(facts.frames).toBeGreaterThan(30)
    expect(facts.cameraRate).toBeCloseTo(60, 0)
    expect(Math.abs(facts.stats.blocksExpected - facts.frames)).toBeLessThan(2)
    expect(facts.jitter.camera?.p50).toBeCloseTo(1e6 / 60, -3)
    expect(facts.jitter.host.count).toBe(facts.jitter.difference?.count)
    const { stats, wireRate, seconds } = facts
    expect(wireRate * seconds).toBeCloseTo(8 * (stats.bytes + 66 * stats.datagrams), -1)
    expect(facts.cpu.process).toBeGreaterThan(0)
    expect(facts.interface).toEqual({ name: 'v0', mtu: 1500 })
    expect(facts.unknown).toEqual(['link speed: v0 is virtual and has none'])
    expect(facts.nic).toMatchObject({ dropped: expect.any(Number), missed: 0 })
  })

  it('a loss on the wire that resend makes good, and one that it may not', async () => {
    const repaired = await measured({ gso: false }, [], losing(50))
    expect(repaired.codes[0]).toBe('warning wire.loss')
    expect(repaired.facts.stats.packetsResent).toBeGreaterThan(0)
    expect(repaired.facts.repairedSpread.count).toBeGreaterThan(0)
    const lost = await measured({ gso: false }, ['--no-resend'], losing(50))
    expect(lost.codes).toEqual(['error wire.loss', 'error resend.budget', 'info camera.frame-rate'])
    expect(lost.facts.stats.packetsMissing).toBe(lost.facts.stats.lostOnWire)
  })

  it('a socket queue that holds no frame', async () => {
    const large = { width: 1936, height: 1216, frameRate: 20 }
    const { codes, facts } = await measured(large, ['--receive-buffer', '8192', '--packet-size', '1500'])
    expect(codes).toContain('error kernel.socket-queue')
    expect(facts.stats.kernelDrops).toBeGreaterThan(0)
  })

  it('an event loop that stands still: frames find no slot', async () => {
    // Another part of the same process computes for 300 ms, again and again.
    const busy =
      'setInterval(() => { const end = performance.now() + 300; while (performance.now() < end); }, 310).unref()'
    const { codes, facts } = await measured({}, ['--buffers', '2'], undefined, [
      '--import',
      `data:text/javascript,${encodeURIComponent(busy)}`,
    ])
    expect(codes).toContain('error javascript.no-slot')
    expect(facts.stats.blocksNoSlot).toBeGreaterThan(0)
    expect(facts.eventLoopDelay.max).toBeGreaterThan(200_000)
  })

  it('the throughput of the camera: a delay between packets, and a pace that no setting tells', async () => {
    // 53 packets of a frame, 2 ms apart: 9 frames a second instead of 60.
    const delayed = await measured({}, ['--packet-size', '1500', '--set', 'GevSCPD=2000000'])
    expect(delayed.codes.at(-1)).toBe('info camera.packet-delay')
    const paced = await measured({ lineRateBps: 20e6 }, ['--packet-size', '1500'])
    expect(paced.codes.at(-1)).toBe('info camera.pacing')
  })

  it('a narrow place between camera and host', async () => {
    // 38 Mbit/s into 33: a frame takes longer than the time to the next one, and once the shaper's queue is full, losses begin.
    const { codes } = await measured({}, ['--packet-size', '1500', '--no-resend'], (_, camera) => {
      const shaper = ['tbf', 'rate', '33mbit', 'burst', '3kb', 'limit', '400kb']
      camera.exec('tc', 'qdisc', 'add', 'dev', 'v1', 'root', ...shaper)
    })
    expect(codes).toEqual(['error wire.loss', 'error resend.budget', 'info path.full'])
  })

  it('for people: verdict, facts and causes; within the width that is given', async () => {
    const [host, camera] = twoEnds()
    await remoteSimulator(camera, { ...SMALL, address: CAMERA })
    const { code, stdout, stderr } = await cli(host, 'bench', '--camera', CAMERA, '--frames', '20')
    expect(code).toBe(0)
    expect(stdout).toMatch(/^LIMIT .*\n {7}\(camera\.frame-rate\)$/m)
    for (const text of ['frame interval', 'block spread', 'losses by cause', 'not known: link speed'])
      expect(stdout).toContain(text)
    expect(stdout).not.toMatch(/undefined|NaN|Infinity/)
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(stderr).toMatch(/found {7}.*\n(.*\n)*100% {2}/)
  })

  it('a camera that waits for a trigger, one that is not there, one in use, and none', async () => {
    const [host, camera] = twoEnds()
    await remoteSimulator(camera, { ...SMALL, address: CAMERA })
    const silent = await cli(
      host,
      ...['bench', '--camera', CAMERA, '--duration', '0.1'],
      '--set',
      'TriggerMode=On',
    )
    expect(silent).toMatchObject({ code: 1, stdout: '' })
    expect(silent.stderr).toMatch(
      /No frame was received: .*TriggerMode On.*ERR_GIGE_TIMEOUT.*\n.*--set TriggerMode=Off/,
    )
    const absent = await cli(host, 'bench', '--camera', '10.99.0.50', '--discover-timeout', '100')
    expect(absent).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_GIGE_NOT_FOUND') })
    const holder = startCli(host, ['stream', CAMERA, '--set', 'TriggerMode=Off'])
    await holder.shows('packet size')
    const busy = await cli(host, 'bench', '--camera', CAMERA)
    expect(busy).toMatchObject({ code: 1, stderr: expect.stringContaining('ERR_GIGE_ACCESS_DENIED') })
    await holder.end('SIGINT')
  })
})

describeWith(['netns', 'arv-fake-gv-camera-0.8'], "bench --camera and Aravis' fake camera", () => {
  it('measures it, and says what it cannot do', async () => {
    const [host, camera] = twoEnds()
    camera.spawn('arv-fake-gv-camera-0.8', ['-i', 'v1', '-s', 'GV01'], { stdio: 'ignore' })
    await camera.listening(3956)
    // So slow that its pace, which it takes from sleeping, holds on a busy machine, too.
    const { facts, findings } = await bench(host, ['--set', 'AcquisitionFrameRate=10', '--duration', '2'])
    expect(findings.at(-1)?.code).toBe('camera.frame-rate')
    expect(facts.camera).toMatchObject({ acquisitionFrameRate: 10, canResend: false })
    expect(facts.frames).toBeGreaterThan(10)
    expect(facts.packetSize).toMatchObject({ packetSize: 1400, confirmed: false })
  })
})
