// The laboratory, with a kernel that cannot keep up: packets of the camera come faster than the core that is to take them does so, since it
// has a long firewall to go through for others.

import { once } from 'node:events'
import { expect, it } from 'vitest'
import { cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { until } from '../helpers/tools.mjs'
import { CAMERA, HOST, look, SMALL } from './laboratory.js'

const DISCARD = 9
const RULES = 4000
const FLOOD_MS = 700

/** From many sockets: what one may have on its way is less than a backlog holds. */
const FLOOD = `
import { createSocket } from 'node:dgram'
const sockets = Array.from({ length: 40 }, () => createSocket('udp4'))
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

describeWith(['netns', 'root', 'nft'], 'the laboratory, with a kernel that cannot keep up', () => {
  it('is host.backlog', async () => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    // Whoever sends would do the work of receiving as well, and wait for itself: another core is to do it.
    host.exec('sh', '-c', 'echo 2 > /sys/class/net/v0/queues/rx-0/rps_cpus')
    const long = Array.from({ length: RULES }, (_, i) => `udp sport ${i + 1} counter`)
    host.nft(`table ip slow {
  chain long {
    ${long.join('\n    ')}
  }
  chain input {
    type filter hook input priority 0; policy accept;
    udp dport ${DISCARD} jump long
  }
}`)
    const simulator = await remoteSimulator(camera, { ...SMALL, address: CAMERA, gso: false })
    const flood = camera.spawn('taskset', ['-c', '0', process.execPath, '--input-type=module', '-e', FLOOD])
    await once(flood.stdout!, 'data')
    const looking = look(host, { camera: CAMERA })
    await until(async () => (await simulator.stats()).packetsSent > 0, 'the stream')
    flood.stdin!.write('go\n')
    const { findings, facts, ms } = await looking
    const what = JSON.stringify(findings, null, 1) + JSON.stringify(facts.probes)
    expect(findings[0], what).toMatchObject({ code: 'host.backlog', confidence: 'high', severity: 'error' })
    expect(findings.map(({ code }) => code).filter((code) => code.startsWith('firewall.'))).toEqual([])
    expect(findings[0]!.remedy!.commands[0]!.command).toMatch(/^sysctl -w net\.core\.netdev_max_backlog=/)
    expect(ms, what).toBeLessThan(3000)
  })
})
