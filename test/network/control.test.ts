// Finding, holding and losing cameras: over veth pairs where networks matter, on a loopback of its own where the camera's
// behaviour does.

import { constants } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import type { SimulatorOptions } from '../../lib/index.js'
import { cli } from '../cli/run-cli.js'
import { fakeCamera } from '../helpers/aravis.js'
import { insideOk } from '../helpers/inside.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'

const opened: Namespace[] = []
afterEach(() => {
  for (const namespace of opened.splice(0).reverse()) namespace[Symbol.dispose]()
})

function namespace(): Namespace {
  const made = new Namespace()
  opened.push(made)
  return made
}

/** A host and a camera's side; the camera's program answers whoever asks. */
function ends(
  hostCidr = '10.99.0.1/24',
  cameraCidr = '10.99.0.2/24',
): { host: Namespace; camera: Namespace } {
  const [host, camera] = [namespace(), namespace()]
  cable(host, { device: 'v0', cidr: hostCidr }, camera, { device: 'v1', cidr: cameraCidr })
  for (const where of [host, camera]) {
    for (const which of ['all', 'default', where === host ? 'v0' : 'v1']) {
      where.exec('sysctl', '-qw', `net.ipv4.conf.${which}.rp_filter=0`)
    }
  }
  return { host, camera }
}

const SMALL: SimulatorOptions = { width: 320, height: 240, frameRate: 50 }

