// `gigewire types`: a camera's features as TypeScript types.

import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import { featureTypes } from '../feature-types.js'
import type { Output } from '../output.js'

interface Flags extends OpenFlags {
  output?: string
  local?: boolean
}

export function addTypes(program: Command, output: Output): void {
  const command = program
    .command('types <camera>')
    .description("a .d.ts of the camera's features: misspelt entries do not compile")
    .option('-o, --output <file>', 'write there, not to stdout')
    .option('--local', 'only export the types, do not make them those of every camera')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Examples:
  $ gigewire types 192.168.1.20 -o src/camera-features.d.ts
  $ gigewire types 192.168.1.21 --local -o src/other-camera.d.ts`,
    )
    .action(async (target: string, flags: Flags) => {
      await withCamera(target, flags, 'monitor', async (camera) => {
        const { manufacturer, model, version, serial } = camera.info
        const about = `Features of ${manufacturer} ${model}, version ${version}, as camera ${serial} has them.`
        const text = await featureTypes(camera.features, { about, isLocal: flags.local === true })
        if (flags.output !== undefined) await writeFile(flags.output, text)
        if (output.json)
          output.object({ file: flags.output, ...(flags.output === undefined ? { text } : {}) })
        else if (flags.output === undefined) output.line(text.trimEnd())
      })
    })
}
