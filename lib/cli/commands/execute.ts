// `gigewire execute`: runs a command feature and waits until the camera reports it done.

import type { Command } from 'commander'
import { wholeNumber } from '../arguments.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import type { Output } from '../output.js'

interface Flags extends OpenFlags {
  timeout?: number
  wait: boolean
}

export function addExecute(program: Command, output: Output): void {
  const command = program
    .command('execute <camera> <feature>')
    .description('run a command feature')
    .option('--timeout <ms>', 'how long it may take (10000)', wholeNumber(1, 3_600_000))
    .option('--no-wait', 'do not wait until the camera reports it done')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ gigewire execute 192.168.1.20 TriggerSoftware
  $ gigewire execute 192.168.1.20 DeviceReset --no-wait`,
    )
    .action(async (target: string, name: string, flags: Flags) => {
      await withCamera(target, flags, 'control', async ({ features }) => {
        const started = performance.now()
        await features.execute(name, {
          wait: flags.wait,
          ...(flags.timeout !== undefined && { timeout: flags.timeout }),
        })
        const ms = Math.round(performance.now() - started)
        output.line(`${name}: ${flags.wait ? 'done' : 'sent'}, ${ms} ms`)
        output.object({ executed: name, waited: flags.wait, ms })
      })
    })
}
