// What a Mac tells everybody about its Application Firewall. Built from the documented command; it has not run on such a machine yet.

import type { MacosFirewall } from '../facts.js'
import { run, textOf } from './run.js'

const TOOL = '/usr/libexec/ApplicationFirewall/socketfilterfw'

export async function macosFirewall(program: string): Promise<MacosFirewall> {
  const [state, blocked] = await Promise.all([
    run(TOOL, ['--getglobalstate', '--getblockall', '--getallowsigned', '--getstealthmode']),
    run(TOOL, ['--getappblocked', program]),
  ])
  return parseApplicationFirewall(textOf(state), textOf(blocked))
}

/** Sentences such as "Firewall is enabled. (State = 1)" and "Block all DISABLED!", which changed their words from one macOS to the next. */
export function parseApplicationFirewall(state: string, app: string): MacosFirewall {
  const says = (what: RegExp): boolean | undefined => {
    const line = state.split('\n').find((one) => what.test(one))
    if (line === undefined) return undefined
    return !/disabled|\boff\b|state = 0/i.test(line)
  }
  const values = {
    enabled: says(/^Firewall is/i),
    blockAll: says(/block all/i),
    allowSigned: says(/signed/i),
    stealth: says(/stealth/i),
  }
  const program = /is blocked|blocked\b.*incoming/i.test(app)
    ? 'blocked'
    : /permitted|allowed/i.test(app)
      ? 'allowed'
      : app.trim() === ''
        ? undefined
        : 'unlisted'
  return {
    ...Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
    ...(program && { program }),
  }
}