describeWith(['netns', 'sysctl', 'setpriv'], 'discovery', () => {
  it('tells what the camera says and which NIC saw it, unprivileged', async () => {
    const { host, camera } = ends()
    await remoteSimulator(camera, {
      ...{ address: '10.99.0.2', serial: 'S1', manufacturer: 'Maker', model: 'Kind', userName: 'left' },
      ...{ gateway: '10.99.0.254', discoveryDelay: 200 },
    })
    const found = await insideOk(host, (gigewire) => gigewire.discover(), undefined, { unprivileged: true })
    expect(found).toEqual([
      {
        ...{
          address: '10.99.0.2',
          subnetMask: '255.255.255.0',
          gateway: '10.99.0.254',
          serial: 'S1',
          userName: 'left',
        },
        ...{
          manufacturer: 'Maker',
          model: 'Kind',
          version: '1.0.0',
          manufacturerInfo: 'simulated camera',
          specVersion: '2.0',
        },
        mac: expect.stringMatching(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/),
        interface: { name: 'v0', address: '10.99.0.1', netmask: '255.255.255.0', mtu: 1500 },
        reachable: true,
      },
    ])
  })

  it('lists a camera of another subnet with the reason, refuses to open it, and gives it an address', async () => {
    const { host, camera } = ends('10.99.0.1/24', '10.77.0.2/24')
    camera.exec('ip', 'route', 'add', '10.99.0.0/24', 'dev', 'v1')
    camera.address('v1', '10.99.0.7/24')
    await remoteSimulator(camera, { ...SMALL, address: '10.77.0.2', serial: 'S1' })
    const result = await insideOk(host, async (gigewire, _, tools) => {
      const [before] = await gigewire.discover({ until: (all) => all.length > 0 })
      const refused = await gigewire
        .openCamera('S1')
        .catch((error: { code: string; message: string; hint: string }) => error)
      const moved = await gigewire.forceIp({
        mac: before!.mac,
        address: '10.99.0.7',
        subnetMask: '255.255.255.0',
      })
      const received = await tools.receive(gigewire, { camera: moved, frames: 3, check: 1 })
      const { code, message, hint } = refused as { code: string; message: string; hint: string }
      return { before, refused: { code, message, hint }, moved, received }
    })
    expect(result.before).toMatchObject({ serial: 'S1', address: '10.77.0.2', reachable: false })
    expect(result.before?.unreachableReason).toMatch(/10\.77\.0\.0\/24.*v0.*10\.99\.0\.0\/24/)
    expect(result.refused.code).toBe('ERR_GIGE_NOT_FOUND')
    expect(result.refused.message).toContain(result.before?.unreachableReason)
    expect(result.refused.hint).toContain(`force-ip ${result.before?.mac}`)
    expect(result.moved).toMatchObject({
      serial: 'S1',
      address: '10.99.0.7',
      reachable: true,
      mac: result.before?.mac,
    })
    expect(result.received.ids).toEqual([1, 2, 3])
  })

  it('lists a camera that two NICs see for each of them', async () => {
    const [host, middle, camera] = [namespace(), namespace(), namespace()]
    middle.exec('ip', 'link', 'add', 'br0', 'type', 'bridge')
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, middle, { device: 'm0' })
    cable(host, { device: 'w0', cidr: '10.99.0.11/24' }, middle, { device: 'm1' })
    cable(camera, { device: 'v1', cidr: '10.99.0.2/24' }, middle, { device: 'm2' })
    for (const device of ['m0', 'm1', 'm2']) middle.exec('ip', 'link', 'set', device, 'master', 'br0')
    middle.exec('ip', 'link', 'set', 'br0', 'up')
    for (const device of ['all', 'v0', 'w0']) {
      host.exec(
        'sysctl',
        '-qw',
        `net.ipv4.conf.${device}.rp_filter=0`,
        `net.ipv4.conf.${device}.arp_ignore=1`,
      )
      host.exec('sysctl', '-qw', `net.ipv4.conf.${device}.arp_announce=2`)
    }
    await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2', serial: 'S1' })
    const { found, received } = await insideOk(host, async (gigewire, _, tools) => {
      const found = await gigewire.discover({ until: (all) => all.length === 2 })
      const received = []
      for (const camera of found)
        received.push(await tools.receive(gigewire, { camera, frames: 3, check: 1 }))
      return { found, received }
    })
    expect(found.map((camera) => camera.interface.name).sort()).toEqual(['v0', 'w0'])
    expect(new Set(found.map((camera) => camera.mac)).size).toBe(1)
    const [first, second] = found
    expect(first).not.toHaveProperty('duplicateOf')
    expect(second).toMatchObject({ reachable: true, duplicateOf: first?.interface.name })
    for (const result of received) expect([result.ids, result.wrong]).toEqual([[1, 2, 3], []])
    const { stdout } = await cli(host, 'list', '--timeout', '500')
    expect(stdout).toMatch(/ ready\n.* ready; the same camera as through [vw]0\n/)
  })

  it('says of cameras with one address who else has it', async () => {
    const [host, middle] = [namespace(), namespace()]
    middle.exec('ip', 'link', 'add', 'br0', 'type', 'bridge')
    cable(host, { device: 'v0', cidr: '10.99.0.1/24' }, middle, { device: 'm0' })
    for (const device of ['m1', 'm2']) {
      const camera = namespace()
      cable(camera, { device: 'v1', cidr: '10.99.0.2/24' }, middle, { device })
      await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2', serial: device })
    }
    for (const device of ['m0', 'm1', 'm2']) middle.exec('ip', 'link', 'set', device, 'master', 'br0')
    middle.exec('ip', 'link', 'set', 'br0', 'up')
    const found = await insideOk(host, (gigewire) =>
      gigewire.discover({ until: (all) => all.filter((camera) => !camera.reachable).length === 2 }),
    )
    expect(found.map(({ serial }) => serial).sort()).toEqual(['m1', 'm2'])
    for (const { serial, ...camera } of found) {
      const other = serial === 'm1' ? 'm2' : 'm1'
      expect(camera).toMatchObject({ address: '10.99.0.2', reachable: false, addressConflict: true })
      expect(camera.unreachableReason).toMatch(new RegExp(`10\\.99\\.0\\.2 is also used by .*${other}$`))
    }
    const { stdout } = await cli(host, 'list', '--timeout', '500')
    expect(stdout.match(/10\.99\.0\.2 is also used by /g)).toHaveLength(2)
  })

  it('tells of NICs that could not be asked, and of those alone where there is no other', async () => {
    const { host, camera } = ends()
    cable(host, { device: 'w0', cidr: '10.98.0.1/24' }, camera, { device: 'w1' })
    cable(host, { device: 'u0', cidr: '10.97.0.1/24' }, camera, { device: 'u1' })
    host.exec('ip', 'link', 'set', 'w0', 'down')
    host.nft('table ip t { chain c { type filter hook output priority 0; oifname "u0" drop; }; }')
    await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2', serial: 'S1' })
    const result = await insideOk(host, async (gigewire) => {
      const told: { interface: string; errno: number; message: string }[] = []
      const until = (all: unknown[]) => all.length > 0
      const interfaces = ['v0', 'w0', 'u0', 'nowhere']
      const found = await gigewire.discover({ interfaces, until, onWarning: (warning) => told.push(warning) })
      const warning = new Promise<Error>((resolve) => process.once('warning', resolve))
      await gigewire.discover({ interfaces: ['v0', 'w0'], until })
      const { name, message } = await warning
      const code = (error: { code: string }) => error.code
      const nothing = [
        await gigewire.discover({ interfaces: ['w0'] }).catch(code),
        await gigewire.discover({ interfaces: ['u0'] }).catch(code),
      ]
      const missed = await gigewire
        .openCamera('S2', { discoverTimeout: 100 })
        .catch((error: { message: string }) => error.message)
      return { found, told, warning: `${name}: ${message}`, nothing, missed }
    })
    expect(result.found).toMatchObject([{ serial: 'S1', reachable: true }])
    const told = Object.fromEntries(result.told.map((warning) => [warning.interface, warning]))
    const { ENETDOWN, EPERM, ENODEV } = constants.errno
    expect(Object.keys(told).sort()).toEqual(['nowhere', 'u0', 'w0'])
    expect(told.w0).toMatchObject({ errno: ENETDOWN, message: 'w0 is down' })
    expect(told.u0).toMatchObject({ errno: EPERM, message: expect.stringMatching(/^u0: .*not permitted/) })
    expect(told.nowhere).toMatchObject({ errno: ENODEV, message: expect.stringContaining('nowhere') })
    expect(result.warning).toMatch(/^GigewireWarning: .*w0 is down/)
    expect(result.nothing).toEqual(['ERR_GIGE_NETWORK', 'ERR_GIGE_NETWORK'])
    expect(result.missed).toMatch(/these did: 10\.99\.0\.2 .*; u0: .*not permitted/)
    const listed = await cli(host, 'list', '--interface', 'v0', '--interface', 'w0', '--timeout', '500')
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringMatching(/ S1 .* ready$/m) })
    expect(listed.stderr).toBe('warning: w0 is down\n')
  })

  it('tells while watching what cannot be asked once, not at every search', async () => {
    const result = await insideOk(namespace(), async (gigewire, _, tools) => {
      const simulator = await gigewire.startSimulator({ width: 320, height: 240 })
      const told: string[] = []
      const end = new AbortController()
      const watch = async () => {
        for await (const _ of gigewire.watchCameras({
          ...{ interfaces: ['lo', 'nowhere'], timeout: 50, interval: 50, signal: end.signal },
          onWarning: (warning) => told.push(warning.interface),
        }));
      }
      const ended = watch().catch((reason) => reason)
      const asked = () => simulator.stats().discovery as number
      await tools.until(() => told.length > 0, 'the end of a search')
      const before = asked()
      await tools.until(() => asked() > before + 4, 'further searches')
      end.abort('enough')
      const reason = await ended
      await simulator.stop()
      return { told, reason }
    })
    expect(result).toEqual({ told: ['nowhere'], reason: 'enough' })
  })

  it('asks through the NICs that are named, and addresses that broadcast does not reach', async () => {
    const [host, router, camera] = [namespace(), namespace(), namespace()]
    cable(host, { device: 'v0', cidr: '10.99.1.1/24' }, router, { device: 'r0', cidr: '10.99.1.254/24' })
    cable(camera, { device: 'v1', cidr: '10.99.2.2/24' }, router, { device: 'r1', cidr: '10.99.2.254/24' })
    host.exec('ip', 'route', 'add', 'default', 'via', '10.99.1.254')
    camera.exec('ip', 'route', 'add', 'default', 'via', '10.99.2.254')
    router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
    await remoteSimulator(camera, { ...SMALL, address: '10.99.2.2', serial: 'S1' })
    const result = await insideOk(host, async (gigewire) => {
      const code = (error: { code: string }) => error.code
      return {
        broadcast: await gigewire.discover({ timeout: 500 }),
        unicast: await gigewire.discover({ addresses: ['10.99.2.2'], until: (all) => all.length > 0 }),
        otherNic: await gigewire.discover({ interfaces: ['lo'], timeout: 300 }),
        noNic: await gigewire.discover({ interfaces: ['nowhere'] }).catch(code),
        byName: await gigewire.openCamera('S1', { discoverTimeout: 500 }).catch(code),
        noAddress: await gigewire.discover({ addresses: ['nowhere'] }).catch(code),
        nobody: await gigewire.openCamera('10.99.2.3', { discoverTimeout: 500 }).catch(code),
      }
    })
    expect(result.broadcast).toEqual([])
    expect(result.unicast).toMatchObject([
      { address: '10.99.2.2', reachable: true, interface: { name: 'v0' } },
    ])
    expect(result.otherNic).toEqual([])
    expect(result.noNic).toBe('ERR_GIGE_INVALID_ARGUMENT')
    expect(result.noAddress).toBe('ERR_GIGE_INVALID_ARGUMENT')
    expect(result.byName).toBe('ERR_GIGE_NOT_FOUND')
    expect(result.nobody).toBe('ERR_GIGE_NOT_FOUND')
  })

  it('keeps a persistent address', async () => {
    const { host, camera } = ends()
    camera.address('v1', '10.99.0.9/24')
    await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2', serial: 'S1' })
    const result = await insideOk(host, async (gigewire) => {
      const opened = await gigewire.openCamera('S1')
      const before = await opened.readIpConfiguration()
      await opened.setPersistentIp({
        address: '10.99.0.9',
        subnetMask: '255.255.255.0',
        gateway: '10.99.0.254',
      })
      const after = await opened.readIpConfiguration()
      const dhcp = async (wanted?: boolean) => {
        const addresses = { address: '10.99.0.9', subnetMask: '255.255.255.0', gateway: '10.99.0.254' }
        await opened.setPersistentIp({ ...addresses, ...(wanted !== undefined && { dhcp: wanted }) })
        return (await opened.readIpConfiguration()).enabled.includes('dhcp')
      }
      const methods = [await dhcp(false), await dhcp(), await dhcp(true), await dhcp()]
      await opened.close()
      const { mac } = opened.info
      const moved = await gigewire
        .forceIp({ mac, address: '0.0.0.0' })
        .catch((error: { code: string }) => error)
      const seen = await gigewire.discover({ until: (all) => all.length > 0 })
      return { before, after, methods, moved, seen }
    })
    expect(result.before).toMatchObject({
      address: '10.99.0.2',
      supported: expect.arrayContaining(['persistent', 'lla']),
    })
    expect(result.before.persistent.address).not.toBe('10.99.0.9')
    expect(result.after).toMatchObject({
      address: '10.99.0.2',
      enabled: expect.arrayContaining(['persistent']),
      persistent: { address: '10.99.0.9', subnetMask: '255.255.255.0', gateway: '10.99.0.254' },
    })
    // what is not named stays as it is
    expect(result.methods).toEqual([false, false, true, true])
    expect(result.moved).toMatchObject({ serial: 'S1', address: '10.99.0.9' })
    expect(result.seen).toMatchObject([{ serial: 'S1', address: '10.99.0.9' }])
  })

  it('ends with the signal, at once', async () => {
    const host = namespace()
    const result = await insideOk(host, async (gigewire, _, tools) => {
      const simulator = await gigewire.startSimulator({ width: 320, height: 240 })
      const asked = () => simulator.stats().discovery as number
      const took: number[] = []
      const attempt = async (action: (signal: AbortSignal) => Promise<unknown>) => {
        const before = asked()
        const abort = new AbortController()
        const failed = action(abort.signal).then(
          () => 'went on',
          (error) => error,
        )
        await tools.until(() => asked() > before, 'the search')
        const aborted = performance.now()
        abort.abort('enough')
        const reason = await failed
        took.push(performance.now() - aborted)
        return reason
      }
      const long = 3_600_000
      const ends = [
        await attempt((signal) => gigewire.discover({ timeout: long, signal })),
        await attempt((signal) => gigewire.openCamera('nobody', { discoverTimeout: long, signal })),
        await attempt(async (signal) => {
          for await (const _ of gigewire.watchCameras({ signal, timeout: long }));
        }),
        await gigewire.discover({ signal: AbortSignal.abort('before') }).catch((error) => error),
      ]
      await simulator.stop()
      return { ends, took }
    })
    expect(result.ends).toEqual(['enough', 'enough', 'enough', 'before'])
    // sooner than the search would even have asked again (600 ms), not to speak of its hour
    for (const took of result.took) expect(took).toBeLessThan(500)
  })
})

