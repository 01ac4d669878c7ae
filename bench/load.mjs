// Does the simulator outrun the receiver? It is the load of every benchmark, so its own limit must lie above what is measured.
// Two processes on loopback: one simulator sending frames as fast as it can, one stream that takes and releases them. Prints,
// for packet sizes 1500 and 9000, what was sent and what arrived, and their ratio: above 1, the receiver was the limit.
//
//   unshare -n sh -c 'ip link set lo up; node bench/load.mjs [seconds] [rounds]'
//
// Figures of one run on one machine; compare the ratios, not the rates.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { openCamera, startSimulator } from '../dist/index.js'

const self = fileURLToPath(import.meta.url)
const [seconds = 2, rounds = 5] = process.argv.slice(2).map(Number)

if (process.argv[2] === '--camera') {
  const simulator = await startSimulator({ frameRate: 0, resend: false })
  process.on('message', (message) => {
    if (message === 'stats') process.send(simulator.stats().packetsSent)
    else void simulator.stop().then(() => process.disconnect())
  })
  process.send('ready')
} else {
  const camera = spawn(process.execPath, [self, '--camera'], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const answer = () => new Promise((resolve) => camera.once('message', resolve))
  const ask = async () => {
    const pending = answer()
    camera.send('stats')
    return await pending
  }
  await answer()
  const median = (list) => list.sort((a, b) => a - b)[list.length >> 1]
  console.log('packet size | sent Gbit/s | arrived Gbit/s | sent / arrived | lost in kernel')
  for (const packetSize of [1500, 9000]) {
    const runs = []
    for (let round = 0; round < rounds; round++) runs.push(await run(packetSize, ask))
    const pick = (key) => median(runs.map((r) => r[key]))
    const columns = [pick('sent'), pick('arrived'), pick('ratio')].map((n) => n.toFixed(2).padStart(8))
    console.log(
      `${String(packetSize).padStart(11)} | ${columns.join(' | ')} | ${(100 * pick('lost')).toFixed(1)} %`,
    )
  }
  camera.send('stop')
}

async function run(packetSize, ask) {
  const camera = await openCamera('127.0.0.1')
  const stream = camera.stream({ packetSize })
  stream.on('incomplete', () => {})
  await stream.start()
  const timer = setTimeout(() => void stream.close(), seconds * 1000)
  const sentBefore = await ask()
  const began = performance.now()
  for await (const frame of stream) frame.release()
  const took = (performance.now() - began) / 1000
  clearTimeout(timer)
  const stats = stream.stats()
  const sent = (await ask()) - sentBefore
  await camera.close()
  const gigabits = (packets) => (packets * packetSize * 8) / took / 1e9
  return {
    sent: gigabits(sent),
    arrived: gigabits(stats.datagrams),
    ratio: sent / stats.datagrams,
    lost: stats.kernelDrops / sent,
  }
}
