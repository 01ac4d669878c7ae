// The laboratory, with limits of the kernel in the way. They are the machine's own, which no namespace has for itself: the printed command is
// run on the machine, as root, and taken back whatever happens. One of them is a backlog that runs over: packets come faster than the core
// that is to take them does so, since it has a long firewall to go through for others.

import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { expect, it } from 'vitest'
import type { PreflightReport, RemedyCommand, SimulatorOptions } from '../../lib/index.js'
import type { Facts } from '../../lib/preflight/facts.js'
import { remedyFor } from '../../lib/preflight/rules/remedies.js'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { CAMERA, HOST, type Lab, look, SMALL } from './laboratory.js'

const DISCARD = 9
const RULES = 2000
const FLOOD_MS = 700

/** Packets to this port go through many rules. */
const slowFor = (port: number) => `table ip slow {
  chain long {
    ${Array.from({ length: RULES }, (_, i) => `udp sport ${i + 1} counter`).join('\n    ')}
  }
  chain input {
    type filter hook input priority 0; policy accept;
    udp dport ${port} jump long
  }
}`

/** From several sockets: what one may have on its way is less than a backlog of 1000 holds, and all of them less than one of 10000. */
const FLOOD = `
import { createSocket } from 'node:dgram'
const sockets = Array.from({ length: 12 }, () => createSocket('udp4'))
for (const socket of sockets) {
  socket.connect(${DISCARD}, '${HOST}')
  socket.on('error', () => {})
}
await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('connect', resolve))))
console.log('ready')
process.stdin.once('data', () => {
  const end = performance.now() + ${FLOOD_MS}
  const bytes = Buffer.alloc(100)
  const send = (socket) => socket.send(bytes, () => performance.now() < end ? send(socket) : socket.close())
  for (const socket of sockets) send(socket)
})
process.stdin.unref()
`

/** As a user of this machine would type it; whatever becomes of the test, the setting is as it was. */
async function mendMachine(
  setting: string,
  { findings, facts }: PreflightReport,
  again: () => Promise<PreflightReport>,
): Promise<void> {
  const read = () => execFileSync('sysctl', ['-n', setting], { encoding: 'utf8' }).trim()
  const run = (command: string) => execFileSync('sh', ['-c', command], { stdio: 'ignore' })
  const before = read()
  // A namespace does not show what the machine's setting is, and so not how to take it back.
  const limits = { netdevMaxBacklog: Number(before), ...(facts as Facts).host.limits }
  const whole = { ...(facts as Facts), host: { ...(facts as Facts).host, limits } }
  const [{ command, undo }] = remedyFor(findings[0]!.code, whole)!.commands as [RemedyCommand]
  expect(command).toBe(findings[0]!.remedy!.commands[0]!.command)
  try {
    run(command)
    expect(Number(read())).toBeGreaterThan(Number(before))
    const after = await again()
    expect(after.findings[0], JSON.stringify(after.findings)).toMatchObject({ code: 'ok' })
    run(undo!)
    expect(read()).toBe(before)
  } finally {
    execFileSync('sysctl', ['-qw', `${setting}=${before}`])
  }
}

describeWith(['netns', 'root', 'nft', 'sysctl'], 'the laboratory, with limits of the kernel', () => {
  async function lab(
    options: SimulatorOptions,
    body: (lab: Lab) => Promise<void>,
    cpus?: string,
  ): Promise<void> {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    const simulator = await remoteSimulator(camera, { ...options, address: CAMERA }, [], cpus)
    await body({ host, camera, simulator })
  }

  it('is host.receive-buffer', async () => {
    await lab({ width: 4096, height: 3000, frameRate: 2 }, async ({ host }) => {
      const report = await look(host, { camera: CAMERA })
      expect(report.findings[0]).toMatchObject({ code: 'host.receive-buffer' })
      await mendMachine('net.core.rmem_max', report, async () => await look(host, { camera: CAMERA }))
    })
  })

  it('is host.backlog', async () => {
    await lab(
      { ...SMALL, gso: false },
      async ({ host, camera, simulator }) => {
        // Whoever sends would do the work of receiving as well, and wait for itself: another core is to do it. The camera shares the core of
        // those who send: on the other it would hardly come to send anything.
        host.exec('sh', '-c', 'echo 2 > /sys/class/net/v0/queues/rx-0/rps_cpus')
        host.nft(slowFor(DISCARD))
        const flooded = async () => {
          const sent = (await simulator!.stats()).packetsSent
          const flood = camera.spawn('taskset', [
            '-c',
            '0',
            process.execPath,
            '--input-type=module',
            '-e',
            FLOOD,
          ])
          await once(flood.stdout!, 'data')
          const looking = look(host, { camera: CAMERA })
          await until(async () => (await simulator!.stats()).packetsSent > sent, 'the stream')
          flood.stdin!.write('go\n')
          return await looking
        }
        const report = await flooded()
        const { findings, facts, ms } = report
        const what = JSON.stringify(findings, null, 1) + JSON.stringify(facts.probes)
        expect(findings[0], what).toMatchObject({
          code: 'host.backlog',
          confidence: 'high',
          severity: 'error',
        })
        expect(findings.map(({ code }) => code)).toEqual(['host.backlog'])
        expect(ms, what).toBeLessThan(3000)
        await mendMachine('net.core.netdev_max_backlog', report, flooded)
      },
      '0',
    )
  })
})
