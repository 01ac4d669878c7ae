// Puts tables and pictures into docs/performance.md, between its markers <!-- begin NAME --> and <!-- end NAME -->: figures are never
// copied by hand.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { sectionPictures } from '../../dist/bench/charts.js'
import { SECTIONS } from '../../dist/bench/sections.js'
import { markdown, sectionTable } from '../../dist/bench/tables.js'

const DOCUMENT = fileURLToPath(new URL('../../docs/performance.md', import.meta.url))
const PICTURES = fileURLToPath(new URL('../../docs/performance/', import.meta.url))

function replaceBetween(text, name, content) {
  const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`docs/performance.md has no place for '${name}'`)
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`
}

function goalTable(verdicts) {
  const rows = verdicts.map(({ id, title, what, goal, value, verdict }) => [
    id,
    `${title}: ${what}`,
    goal,
    value || '\u2013',
    verdict === 'met' ? 'met' : `**${verdict}**`,
  ])
  return markdown({ columns: ['Goal', 'What', 'Wanted', 'Measured', ''], rows })
}

export function writeDocument(results, verdicts) {
  let text = readFileSync(DOCUMENT, 'utf8')
  text = replaceBetween(text, 'machine', `Measured on: ${results.machine}.`)
  text = replaceBetween(text, 'goals', goalTable(verdicts))
  mkdirSync(PICTURES, { recursive: true })
  for (const section of SECTIONS) {
    const result = results.sections.find(({ id }) => id === section.id)
    if (!result) continue
    const shown = []
    for (const [name, picture] of Object.entries(sectionPictures(result))) {
      writeFileSync(`${PICTURES}${name}`, picture)
      const [, title] = /<title>(.*)<\/title>/.exec(picture)
      shown.push(`![${title}](performance/${name})`)
    }
    const made = sectionTable(section, result)
    const content = made.rows.length === 0 ? 'Not measured.' : markdown(made)
    text = replaceBetween(text, section.id, [made.about, ...shown, content].join('\n\n'))
  }
  writeFileSync(DOCUMENT, text)
}
