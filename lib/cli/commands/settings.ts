// `gigewire save-settings` and `load-settings`: a camera's settings in a file of readable JSON, and back.

import { readFile, writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { invalidArgument } from '../../errors.js'
import type { SettingFailure, Settings } from '../../genapi/index.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import type { Output } from '../output.js'
import { printable } from '../table.js'

export function addSaveSettings(program: Command, output: Output): void {
  addOpenOptions(
    program
      .command('save-settings <camera> [file]')
      .description("a camera's settings as JSON, into a file or to stdout"),
  )
    .addHelpText(
      'after',
      `
Every setting worth keeping, also those that a selector multiplies; what belongs to the connection is left out. Needs control, since
selectors are moved meanwhile.

Examples:
  $ gigewire save-settings 192.168.1.20 camera.json
  $ gigewire save-settings 192.168.1.20 | jq .features[].name`,
    )
    .action(async (target: string, file: string | undefined, flags: OpenFlags) => {
      const settings = await withCamera(
        target,
        flags,
        'control',
        async (camera) => await camera.saveSettings(),
      )
      for (const { name, reason } of settings.skipped ?? [])
        output.warn(`${name} is not among them: ${reason}`)
      const text = JSON.stringify(settings, null, 2)
      if (file === undefined) {
        output.line(text)
        output.object(settings)
        return
      }
      await writeFile(file, `${text}\n`)
      output.line(`${settings.features.length} settings written to ${file}`)
      output.object({ file, settings: settings.features.length })
    })
}

export function addLoadSettings(program: Command, output: Output): void {
  addOpenOptions(
    program.command('load-settings <camera> <file>').description('make a camera as such a file says'),
  )
    .addHelpText(
      'after',
      `
The order in the file does not matter, and every setting is read back. Exit code 1 when the camera did not take one of them; each is
told, with what the camera has instead.

Examples:
  $ gigewire load-settings 192.168.1.21 camera.json`,
    )
    .action(async (target: string, file: string, flags: OpenFlags) => {
      const settings = await readSettings(file)
      const { taken, failed } = await withCamera(
        target,
        flags,
        'control',
        async (camera) => await camera.loadSettings(settings),
      )
      output.line(`${taken} of ${taken + failed.length} settings taken`)
      for (const one of failed) output.warn(failureText(one))
      output.object({ taken, failed: failed.map((one) => ({ ...one, error: errorText(one) })) })
      output.negative = failed.length > 0
    })
}

async function readSettings(file: string): Promise<Settings> {
  const text = await readFile(file, 'utf8')
  try {
    return JSON.parse(text) as Settings
  } catch (error) {
    throw invalidArgument(
      `${file} holds no JSON: ${(error as Error).message}`,
      'It is written by gigewire save-settings.',
    )
  }
}

function errorText({ error }: SettingFailure): string | undefined {
  return error === undefined ? undefined : error instanceof Error ? error.message : String(error)
}

function failureText(failure: SettingFailure): string {
  const { name, value, when, actual } = failure
  const place = when
    ? ` (${Object.entries(when)
        .map(([selector, to]) => `${selector}=${to}`)
        .join(', ')})`
    : ''
  const why = errorText(failure) ?? `the camera made ${actual} of it`
  return printable(`${name}=${value}${place}: ${why}`)
}
