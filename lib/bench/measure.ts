// Makes the measurements of some sections, one after the other, and tells how far it is.

import os from 'node:os'
import type { HighestRate, Load, Receiver, Results, Section, SectionResult, Step } from './model.js'
import type { Networks } from './network.js'
import { oneRun } from './one-run.js'
import { highestRate } from './rate-search.js'
import { isLossless, series } from './series.js'

export interface MeasureOptions {
  rounds: number
  seconds: number
  /** Of the whole, 0..1, and what is measured at the moment. */
  progress?: (fraction: number, what: string) => void
  /** Receivers that cannot take part, and why. */
  missing?: Record<string, string>
  /** After each section, with all that there is by then. */
  finished?: (results: Results) => void
  signal?: AbortSignal
}

/** Runs that a search takes, as a guess for the progress. */
const RUNS_OF_SEARCH = 8

export function describeMachine(): string {
  const cpu = os.cpus()[0]?.model.trim() ?? 'unknown CPU'
  const count = os.cpus().length
  return `${cpu}, ${count} core${count === 1 ? '' : 's'}, ${os.type()} ${os.release().split('.').slice(0, 2).join('.')}, Node ${process.versions.node}`
}

async function search(
  networks: Networks,
  load: Load,
  receiver: Receiver,
  { seconds, signal }: MeasureOptions,
  tell: () => void,
): Promise<HighestRate> {
  const found = await highestRate(async (gigabits) => {
    signal?.throwIfAborted()
    const offered: Load = gigabits === undefined ? { ...load, pacing: 'unpaced' } : { ...load, gigabits }
    const run = await oneRun(networks.at(load.place), offered, receiver, seconds / 2)
    tell()
    return { gigabits: run.sent, lossless: isLossless(run) }
  })
  return { receiver: receiver.name, load, ...found }
}

/** Several times as long as one of each: the progress is of the work, not of the cases. */
function weight(step: Step, taking: readonly Receiver[], rounds: number): number {
  return taking.length * (step.kind === 'rate' ? RUNS_OF_SEARCH : rounds)
}

export async function measure(
  networks: Networks,
  sections: readonly Section[],
  receivers: Record<string, Receiver>,
  options: MeasureOptions,
): Promise<Results> {
  const leftOut = Object.entries(options.missing ?? {}).map(([name, why]) => `${name}: ${why}`)
  const results: Results = { machine: describeMachine(), sections: [], leftOut }
  const taking = (step: Step) => step.receivers.flatMap((name) => receivers[name] ?? [])
  const weigh = (step: Step) => weight(step, taking(step), options.rounds)
  const whole = sections.flatMap(({ steps }) => steps).reduce((sum, step) => sum + weigh(step), 0)
  let done = 0
  for (const section of sections) {
    const result: SectionResult = { id: section.id, measured: [], rates: [] }
    results.sections.push(result)
    for (const step of section.steps) {
      const end = done + weigh(step)
      const tell = (receiver: string) => {
        done = Math.min(done + 1, end)
        options.progress?.(done / whole, `${section.title}: ${step.load.name}: ${receiver}`)
      }
      if (step.kind === 'series') {
        const { rounds, seconds, signal } = options
        const how = { rounds, seconds, signal, progress: tell }
        result.measured.push(...(await series(networks, step.load, taking(step), how)))
      } else {
        for (const receiver of taking(step)) {
          result.rates.push(await search(networks, step.load, receiver, options, () => tell(receiver.name)))
        }
      }
      done = end
    }
    options.finished?.(results)
  }
  return results
}
