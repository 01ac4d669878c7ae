// `gigewire features`: a camera's features as a tree with values, ranges and access.

import type { Command } from 'commander'
import { Option } from 'commander'
import type { Visibility } from '../../genapi/index.js'
import type { Camera } from '../../types.js'
import { choice } from '../arguments.js'
import { addOpenOptions, type OpenFlags, withCamera } from '../camera-session.js'
import { branches, type FeatureFacts, featureFacts } from '../feature-tree.js'
import type { Output } from '../output.js'
import { printable, table } from '../table.js'

interface Flags extends OpenFlags {
  level: Visibility
  search?: string
  describe?: boolean
}

export function addFeatures(program: Command, output: Output): void {
  const command = program
    .command('features <camera>')
    .description('what can be read and set, as a tree')
    .addOption(
      new Option('-l, --level <level>', 'Beginner, Expert, Guru or Invisible')
        .default('Expert')
        .argParser(choice<Visibility>('Beginner', 'Expert', 'Guru', 'Invisible')),
    )
    .option('-s, --search <text>', 'only those with this in their name or description')
    .option('-d, --describe', "with the maker's descriptions")
  addOpenOptions(command)
    .addHelpText(
      'after',
      `
Access: RO read only, RW read and write, WO write only, NA not available with the present settings.
With --json one object per feature and line.

Examples:
  $ gigewire features 192.168.1.20
  $ gigewire features 192.168.1.20 --search exposure --level Guru --describe
  $ gigewire features 192.168.1.20 --json > features.jsonl`,
    )
    .action(async (target: string, flags: Flags) => {
      await withCamera(target, flags, 'monitor', async (camera) => await show(camera, flags, output))
    })
}

async function show(camera: Camera, flags: Flags, output: Output): Promise<void> {
  const tree = branches(camera.features, { level: flags.level, search: flags.search?.toLowerCase() })
  const names = tree.flatMap((branch) =>
    branch.features.filter((node) => node.type !== 'Command').map((node) => node.name),
  )
  const values = await camera.features.getMany([...new Set(names)])
  let shown = 0
  for (const { category, depth, features } of tree) {
    const indent = '  '.repeat(Math.max(0, depth))
    const facts: FeatureFacts[] = []
    for (const node of features) {
      const one = await featureFacts(node, category.name, values.get(node.name))
      if (one.access !== 'NI') facts.push(one)
    }
    for (const one of facts) output.object(one)
    shown += facts.length
    if (output.json) continue
    if (depth >= 0) output.line(output.style.paint('bold', `${indent}${printable(category.name)}`))
    printFeatures(facts, `${indent}  `, flags.describe === true, output)
  }
  if (shown === 0) output.note(flags.search ? `No feature has '${flags.search}' in it.` : 'No features.')
}

function printFeatures(facts: FeatureFacts[], indent: string, describe: boolean, output: Output): void {
  const { style } = output
  const rows = facts.map((one) => [
    `${indent}${style.paint('cyan', printable(one.name))}`,
    valueText(one),
    style.paint('dim', one.access),
    style.paint('dim', domainText(one)),
  ])
  table(rows).forEach((line, i) => {
    output.line(line)
    const description = printable(facts[i]?.description ?? '')
    if (describe && description) output.line(style.paint('dim', `${indent}    ${description}`))
  })
}

function valueText(one: FeatureFacts): string {
  if (one.type === 'Command') return '(command)'
  if (one.error !== undefined) return `(${printable(one.error)})`
  if (one.text === undefined) return '-'
  const text = printable(one.text)
  return `${text.length > 60 ? `${text.slice(0, 57)}...` : text}${one.unit ? ` ${one.unit}` : ''}`
}

function domainText(one: FeatureFacts): string {
  if (one.entries) return one.entries.join(' | ')
  if (one.access === 'RO' || one.min === undefined || one.max === undefined) return ''
  const step = one.inc !== undefined && Number(one.inc) !== 1 ? ` step ${one.inc}` : ''
  return `${one.min} .. ${one.max}${step}`
}