describeWith(['netns', 'sysctl'], 'access', () => {
  it('is denied while another program holds the camera, who is named; and free again afterwards', async () => {
    const { host, camera } = ends()
    const simulator = await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2' })
    const result = await insideOk(host, async (gigewire) => {
      const holder = await gigewire.openCamera('10.99.0.2')
      const attempt = async (access: 'control' | 'exclusive' | 'monitor') => {
        try {
          const second = await gigewire.openCamera('10.99.0.2', { access })
          const width = await second.features.get('Width')
          const denied = await second
            .writeRegister(0x0d04, 1000)
            .catch((error: { code: string }) => error.code)
          const set = await second.features.set('Width', 160).catch((error: { code: string }) => error.code)
          const size = await second.negotiatePacketSize().catch((error: { code: string }) => error.code)
          await second.close()
          return { width, denied, set, size }
        } catch (error) {
          const { code, message, hint, holder } = error as Record<string, unknown>
          return { code, message, hint, holder }
        }
      }
      const whileHeld = {
        control: await attempt('control'),
        exclusive: await attempt('exclusive'),
        monitor: await attempt('monitor'),
      }
      await holder.close()
      const afterwards = await gigewire.openCamera('10.99.0.2', { access: 'exclusive' })
      const whileExclusive = { control: await attempt('control'), monitor: await attempt('monitor') }
      await afterwards.close()
      return { whileHeld, whileExclusive }
    })
    const denied = {
      code: 'ERR_GIGE_ACCESS_DENIED',
      message: expect.stringMatching(/controlled by 10\.99\.0\.1:\d+/),
    }
    expect(result.whileHeld.control).toMatchObject({ ...denied, holder: { address: '10.99.0.1' } })
    expect(result.whileHeld.exclusive).toMatchObject(denied)
    expect(result.whileHeld.monitor).toMatchObject({
      width: 320,
      denied: 'ERR_GIGE_ACCESS_DENIED',
      set: 'ERR_GIGE_ACCESS_DENIED',
      size: 'ERR_GIGE_ACCESS_DENIED',
    })
    expect(result.whileExclusive.control).toMatchObject({ code: 'ERR_GIGE_ACCESS_DENIED' })
    expect(result.whileExclusive.monitor).toMatchObject({ code: 'ERR_GIGE_ACCESS_DENIED' })
    const stats = await simulator.stats()
    expect(stats).toMatchObject({
      controlTaken: 2,
      controlReleased: 2,
      heartbeatExpired: 0,
      controller: undefined,
    })
  })

  it('is not taken for granted by a listener: it negotiates nothing, and writes nothing to a camera that nobody holds', async () => {
    const { host, camera } = ends()
    const simulator = await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2' })
    const refused = await insideOk(host, async (gigewire) => {
      const listener = await gigewire.openCamera('10.99.0.2', { access: 'monitor' })
      const refused = await listener.negotiatePacketSize().then(
        () => undefined,
        ({ code, hint }) => ({ code, hint }),
      )
      await listener.close()
      return refused
    })
    expect(refused).toEqual({
      code: 'ERR_GIGE_ACCESS_DENIED',
      hint: expect.stringContaining('control'),
    })
    expect(await simulator.stats()).toMatchObject({ writeReg: 0, writeMem: 0 })
  })

  it('stops with the signal while the camera does not answer', async () => {
    const reason = await insideOk(namespace(), async (gigewire) => {
      const simulator = await gigewire.startSimulator({
        faults: { controlStallMs: 20_000, controlStallAfter: 3, controlStallDrops: true },
      })
      const abort = new AbortController()
      setTimeout(() => abort.abort('enough'), 100)
      const reason = await gigewire.openCamera('127.0.0.1', { signal: abort.signal }).then(
        () => 'opened',
        (error) => error,
      )
      await simulator.stop()
      return reason
    })
    expect(reason).toBe('enough')
  })
})

