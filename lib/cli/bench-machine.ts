// `gigewire bench` without a camera: what this machine receives, measured with simulated cameras in processes and networks of their own.

import { mkdir, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import path from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { sectionPictures } from '../bench/charts.js'
import { describeMachine, measure } from '../bench/measure.js'
import type { Section } from '../bench/model.js'
import { coresHere, Networks, networksUnavailable } from '../bench/network.js'
import { quickWords } from '../bench/quick.js'
import { type Engine, ownReceivers } from '../bench/receivers.js'
import { onLoopback, QUICK, SECTIONS } from '../bench/sections.js'
import { sectionTable } from '../bench/tables.js'
import { number, wholeNumber } from './arguments.js'
import { Interrupted, InterruptWatch } from './interrupt.js'
import type { Output } from './output.js'
import { Progress } from './progress.js'
import { table } from './table.js'

export interface BenchMachineFlags {
  quick?: boolean
  only?: Section[]
  rounds: number
  seconds: number
  engine?: Engine
  svg?: string
}

function sections(text: string): Section[] {
  return text.split(',').map((id) => {
    const found = SECTIONS.find((section) => section.id === id.trim())
    if (!found) throw new InvalidArgumentError(`They are ${SECTIONS.map((one) => one.id).join(', ')}.`)
    return found
  })
}

export function addBenchMachineOptions(command: Command): void {
  command
    .optionsGroup('With simulated cameras:')
    .option('--quick', 'under a minute, and told in words')
    .option('--only <sections>', 'some of the sections below, separated by commas', sections)
    .option('--rounds <count>', 'runs of each case; medians are told', wholeNumber(1, 99), 5)
    .option('--seconds <seconds>', 'of each run', number(0.1, 60), 1)
    .option('--svg <folder>', 'draw the curves, too')
    .addHelpText(
      'after',
      `
Sections:
${SECTIONS.map(({ id, title }) => `  ${id.padEnd(12)} ${title}`).join('\n')}

Sender and receiver are processes of their own, pinned to different cores where there are several. The cable is a pair of
virtual network interfaces between two private networks, which on Linux are made for the occasion and gone afterwards; where they
are forbidden, the machine's own loopback is all there is. Nothing is sent to any real network. All of it takes a quarter of an
hour; anything else that runs on the machine spoils it.

Examples:
  $ gigewire bench --quick
  $ gigewire bench --only cpu,latency --svg pictures
  $ gigewire bench --only rate --json > rate.json`,
    )
}

export async function benchMachine(flags: BenchMachineFlags, output: Output): Promise<void> {
  using watch = new InterruptWatch()
  using networks = new Networks(coresHere())
  if (availableParallelism() === 1)
    output.warn('This machine has one core: the simulated camera takes from what is measured')
  if (!networks.unprivileged)
    output.warn("The receiver keeps root's privileges, which may grant it more memory: setpriv is missing")
  const asked = flags.quick ? [QUICK] : (flags.only ?? SECTIONS)
  const wanted = networks.isolated ? asked : asked.map(onLoopback)
  if (!networks.isolated) output.note(`everything on this machine's own loopback: ${networksUnavailable()}`)
  output.note(describeMachine())
  let state = { fraction: 0, text: '' }
  using progress = new Progress(output, () => state)
  progress.start()
  const results = await measure(networks, wanted, ownReceivers(flags.engine), {
    rounds: flags.quick ? 3 : flags.rounds,
    seconds: flags.seconds,
    progress: (fraction, text) => {
      state = { fraction, text }
    },
    signal: watch.signal,
  }).catch((error) => {
    throw watch.by ? new Interrupted(watch.by) : error
  })
  progress.finish()
  output.object(results)
  if (flags.quick) for (const sentence of quickWords(results)) output.line(sentence)
  else for (const section of wanted) print(section, results, output)
  if (flags.svg === undefined) return
  await mkdir(flags.svg, { recursive: true })
  for (const section of results.sections) {
    for (const [name, picture] of Object.entries(sectionPictures(section))) {
      await writeFile(path.join(flags.svg, name), picture)
      output.note(`drawn ${path.join(flags.svg, name)}`)
    }
  }
}

function print(section: Section, results: Awaited<ReturnType<typeof measure>>, output: Output): void {
  const result = results.sections.find(({ id }) => id === section.id)
  if (!result) return
  const { title, about, columns, rows } = sectionTable(section, result)
  if (rows.length === 0) return
  const { style } = output
  output.line()
  output.line(style.paint('bold', title))
  output.line(style.paint('dim', about))
  for (const line of table([columns.map((text) => style.paint('dim', text)), ...rows])) output.line(line)
}
