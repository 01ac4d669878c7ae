// `gigewire set`: changes features, in order, and says what the camera made of them.

import type { Command } from 'commander'
import { GigeError } from '../../errors.js'
import { type Assignment, assignment } from '../arguments.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import type { Output } from '../output.js'
import { printable } from '../table.js'

export function addSet(program: Command, output: Output): void {
  const command = program
    .command('set <camera> <assignments...>')
    .description('change features')
    .usage('[options] <camera> <Name=value...>')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Features are set in the order given; each is read back, and a value that the camera changed is told. What is set lasts until
the camera restarts, or until it is stored with its own user sets.

Examples:
  $ gigewire set 192.168.1.20 ExposureTime=5000
  $ gigewire set 192.168.1.20 Width=640 Height=480 PixelFormat=Mono8
  $ gigewire set 192.168.1.20 Width 640`,
    )
    .action(async (target: string, words: string[], flags: OpenFlags) => {
      const assignments = parse(words, command)
      await withCamera(target, flags, 'control', async ({ features }) => {
        const values: Record<string, unknown> = {}
        for (const { name, value } of assignments) {
          const node = features.node(name)
          const taken = await isTaken(node.setText(value, { readBack: true }))
          values[name] = await node.get({ ignoreCache: true })
          const now = printable(await node.getText())
          output.line(`${name}=${now}`)
          if (!taken) output.warn(`${name}: the camera made ${now} of ${value}`)
        }
        output.object(values)
      })
    })
}

/** False where the camera took something else. As values, since one value has many spellings. */
async function isTaken(written: Promise<void>): Promise<boolean> {
  try {
    await written
    return true
  } catch (error) {
    if (error instanceof GigeError && error.reason === 'differs') return false
    throw error
  }
}

function parse(words: string[], command: Command): Assignment[] {
  const [first, second] = words
  if (words.length === 2 && !first?.includes('=')) return [{ name: first as string, value: second as string }]
  return words.map((word) => {
    try {
      return assignment(word)
    } catch (error) {
      return command.error(`error: ${(error as Error).message}`, { code: 'gigewire.usage', exitCode: 2 })
    }
  })
}