describeWith(
  ['netns', 'sysctl', 'arv-fake-gv-camera-0.8', 'arv-camera-test-0.8', 'arv-tool-0.8'],
  'access beside programs of others',
  () => {
    for (const whose of ['a simulated camera', "Aravis' camera, which answers strangers with silence"]) {
      it(`is denied while Aravis' client holds ${whose}`, async () => {
        const { host, camera } = ends()
        const simulated = whose.startsWith('a simulated')
        if (simulated) await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2' })
        else await fakeCamera(camera, 'v1', 'GV01')
        host.spawn('arv-camera-test-0.8', ['-n', '10.99.0.2', '--no-packet-socket'], { stdio: 'ignore' })
        const result = await insideOk(host, async (gigewire, _, tools) => {
          const listener = await gigewire.openCamera('10.99.0.2', { access: 'monitor' })
          const CCP = 0x0a00
          const SCP = 0x0d00
          const held = () => listener.readRegisters([CCP, SCP])
          await tools.until(async () => (await held()).every((value) => value !== 0), 'its stream')
          const before = await held()
          const refused = []
          for (const access of ['control', 'exclusive'] as const) {
            const attempt = gigewire.openCamera('10.99.0.2', { access })
            refused.push(
              await attempt.then(
                () => 'opened',
                ({ code, message }) => ({ code, message }),
              ),
            )
          }
          const after = await held()
          await listener.close()
          return { refused, before, after }
        })
        const denied = {
          code: 'ERR_GIGE_ACCESS_DENIED',
          // Aravis' camera does not tell by whom
          message: expect.stringMatching(
            simulated ? /is controlled by 10\.99\.0\.1:\d+$/ : /is controlled by another application$/,
          ),
        }
        expect(result.refused).toMatchObject([denied, denied])
        expect(result.after).toEqual(result.before)
      })
    }

    it("is denied to Aravis' tool while we hold the camera", async () => {
      const { host, camera } = ends()
      const simulator = await remoteSimulator(camera, { ...SMALL, address: '10.99.0.2' })
      const result = await insideOk(host, async (gigewire) => {
        const { execFileSync } = await import('node:child_process')
        const write = (width: number) =>
          execFileSync('arv-tool-0.8', ['-a', '10.99.0.2', 'control', `Width=${width}`], { encoding: 'utf8' })
        const camera = await gigewire.openCamera('10.99.0.2')
        const denied = write(160)
        const kept = await camera.features.get('Width', { ignoreCache: true })
        await camera.features.set('Height', 120)
        await camera.close()
        return { denied, kept, afterwards: write(160) }
      })
      expect(result.denied).toMatch(/Width write error: .*access-denied/)
      expect(result.kept).toBe(320)
      expect(result.afterwards).toMatch(/^Width = 160 /m)
      expect(await simulator.stats()).toMatchObject({ controlTaken: 2, controlReleased: 2 })
    })
  },
)

