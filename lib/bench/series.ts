// Several receivers under one load, taking turns in every round, so that whatever disturbs the machine disturbs all of them; what is
// compared are the medians of the rounds, and always as ratios within one series.

import type { Latency, Load, Measured, Receiver, Run } from './model.js'
import type { Networks } from './network.js'
import { oneRun } from './one-run.js'
import { type Spread, spread } from './statistics.js'

export interface SeriesOptions {
  rounds: number
  seconds: number
  /** After each run. */
  progress?: (receiver: string) => void
  signal?: AbortSignal
}

export async function series(
  networks: Networks,
  load: Load,
  receivers: readonly Receiver[],
  options: SeriesOptions,
): Promise<Measured[]> {
  const ends = networks.at(load.place)
  const measured: Measured[] = receivers.map(({ name }) => ({ receiver: name, load, runs: [] }))
  for (let round = 0; round < options.rounds; round++) {
    for (const [i, receiver] of receivers.entries()) {
      options.signal?.throwIfAborted()
      measured[i]!.runs.push(await oneRun(ends, load, receiver, options.seconds))
      options.progress?.(receiver.name)
    }
  }
  return measured
}

export function over(measured: Measured, value: (run: Run) => number): Spread {
  return spread(measured.runs.map(value))
}

export const processNsPerPacket = (run: Run) => run.cpuNs / run.packets
export const threadNsPerPacket = (run: Run) => run.threadNs / run.packets
export const machineNsPerPacket = (run: Run) => (run.cpuNs + run.senderNs) / run.packets
/** Milliseconds of CPU for each gigabyte of IP packets. */
export const msPerGigabyte = (run: Run) => run.cpuNs / 1e6 / ((run.arrived * run.seconds) / 8)
/** Share of one core. */
export const coreShare = (run: Run) => run.cpuNs / 1e9 / run.seconds
export const mainNsPerFrame = (run: Run) => run.mainNs / run.frames
/** Of whoever neither receives nor runs JavaScript: V8 as it compiles and collects. */
export const othersNsPerPacket = (run: Run) => (run.cpuNs - run.threadNs - run.mainNs) / run.packets

export function latencyOver(measured: Measured, which: keyof Latency): Spread {
  return spread(measured.runs.flatMap((run) => run.latency?.[which] ?? []))
}

export function isLossless(run: Run): boolean {
  return run.lost === 0 && run.framesLost === 0 && run.packets > 0
}
