// `gigewire preflight`: what stops a camera's packets, with the evidence and what to type.

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { Option } from 'commander'
import { GigeError } from '../../errors.js'
import { type PreflightOptions, preflight } from '../../preflight/preflight.js'
import { redact } from '../../preflight/redact.js'
import type { PreflightReport } from '../../preflight/report.js'
import { portsAsCsv } from '../../preflight/rules/ports.js'
import { portsPage } from '../../preflight/rules/ports-page.js'
import { choice, packetSize, portRange, secondsList, wholeNumber } from '../arguments.js'
import { InterruptWatch } from '../interrupt.js'
import type { Output } from '../output.js'
import { fix, tellEarlier, undo } from '../preflight-fix.js'
import { preflightLines } from '../preflight-report.js'
import { tryOpen } from '../preflight-trial.js'

interface Flags {
  passive?: boolean
  streamPort?: number | [number, number]
  streamDestination?: string
  multicast?: string
  packetSize?: number | 'auto'
  idle?: number[]
  events?: boolean
  ptp?: boolean
  program?: string
  timeout?: number
  ports?: 'markdown' | 'csv' | 'json'
  report?: string
  redact?: boolean
  try?: boolean
  fix?: boolean
  undo?: boolean
  yes?: boolean
}

export function addPreflight(program: Command, output: Output): void {
  program
    .command('preflight [address]')
    .description('when no image comes: what stops it, and what to do')
    .option('--passive', 'only look and ask: do not take control, fire no test packets')
    .option('--stream-port <port>', 'as the stream will have it, or range like 5000-5010', portRange)
    .option('--stream-destination <address>', 'as the stream will have it')
    .option('--multicast <group>', 'as the stream will have it')
    .option('--packet-size <bytes>', 'as the stream will have it', packetSize)
    .option('--events', "the program listens to the camera's events")
    .option('--ptp', 'this computer takes part where cameras keep one clock')
    .option('--program <file>', 'the executable that receives (this one)')
    .option('--timeout <ms>', 'for all of it, silences aside (30000)', wholeNumber(100, 3_600_000))
    .option(
      '--idle <seconds>',
      'also: is a way that was opened still open after such a silence? 35,65 for two of them',
      secondsList,
    )
    .addOption(
      new Option('--ports <format>', 'print only what must pass: markdown, csv or json').argParser(
        choice('markdown', 'csv', 'json'),
      ),
    )
    .option('--report <file>', 'write all that was observed, as JSON for a bug report')
    .option('--try', 'is it the firewall? ask, open it for this camera for a moment, look again, shut it')
    .option('--fix', 'show what would mend it, ask, run it as an administrator, and look again')
    .option('--yes', 'do not ask')
    .option('--undo', 'show what takes back what --fix did (for this address alone), ask, and run it')
    .option('--redact', 'with other addresses, MACs and user names in it')
    .addHelpText(
      'after',
      `
Without --fix or --try nothing on this machine is changed; every register of the camera is put back. Without an address: who answers a broadcast.

Exit codes: 0 nothing stands in the way, 3 something does, 2 wrong usage.

Examples:
  $ gigewire preflight 192.168.1.20
  $ gigewire preflight 192.168.1.20 --report bug.json --redact
  $ gigewire preflight 192.168.1.20 --stream-port 5000-5010 --ports markdown`,
    )
    .action(async (address: string | undefined, flags: Flags) => await run(address, flags, output))
}

function optionsOf(address: string | undefined, flags: Flags): PreflightOptions {
  const {
    passive,
    packetSize: size,
    events,
    ports,
    report: _,
    redact: __,
    try: ___,
    fix: ____,
    undo: _____,
    yes: ______,
    ...same
  } = flags
  return {
    ...same,
    ...(address !== undefined && { camera: address }),
    ...((passive === true || ports !== undefined) && { active: false }),
    ...(typeof size === 'number' && { packetSize: size }),
    ...(events && { messageChannel: true }),
  }
}

async function run(address: string | undefined, flags: Flags, output: Output): Promise<void> {
  const consent = { yes: flags.yes === true, output }
  if (flags.undo) return await undo(address, consent)
  using watch = new InterruptWatch()
  const look = () => lookOnce(address, flags, watch.signal)
  if (flags.ports === undefined) await tellEarlier(output)
  let report = await look()
  if (flags.ports !== undefined) return printPorts(report, flags.ports, output)
  for (const line of preflightLines(report, output.style)) output.line(line)
  const trial = flags.try ? await tryOpen(report, look, limitOf(flags), consent) : undefined
  if (flags.fix) report = (await fix(report, look, consent)) ?? report
  const all = { ...report, ...(trial && { trial }) }
  const kept = flags.redact ? redact(all) : all
  if (flags.report !== undefined) await writeFile(flags.report, `${JSON.stringify(kept, null, 2)}\n`)
  output.object(kept)
  output.blocked = !report.ok
}

/** ms that one look may take. */
function limitOf({ timeout = 30_000, idle = [] }: Flags): number {
  return idle.reduce((sum, seconds) => sum + seconds * 1000, timeout)
}

async function lookOnce(
  address: string | undefined,
  flags: Flags,
  signal: AbortSignal,
): Promise<PreflightReport> {
  const { timeout = 30_000, idle = [] } = flags
  return await preflight({ ...optionsOf(address, flags), signal }).catch((error: Error) => {
    if (error.name !== 'TimeoutError') throw error
    throw new GigeError(
      'ERR_GIGE_TIMEOUT',
      `preflight took longer than ${timeout} ms${idle.length > 0 ? ', silences aside' : ''}`,
    )
  })
}

function printPorts(
  { ports, facts }: PreflightReport,
  format: NonNullable<Flags['ports']>,
  output: Output,
): void {
  if (output.json || format === 'json') process.stdout.write(`${JSON.stringify(ports, null, 2)}\n`)
  else process.stdout.write(format === 'csv' ? portsAsCsv(ports) : portsPage(facts))
}
