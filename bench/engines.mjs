// What each manner of taking packets from the kernel costs: CPU of the whole receiving process (user and system, iterator and
// releases included) per packet, for packets of 1500 and 9000 bytes, paced evenly like a camera and in bursts, with the UDP
// checksum that lets the kernel put packets together and without. One process for the camera, one for each case; the cases take
// turns in every round, so that what disturbs the machine disturbs all of them; medians of the rounds, and ratios to `copy`
// without coalescing, which is what any receiver with recvmmsg and one copy does.
//
//   unshare -n sh -c 'ip link set lo up; node bench/engines.mjs [--seconds 1] [--rounds 5] [--only TEXT] [--json]'
//
// On loopback the sender's core does the kernel's work of sending and queueing; compare the ratios, not the figures.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCamera, startSimulator } from '../dist/index.js'

const self = fileURLToPath(import.meta.url)
const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' }, // loads whose name holds this
    json: { type: 'boolean', default: false },
    camera: { type: 'string' },
    receive: { type: 'string' },
  },
})

const IMAGE = { width: 1936, height: 1216 }
const LOADS = [
  { name: '1 Gbit/s, evenly', gigabits: 1, udpChecksum: false, lineRate: true },
  { name: '5 Gbit/s, evenly', gigabits: 5, udpChecksum: false, lineRate: true },
  { name: '5 Gbit/s, bursts', gigabits: 5, udpChecksum: false, lineRate: false },
  { name: '5 Gbit/s, bursts, put together', gigabits: 5, udpChecksum: true, lineRate: false },
]
const ENGINES = [
  { name: 'copy, no coalescing', engine: 'copy', coalesce: 0 },
  { name: 'copy', engine: 'copy' },
  { name: 'scatter', engine: 'scatter' },
  { name: 'aggregate', engine: 'aggregate' },
  { name: 'auto', engine: 'auto' },
]

if (flags.camera) await camera(JSON.parse(flags.camera))
else if (flags.receive) await receive(JSON.parse(flags.receive))
else await compare()

/** A simulated camera until the channel to the parent closes. */
async function camera({ gigabits, udpChecksum, lineRate }) {
  const bits = IMAGE.width * IMAGE.height * 8
  const simulator = await startSimulator({
    ...IMAGE,
    udpChecksum,
    frameRate: (gigabits * 1e9) / bits,
    ...(lineRate && { lineRateBps: gigabits * 1e9 }),
  })
  process.on('disconnect', () => void simulator.stop())
  process.send('ready')
}

async function receive({ packetSize, engine, coalesce }) {
  const device = await openCamera('127.0.0.1')
  const stream = device.stream({ packetSize, engine, ...(coalesce !== undefined && { coalesce }) })
  await stream.start()
  let begin
  let warm = 5 // frames in which threads, caches and the engine settle
  for await (const frame of stream) {
    frame.release()
    if (warm-- > 0) continue
    begin ??= { cpu: process.cpuUsage(), time: performance.now(), stats: stream.stats() }
    if (performance.now() - begin.time >= Number(flags.seconds) * 1000) break
  }
  const cpu = process.cpuUsage(begin.cpu)
  const stats = stream.stats()
  const packets = stats.datagrams - begin.stats.datagrams
  process.send({
    cpu: ((cpu.user + cpu.system) * 1000) / packets,
    lost: stats.packetsLost + stats.blocksNoSlot,
    packets,
    perRead: packets / (stats.batches - begin.stats.batches),
    engine: stream.engine,
  })
  await device.close()
  process.disconnect()
}

function child(kind, argument) {
  const args = [self, `--${kind}`, JSON.stringify(argument), '--seconds', flags.seconds]
  return spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function message(process_) {
  return await new Promise((resolve, reject) => {
    process_.once('message', resolve)
    process_.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

async function one(load, packetSize, engine) {
  const device = child('camera', load)
  await message(device)
  const receiver = child('receive', { packetSize, ...engine })
  const ended = new Promise((resolve) => receiver.once('exit', resolve))
  const result = await message(receiver)
  await ended
  const gone = new Promise((resolve) => device.once('exit', resolve))
  device.disconnect()
  await gone
  return result
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

async function compare() {
  const rows = []
  for (const load of LOADS.filter(({ name }) => name.includes(flags.only))) {
    for (const packetSize of [1500, 9000]) {
      const runs = ENGINES.map(() => [])
      for (let round = 0; round < Number(flags.rounds); round++) {
        for (const [i, engine] of ENGINES.entries()) runs[i].push(await one(load, packetSize, engine))
      }
      const base = median(runs[0].map((run) => run.cpu))
      for (const [i, engine] of ENGINES.entries()) {
        const cpu = median(runs[i].map((run) => run.cpu))
        rows.push({
          load: load.name,
          packetSize,
          engine: engine.name,
          became: runs[i].at(-1).engine,
          nsPerPacket: Math.round(cpu),
          ratio: Number((cpu / base).toFixed(2)),
          packetsPerRead: Number(median(runs[i].map((run) => run.perRead)).toFixed(1)),
          lost: runs[i].reduce((sum, run) => sum + run.lost, 0),
        })
        if (!flags.json) print(rows.at(-1))
      }
    }
  }
  if (flags.json) console.log(JSON.stringify(rows, null, 2))
}

function print(row) {
  console.log(
    [
      row.load.padEnd(31),
      String(row.packetSize).padStart(5),
      row.engine.padEnd(20),
      row.became.padEnd(10),
      `${row.nsPerPacket} ns/packet`.padStart(16),
      `x ${row.ratio.toFixed(2)}`,
      `${row.packetsPerRead} per read`.padStart(15),
      `${row.lost} lost`.padStart(10),
    ].join('  '),
  )
}
