// Every command against simulated cameras in a private network: what it prints, what it writes, how it ends.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { decode } from 'fast-png'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type CameraInfo, firstWrongByte, type StreamStats } from '../../lib/index.js'
import { Namespace } from '../helpers/netns.js'
import { describeWith } from '../helpers/requirements.js'
import { cli, cliJson, lines, type RunningCli, startCli } from './run-cli.js'

interface StreamResult {
  camera: CameraInfo
  frames: number
  seconds: number
  framesPerSecond: number
  megabytesPerSecond: number
  packetSize: { packetSize: number; confirmed: boolean }
  stats: StreamStats
  interruptedBy?: string
}

describeWith(['netns'], 'commands', () => {
  let network: Namespace
  let simulator: RunningCli
  let directory: string

  beforeAll(async () => {
    network = new Namespace()
    directory = await mkdtemp(path.join(os.tmpdir(), 'gigewire-cli-'))
    simulator = startCli(network, [
      ...['simulate', '--count', '2', '--user-name', 'bench', '--serial', 'T', '--json'],
      ...['--width', '320', '--height', '240', '--frame-rate', '100', '--seed', '7'],
    ])
    await simulator.shows('"T-2"')
  })

  afterAll(async () => {
    network?.[Symbol.dispose]()
    await rm(directory, { recursive: true, force: true })
  })

  it('list: both cameras, as table and as objects', async () => {
    const found = await cliJson<CameraInfo>(network, 'list', '--timeout', '500')
    expect(
      found.map((camera) => [camera.address, camera.serial, camera.userName, camera.reachable]).sort(),
    ).toEqual([
      ['127.0.0.1', 'T-1', 'bench-1', true],
      ['127.0.0.2', 'T-2', 'bench-2', true],
    ])
    const { stdout } = await cli(network, 'list', '--timeout', '500')
    expect(stdout).toMatch(/^ADDRESS +MAKER/)
    expect(stdout).toMatch(/^127\.0\.0\.2 .*T-2 .*lo +ready$/m)
  })

  it('list: says where it looked when nothing answers', async () => {
    using empty = new Namespace()
    const result = await cli(empty, 'list', '--timeout', '50')
    expect(result).toMatchObject({ code: 0, stdout: '' })
    expect(result.stderr).toMatch(/No camera answered within 50 ms on lo/)
  })

  it('plan: delays with which two cameras share a link, written to them where that is asked', async () => {
    const cameras = ['127.0.0.1', '127.0.0.2']
    interface Plan {
      feasible: boolean
      applied: boolean
      cameras: { name: string; packetDelay: number; packetSize: number }[]
    }
    const link = ['--link-speed', '1000']
    const [plan] = await cliJson<Plan>(network, 'plan', ...cameras, ...link, '--frame-rate', '200', '--apply')
    expect(plan).toMatchObject({ feasible: true, applied: true })
    expect(plan!.cameras.map(({ name }) => name)).toEqual(cameras)
    for (const { name, packetDelay, packetSize } of plan!.cameras) {
      expect((await cli(network, 'get', name, 'GevSCPD')).stdout).toContain(String(packetDelay))
      expect((await cli(network, 'get', name, 'GevSCPSPacketSize')).stdout).toContain(String(packetSize))
      await cli(network, 'set', name, 'GevSCPD=0', 'GevSCPSPacketSize=1500')
    }
    const tooFast = await cli(network, 'plan', ...cameras, ...link, '--frame-rate', '2000')
    expect(tooFast.code).toBe(1)
    expect(tooFast.stdout).toMatch(/^127\.0\.0\.2 .*GevSCPD \d+ .*frames per second fit instead of 2000$/m)
    const unknown = await cli(network, 'plan', ...cameras)
    expect(unknown.stderr).toMatch(/speed of lo is unknown/)
  })

  it('list --watch: tells what comes and goes, and ends well on SIGINT', async () => {
    using place = new Namespace()
    const watch = startCli(place, ['list', '--watch', '--timeout', '150', '--json'])
    const camera = startCli(place, ['simulate', '--serial', 'W'])
    await watch.shows('"added"')
    await camera.end('SIGTERM')
    await watch.shows('"removed"')
    const result = await watch.end('SIGINT')
    expect(result.code).toBe(0)
    expect(lines(result.stdout)).toEqual([
      { type: 'added', camera: expect.objectContaining({ serial: 'W' }) },
      { type: 'removed', camera: expect.objectContaining({ serial: 'W' }) },
    ])
  })

  it('info: by address, serial and user name', async () => {
    for (const target of ['127.0.0.2', 'T-2', 'bench-2']) {
      const [info] = await cliJson(network, 'info', target)
      expect(info).toMatchObject({
        serial: 'T-2',
        control: 'free',
        features: { Width: 320, PixelFormat: 'Mono8' },
      })
    }
    expect((await cli(network, 'info', 'T-1')).stdout).toMatch(/^serial +T-1$/m)
  })

  it('get and set: values, read back; errors name feature and range', async () => {
    expect((await cli(network, 'get', 'T-1', 'Width')).stdout).toBe('320\n')
    expect((await cli(network, 'set', 'T-1', 'Width=160', 'PixelFormat=Mono12p')).stdout).toBe(
      'Width=160\nPixelFormat=Mono12p\n',
    )
    expect(await cliJson(network, 'get', 'T-1', 'Width', 'PixelFormat')).toEqual([
      { Width: 160, PixelFormat: 'Mono12p' },
    ])
    expect(await cliJson(network, 'set', 'T-1', 'Width', '320')).toEqual([{ Width: 320 }])
    // One value has many spellings: none of them is another one.
    const spelled = ['PixelFormat=0x01080001', 'ExposureTime=1000.0', 'ChunkModeActive=0']
    expect((await cli(network, 'set', 'T-1', ...spelled)).stderr).toBe('')
    expect((await cli(network, 'set', 'T-1', 'ExposureTime=1000.04')).stderr).toMatch(
      /ExposureTime: the camera made 1000(\.0)? of 1000\.04/,
    )
    const refused = await cli(network, 'set', 'T-1', 'Width=99999')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toMatch(/^error: .*Width.*\(ERR_GIGE_FEATURE\)\n {2}.*320/)
    const unknown = await cli(network, 'get', 'T-1', 'Wdth', '--json')
    expect(unknown.code).toBe(1)
    expect(lines(unknown.stdout)).toEqual([
      { error: expect.objectContaining({ code: 'ERR_GIGE_FEATURE', similar: ['Width'] }) },
    ])
  })

  it('features: tree, levels, search, objects', async () => {
    const beginner = await cli(network, 'features', 'T-1', '--level', 'Beginner')
    const guru = await cli(network, 'features', 'T-1', '--level', 'guru')
    expect(guru.stdout.split('\n').length).toBeGreaterThan(beginner.stdout.split('\n').length)
    expect(beginner.stdout).toMatch(/^ImageFormatControl\n(.*\n)* {2}Width +320 +RW +4 \.\. 320 step 4$/m)
    const found = await cliJson(network, 'features', 'T-1', '--search', 'pixelformat')
    expect(found).toEqual([
      expect.objectContaining({
        name: 'PixelFormat',
        value: 'Mono8',
        entries: expect.arrayContaining(['Mono16']),
      }),
    ])
    const none = await cli(network, 'features', 'T-1', '--search', 'xyzzy')
    expect(none.stderr).toContain("No feature has 'xyzzy' in it.")
  })

  it('execute: runs commands, refuses what is none', async () => {
    expect((await cli(network, 'execute', 'T-1', 'TriggerSoftware')).code).toBe(0)
    const refused = await cli(network, 'execute', 'T-1', 'Width')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toContain('ERR_GIGE_FEATURE')
  })

  it('ip and force-ip: persistent address, moved and moved back', async () => {
    const [before] = await cliJson<{ enabled: string[] }>(network, 'ip', 'T-2')
    const [after] = await cliJson(network, 'ip', 'T-2', '--address', '127.0.0.9', '--gateway', '127.0.0.1')
    expect(after).toMatchObject({
      address: '127.0.0.2',
      persistent: { address: '127.0.0.9', subnetMask: '255.255.255.0', gateway: '127.0.0.1' },
      enabled: before!.enabled,
    })
    const [{ mac }] = (
      await cliJson<CameraInfo>(network, 'list', '--timeout', '300', '--address', '127.0.0.2')
    ).filter((camera) => camera.serial === 'T-2') as [CameraInfo]
    for (const address of ['127.0.0.77', '127.0.0.2']) {
      const [moved] = await cliJson(network, 'force-ip', mac, address, '--netmask', '255.0.0.0')
      expect(moved).toMatchObject({ address, serial: 'T-2' })
    }
  })

  it('events: as they come, one per line, and off again behind them', async () => {
    const only = ['events', 'T-1', '--only', 'Test', '--execute', 'TestEventGenerate', '--count', '1']
    const [event] = (await cliJson(network, ...only)) as [Record<string, unknown>]
    expect(event).toMatchObject({ id: 0x9001, name: 'Test', values: { EventTest: 0x9001 } })
    const shown = await cli(network, ...only)
    expect(shown.stdout).toMatch(/^\d+ {2}Test {2}EventTest=36865 {2}EventTestTimestamp=\d+\n$/)
    expect(shown.stderr).toContain('switched on  Test')
    const { stdout } = await cli(network, 'get', 'T-1', 'EventNotification')
    expect(stdout).toBe('Off\n')
    const cut = startCli(network, ['events', 'T-1'])
    await cut.shows('switched on')
    expect(await cut.end('SIGINT')).toMatchObject({ code: 0 })
    expect(await cli(network, 'events', 'T-1', '--only', 'Doorbell')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('It has: Test, FrameEnd.'),
    })
  })

  it('save-settings, load-settings: a file that makes the camera as it was; what it does not take is told', async () => {
    const file = path.join(directory, 'settings.json')
    expect((await cli(network, 'save-settings', 'T-1', file)).stdout).toMatch(/^\d+ settings written to /)
    const saved = JSON.parse(await readFile(file, 'utf8')) as { features: { name: string; value: unknown }[] }
    const { stdout } = await cli(network, 'save-settings', 'T-1')
    expect(JSON.parse(stdout)).toEqual(saved)
    const gain = async () => Number((await cli(network, 'get', 'T-1', 'Gain')).stdout)
    const before = await gain()
    await cli(network, 'set', 'T-1', `Gain=${before + 1}`)
    const whole = await cli(network, 'load-settings', 'T-1', file)
    expect([whole.code, await gain()]).toEqual([0, before])
    saved.features.push({ name: 'Nonsense', value: 1 })
    await writeFile(file, JSON.stringify(saved))
    const partly = await cli(network, 'load-settings', 'T-1', file)
    expect(partly).toMatchObject({ code: 1, stderr: expect.stringContaining('Nonsense=1: ') })
    await writeFile(file, 'no JSON')
    expect(await cli(network, 'load-settings', 'T-1', file)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('holds no JSON'),
    })
  })

  it('grab: with the values that the frame carries', async () => {
    const [{ frame, chunks }] = (await cliJson(network, 'grab', 'T-1', '--chunks', 'FrameID')) as [
      { frame: Record<string, unknown>; chunks: Record<string, unknown> },
    ]
    expect(chunks).toEqual({
      ChunkFrameID: Number(frame.blockId),
      ChunkTimestamp: Number(frame.timestamp),
    })
    const { stdout } = await cli(network, 'grab', 'T-1', '--chunks')
    expect(stdout).toMatch(/^ {2}ChunkFrameID {4}\d+$/m)
    expect(await cli(network, 'grab', 'T-1', '--chunks', 'Nothing')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('It has: Image, FrameID, Timestamp.'),
    })
  })

  it('grab: a .raw holds exactly the bytes sent, a .png the same picture', async () => {
    const raw = path.join(directory, 'frame.raw')
    const [{ frame }] = (await cliJson(network, 'grab', 'T-1', '-o', raw)) as [
      { frame: Record<string, unknown> },
    ]
    expect(frame).toMatchObject({
      width: 320,
      height: 240,
      pixelFormat: 'Mono8',
      bytes: 76_800,
      complete: true,
    })
    const bytes = await readFile(raw)
    expect(bytes).toHaveLength(76_800)
    expect(firstWrongByte(bytes, BigInt(frame.blockId as string), 7n)).toBe(-1)

    const file = path.join(directory, 'frame.png')
    const { stdout } = await cli(network, 'grab', 'T-1', '-o', file)
    const blockId = BigInt(/^frame (\d+):/.exec(stdout)![1]!)
    const png = decode(await readFile(file))
    expect(png).toMatchObject({ width: 320, height: 240, channels: 1, depth: 8 })
    expect(firstWrongByte(new Uint8Array(png.data), blockId, 7n)).toBe(-1)
  })

  it('stream: every byte of every frame on disk, sums that hold, losses made good', async () => {
    const raw = path.join(directory, 'frames.raw')
    const [result] = await cliJson<StreamResult>(network, 'stream', 'T-1', '--frames', '50', '-o', raw)
    const { stats, packetSize } = result!
    expect(result!.frames).toBe(50)
    expect(packetSize.confirmed).toBe(true)
    expect(stats.packetsExpected).toBe(stats.packetsReceived + stats.packetsMissing)
    expect(stats.packetsMissing).toBe(0)
    expect(stats.blocksComplete).toBeGreaterThanOrEqual(50)
    const bytes = await readFile(raw)
    expect(bytes).toHaveLength(50 * 76_800)
    for (let i = 0; i < 50; i++) {
      const image = bytes.subarray(i * 76_800, (i + 1) * 76_800)
      expect(firstWrongByte(image, BigInt(i + 1), 7n)).toBe(-1)
    }
  })

  it('stream: numbered pictures', async () => {
    await cliJson(network, 'stream', 'T-1', '--frames', '3', '-o', path.join(directory, 'many.png'))
    const files = (await readdir(directory)).filter((name) => name.startsWith('many')).sort()
    expect(files).toEqual(['many-000001.png', 'many-000002.png', 'many-000003.png'])
    expect(decode(await readFile(path.join(directory, files[2]!)))).toMatchObject({ width: 320, height: 240 })
  })

  it('stream --sim: losses are told by cause', async () => {
    const run = async (...more: string[]) =>
      (
        await cliJson<StreamResult>(
          network,
          ...[
            'stream',
            '--sim',
            '--frames',
            '40',
            '--width',
            '640',
            '--height',
            '480',
            '--frame-rate',
            '200',
          ],
          ...['--packet-size', '1500', '--fault', 'loss=2%', ...more],
        )
      )[0]!.stats
    const resent = await run()
    expect(resent.packetsMissing).toBe(0)
    expect(resent.packetsResent).toBeGreaterThan(0)
    expect(resent.packetsResent).toBe(resent.lostOnWire)
    const [lossy] = await cliJson<StreamResult>(
      network,
      ...['stream', '--sim', '--duration', '1', '--width', '64', '--height', '48', '--frame-rate', '100'],
      ...['--packet-size', '576', '--fault', 'loss=10%', '--no-resend'],
    )
    expect(lossy!.stats.blocksIncomplete).toBeGreaterThan(0)
    expect(lossy!.stats.missingNotRequested).toBe(lossy!.stats.packetsMissing)
    expect(lossy!.stats.resendRequests).toBe(0)
  })

  it('stream: without a terminal, plain lines and a summary with every cause', async () => {
    const result = await cli(network, 'stream', '--sim', '--frames', '30', '--width', '64', '--height', '64')
    expect(result.code).toBe(0)
    expect(result.stderr).toMatch(/^simulator .*\nfound .*\npacket size \d+ bytes/)
    expect(result.stderr).toMatch(/^100% {2}30\/30 frames/m)
    expect(result.stdout + result.stderr).not.toContain('\u001b')
    expect(result.stdout).toMatch(/^received +30 frames in [\d.]+ s: [\d.]+ fps/)
    for (const cause of [
      'on the wire',
      'kernel',
      'in vain',
      'incomplete',
      'without a free slot',
      'missed whole',
    ]) {
      expect(result.stdout).toContain(cause)
    }
  })

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'stream without an end: %s stops it in order, exit code 0',
    async (signal) => {
      const stream = startCli(network, ['stream', 'T-2', '--json'])
      await controlled(network, 'T-2')
      const result = await stream.end(signal)
      expect(result.code).toBe(0)
      const [summary] = lines(result.stdout) as [StreamResult]
      expect(summary.interruptedBy).toBe(signal)
      expect(summary.stats.blocksComplete).toBeGreaterThan(0)
      expect((await cliJson(network, 'info', 'T-2'))[0]).toMatchObject({ control: 'free' })
    },
  )

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('stream cut short by %s: summary, exit code %i', async (signal, code) => {
    const stream = startCli(network, ['stream', 'T-2', '--frames', '100000', '--json'])
    await controlled(network, 'T-2')
    const result = await stream.end(signal)
    expect(result.code).toBe(code)
    expect(lines(result.stdout)).toEqual([expect.objectContaining({ interruptedBy: signal })])
  })

  it('a camera in use is refused with its holder', async () => {
    const holder = startCli(network, ['stream', 'T-2', '--json'])
    await controlled(network, 'T-2')
    const [info] = await cliJson<{ holder: { address: string; port: number } }>(network, 'info', 'T-2')
    expect(info!.holder).toEqual({ address: expect.stringMatching(/^127\./), port: expect.any(Number) })
    const { stdout } = await cli(network, 'info', 'T-2')
    expect(stdout).toMatch(new RegExp(`^control +held by ${info!.holder.address}:${info!.holder.port}$`, 'm'))
    const refused = await cli(network, 'set', 'T-2', 'Width=64', '--json')
    expect(refused.code).toBe(1)
    expect(lines(refused.stdout)).toEqual([
      { error: expect.objectContaining({ code: 'ERR_GIGE_ACCESS_DENIED', holder: expect.anything() }) },
    ])
    expect((await holder.end('SIGINT')).code).toBe(0)
  })

  it.each([
    ['list', '--interface', 'nope'],
    ['list', '--address', '300.1.1.1'],
    ['stream', '127.0.0.1', '--multicast', '10.1.1.1'],
    ['stream', '--sim', '--pixel-format', 'Foo'],
    ['force-ip', 'zz', '10.0.0.1'],
    ['info', ''],
  ])('wrong arguments end with exit code 2: %s %s %s %s', async (...args) => {
    const result = await cli(network, ...args.filter((one) => one !== undefined))
    expect(result.code).toBe(2)
    expect(result.stderr).toContain('ERR_GIGE_INVALID_ARGUMENT')
  })

  it('says what a program would be told by properties, and names flags', async () => {
    const busy = await cli(network, 'simulate')
    expect(busy.code).toBe(1)
    expect(busy.stderr).toMatch(/127\.0\.0\.1:3956: Address already in use .*\n {2}.*another --address/)
    const small = await cli(network, 'stream', 'T-1', '--packet-size', '100')
    expect(small.code).toBe(1)
    expect(small.stderr).toMatch(/The camera refuses packet size 100: INVALID_PARAMETER/)
    expect(small.stderr).toMatch(/takes 220 to 16384 bytes in steps of 4/)
    const slow = await cli(network, 'grab', 'T-1', '--set', 'TriggerMode=On', '--timeout', '200')
    await cli(network, 'set', 'T-1', 'TriggerMode=Off')
    expect(slow.stderr).toMatch(/No complete frame within 200 ms/)
    expect(slow.stderr).not.toContain('caused by')
    expect((await cli(network, 'execute', 'T-1', 'Width')).stderr).toContain('Width is of type Integer')
    const group = await cli(network, 'get', 'T-1', 'Root')
    expect(group).toMatchObject({ code: 1, stdout: '' })
    expect(group.stderr).toMatch(/Root is a group of features.*ERR_GIGE_FEATURE/)
  })

  it('a stream that ends by the loss of its camera prints its summary, then why', async () => {
    for (const json of [false, true]) {
      const args = ['--sim', '--width', '64', '--height', '64', '--fault', 'crashAfterBlocks=20']
      const result = await cli(network, 'stream', ...args, ...(json ? ['--json'] : []))
      expect(result.code).toBe(1)
      if (json) {
        expect(lines(result.stdout)).toEqual([
          expect.objectContaining({ frames: 20, stats: expect.objectContaining({ blocksComplete: 20 }) }),
          { error: expect.objectContaining({ code: 'ERR_GIGE_CONTROL_LOST' }) },
        ])
        continue
      }
      expect(result.stdout).toMatch(/^received +20 frames/)
      expect(result.stderr).toMatch(/is lost: .*ERR_GIGE_CONTROL_LOST.*\n.* Run the command again/)
    }
  })

  it('no frame at all is a failure that says what to look at', async () => {
    const result = await cli(network, 'stream', 'T-1', '--set', 'TriggerMode=On', '--duration', '0.3')
    await cli(network, 'set', 'T-1', 'TriggerMode=Off')
    expect(result.code).toBe(1)
    expect(result.stderr).toMatch(/error: No frame was received \(ERR_GIGE_TIMEOUT\)\n.*trigger/)
  })

  it('an unknown camera, an output that cannot be written', async () => {
    const unknown = await cli(network, 'stream', '127.0.0.50', '--discover-timeout', '200')
    expect(unknown.code).toBe(1)
    expect(unknown.stderr).toMatch(/ERR_GIGE_NOT_FOUND.*\n {2}Check power/)
    const unwritable = await cli(network, 'grab', 'T-1', '-o', path.join(directory, 'no/such/place.raw'))
    expect(unwritable.code).toBe(1)
    expect(unwritable.stderr).toContain('ENOENT')
  })

  it('simulate: counts what it did, exit code 0 on SIGTERM', async () => {
    const result = await simulator.end('SIGTERM')
    expect(result.code).toBe(0)
    const told = lines(result.stdout) as { ready?: boolean; serial: string; stats?: Record<string, number> }[]
    expect(told.map((one) => [one.ready ?? false, one.serial])).toEqual([
      [true, 'T-1'],
      [true, 'T-2'],
      [false, 'T-1'],
      [false, 'T-2'],
    ])
    expect(told[2]!.stats!.blocksSent).toBeGreaterThan(50)
  })
})

/** Until somebody streams from the camera. */
async function controlled(network: Namespace, serial: string): Promise<void> {
  for (;;) {
    const [info] = await cliJson<{ control: string; features: Record<string, unknown> }>(
      network,
      'info',
      serial,
    )
    const [{ AcquisitionStatus: active }] = (await cliJson(network, 'get', serial, 'AcquisitionStatus')) as [
      { AcquisitionStatus: unknown },
    ]
    if (info!.control === 'held' && Number(active) === 1) return
  }
}
