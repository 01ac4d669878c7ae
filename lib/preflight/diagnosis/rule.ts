// The form of a rule: from evidence to what it would say, or nothing. Rules know nothing of each other; what one of them makes of another
// is decided in index.ts.

import type { FindingCode } from '../finding-codes.js'
import type { Confidence, Severity } from '../report.js'
import type { Evidence } from './evidence.js'

export interface Verdict {
  code: FindingCode
  severity: Severity
  confidence: Confidence
  summary: string
  evidence: string[]
}

export type Rule = (e: Evidence) => Verdict | undefined

export const count = (n: number, what: string) => `${n} ${what}${n === 1 ? '' : 's'}`

/** Counters of the NIC's driver that rose, by its names. */
export const driverText = (driver: Record<string, number>) =>
  Object.entries(driver)
    .slice(0, 8)
    .map(([name, rise]) => `${name} of its driver rose by ${rise}`)
