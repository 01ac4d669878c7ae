// What each wish of `tuning` brings: CPU of the whole receiving process per packet, and how late frames reach the body of
// `for await`, in us after the quickest frame of all cases (camera and receiver have the same clock, so that what it takes at least
// is left out); on an idle core, and beside a process that burns it. The camera, paced exactly, has core 0 to itself. One process
// for each case; the cases take turns in every round; medians of the rounds.
//
// The packets come through a veth pair between two namespaces of the benchmark's own, with NAPI where ethtool can switch its GRO
// on: without it busy polling has nothing to poll. Needs root and two cores.
//
//   node bench/tuning.mjs [--seconds 1] [--rounds 5] [--only TEXT] [--json]

import { execFileSync, spawn } from 'node:child_process'
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
    burn: { type: 'boolean', default: false },
  },
})

const names = [`gwt-${process.pid}-h`, `gwt-${process.pid}-c`]
const CAMERA = '10.71.0.2'
const HOST = '10.71.0.1'
const IMAGE = { width: 640, height: 480 }
const LOADS = [
  { name: '1 Gbit/s, idle core', gigabits: 1, burners: 0 },
  { name: '1 Gbit/s, busy core', gigabits: 1, burners: 1 },
  { name: '5 Gbit/s, idle core', gigabits: 5, burners: 0 },
  { name: '5 Gbit/s, busy core', gigabits: 5, burners: 1 },
]
const CASES = [
  { name: 'nothing' },
  { name: 'no coalescing', coalesce: 0 },
  { name: 'busyPoll 50', tuning: { busyPoll: 50 } },
  { name: 'priority 20', tuning: { priority: 20 } },
  { name: 'priority -10', tuning: { priority: -10 } },
  { name: 'cpu 1', tuning: { cpu: [1] } },
  { name: 'hugePages', tuning: { hugePages: true } },
]

if (flags.camera) await camera(JSON.parse(flags.camera))
else if (flags.receive) await receive(JSON.parse(flags.receive))
else if (flags.burn) for (;;);
else await compare()

/** A simulated camera until the channel to the parent closes. */
async function camera({ gigabits }) {
  const simulator = await startSimulator({
    ...IMAGE,
    address: CAMERA,
    udpChecksum: false,
    spin: true,
    frameRate: (gigabits * 1e9) / (IMAGE.width * IMAGE.height * 8),
    lineRateBps: Math.round(gigabits * 1e9 * 1.06), // headers, and a little time between frames
  })
  process.on('disconnect', () => void simulator.stop())
  process.send('ready')
}

async function receive({ name, ...options }) {
  const device = await openCamera(CAMERA)
  const stream = device.stream({ packetSize: 1500, engine: 'copy', threads: 'own', ...options })
  await stream.start()
  const delays = []
  let begin
  let warm = 20 // frames in which threads and caches settle
  for await (const frame of stream) {
    const delay = Number(process.hrtime.bigint() - frame.timestampNs) / 1000
    frame.release()
    if (warm-- > 0) continue
    begin ??= { cpu: process.cpuUsage(), time: performance.now(), stats: stream.stats() }
    delays.push(delay)
    if (performance.now() - begin.time >= Number(flags.seconds) * 1000) break
  }
  const cpu = process.cpuUsage(begin.cpu)
  const stats = stream.stats()
  const packets = stats.datagrams - begin.stats.datagrams
  process.send({
    cpu: ((cpu.user + cpu.system) * 1000) / packets,
    lost: stats.packetsLost + stats.blocksNoSlot + stats.blocksMissed,
    delays: delays.sort((a, b) => a - b),
    granted: stream.granted,
  })
  await device.close()
  process.disconnect()
}

/** What runs a command in one of the two namespaces. */
const within = (i, ...command) => ['ip', 'netns', 'exec', names[i], ...command]

function ip(...args) {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'inherit'] })
}

function makeNetwork() {
  for (const name of names) ip('netns', 'add', name)
  ip('link', 'add', 'gwt0', 'netns', names[0], 'type', 'veth', 'peer', 'name', 'gwt1', 'netns', names[1])
  for (const [i, address] of [HOST, CAMERA].entries()) {
    ip('-n', names[i], 'addr', 'add', `${address}/24`, 'dev', `gwt${i}`)
    ip('-n', names[i], 'link', 'set', `gwt${i}`, 'up')
    ip('-n', names[i], 'link', 'set', 'lo', 'up')
  }
  const [command, ...args] = within(0, 'ethtool', '-K', 'gwt0', 'gro', 'on')
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function removeNetwork() {
  for (const name of names) ip('netns', 'del', name)
}

function start(command) {
  return spawn(command[0], command.slice(1), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
}

function child(kind, argument) {
  return [process.execPath, self, `--${kind}`, JSON.stringify(argument), '--seconds', flags.seconds]
}

async function message(process_) {
  return await new Promise((resolve, reject) => {
    process_.once('message', resolve)
    process_.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

async function one(options) {
  const receiver = start(within(0, ...child('receive', options)))
  const ended = new Promise((resolve) => receiver.once('exit', resolve))
  const result = await message(receiver)
  await ended
  return result
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1]
}

async function compare() {
  const napi = makeNetwork()
  const rows = []
  try {
    for (const load of LOADS.filter(({ name }) => name.includes(flags.only)))
      rows.push(...(await measure(load)))
  } finally {
    removeNetwork()
  }
  if (flags.json) console.log(JSON.stringify({ napi, rows }, null, 2))
  else {
    console.log(napi ? 'veth with NAPI' : 'veth without NAPI: no ethtool')
    console.table(rows)
  }
}

/** All cases against one camera, whose clock is thereby the same for all. */
async function measure(load) {
  const sender = start(within(1, 'nice', '-n', '-20', 'taskset', '-c', '0', ...child('camera', load)))
  await message(sender)
  const burners = Array.from({ length: load.burners }, () =>
    spawn('taskset', ['-c', '1', process.execPath, self, '--burn'], { stdio: 'ignore' }),
  )
  const runs = CASES.map(() => [])
  try {
    for (let round = 0; round < Number(flags.rounds); round++) {
      for (const [i, options] of CASES.entries()) runs[i].push(await one(options))
    }
  } finally {
    for (const burner of burners) burner.kill()
    sender.disconnect()
  }
  await new Promise((resolve) => sender.once('exit', resolve))
  const quickest = Math.min(...runs.flat().map((run) => run.delays[0]))
  const base = median(runs[0].map((run) => run.cpu))
  return CASES.map(({ name, tuning = {} }, i) => {
    const at = (share) =>
      Math.round(median(runs[i].map(({ delays }) => delays[Math.floor(delays.length * share)] - quickest)))
    const cpu = median(runs[i].map((run) => run.cpu))
    const refused = Object.keys(tuning).filter((wish) => runs[i][0].granted[wish].reason !== undefined)
    return {
      load: load.name,
      wish: name + (refused.length > 0 ? ' (refused)' : ''),
      nsPerPacket: Math.round(cpu),
      ratio: Number((cpu / base).toFixed(2)),
      p50: at(0.5),
      p99: at(0.99),
      lost: runs[i].reduce((sum, run) => sum + run.lost, 0),
    }
  })
}
