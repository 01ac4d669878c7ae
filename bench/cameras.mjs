// What several cameras cost beside one at the same sum: CPU of the whole receiving process per packet, for packets of 1500 bytes
// with UDP checksum 0, evenly paced. All cameras are in one process, each with a thread of its own there, on core 0; the receiver
// has core 1: were they to share the cores, the many threads of the cameras would keep it from them. The cases take turns in every
// round; medians, and ratios to one camera on its own thread.
//
//   unshare -n sh -c 'ip link set lo up; node bench/cameras.mjs [--sum 240] [--counts 1,4,16] [--seconds 1] [--rounds 5] [--json]'
//
// --sum is in MB/s; compare only cases whose packetsPerSecond are the same: core 0 may be too slow for more. `slept` counts how often a thread of the receiving process went to sleep, per second: each is a wake-up.

import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openCamera, startSimulator } from '../dist/index.js'

const self = fileURLToPath(import.meta.url)
const { values: flags } = parseArgs({
  options: {
    sum: { type: 'string', default: '240' },
    counts: { type: 'string', default: '1,4,16' },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false },
    cameras: { type: 'string' },
    receive: { type: 'string' },
  },
})

const IMAGE = { width: 1936, height: 1216 }
const PACKET = 1500
const address = (i) => `127.0.1.${i + 1}`

if (flags.cameras) await cameras(Number(flags.cameras))
else if (flags.receive) await receive(JSON.parse(flags.receive))
else await compare()

/** Simulated cameras until the channel to the parent closes. */
async function cameras(count) {
  const each = (Number(flags.sum) * 1e6) / count
  const simulators = []
  for (let i = 0; i < count; i++) {
    simulators.push(
      await startSimulator({
        ...IMAGE,
        address: address(i),
        serial: `CAMERA-${i}`,
        udpChecksum: false,
        frameRate: each / (IMAGE.width * IMAGE.height),
        lineRateBps: Math.round(each * 8 * 1.06), // headers, and a little time between frames
      }),
    )
  }
  process.on('disconnect', () => void Promise.all(simulators.map((one) => one.stop())))
  process.send('ready')
}

function sleeps() {
  return readdirSync('/proc/self/task').reduce((sum, task) => {
    const status = readFileSync(`/proc/self/task/${task}/status`, 'utf8')
    return sum + Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)[1])
  }, 0)
}

async function receive({ count, threads }) {
  const devices = await Promise.all(Array.from({ length: count }, (_, i) => openCamera(address(i))))
  const streams = devices.map((device) => device.stream({ packetSize: PACKET, threads, engine: 'copy' }))
  for (const stream of streams) await stream.start()
  const sum = (name) => streams.reduce((total, stream) => total + stream.stats()[name], 0)
  const read = async (stream) => {
    for await (const frame of stream) frame.release()
  }
  const reading = streams.map(read)
  await new Promise((resolve) => setTimeout(resolve, 300)) // threads, caches and pacing settle
  const began = {
    cpu: process.cpuUsage(),
    time: performance.now(),
    packets: sum('datagrams'),
    sleeps: sleeps(),
  }
  const batches = sum('batches')
  await new Promise((resolve) => setTimeout(resolve, Number(flags.seconds) * 1000))
  const cpu = process.cpuUsage(began.cpu)
  const took = (performance.now() - began.time) / 1000
  const packets = sum('datagrams') - began.packets
  const result = {
    cpu: ((cpu.user + cpu.system) * 1000) / packets,
    packetsPerSecond: packets / took,
    perRead: packets / (sum('batches') - batches),
    slept: (sleeps() - began.sleeps) / took,
    lost: sum('packetsLost') + sum('blocksNoSlot') + sum('blocksMissed'),
    threads: streams[0].granted.threads,
  }
  for (const device of devices) await device.close()
  await Promise.all(reading)
  process.send(result)
  process.disconnect()
}

function child(kind, argument) {
  const args = [self, `--${kind}`, JSON.stringify(argument), '--seconds', flags.seconds, '--sum', flags.sum]
  const core = kind === 'cameras' ? '0' : '1'
  return spawn('taskset', ['-c', core, process.execPath, ...args], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

async function message(process_) {
  return await new Promise((resolve, reject) => {
    process_.once('message', resolve)
    process_.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

async function one(count, threads) {
  const sender = child('cameras', count)
  await message(sender)
  const receiver = child('receive', { count, threads })
  const ended = new Promise((resolve) => receiver.once('exit', resolve))
  const result = await message(receiver)
  await ended
  const gone = new Promise((resolve) => sender.once('exit', resolve))
  sender.disconnect()
  await gone
  return result
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

async function compare() {
  const cases = flags.counts
    .split(',')
    .flatMap((count) => ['own', 'shared'].map((threads) => ({ count: Number(count), threads, runs: [] })))
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const one_ of cases) one_.runs.push(await one(one_.count, one_.threads))
  }
  const base = median(cases[0].runs.map((run) => run.cpu))
  const rows = cases.map(({ count, threads, runs }) => {
    const pick = (name) => median(runs.map((run) => run[name]))
    return {
      cameras: count,
      threads,
      nsPerPacket: Math.round(pick('cpu')),
      ratio: Number((pick('cpu') / base).toFixed(2)),
      packetsPerSecond: Math.round(pick('packetsPerSecond')),
      packetsPerRead: Number(pick('perRead').toFixed(1)),
      slept: Math.round(pick('slept')),
      lost: runs.reduce((sum, run) => sum + run.lost, 0),
    }
  })
  if (flags.json) console.log(JSON.stringify(rows, null, 2))
  else console.table(rows)
}
