// The firewall opened for a moment, to see whether it is the firewall (reference/firewall.md section 7, step 3): as narrow as the rule that
// would be made for good, with a watchdog that is started before anything is opened. However this process ends, it is shut again: at
// once, since its root shell waits for the end of its input, or after WATCHDOG_S where that shell was ended as well, or by --undo.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { GigeError } from '../errors.js'
import { rootShell } from './elevated.js'
import type { Facts } from './facts.js'
import type { RemedyCommand } from './report.js'
import { inboundRule, linuxTrialRules } from './rules/linux.js'
import { sh } from './rules/quote.js'
import { beginUndo, forgetUndo, undoFile } from './undo-record.js'

export const WATCHDOG_S = 90

/**
 * What is opened; empty: no firewall here knows how, or the way to the camera is not known. On Linux alone: for Windows the steps are in
 * docs/firewall/windows.md, since they have not run on such a machine yet.
 */
export function planTrial(facts: Facts, watchdog = WATCHDOG_S): RemedyCommand[] {
  const rule = facts.system === 'linux' ? inboundRule(facts, 'try') : undefined
  return rule ? linuxTrialRules(rule, facts, watchdog) : []
}

export interface Trial {
  /** Shuts it, and sees that every rule is as it was before. */
  close(): Promise<{ restored: boolean }>
}

/** Errors: ERR_GIGE_INVALID_ARGUMENT where a fix was not taken back yet; ERR_GIGE_NETWORK where the system refused. */
export async function openForNow(
  commands: readonly RemedyCommand[],
  facts: Facts,
  { file = undoFile(), watchdog = WATCHDOG_S }: { file?: string; watchdog?: number } = {},
): Promise<Trial> {
  await beginUndo(commands, facts, file)
  const [program, args] = rootShell(script(commands, watchdog))
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.on('error', () => {}) // it has ended: its last line says how
  const said = lines(child.stdout)
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  failed.catch(() => {})
  const next = async () => await Promise.race([said.next(), failed])
  const opened = await next().catch((error: Error) => ({ value: undefined, error }))
  if (opened.value !== 'open') {
    // What was begun has been taken back by the script; what could not be started has begun nothing.
    await forgetUndo(file)
    const cause = 'error' in opened ? opened.error : undefined
    throw new GigeError(
      'ERR_GIGE_NETWORK',
      `The system refused to open the firewall${cause ? `: ${cause.message}` : ''}`,
      {
        hint: 'Run it as an administrator, or let one run the printed commands.',
        ...(cause && { cause }),
      },
    )
  }
  return {
    close: async () => {
      child.stdin.end()
      const { value } = await next()
      if (value === undefined) {
        throw new GigeError(
          'ERR_GIGE_NETWORK',
          'The root shell that was to shut the firewall again has ended',
          {
            hint: `Its watchdog shuts it ${watchdog} s after it was opened; gigewire preflight --undo does so now.`,
          },
        )
      }
      await forgetUndo(file)
      return { restored: value === 'restored' }
    },
  }
}

async function* lines(stream: NodeJS.ReadableStream): AsyncGenerator<string, undefined, undefined> {
  for await (const line of createInterface({ input: stream })) yield line
  return undefined
}

/** Rules without what they have counted. Not those of IPv6, which managers complete when they are first asked for anything. */
const STATE = `state() {
  { for family in ip inet netdev; do nft list ruleset $family; done; iptables-save; } 2>/dev/null |
    sed -e 's/counter packets [0-9]* bytes [0-9]*/counter/' -e 's/\\[[0-9]*:[0-9]*\\]//' -e '/^#/d' | cksum
}`

function script(commands: readonly RemedyCommand[], watchdog: number): string {
  const quiet = (command: string) => `{ ${command}; } >/dev/null 2>&1`
  const shut = commands.map(({ undo }) => quiet(undo!)).reverse()
  return [
    "trap '' HUP INT TERM PIPE", // Ctrl-C is for the other process: this one sees its input end
    STATE,
    'before=$(state)',
    // In a session of its own, so that nothing that ends this shell ends it; it ignores the same signals.
    `setsid sh -c ${sh([`sleep ${watchdog}`, ...shut].join('\n'))} </dev/null >/dev/null 2>&1 &`,
    'guard=$!',
    `shut() { ${shut.join('; ')}; kill -KILL -$guard; }`,
    ...commands.map(({ command }) => `{ ${command}; } >/dev/null || { shut; exit 1; }`),
    'echo open',
    'read -r _',
    'shut',
    '[ "$(state)" = "$before" ] && echo restored || echo differs',
  ].join('\n')
}
