// Measures the goals of the receive engine, each as a ratio within one run of this script, and prints which are met.
//
//   node bench/goals.mjs [--only G1,G2] [--rounds 5] [--seconds 1] [--json]

import { parseArgs } from 'node:util'
import { Networks } from '../dist/bench/network.js'
import { series } from '../dist/bench/series.js'
import { GOALS } from './goals/list.mjs'
import { allReceivers } from './receivers.mjs'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
})

const wanted = flags.only === '' ? undefined : new Set(flags.only.split(','))
const goals = GOALS.filter(({ id }) => !wanted || wanted.has(id))
const { list: receivers, missing } = allReceivers()
for (const [name, why] of Object.entries(missing)) console.error(`left out: ${name}: ${why}`)

// What several goals look at is measured once, with all receivers that any of them compares.
const needed = new Map()
for (const goal of goals) {
  for (const row of goal.rows) {
    for (const name of row.receivers) {
      if (!receivers[name]) continue
      const entry = needed.get(row.load) ?? new Set()
      needed.set(row.load, entry.add(name))
    }
  }
}

const networks = new Networks({ sender: '0', receiver: '1' })
process.once('exit', () => networks[Symbol.dispose]())
const options = { rounds: Number(flags.rounds), seconds: Number(flags.seconds) }
const measured = new Map()
for (const [load, names] of needed) {
  console.error(`measuring ${load.name}: ${[...names].join(', ')}`)
  const results = await series(
    networks,
    load,
    [...names].map((name) => receivers[name]),
    options,
  )
  measured.set(load, new Map(results.map((one) => [one.receiver, one])))
  for (const one of results) {
    const pick = (f) => {
      const v = one.runs.map(f).sort((a, b) => a - b)
      return v[v.length >> 1]
    }
    console.error(
      `  ${one.receiver.padEnd(40)} process ${pick((r) => r.cpuNs / r.packets).toFixed(0)} thread ${pick((r) => r.threadNs / r.packets).toFixed(0)} main/frame ${pick((r) => r.mainNs / r.frames).toFixed(0)} ns; sent ${pick((r) => r.sent).toFixed(2)} arrived ${pick((r) => r.arrived).toFixed(2)} Gb/s; lost ${one.runs.reduce((s, r) => s + r.lost, 0)} frames lost ${one.runs.reduce((s, r) => s + r.framesLost, 0)}; p50 ${pick((r) => r.latency?.p50)?.toFixed(0)} p99 ${pick((r) => r.latency?.p99)?.toFixed(0)} ${one.runs.at(-1).engine ?? ''} ${one.runs.at(-1).packetsPerRead?.toFixed(1) ?? ''}`,
    )
  }
}

for (const goal of goals) {
  for (const row of goal.rows) {
    const value = row.value((name) => measured.get(row.load)?.get(name))
    console.log(
      `${goal.id}  ${row.what.padEnd(60)} ${row.goal.padEnd(12)} ${value === undefined ? 'not measured' : `${value.toFixed(2)}  ${row.met(value) ? 'met' : 'NOT MET'}`}`,
    )
  }
}
