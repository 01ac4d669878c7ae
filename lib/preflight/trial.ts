// The firewall opened for a moment, to see whether it is the firewall (reference/firewall.md section 7, step 3): as narrow as the rule that
// would be made for good, with a watchdog that is there before anything is opened. However this process ends, it is shut again: at
// once, since its root shell waits for the end of its input, or by the watchdog where that shell was ended as well, or by --undo. Watchdog
// and record go only when the rules are seen to be those of before.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { GigeError } from '../errors.js'
import { rootShell } from './elevated.js'
import type { Facts } from './facts.js'
import type { RemedyCommand } from './report.js'
import { inboundRule, linuxTrialRules } from './rules/linux.js'
import { sh } from './rules/quote.js'
import { beginUndo, forgetUndo, undoFolder } from './undo-record.js'

/** For a look with the default limit of time. */
export const WATCHDOG_S = 90

/** Seconds until the watchdog shuts it: longer than a look that takes up to so many ms can be. */
export const watchdogFor = (limit: number) => Math.max(WATCHDOG_S, Math.ceil(limit / 1000) + 60)

/**
 * What is opened; empty: no firewall here knows how, or the way to the camera is not known. On Linux alone: for Windows the steps are in
 * docs/firewall/windows.md, since they have not run on such a machine yet.
 */
export function planTrial(facts: Facts, watchdog = WATCHDOG_S): RemedyCommand[] {
  const rule = facts.system === 'linux' ? inboundRule(facts, 'try') : undefined
  return rule ? linuxTrialRules(rule, facts, watchdog) : []
}

/**
 * 'restored': every rule is as it was before. Else the watchdog and the record are still there: 'differs': what was opened was shut, and rules
 * differ, so that somebody else has changed some; 'open': it could not be shut.
 */
export type Shut = 'restored' | 'differs' | 'open'

export interface Trial {
  close(): Promise<Shut>
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT where a fix was not taken back yet; ERR_GIGE_NETWORK where the system refused. */
export async function openForNow(
  commands: readonly RemedyCommand[],
  facts: Facts,
  { folder = undoFolder(), watchdog = WATCHDOG_S }: { folder?: string; watchdog?: number } = {},
): Promise<Trial> {
  const record = await beginUndo(commands, facts, folder)
  const [program, args] = rootShell(script(commands, watchdog))
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it has ended: its last line says how
  let cause: Error | undefined
  child.once('error', (error) => {
    cause = error
  })
  const said = lines(child.stdout)
  const next = async () => (await said.next()).value
  const begun = await next()
  const opened = begun === 'guarded' ? await next() : undefined
  if (opened !== 'open') {
    // Without a watchdog nothing was begun; what was begun is shut by the script, and it says how that went.
    let shut: string | undefined = 'restored'
    if (begun === 'guarded') shut = opened === 'refused' ? await next() : undefined
    if (shut === 'restored') await forgetUndo(record)
    const why =
      cause?.message ?? (begun === 'unguarded' ? 'no watchdog could be started (setsid)' : undefined)
    const hint = 'Run it as an administrator, or let one run the printed commands.'
    throw new GigeError(
      'ERR_GIGE_NETWORK',
      `The system refused to open the firewall${why === undefined ? '' : `: ${why}`}`,
      {
        hint: shut === 'restored' ? hint : `${hint} Some of it may be open: ${leftTo(watchdog)}`,
        ...(cause && { cause }),
      },
    )
  }
  return {
    close: async () => {
      child.stdin.end()
      const shut = (await next()) as Shut | undefined
      if (shut === undefined) {
        throw new GigeError(
          'ERR_GIGE_NETWORK',
          'The root shell that was to shut the firewall again has ended',
          { hint: leftTo(watchdog) },
        )
      }
      if (shut === 'restored') await forgetUndo(record)
      return shut
    },
  }
}

/** What shuts it when this program could not. */
export const leftTo = (watchdog: number) =>
  `Its watchdog shuts it ${watchdog} s after it was opened; gigewire preflight --undo does so now.`

async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<string, undefined, undefined> {
  for await (const line of createInterface({ input: stream })) yield line
  return undefined
}

/**
 * Rules without what they have counted. Not those of IPv6, which managers complete when they are first asked for anything. Empty: nothing
 * here could be read, so that nothing is known of them.
 */
const STATE = `state() {
  { for family in ip inet netdev; do nft list ruleset $family && echo read; done; iptables-save && echo read; } 2>/dev/null |
    sed -e 's/counter packets [0-9]* bytes [0-9]*/counter/' -e 's/\\[[0-9]*:[0-9]*\\]//' -e '/^#/d'
}`

function script(commands: readonly RemedyCommand[], watchdog: number): string {
  const quiet = commands.map(({ undo }) => `{ ${undo!}; } >/dev/null 2>&1`).reverse()
  // In a session of its own, so that nothing that ends this shell ends it; it ignores the same signals. It says who it is when it is there:
  // the substitution below waits for that, and so it can be ended, and is there before anything is opened.
  const guard = ['echo $$', 'exec >/dev/null', `sleep ${watchdog}`, ...quiet].join('\n')
  return [
    "trap '' HUP INT TERM PIPE", // Ctrl-C is for the other process: this one sees its input end
    STATE,
    'before=$(state)',
    `guard=$(setsid sh -c ${sh(guard)} </dev/null 2>/dev/null &)`,
    '[ -n "$guard" ] || { echo unguarded; exit 1; }',
    'echo guarded',
    'shut() {',
    '  outcome=differs',
    ...quiet.map((undo) => `  ${undo} || outcome=open`),
    '  if [ -n "$before" ] && [ "$(state)" = "$before" ]; then',
    '    kill -KILL -$guard',
    '    outcome=restored',
    '  fi',
    '  echo $outcome',
    '}',
    ...commands.map(({ command }) => `{ ${command}; } >/dev/null || { echo refused; shut; exit 1; }`),
    'echo open',
    'read -r _',
    'shut',
  ].join('\n')
}
