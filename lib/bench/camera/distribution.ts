// Durations that are measured by the million: a histogram of three digits, of constant size, instead of a list.

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Distribution } from './facts.js'

export class Durations {
  private readonly histogram: RecordableHistogram = createHistogram({ figures: 3 })

  addNs(ns: bigint): void {
    this.histogram.record(ns < 1n ? 1n : ns) // it takes nothing smaller
  }

  /** In microseconds; 0 where there are none. */
  get mean(): number {
    return this.histogram.count === 0 ? 0 : this.histogram.mean / 1000
  }

  get result(): Distribution {
    const { count, max } = this.histogram
    if (count === 0) return { count: 0, p50: 0, p99: 0, max: 0 }
    const us = (ns: number) => Math.round(ns / 100) / 10
    return {
      count,
      p50: us(this.histogram.percentile(50)),
      p99: us(this.histogram.percentile(99)),
      max: us(max),
    }
  }
}
