// What the suites of the laboratory share: a camera and a computer with a network between them, what preflight says there, and whether what
// it printed mends it.

import { expect } from 'vitest'
import type { PreflightOptions, PreflightReport, SimulatorOptions } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import type { Namespace } from '../helpers/netns.js'
import type { RemoteSimulator } from '../helpers/remote-simulator.js'

export const CAMERA = '10.99.0.2'
export const HOST = '10.99.0.1'
export const SMALL: SimulatorOptions = { width: 320, height: 240, frameRate: 60 }

export interface Lab {
  host: Namespace
  camera: Namespace
  simulator: RemoteSimulator | undefined
}

export const input = (...rules: string[]) => `table inet filter {
  chain input {
    type filter hook input priority 0; policy accept;
    ${rules.join('\n    ')}
  }
}`
/** Beside it a table for IPv6, as machines have them, which is none of our business. */
export const defaultDeny = (...rules: string[]) => `table ip6 other {
  chain input {
    type filter hook input priority 0; policy accept;
    tcp dport 22 accept
  }
}
table inet filter {
  chain input {
    type filter hook input priority 0; policy drop;
    ct state established,related accept
    iifname "lo" accept
    ${rules.join('\n    ')}
  }
}`

export const NFT: [string, ...string[]] = ['nft', 'list', 'ruleset']

export async function look(
  host: Namespace,
  options: PreflightOptions,
  env: NodeJS.ProcessEnv = {},
): Promise<PreflightReport & { ms: number }> {
  return await insideOk(
    host,
    async (gigewire, options) => {
      const started = performance.now()
      const report = await gigewire.preflight(options)
      return { ...report, ms: performance.now() - started }
    },
    options,
    { env, unprivileged: true },
  )
}

/** Nothing is wrong any more: test packets arrive without a way opened from inside, broadcasts are answered, frames come. */
export async function flows(
  host: Namespace,
  env: NodeJS.ProcessEnv,
  options: PreflightOptions,
): Promise<boolean> {
  return await insideOk(
    host,
    async (gigewire, options) => {
      const report = await gigewire.preflight(options)
      return report.findings[0]?.code === 'ok'
    },
    { camera: CAMERA, ...options },
    { env, unprivileged: true },
  )
}

export async function mend(
  host: Namespace,
  report: PreflightReport,
  env: NodeJS.ProcessEnv = {},
  list = NFT,
  options: PreflightOptions = {},
): Promise<void> {
  // What was counted meanwhile is no rule.
  const rules = () => host.exec(...list).replace(/counter packets \d+ bytes \d+/g, 'counter')
  const before = rules()
  const { commands } = report.findings[0]!.remedy!
  const settings = Object.entries(env).map((one) => one.join('='))
  const run = (command: string) => host.exec('env', ...settings, 'sh', '-c', command)
  expect(commands.length).toBeGreaterThan(0)
  expect(await flows(host, env, options)).toBe(false)
  for (const { command } of commands) run(command)
  expect(rules()).not.toBe(before)
  expect(await flows(host, env, options), rules()).toBe(true)
  for (const { undo } of commands) run(undo!)
  expect(rules()).toBe(before)
}