describeWith(['netns', 'sysctl'], 'a camera is lost', () => {
  const cases = [
    { name: 'it dies', inject: 'crash', reason: 'timeout' },
    { name: 'it reboots', inject: 'reboot', reason: 'released-by-camera' },
    { name: 'it lets go', inject: 'loseControl', reason: 'released-by-camera' },
  ] as const
  for (const { name, inject, reason } of cases) {
    it(`because ${name}: told within 1.5 heartbeat intervals, to the stream as well`, async () => {
      const result = await insideOk(
        namespace(),
        async (gigewire, inject: 'crash' | 'reboot' | 'loseControl', tools) => {
          const simulator = await gigewire.startSimulator({ width: 320, height: 240, frameRate: 50 })
          const camera = await gigewire.openCamera('127.0.0.1', { heartbeatTimeout: 6000 })
          let told: { reason: string; message: string } | undefined
          let at = 0
          camera.on('lost', (event) => {
            told = event
            at = performance.now()
          })
          const frames: bigint[] = []
          let begin = 0
          const ended = (async () => {
            for await (const frame of camera.stream()) {
              frames.push(frame.blockId)
              frame.release()
              if (frames.length !== 10) continue
              begin = performance.now() // it dies now, or later
              if (inject === 'reboot') simulator.reboot(300)
              else simulator[inject]()
            }
          })().then(
            () => 'ended well',
            (error: { code: string }) => error.code,
          )
          const streamEnd = await ended
          await tools.until(() => told, 'lost')
          const asked = performance.now()
          const outcomes: unknown[] = []
          for (const call of [
            () => camera.features.set('ExposureTime', 100),
            () => camera.features.get('Width'), // remembered
            () => camera.features.get('DeviceTemperature'), // read anew each time
            () => camera.features.node('ExposureTime').max(),
            () => camera.features.execute('TriggerSoftware'),
            () => camera.features.getMany(['Width', 'DeviceTemperature']),
            () => camera.readRegister(0),
            () => Promise.resolve().then(() => camera.stream()),
          ])
            outcomes.push(
              await call().then(
                () => 'answered',
                (error: { code: string }) => error.code,
              ),
            )
          const calls = { outcomes: [...new Set(outcomes)], ms: performance.now() - asked }
          await camera.close()
          let again: string | undefined
          if (inject !== 'crash') {
            const reopened = await gigewire.openCamera('127.0.0.1')
            again = String(await reopened.features.get('Width'))
            await reopened.close()
          }
          await simulator.stop()
          return { told, took: at - begin, streamEnd, calls, frames: frames.length, again }
        },
        inject,
      )
      expect(result.told?.reason).toBe(reason)
      expect(result.told?.message).not.toBe('')
      // The interval is a third of the timeout: 2 s. A quarter of it is for the machine, to run the event loop.
      expect(result.took / 2000).toBeLessThan(1.5 + 0.25)
      expect(result.streamEnd).toBe('ERR_GIGE_CONTROL_LOST')
      expect(result.calls.outcomes).toEqual(['ERR_GIGE_CONTROL_LOST'])
      expect(result.calls.ms).toBeLessThan(1000) // a camera that is gone is not even asked: that takes a second and more
      expect(result.frames).toBeGreaterThanOrEqual(10)
      if (inject !== 'crash') expect(result.again).toBe('320')
    })
  }

  for (const access of ['control', 'exclusive'] as const) {
    it(`because somebody else has taken it, for ${access}: told, and left to him`, async () => {
      const result = await insideOk(
        namespace(),
        async (gigewire, access: 'control' | 'exclusive', tools) => {
          const simulator = await gigewire.startSimulator({ width: 320, height: 240 })
          const camera = await gigewire.openCamera('127.0.0.1', { heartbeatTimeout: 6000 })
          let told: { reason: string; message: string } | undefined
          camera.on('lost', (event) => {
            told = event
          })
          simulator.loseControl()
          await tools.until(() => simulator.stats().controlPrivilege === 0, 'the loss of control')
          const other = await gigewire.openCamera('127.0.0.1', { access })
          const { controller } = simulator.stats()
          await tools.until(() => told, 'lost')
          const call = await camera.readRegister(0).catch((error: { code: string }) => error.code)
          await camera.close()
          const after = simulator.stats().controller
          await other.features.set('Width', 160)
          await other.close()
          await simulator.stop()
          return { told, call, controller, after }
        },
        access,
      )
      expect(result.told?.reason).toBe('taken-over')
      const by = access === 'control' ? `127.0.0.1:${result.controller?.port}` : 'exclusive access'
      expect(result.told?.message).toContain(by)
      expect(result.call).toBe('ERR_GIGE_CONTROL_LOST')
      expect(result.after).toEqual(result.controller)
    })
  }

  it('or closed: its features answer no more, whether or not their values are remembered', async () => {
    const result = await insideOk(namespace(), async (gigewire) => {
      const simulator = await gigewire.startSimulator()
      const camera = await gigewire.openCamera(simulator.address)
      const { features } = camera
      await features.get('Width')
      await camera.close()
      const code = (error: { code: string }) => error.code
      const outcomes = [
        await features.get('Width').catch(code),
        await features.get('DeviceTemperature').catch(code),
        await features.set('Width', 64).catch(code),
        await features.node('Width').max().catch(code),
      ]
      await simulator.stop()
      return outcomes.map(String)
    })
    expect(result).toEqual(Array(4).fill('ERR_GIGE_CLOSED'))
  })

  it('but not because it is deaf for a while; commands are patient, too', async () => {
    const result = await insideOk(namespace(), async (gigewire, _, tools) => {
      let width: Promise<unknown> | undefined
      const outcome = await tools.simulate(gigewire, {
        frames: 200,
        open: { heartbeatTimeout: 6000 },
        simulator: { frameRate: 100 },
        onFrame: (frame, _stream, camera, simulator) => {
          if (frame.blockId !== 10n) return
          simulator.stallControl(1200)
          width = camera.features.get('Width', { ignoreCache: true }).catch((error) => error.code)
        },
      })
      return { ...outcome, width: await width }
    })
    expect(result.width).toBe(320)
    expect(result.lost).toEqual([])
    expect(result.ids).toHaveLength(200)
    expect(result.wrong).toEqual([])
  })
})

