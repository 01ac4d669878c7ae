// Other people's software reads what we write: Aravis as the client of our simulator, and Wireshark's dissectors on captures of
// our traffic in both directions.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../lib/index.js'
import { description, register } from '../genapi/describe-camera.js'
import { fakeCamera } from '../helpers/aravis.js'
import { type Capture, capture } from '../helpers/capture.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { type RemoteSimulator, remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'

const CAMERA = '10.99.0.2'
// Aravis' socket queue holds 200 kB, or with --auto one frame: of a large frame at the speed of a real link it holds enough for
// its thread to be kept waiting on a busy machine, and so it does of small frames without --auto.
const LARGE = { width: 1600, height: 1200, frameRate: 10, lineRateBps: 400_000_000 }
const SMALL = { width: 160, height: 120, frameRate: 25 }

const opened: Disposable[] = []
afterEach(() => {
  for (const resource of opened.splice(0).reverse()) resource[Symbol.dispose]()
})

function ends(mtu = 1500): { host: Namespace; camera: Namespace } {
  const [host, camera] = [new Namespace(), new Namespace()]
  opened.push(host, camera)
  const near = { device: 'v0', cidr: '10.99.0.1/24' }
  cable(host, near, camera, { device: 'v1', cidr: `${CAMERA}/24` }, { mtu })
  return { host, camera }
}

async function simulated(
  options: SimulatorOptions = {},
  mtu = 1500,
): Promise<{ host: Namespace; simulator: RemoteSimulator }> {
  const { host, camera } = ends(mtu)
  const simulator = await remoteSimulator(camera, {
    address: CAMERA,
    serial: 'S1',
    width: 640,
    height: 480,
    ...options,
  })
  return { host, simulator }
}

describeWith(['netns', 'arv-tool-0.8'], 'arv-tool', () => {
  const tool = (host: Namespace, ...args: string[]) => host.output('arv-tool-0.8', args)

  it('finds the simulator', async () => {
    const { host } = await simulated({ manufacturer: 'Maker', model: 'Kind', serial: 'S42' })
    expect(await tool(host)).toMatch(/^Maker-Kind-S42 \(10\.99\.0\.2\)$/m)
  })

  for (const zip of [true, false]) {
    it(`reads the ${zip ? 'zipped' : 'plain'} description, and reads and writes features`, async () => {
      const { host, simulator } = await simulated({ zip })
      const features = await tool(host, '-a', CAMERA, 'features')
      for (const name of ['Width', 'PixelFormat', 'AcquisitionStart', 'GevSCPSPacketSize', 'ExposureTime']) {
        expect(features).toContain(`'${name}'`)
      }
      expect(features).not.toMatch(/not found|error/i)
      expect(await tool(host, '-a', CAMERA, 'values')).toMatch(/'Width' = 640$/m)
      const written = await tool(
        host,
        ...[
          '-a',
          CAMERA,
          'control',
          'Width=320',
          'Width',
          'PixelFormat=Mono16',
          'PixelFormat',
          'DeviceUserID=hello',
        ],
        ...[
          'DeviceUserID',
          'ExposureTime=1234',
          'ExposureTime',
          'AcquisitionFrameRate=25',
          'AcquisitionFrameRate',
        ],
        ...['PayloadSize', 'R[0xd04]=0x40000400', 'R[0xd04]'],
      )
      expect(written).toMatch(/^Width = 320 /m)
      expect(written).toMatch(/^PixelFormat = Mono16/m)
      expect(written).toMatch(/^DeviceUserID = hello$/m)
      expect(written).toMatch(/^ExposureTime = 1234 us/m)
      expect(written).toMatch(/^AcquisitionFrameRate = 25 Hz/m)
      expect(written).toMatch(new RegExp(`^PayloadSize = ${320 * 480 * 2}`, 'm'))
      expect(written).toMatch(/^R\[0x00000d04\] = 0x40000400$/m)
      const stats = await simulator.stats()
      expect(stats.packetSize).toBe(1024)
      expect(stats).toMatchObject({ malformed: 0, unknownCommands: 0, controller: undefined })
    })
  }

  it('reads our own changes, and we read its', async () => {
    const { host } = await simulated()
    const change = (height: number) =>
      insideOk(
        host,
        async (gigewire, argument: { address: string; height: number }) => {
          const camera = await gigewire.openCamera(argument.address)
          const before = await camera.features.get('Height')
          await camera.features.set('Height', argument.height)
          await camera.close()
          return before
        },
        { address: CAMERA, height },
      )
    expect(await change(200)).toBe(480)
    expect(await tool(host, '-a', CAMERA, 'control', 'Height', 'Height=100')).toMatch(/^Height = 200 /m)
    expect(await change(300)).toBe(100)
  })
})

