// `gigewire preflight --try`: is it the firewall? Opens it for a moment, looks again, shuts it, and says what that has shown.

import { planFix } from '../preflight/fix.js'
import type { PreflightReport } from '../preflight/report.js'
import { windowsLadder } from '../preflight/rules/windows-ladder.js'
import { leftTo, openForNow, planTrial, type Shut, watchdogFor } from '../preflight/trial.js'
import { agreedTo, type Consent } from './preflight-consent.js'
import { preflightLines } from './preflight-report.js'
import { printable } from './table.js'

export interface TrialOutcome {
  opened: string[]
  /** With it open. */
  report: PreflightReport
  /** Every rule is as it was before. */
  restored: boolean
}

/** undefined: nothing was opened. */
export async function tryOpen(
  report: PreflightReport,
  again: () => Promise<PreflightReport>,
  /** ms that looking again may take. */
  limit: number,
  consent: Consent,
): Promise<TrialOutcome | undefined> {
  const { output } = consent
  const watchdog = watchdogFor(limit)
  const commands = planTrial(report.facts, watchdog)
  if (report.facts.system === 'windows') {
    output.note('\nOn Windows by hand, in a PowerShell as an administrator, as far as it takes to know:')
    for (const { text, commands: steps } of windowsLadder(report.facts)) {
      output.note(`\n* ${text}`)
      for (const { command, undo } of steps)
        output.note(`  ${printable(command)}${undo === undefined ? '' : `\n  # undo: ${printable(undo)}`}`)
    }
    return undefined
  }
  if (commands.length === 0) {
    output.note(
      '\nThere is nothing to try: no firewall is known here that a command opens, or no way to the camera.',
    )
    return undefined
  }
  output.note('\nThe firewall would be opened for this camera, looked through, and shut again at once.')
  if (!(await agreedTo(commands, report, consent))) return undefined
  const trial = await openForNow(commands, report.facts, { watchdog })
  output.note('Open. Looking again:\n')
  let shut: Shut | undefined
  let open: PreflightReport
  try {
    open = await again()
  } finally {
    shut = await trial.close()
    if (shut !== 'restored') output.warn(NOT_RESTORED[shut], leftTo(watchdog))
  }
  for (const line of preflightLines(open, output.style)) output.line(line)
  if (shut === 'restored') output.note('\nShut again: every rule is as it was.')
  output.line(verdict(report, open))
  return { opened: commands.map(({ command }) => command), report: open, restored: shut === 'restored' }
}

const NOT_RESTORED = {
  differs: 'Shut again, but the rules are not as they were before: somebody else has changed them meanwhile.',
  open: 'The firewall could not be shut again: what was opened may still be open.',
} as const

const accused = ({ findings }: PreflightReport) =>
  findings.some(({ code, severity }) => code.startsWith('firewall.') && severity !== 'info')

function verdict(before: PreflightReport, open: PreflightReport): string {
  if (accused(before) && !accused(open)) {
    return planFix(before).length > 0
      ? 'It is the firewall of this computer: with it open nothing is dropped. --fix makes the rule for good.'
      : 'It is the firewall of this computer: with it open nothing is dropped.'
  }
  if (before.findings[0]?.code === 'ok') return 'Nothing was in the way before, either.'
  if (open.findings.some(({ code }) => code === 'firewall.outbound'))
    return 'It shows nothing: only what comes in was let in, and what goes out is refused. See to that first.'
  return 'It makes no difference: the firewall of this computer is not what is in the way, and needs no rule.'
}