describeWith(['netns', 'sysctl', 'arv-fake-gv-camera-0.8'], "Aravis' camera is lost", () => {
  const cases: { name: string; command: (pid: number, camera: Namespace) => string[]; told: object }[] = [
    {
      name: 'its program is killed',
      command: (pid) => ['kill', '-9', String(pid)],
      told: {
        reason: 'timeout',
        message: expect.stringMatching(/^10\.99\.0\.2 has not answered for \d+ ms/),
      },
    },
    {
      name: 'our NIC is down',
      command: () => ['ip', 'link', 'set', 'v0', 'down'],
      told: { reason: 'network-down', message: expect.stringMatching(/v0 is down$/) },
    },
    {
      name: 'its NIC is down, and so is the link',
      command: (_, camera) => ['ip', '-n', camera.name, 'link', 'set', 'v1', 'down'],
      told: { reason: 'network-down', message: expect.stringMatching(/v0 has no link$/) },
    },
  ]
  for (const { name, command, told } of cases) {
    it(`because ${name}: told within 1.5 heartbeat intervals, to the stream as well`, async () => {
      const { host, camera } = ends()
      const { pid } = await fakeCamera(camera, 'v1', 'GV01')
      const result = await insideOk(
        host,
        async (gigewire, [command, ...args]: string[], tools) => {
          const { execFileSync } = await import('node:child_process')
          const camera = await gigewire.openCamera('10.99.0.2', { heartbeatTimeout: 6000 })
          let told: { reason: string; message: string } | undefined
          let at = 0
          camera.on('lost', (event) => {
            told = event
            at = performance.now()
          })
          let begin = 0
          let frames = 0
          const streamEnd = await (async () => {
            for await (const frame of camera.stream()) {
              frame.release()
              if (++frames !== 10) continue
              execFileSync(command!, args)
              begin = performance.now()
            }
          })().then(
            () => 'ended well',
            (error: { code: string }) => error.code,
          )
          await tools.until(() => told, 'lost')
          await camera.close()
          return { told, took: at - begin, streamEnd, frames }
        },
        command(pid!, camera),
      )
      expect(result.told).toEqual(told)
      // as above: an interval of 2 s, a quarter of it for the machine
      expect(result.took / 2000).toBeLessThan(1.5 + 0.25)
      expect(result.streamEnd).toBe('ERR_GIGE_CONTROL_LOST')
      expect(result.frames).toBeGreaterThanOrEqual(10)
    })
  }
})

