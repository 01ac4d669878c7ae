// What engines below the IP stack save, beside the socket engine as it chooses by itself: CPU of both ends per packet (camera,
// receiver and the kernel's work between them), CPU of the receiving process alone, and latency. Camera and receiver
// are at the two ends of a veth cable, in network namespaces and processes of their own; packets go out one by one, with UDP
// checksum 0, as from a wire. The engines take turns in every round; medians of the rounds, ratios to `auto`.
//
//   sudo unshare -n node bench/rings.mjs [--seconds 1] [--rounds 5] [--only TEXT] [--json]
//
// At 1 Gbit/s packets are paced evenly, above each frame is one burst. Latency is from when the camera's clock says that the last
// packet of a frame is due (in bursts: the first) to when the frame is complete; it includes how late the camera was, and in bursts
// all of its sending. Compare engines, not rates.
//
// The kernel does the receiving of a veth cable in the process that sends, or in ksoftirqd: both are counted, with their time on
// a processor, which includes interrupts unless the kernel keeps those apart (CONFIG_IRQ_TIME_ACCOUNTING).

import { execFileSync, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
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

const HOST = '10.99.0.1'
const CAMERA = '10.99.0.2'
const IMAGE = { width: 1936, height: 1216 }
const LOADS = [1, 5, 10].flatMap((gigabits) =>
  [1500, 9000].map((packetSize) => ({ name: `${gigabits} Gbit/s, ${packetSize}`, gigabits, packetSize })),
)
const ENGINES = ['auto', 'packet-ring', 'xdp']

if (flags.camera) await camera(JSON.parse(flags.camera))
else if (flags.receive) await receive(JSON.parse(flags.receive))
else await compare()

/** A simulated camera until the channel to the parent closes. */
async function camera({ gigabits }) {
  const bits = IMAGE.width * IMAGE.height * 8
  const simulator = await startSimulator({
    ...IMAGE,
    address: CAMERA,
    udpChecksum: false,
    gso: false,
    frameRate: (0.95 * gigabits * 1e9) / bits, // a little room between frames, as cameras have it
    ...(gigabits === 1 && { lineRateBps: 1e9 }),
  })
  process.on('disconnect', () => void simulator.stop())
  process.send('ready')
}

/** ns of the host's clock at the camera's tick 0: by the quickest of some questions. */
async function clockOffset({ features }) {
  let best = { took: Number.POSITIVE_INFINITY, offset: 0n }
  for (let i = 0; i < 50; i++) {
    const before = process.hrtime.bigint()
    await features.execute('GevTimestampControlLatch', { wait: false })
    const after = process.hrtime.bigint()
    const took = Number(after - before)
    const ticks = BigInt(await features.get('GevTimestampValue'))
    if (took < best.took) best = { took, offset: (before + after) / 2n - ticks }
  }
  return best.offset
}

/** ns on a processor of all threads of a process, of those that have ended, too. */
function onProcessor(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 1e7 // in user and kernel mode, in hundredths of a second
}

/** The kernel's threads that do the work of the network where nobody else does. */
function softirqThreads() {
  const isOne = (pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('ksoftirqd/')
    } catch {
      return false // it has ended
    }
  }
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOne(name))
}

async function receive({ packetSize, engine, gigabits, cameraPid }) {
  const kernel = softirqThreads()
  const both = () => [cameraPid, process.pid, ...kernel].reduce((sum, pid) => sum + onProcessor(pid), 0)
  const device = await openCamera(CAMERA)
  const offset = await clockOffset(device)
  const stream = device.stream({ packetSize, engine, buffers: 32 })
  await stream.start()
  const latencies = []
  let begin
  let warm = 5 // frames in which threads, caches and the engine settle
  for await (const frame of stream) {
    const { packets, timestamp, readyTimeNs } = frame
    frame.release()
    if (warm-- > 0) continue
    begin ??= { own: onProcessor(process.pid), both: both(), time: performance.now(), stats: stream.stats() }
    const wire = gigabits === 1 ? (packets.expected - 1) * packetSize * 8 : 0
    latencies.push(Number(readyTimeNs - timestamp - offset) - wire)
    if (performance.now() - begin.time >= Number(flags.seconds) * 1000) break
  }
  const spent = { own: onProcessor(process.pid) - begin.own, both: both() - begin.both }
  const seconds = (performance.now() - begin.time) / 1000
  const stats = stream.stats()
  const packets = stats.datagrams - begin.stats.datagrams
  latencies.sort((a, b) => a - b)
  process.send({
    both: spent.both / packets,
    own: spent.own / packets,
    gigabits: (packets * packetSize * 8) / seconds / 1e9,
    p50: latencies[latencies.length >> 1] / 1000,
    p99: latencies[Math.floor(latencies.length * 0.99)] / 1000,
    lost: stats.packetsLost + stats.blocksNoSlot,
    engine: [stream.engine, stream.xdpMode].filter(Boolean).join(' '),
  })
  await device.close()
  process.disconnect()
}

