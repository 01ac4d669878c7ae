// Puts the commands together and turns whatever they end with into an exit code and, for failures, one message.

import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { GigeError } from '../errors.js'
import { addBench } from './bench.js'
import { addEvents } from './commands/events.js'
import { addExecute } from './commands/execute.js'
import { addFeatures } from './commands/features.js'
import { addForceIp } from './commands/force-ip.js'
import { addGet } from './commands/get.js'
import { addGrab } from './commands/grab.js'
import { addInfo } from './commands/info.js'
import { addIp } from './commands/ip.js'
import { addList } from './commands/list.js'
import { addPlan } from './commands/plan.js'
import { addPreflight } from './commands/preflight.js'
import { addSet } from './commands/set.js'
import { addLoadSettings, addSaveSettings } from './commands/settings.js'
import { addSimulate } from './commands/simulate.js'
import { addStream } from './commands/stream.js'
import { addTypes } from './commands/types.js'
import { Interrupted } from './interrupt.js'
import { Output, reportError } from './output.js'

export const EXIT = { done: 0, failed: 1, usage: 2, blocked: 3 } as const

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}

export function createProgram(output: Output): Command {
  const program = new Command('gigewire')
    .description('GigE Vision cameras: find them, look at them, receive their frames.')
    .version(version(), '-V, --version')
    .option('--json', 'print JSON for programs: one object, or one per line')
    .showHelpAfterError('(add --help for what is accepted)')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      // With --json the message is printed as an object by run().
      writeErr: (text) => {
        if (!output.json) process.stderr.write(text)
      },
    })
    .exitOverride()
  program.hook('preAction', () => {
    output.json ||= program.opts<{ json?: boolean }>().json ?? false
  })
  const add = [
    addList,
    addInfo,
    addFeatures,
    addGet,
    addSet,
    addExecute,
    addEvents,
    addSaveSettings,
    addLoadSettings,
    addTypes,
  ]
  program.commandsGroup('Cameras and their features:')
  for (const command of add) command(program, output)
  program.commandsGroup('Frames:')
  addGrab(program, output)
  addStream(program, output)
  addBench(program, output)
  addPlan(program, output)
  program.commandsGroup('When no image comes:')
  addPreflight(program, output)
  program.commandsGroup('Addresses:')
  addIp(program, output)
  addForceIp(program, output)
  program.commandsGroup('Without a camera:')
  addSimulate(program, output)
  program.addHelpText(
    'after',
    `
A <camera> is an IP address, a MAC address, a serial number or a user name.

Examples:
  $ gigewire list
  $ gigewire stream --sim --frames 300
  $ gigewire grab 192.168.1.20 -o frame.png

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 preflight found an error; 130 or 143 when SIGINT or SIGTERM cut a run short.`,
  )
  return program
}

/** Runs one command line to its end and gives the exit code. */
export async function run(args: string[]): Promise<number> {
  // Known before parsing, so that wrong usage is told in JSON, too.
  const output = new Output({ json: args.includes('--json') })
  try {
    await createProgram(output).parseAsync(args, { from: 'user' })
    if (output.blocked) return EXIT.blocked
    return output.negative ? EXIT.failed : EXIT.done
  } catch (error) {
    if (error instanceof Interrupted) return error.exitCode
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return EXIT.done
      // commander has printed it for people already
      if (output.json && error.code !== 'commander.help') {
        const message = error.message.replace(/^error: /, '')
        output.object({ error: { code: 'ERR_GIGE_INVALID_ARGUMENT', message, hint: 'See --help.' } })
      }
      return EXIT.usage
    }
    reportError(output, error)
    const wrong = error instanceof GigeError && error.code === 'ERR_GIGE_INVALID_ARGUMENT'
    return wrong ? EXIT.usage : EXIT.failed
  }
}