describeWith(['netns', 'sysctl'], 'control on a bad network', () => {
  const cases: { name: string; simulator: SimulatorOptions; seen: string; told?: string }[] = [
    { name: 'acks are lost', simulator: { faults: { controlLoss: 0.2 } }, seen: 'acksLost', told: 'retries' },
    {
      name: 'requests are lost',
      simulator: { faults: { controlRequestLoss: 0.2 } },
      seen: 'requestsLost',
      told: 'retries',
    },
    {
      name: 'acks come twice',
      simulator: { faults: { controlDuplicate: 0.5 } },
      seen: 'acksDuplicated',
      told: 'staleAcks',
    },
    {
      name: 'acks of others come first',
      simulator: { faults: { controlStaleAcks: 0.5 } },
      seen: 'readMem',
      told: 'staleAcks',
    },
    {
      name: 'READMEM acks without their address',
      simulator: { faults: { shortReadMemAck: true } },
      seen: 'readMem',
    },
    { name: 'one register at a time', simulator: { concatenation: false }, seen: 'readReg' },
    { name: 'no WRITEMEM', simulator: { writeMemory: false }, seen: 'writeReg' },
    { name: 'a plain description', simulator: { zip: false }, seen: 'readMem' },
  ]
  for (const { name, simulator, seen, told } of cases) {
    it(`${name}: every value is right, and the stream is whole`, async () => {
      const result = await insideOk(
        namespace(),
        async (gigewire, simulator: SimulatorOptions, tools) => {
          const values: unknown[] = []
          const result = await tools.simulate(gigewire, {
            simulator: { ...simulator, frameRate: 100 },
            frames: 20,
            onStream: async (_stream, camera) => {
              for (let i = 1; i <= 20; i++) {
                await camera.features.set('ExposureTime', 1000 + i)
                values.push(await camera.features.get('ExposureTime'))
              }
              values.push(...(await camera.readRegisters([0x0000, 0x0004, 0x0938])))
              const text = await camera.readMemory(0x0048, 32)
              values.push(Buffer.from(text).toString('latin1').replaceAll('\0', ''))
              await camera.features.set('DeviceUserID', 'somewhere')
              values.push(await camera.features.get('DeviceUserID'))
            },
          })
          return { ...result, values }
        },
        simulator,
      )
      expect(result.values.slice(0, 20)).toEqual(Array.from({ length: 20 }, (_, i) => 1001 + i))
      expect(result.values.slice(20)).toEqual([0x20000, 0x80000001, 3000, 'gigewire', 'somewhere'])
      expect([result.ids.length, result.wrong, result.lost]).toEqual([20, [], []])
      expect(result.simulator[seen]).toBeGreaterThan(0)
      if (told) expect([told, result.control[told]]).toEqual([told, expect.any(Number)])
      if (told) expect(result.control[told]).toBeGreaterThan(0)
    })
  }

  it('a slow command says so, and is waited for', async () => {
    const result = await insideOk(namespace(), async (gigewire) => {
      const simulator = await gigewire.startSimulator({ faults: { pendingAckMs: 2500, pendingAckCount: 3 } })
      const camera = await gigewire.openCamera('127.0.0.1')
      await camera.features.set('GwSlowRegister', 7)
      const value = await camera.features.get('GwSlowRegister')
      const control = camera.controlStats()
      await camera.close()
      const stats = simulator.stats()
      await simulator.stop()
      return { value, control, pending: stats.pendingAcks, expired: stats.heartbeatExpired }
    })
    expect(result.value).toBe(7)
    expect(result.pending).toBeGreaterThanOrEqual(3)
    expect(result.control.pendingAcks).toBe(result.pending)
    expect(result.control.timeouts).toBe(0)
    expect(result.expired).toBe(0)
  })
})

