// Measures this package beside its peers, each comparison within one run of this script, and prints which goals of the receive
// engine are met. With --write it puts the tables and pictures into docs/performance.md.
//
//   node bench/goals.mjs [--only G1,G2 | --sections cpu,rate] [--rounds 5] [--seconds 0.6] [--json]
//   node bench/goals.mjs --save results.json    keeps what was measured, beside what the file has of other loads
//   node bench/goals.mjs --from results.json    measures nothing
//   node bench/goals.mjs --write

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measure } from '../dist/bench/measure.js'
import { coresHere, Networks } from '../dist/bench/network.js'
import { ownReceivers } from '../dist/bench/receivers.js'
import { SECTIONS } from '../dist/bench/sections.js'
import { sectionTable } from '../dist/bench/tables.js'
import { table } from '../dist/cli/table.js'
import { writeDocument } from './goals/document.mjs'
import { judge } from './goals/judge.mjs'
import { GOALS } from './goals/list.mjs'
import { peers } from './peers/build.mjs'

const { values: flags } = parseArgs({
  options: {
    only: { type: 'string' },
    sections: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '0.6' },
    save: { type: 'string' },
    from: { type: 'string' },
    write: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
  },
})

/** A list of names, all of which there must be. */
function named(text, known) {
  const names = text?.split(',')
  const unknown = names?.filter((name) => !known.includes(name)) ?? []
  if (unknown.length === 0) return names
  console.error(`there is no ${unknown.join(', ')}: they are ${known.join(', ')}`)
  process.exit(2)
}

const only = named(
  flags.only,
  GOALS.map(({ id }) => id),
)
const asked = named(
  flags.sections,
  SECTIONS.map(({ id }) => id),
)
const goals = GOALS.filter(({ id }) => !only || only.includes(id))

/** Those asked for, or what the goals asked for look at, or all but those that compare this package with itself. */
function wanted() {
  if (asked) return SECTIONS.filter(({ id }) => asked.includes(id))
  if (!only) return SECTIONS.filter(({ extra }) => !extra)
  const needs = goals.flatMap(({ rows }) => rows.flatMap((row) => row.needs))
  return SECTIONS.map((section) => ({
    ...section,
    steps: section.steps.flatMap((step) => {
      const looked = needs.filter(({ section: id, load }) => id === section.id && load === step.load.name)
      const receivers = step.receivers.filter((name) => looked.some(({ receiver }) => receiver === name))
      return receivers.length === 0 ? [] : [{ ...step, receivers }]
    }),
  })).filter(({ steps }) => steps.length > 0)
}

async function measured() {
  const { list, missing } = peers()
  const networks = new Networks(coresHere())
  try {
    const options = {
      rounds: Number(flags.rounds),
      seconds: Number(flags.seconds),
      progress: tell,
      missing,
      finished: save,
    }
    return await measure(networks, wanted(), { ...ownReceivers(), ...list }, options)
  } finally {
    networks[Symbol.dispose]()
  }
}

let told = ''
function tell(fraction, what) {
  if (what === told) return
  told = what
  console.error(`${String(Math.floor(100 * fraction)).padStart(3)}%  ${what}`)
}

/** What was measured now, and what the file has of other loads: those under one load always come from one run. */
function merged(results, file) {
  if (!existsSync(file)) return results
  const before = JSON.parse(readFileSync(file, 'utf8'))
  const kept = (id, which) => {
    const now = results.sections.find((section) => section.id === id)?.[which] ?? []
    const old = before.sections.find((section) => section.id === id)?.[which] ?? []
    const fresh = new Set(now.map(({ load }) => load.name))
    return [...old.filter(({ load }) => !fresh.has(load.name)), ...now]
  }
  const ids = new Set([...before.sections, ...results.sections].map(({ id }) => id))
  const sections = [...ids].map((id) => ({ id, measured: kept(id, 'measured'), rates: kept(id, 'rates') }))
  return { ...results, sections }
}

/** After each section, so that a run that is cut short was not in vain. */
function save(results) {
  if (flags.save) writeFileSync(flags.save, JSON.stringify(merged(results, flags.save)))
}

const now = flags.from ? JSON.parse(readFileSync(flags.from, 'utf8')) : await measured()
const results = flags.save ? merged(now, flags.save) : now
const verdicts = judge(goals, results)
if (flags.json) console.log(JSON.stringify({ ...results, goals: verdicts }, null, 1))
else print()
if (flags.write) writeDocument(results, verdicts)
for (const reason of results.leftOut) console.error(`left out: ${reason}`)

function print() {
  for (const section of SECTIONS) {
    const result = results.sections.find(({ id }) => id === section.id)
    if (!result) continue
    const { title, columns, rows } = sectionTable(section, result)
    console.log(`\n${title}\n${table([columns, ...rows]).join('\n')}`)
  }
  const shown = verdicts.filter(({ verdict }) => !flags.sections || verdict !== 'not measured')
  const rows = shown.map(({ id, title, what, goal, value, verdict }) => [
    id,
    title,
    what,
    goal,
    value,
    verdict,
  ])
  console.log(`\n${table([['GOAL', '', '', 'WANTED', 'MEASURED', ''], ...rows]).join('\n')}`)
}