describeWith(['netns', 'arv-camera-test-0.8'], 'arv-camera-test', () => {
  const cases: { flags: string; options?: SimulatorOptions; mtu?: number; packetSize?: number }[] = [
    { flags: '--auto' },
    { flags: '', options: SMALL },
    { flags: '--auto -j always', mtu: 9000, packetSize: 9000 },
    { flags: '--auto -j once -m 200 -p 40 -l 10' },
    { flags: '--auto -i 800 -j never', packetSize: 800 },
    { flags: '--auto -w 1280 -h 1000 -f 12 -e 2000' },
    { flags: '--auto -r' },
    { flags: '--auto', options: { extendedIds: true } },
    { flags: '--auto --features=TriggerMode=Off', options: { pixelFormat: 'BayerRG8', zip: false } },
    { flags: '--auto', options: { udpChecksum: false, gso: false } },
  ]
  for (const { flags, options = {}, mtu, packetSize } of cases) {
    it(`streams without a failure: ${flags} ${Object.entries(options).join(' ').replaceAll(',', ' ')}`, async () => {
      const { host, simulator } = await simulated({ ...LARGE, ...options }, mtu)
      const args = [
        '-n',
        CAMERA,
        '--duration=2',
        '--no-packet-socket',
        ...flags.split(' ').filter((flag) => flag !== ''),
      ]
      const said = await host.output('arv-camera-test-0.8', args)
      const value = (name: string) =>
        Number(new RegExp(`^${name} *= (\\d+)`, 'm').exec(said)?.[1] ?? Number.NaN)
      const told = said.replaceAll(/^.*frames\/s.*$/gm, '')
      for (const name of [
        'failures',
        'underruns',
        'timeouts',
        'aborted',
        'missing_frames',
        'size_mismatch_errors',
      ]) {
        expect([name, value(`n_${name}`)], told).toEqual([name, 0])
      }
      for (const name of ['missing_packets', 'error_packets', 'ignored_packets']) {
        expect([name, value(`n_${name}`)], told).toEqual([name, 0])
      }
      const stats = await simulator.stats()
      expect(value('n_completed_buffers')).toBeGreaterThan(10)
      // The last block may have been cut by AcquisitionStop.
      expect(value('n_completed_buffers')).toBeGreaterThanOrEqual(stats.blocksSent - 1)
      if (packetSize !== undefined) expect(stats.packetSize).toBe(packetSize)
      expect(stats).toMatchObject({
        malformed: 0,
        unknownCommands: 0,
        sendErrorsStream: 0,
        controller: undefined,
      })
    })
  }

  it('gets what was lost again', async () => {
    const { host, simulator } = await simulated({ ...LARGE, faults: { loss: 0.005 } })
    const running = host.output('arv-camera-test-0.8', [
      '-n',
      CAMERA,
      '--duration=2',
      '--no-packet-socket',
      '--auto',
    ])
    // What is lost of the last block, which the end of the acquisition cuts, nobody asks for.
    await until(async () => (await simulator.stats()).packetsLost > 20, 'losses')
    await simulator.call('setFaults', {})
    const said = await running
    expect(said).toMatch(/^n_failures *= 0$/m)
    expect(said).toMatch(/^n_missing_packets *= 0$/m)
    const stats = await simulator.stats()
    expect(stats.packetsLost).toBeGreaterThan(20)
    expect(stats.packetsResent).toBeGreaterThanOrEqual(stats.packetsLost)
  })
})

// Each look at a capture is a run of tshark.
const LONG = 90_000

const MALFORMED = '_ws.malformed || _ws.short || (_ws.expert.severity >= 0x00800000 && (gvcp || gvsp))'