describeWith(['netns', 'nft'], 'a camera that is busy', () => {
  it('is asked again: every value is right, and each such answer is counted', async () => {
    const host = namespace()
    // One answer in four says BUSY instead, whatever it said; but for those of discovery.
    host.nft(`table inet busy {
      counter busy {}
      chain input { type filter hook input priority 0;
        udp sport 3956 @th,80,16 != 0x0003 numgen inc mod 4 == 0 counter name "busy" @th,64,16 set 0x8007
      }
    }`)
    const result = await insideOk(host, async (gigewire) => {
      const simulator = await gigewire.startSimulator()
      const camera = await gigewire.openCamera('127.0.0.1')
      const values = []
      for (let i = 1; i <= 10; i++) {
        await camera.features.set('ExposureTime', 1000 + i)
        values.push(await camera.features.get('ExposureTime', { ignoreCache: true }))
      }
      await camera.close()
      const control = camera.controlStats()
      await simulator.stop()
      return { values, control }
    })
    expect(result.values).toEqual(Array.from({ length: 10 }, (_, i) => 1001 + i))
    const busy = host.counted('busy')
    expect(busy).toBeGreaterThan(10)
    expect(result.control).toMatchObject({ busyAcks: busy, retries: busy, timeouts: 0, errorAcks: 0 })
  })
})

describeWith(['netns', 'sysctl', 'arv-fake-gv-camera-0.8'], "features of Aravis' camera", () => {
  it('are read and written', async () => {
    const host = namespace()
    await fakeCamera(host, '127.0.0.1', 'GV01')
    const result = await insideOk(host, async (gigewire) => {
      const camera = await gigewire.openCamera('GV01')
      const { features } = camera
      const before = {
        width: await features.get('Width'),
        height: await features.get('Height'),
        format: await features.get('PixelFormat'),
      }
      await features.set('Width', 256)
      await features.set('Height', 128)
      const tooLarge = await features.set('Width', 1e6).catch((error: { code: string }) => error.code)
      const unknown = await features.get('Nothing').catch((error: { code: string }) => error.code)
      const after = { width: await features.get('Width'), payload: await features.get('PayloadSize') }
      const frame = await camera.grab()
      const size = [frame.width, frame.height, frame.data.length]
      frame.release()
      const vendor = await features.get('DeviceVendorName')
      await camera.close()
      return { before, after, tooLarge, unknown, size, vendor, info: camera.info }
    })
    expect(result.before).toEqual({ width: 512, height: 512, format: 'Mono8' })
    expect(result.after).toEqual({ width: 256, payload: 256 * 128 })
    expect(result.size).toEqual([256, 128, 256 * 128])
    expect([result.tooLarge, result.unknown]).toEqual(['ERR_GIGE_FEATURE', 'ERR_GIGE_FEATURE'])
    expect(result.vendor).toBe('Aravis')
    expect(result.info).toMatchObject({
      manufacturer: 'Aravis',
      model: 'Fake',
      serial: 'GV01',
      interface: { name: 'lo' },
    })
  })
})
