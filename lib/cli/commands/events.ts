// `gigewire events`: what a camera tells by its message channel, as it comes.

import type { Command } from 'commander'
import { openCamera } from '../../camera.js'
import { GigeError } from '../../errors.js'
import type { CameraEvent } from '../../types.js'
import { nameList, wholeNumber } from '../arguments.js'
import { addOpenOptions, type OpenFlags, openOptions } from '../camera-session.js'
import { InterruptWatch, untilAborted } from '../interrupt.js'
import type { Output } from '../output.js'
import { printable } from '../table.js'

interface Flags extends OpenFlags {
  only?: string[]
  count?: number
  execute?: string
}

export function addEvents(program: Command, output: Output): void {
  const command = program
    .command('events <camera>')
    .description('switch its events on and print them, until Ctrl-C')
    .option('--only <names>', 'these of EventSelector: ExposureEnd,FrameEnd', nameList)
    .option('--count <events>', 'end after so many', wholeNumber(1))
    .option('--execute <command>', 'run this command of the camera when they are on')
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
With --json one object per event and line. Events are switched off again at the end.

Examples:
  $ gigewire events 192.168.1.20
  $ gigewire events 192.168.1.20 --only ExposureEnd --json
  $ gigewire events 192.168.1.20 --execute AcquisitionStart
  $ gigewire events 192.168.1.20 --only Test --execute TestEventGenerate --count 1`,
    )
    .action(async (target: string, flags: Flags) => await show(target, flags, output))
}

async function show(target: string, flags: Flags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  const end = new AbortController()
  watch.signal.addEventListener('abort', () => end.abort(), { once: true })
  await using camera = await openCamera(target, openOptions(flags, watch.signal))
  let seen = 0
  let lost: string | undefined
  camera.on('lost', ({ message }) => {
    lost = message
    end.abort()
  })
  camera.on('event', (event) => {
    if (seen === flags.count) return
    seen++
    output.line(eventText(event))
    output.object(eventFacts(event))
    if (seen === flags.count) end.abort()
  })
  output.note(`switched on  ${(await camera.enableEvents(flags.only)).join(', ')}`)
  if (flags.execute !== undefined) await camera.features.execute(flags.execute)
  await untilAborted(end.signal)
  if (lost !== undefined) throw new GigeError('ERR_GIGE_CONTROL_LOST', `Camera ${target} is lost: ${lost}`)
  await camera.disableEvents()
  if (flags.count !== undefined && seen < flags.count) watch.signal.throwIfAborted()
}

const valuesOf = ({ values }: CameraEvent) =>
  [...values].map(([name, outcome]): [string, unknown] => [
    name,
    'error' in outcome ? String(outcome.error) : outcome.value,
  ])

function eventText(event: CameraEvent): string {
  const values = valuesOf(event).map(([name, value]) => `${name}=${value}`)
  return printable([event.timestamp, event.name, ...values].join('  '))
}

function eventFacts(event: CameraEvent): Record<string, unknown> {
  return { ...event, values: Object.fromEntries(valuesOf(event)) }
}
