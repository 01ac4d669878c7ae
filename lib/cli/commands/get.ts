// `gigewire get`: values of features.

import type { Command } from 'commander'
import { GigeError } from '../../errors.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import type { Output } from '../output.js'
import { printable } from '../table.js'

export function addGet(program: Command, output: Output): void {
  const command = program.command('get <camera> <features...>').description('read features by their names')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
One feature: its value alone. Several: Name=value, one per line. With --json one object; whole numbers beyond 2^53 are
strings in it.

Examples:
  $ gigewire get 192.168.1.20 ExposureTime
  $ gigewire get 192.168.1.20 Width Height PixelFormat --json`,
    )
    .action(async (target: string, names: string[], flags: OpenFlags) => {
      await withCamera(target, flags, 'monitor', async ({ features }) => {
        const values: Record<string, unknown> = {}
        for (const name of names) {
          const node = features.node(name)
          if (node.type === 'Category') {
            const inside = node.features().map((one) => one.name)
            throw new GigeError('ERR_GIGE_FEATURE', `${name} is a group of features and has no value`, {
              hint: `In it are ${inside.join(', ')}; gigewire features shows all.`,
              details: { feature: name },
            })
          }
          values[name] = await node.get()
          const text = printable(await node.getText())
          output.line(names.length === 1 ? text : `${name}=${text}`)
        }
        output.object(values)
      })
    })
}