function child(kind, argument, ...prefix) {
  const args = [
    ...prefix,
    process.execPath,
    self,
    `--${kind}`,
    JSON.stringify(argument),
    '--seconds',
    flags.seconds,
  ]
  return spawn(args[0], args.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

async function message(process_) {
  return await new Promise((resolve, reject) => {
    process_.once('message', resolve)
    process_.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

async function one(load, engine, far) {
  const device = child('camera', load, 'nsenter', '-t', String(far), '-n')
  await message(device)
  const receiver = child('receive', { ...load, engine, cameraPid: device.pid })
  const ended = new Promise((resolve) => receiver.once('exit', resolve))
  const result = await message(receiver)
  await ended
  const gone = new Promise((resolve) => device.once('exit', resolve))
  device.disconnect()
  await gone
  return result
}

/** A cable from this network namespace to another one, which lives as long as the process that is returned. */
function cable() {
  const ip = (...args) => execFileSync('ip', args)
  const far = spawn('unshare', ['-n', 'sleep', 'infinity'], { stdio: 'ignore' })
  while (readlink(far.pid) === readlink('self'));
  const there = (...args) => execFileSync('nsenter', ['-t', String(far.pid), '-n', 'ip', ...args])
  const mtu = ['mtu', '9000']
  ip('link', 'add', 'v0', ...mtu, 'type', 'veth', 'peer', 'name', 'v1', ...mtu, 'netns', String(far.pid))
  ip('addr', 'add', `${HOST}/24`, 'dev', 'v0')
  ip('link', 'set', 'v0', 'up')
  there('addr', 'add', `${CAMERA}/24`, 'dev', 'v1')
  there('link', 'set', 'v1', 'up')
  return far
}

function readlink(pid) {
  return execFileSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' })
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

async function compare() {
  const far = cable()
  const rows = []
  try {
    for (const load of LOADS.filter(({ name }) => name.includes(flags.only))) {
      const runs = ENGINES.map(() => [])
      for (let round = 0; round < Number(flags.rounds); round++) {
        for (const [i, engine] of ENGINES.entries()) runs[i].push(await one(load, engine, far.pid))
      }
      const of = (i, key) => median(runs[i].map((run) => run[key]))
      for (const [i, engine] of ENGINES.entries()) {
        const ratio = (key) => Number((of(i, key) / of(0, key)).toFixed(2))
        rows.push({
          load: load.name,
          engine,
          became: runs[i].at(-1).engine,
          bothNs: Math.round(of(i, 'both')),
          bothRatio: ratio('both'),
          receiverNs: Math.round(of(i, 'own')),
          receiverRatio: ratio('own'),
          gigabits: Number(of(i, 'gigabits').toFixed(2)),
          p50Us: Math.round(of(i, 'p50')),
          p99Us: Math.round(of(i, 'p99')),
          lost: runs[i].reduce((sum, run) => sum + run.lost, 0),
        })
        if (!flags.json) print(rows.at(-1))
      }
    }
  } finally {
    far.kill()
  }
  if (flags.json) console.log(JSON.stringify(rows, null, 2))
}

function print(row) {
  console.log(
    [
      row.load.padEnd(16),
      row.engine.padEnd(11),
      row.became.padEnd(13),
      `both ends ${String(row.bothNs).padStart(6)} ns/packet x ${row.bothRatio.toFixed(2)}`,
      `receiver ${String(row.receiverNs).padStart(6)} ns/packet x ${row.receiverRatio.toFixed(2)}`,
      `${row.gigabits.toFixed(2)} Gbit/s`.padStart(12),
      `p50 ${row.p50Us} us, p99 ${row.p99Us} us`,
      `${row.lost} lost`,
    ].join('  '),
  )
}