describeWith(['netns', 'tshark', 'arv-fake-gv-camera-0.8', 'arv-camera-test-0.8'], "Wireshark's view", () => {
  async function captured(host: Namespace, simulator?: RemoteSimulator): Promise<Capture> {
    const made = await capture(host, 'v0', simulator && (await simulator.stats()).sourcePort)
    opened.push(made)
    if (!simulator) return made
    return {
      ...made,
      stop: async () => {
        // It finishes its block even where nobody wants it any more.
        await until(async () => !(await simulator.stats()).streaming, 'the end of the acquisition')
        await made.stop()
      },
    }
  }
  const distinct = (values: string[]) => [...new Set(values)].sort((a, b) => Number(a) - Number(b))
  const COMMANDS = {
    discovery: '0x0002',
    resend: '0x0040',
    readReg: '0x0080',
    writeReg: '0x0082',
    readMem: '0x0084',
  }
  const MORE_COMMANDS = { forceIp: '0x0004', writeMem: '0x0086' }
  const PENDING_ACK = '0x0089'
  const TEST_REGISTER = 0x1f0

  /** Everything on the wire is GVCP or GVSP, and nothing of it is malformed. */
  function expectClean(traffic: Capture): void {
    expect(traffic.values(MALFORMED, 'frame.protocols')).toEqual([])
    expect(traffic.count('gvcp')).toBeGreaterThan(0)
    // Beside both there are only the datagrams to the camera's stream port.
    expect(traffic.values('udp && !icmp && !gvcp && !gvsp && udp.length != 16', 'frame.number')).toEqual([])
    // Each command that wants an answer has got one.
    const asked = traffic.values('gvcp.cmd.command && gvcp.cmd.command != 0x40', 'gvcp.cmd.req_id')
    const answered = new Set(traffic.values('gvcp.ack', 'gvcp.cmd.req_id'))
    expect(asked.filter((id) => !answered.has(id))).toEqual([])
  }

  for (const extendedIds of [false, true]) {
    it(
      `our client and our simulator, ${extendedIds ? 'extended' : 'standard'} ids, with losses`,
      async () => {
        const { host, simulator } = await simulated({ extendedIds, gso: false, faults: { loss: 0.01 } })
        const traffic = await captured(host, simulator)
        const result = await insideOk(
          host,
          (gigewire, target: string, tools) =>
            tools.receive(gigewire, { camera: target, frames: 20, check: 1 }),
          'S1',
        )
        await traffic.stop()
        expect(result.wrong).toEqual([])
        expectClean(traffic)
        const commands = distinct(traffic.values('gvcp.cmd.command', 'gvcp.cmd.command'))
        for (const command of Object.values(COMMANDS)) expect(commands).toContain(command)
        const stats = await simulator.stats()
        const blocks = extendedIds ? 'gvsp.blockid64' : 'gvsp.blockid16'
        const format = (kind: number) => `gvsp.format == ${extendedIds ? 0x80 | kind : kind}`
        const ids = distinct(traffic.values(format(1), blocks)).map(Number)
        expect(ids.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => i + 1))
        expect(distinct(traffic.values(format(1), 'gvsp.sizex'))).toEqual(['640'])
        expect(distinct(traffic.values(format(1), 'gvsp.sizey'))).toEqual(['480'])
        expect(distinct(traffic.values(format(1), 'gvsp.pixel'))).toEqual(['0x01080001'])
        expect(traffic.count(format(3))).toBeGreaterThan(20 * 200)
        expect(traffic.count(format(2))).toBeGreaterThanOrEqual(20)
        expect(traffic.count('gvsp.status == 0x0100')).toBe(stats.packetsResent)
        expect(traffic.count('gvcp.cmd.command == 0x40')).toBe(stats.resendCmd)
        if (extendedIds) expect(traffic.count('gvcp.cmd.resend.extendedblockid')).toBe(stats.resendCmd)
      },
      LONG,
    )
  }

  it(
    'our client and our simulator: what a stream does not need',
    async () => {
      const { host, camera } = ends()
      camera.address('v1', '10.99.0.7/24') // the machine of the simulated camera must have what it is given
      const simulator = await remoteSimulator(camera, {
        address: CAMERA,
        serial: 'S1',
        faults: { pendingAckMs: 600, pendingAckCount: 2 },
      })
      const traffic = await captured(host, simulator)
      const result = await insideOk(host, async (gigewire) => {
        const camera = await gigewire.openCamera('S1')
        const bytes = (text: string) => Uint8Array.from(text.padEnd(16, '\0'), (char) => char.charCodeAt(0))
        await camera.writeMemory(0x00e8, bytes('its new name')) // the user's name for it
        const name = await camera.features.get('DeviceUserID')
        await camera.features.set('GwSlowRegister', 7)
        const slow = await camera.features.get('GwSlowRegister')
        await camera.close()
        const moved = await gigewire.forceIp({
          mac: camera.info.mac,
          address: '10.99.0.7',
          subnetMask: '255.255.255.0',
        })
        return { name, slow, moved: moved.address }
      })
      await traffic.stop()
      expect(result).toEqual({ name: 'its new name', slow: 7, moved: '10.99.0.7' })
      expectClean(traffic)
      const commands = distinct(traffic.values('gvcp.cmd.command', 'gvcp.cmd.command'))
      for (const command of Object.values(MORE_COMMANDS)) expect(commands).toContain(command)
      expect(traffic.values('gvcp.ack', 'gvcp.ack').filter((ack) => ack === PENDING_ACK)).toHaveLength(
        (await simulator.stats()).pendingAcks ?? 0,
      )
      expect((await simulator.stats()).pendingAcks).toBeGreaterThanOrEqual(2)
      expect(distinct(traffic.values('gvcp.cmd.command == 0x4', 'gvcp.cmd.forceip.ip'))).toEqual([
        '10.99.0.7',
      ])
      expect(traffic.values('gvcp.cmd.command == 0x86', 'gvcp.cmd.writemem.data').length).toBeGreaterThan(0)
    },
    LONG,
  )

  it(
    "our client and Aravis' camera",
    async () => {
      const { host, camera } = ends()
      await fakeCamera(camera, 'v1', 'GV01')
      const traffic = await captured(host)
      const result = await insideOk(host, (gigewire, _, tools) =>
        tools.receive(gigewire, { camera: 'GV01', frames: 20, check: 'aravis' }),
      )
      await traffic.stop()
      expect(result.wrong).toEqual([])
      expectClean(traffic)
      const commands = distinct(traffic.values('gvcp.cmd.command', 'gvcp.cmd.command'))
      for (const command of [COMMANDS.discovery, COMMANDS.readReg, COMMANDS.writeReg, COMMANDS.readMem]) {
        expect(commands).toContain(command)
      }
      expect(traffic.values('gvsp.format == 1', 'gvsp.blockid16')[0]).toBe('65401')
    },
    LONG,
  )

  it(
    'our client and descriptions of both schemas: 1.0 has 4-byte registers read and written by value',
    async () => {
      const { host, camera } = ends()
      const folder = mkdtempSync(path.join(tmpdir(), 'gigewire-description-'))
      opened.push({ [Symbol.dispose]: () => rmSync(folder, { recursive: true }) })
      // A register that Aravis' camera has for tests, with the tag that is wrong for it, and 8 bytes from the same place.
      const order = 'LittleEndian'
      const nodes =
        register('IntReg', 'Test', TEST_REGISTER, '', { order }) +
        register('IntReg', 'Eight', TEST_REGISTER, '', { order, length: 8 })
      const cameras = ['10.99.0.3', '10.99.0.4']
      for (const [schemaMinor, address] of cameras.entries()) {
        const file = path.join(folder, `1.${schemaMinor}.xml`)
        writeFileSync(file, description(nodes, schemaMinor as 0 | 1))
        camera.address('v1', `${address}/24`)
        await fakeCamera(camera, address, `GV${schemaMinor}`, file)
      }
      const traffic = await captured(host)
      const values = await insideOk(
        host,
        async (gigewire, cameras: string[]) => {
          const values: unknown[] = []
          for (const address of cameras) {
            const camera = await gigewire.openCamera(address)
            const get = (name: string) => camera.features.get(name, { ignoreCache: true })
            values.push([await get('Test'), await get('Eight')])
            await camera.features.set('Test', 0x01020304)
            values.push(await get('Test'))
            await camera.close()
          }
          return values
        },
        cameras,
      )
      await traffic.stop()
      const swapped = 0x78563412
      expect(values).toEqual([[0x12345678, swapped], 0x01020304, [swapped, swapped], 0x01020304])
      // The dissector calls it that whatever the command.
      const ADDRESS = 'gvcp.bootstrap.custom.register.write'
      const commands = traffic.rows(`gvcp.cmd.command && ${ADDRESS} == ${TEST_REGISTER}`, [
        ...(['ip.dst', 'gvcp.cmd.command', 'gvcp.cmd.readmem.count'] as const),
        'gvcp.bootstrap.custom.register.value',
      ])
      const sent = cameras.map((address) =>
        commands
          .filter((row) => row['ip.dst'] === address)
          .map(({ 'ip.dst': _, ...row }) => Object.values(row).join(' ')),
      )
      const readReg = `${COMMANDS.readReg}  `
      const readMem = (bytes: number) => `${COMMANDS.readMem} 0x000${bytes} `
      const writeReg = (value: string) => `${COMMANDS.writeReg}  ${value}`
      expect(sent).toEqual([
        [readReg, readMem(8), writeReg('0x01020304'), readReg],
        // This camera has no WRITEMEM.
        [readMem(4), readMem(8), writeReg('0x04030201'), readMem(4)],
      ])
    },
    LONG,
  )

  it(
    "Aravis' client and our simulator",
    async () => {
      const { host, simulator } = await simulated({ ...LARGE, gso: false })
      const traffic = await captured(host, simulator)
      await host.output('arv-camera-test-0.8', [
        '-n',
        'gigewire-Simulator-S1',
        '--duration=1',
        '--no-packet-socket',
        '--auto',
        '-j',
        'always',
      ])
      await traffic.stop()
      expectClean(traffic)
      const stats = await simulator.stats()
      const streamed = stats.packetsSent + stats.packetsResent + (stats.resendRefused ?? 0)
      expect(traffic.count('gvsp.blockid16 != 0')).toBe(streamed)
      expect(distinct(traffic.values('gvsp.format', 'gvsp.format')).map(Number)).toEqual([1, 2, 3])
    },
    LONG,
  )
})
