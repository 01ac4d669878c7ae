// Feeds the description reader, the node map and the formula compiler with input made to break them, seeded, for a number of runs.
// Purpose: whatever they are given ends in a result or in a typed error: reading and compiling within a second of processor time, each
// use of what was read within five, all within the heap that the process was started with. fuzz.test.ts runs it for a while; by hand,
// for as long as one likes:
//
//   node --single-threaded-gc --max-old-space-size=512 test/genapi/fuzz-loop.mjs --seed 1 --runs 100000
//
// Ends with 1 at the first input that breaks the rule, printing seed and run, which make the same input again with --from.

import { parseArgs } from 'node:util'
import { deflateRawSync } from 'node:zlib'
import { GigeError } from '../../dist/errors.js'
import {
  FormulaValueError,
  floatArithmetic,
  integerArithmetic,
} from '../../dist/genapi/formula/arithmetic.js'
import { evaluate } from '../../dist/genapi/formula/evaluate.js'
import { compile } from '../../dist/genapi/formula/parse.js'
import { createNodeMap, loadDescription, parseDescriptionUrl } from '../../dist/genapi/index.js'

const MAX_INPUT = 4 << 20
const READING = 1000
/** What a small archive may unfold to; so much is read in a moment as well, but not in the same one. */
const SWOLLEN = 31 << 20
const READING_SWOLLEN = 5000
const USING = 5000

const { values: options } = parseArgs({
  options: { seed: { type: 'string' }, runs: { type: 'string' }, from: { type: 'string' } },
})
const seed = Number(options.seed ?? Date.now() % 1e6)
const runs = Number(options.runs ?? 200)

/** Generator of its own for each run, so that a run can be repeated alone. */
function randomOf(run) {
  let state = (seed * 2654435761 + run * 40503 + 1) >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (count) => Math.floor(next() * count)
  return { below, pick: (list) => list[below(list.length)], chance: (p) => next() < p }
}

// ---- descriptions ------------------------------------------------------------------------------------------------

const KINDS =
  'Category Integer IntReg MaskedIntReg Float FloatReg Boolean Command Enumeration String StringReg Register SwissKnife IntSwissKnife Converter IntConverter Port Node ConfRom StructReg Group Extension Bogus'.split(
    ' ',
  )
const POINTERS =
  'pValue pMin pMax pInc pIsImplemented pIsAvailable pIsLocked pInvalidator pSelected pFeature pAddress pIndex pLength pValueCopy pValueDefault pCommandValue pError pBlockPolling pPort pAlias pEnumEntry pChunkID'.split(
    ' ',
  )
const LITERALS =
  'Value Min Max Inc Address Length LSB MSB Bit Sign Endianess AccessMode Cachable PollingTime OnValue OffValue CommandValue ValueDefault Slope IsLinear Representation Visibility DisplayNotation DisplayPrecision ValidValueSet ImposedAccessMode ChunkID EventID Streamable Unit ToolTip'.split(
    ' ',
  )
const WORDS =
  '0 1 -1 4 8 0x100 0xFFFFFFFFFFFFFFFF 9223372036854775807 -9223372036854775808 1e400 NaN INF 2147483648 Yes No RW RO WO LittleEndian BigEndian Signed NoCache WriteAround Varying HexNumber IPV4Address Fixed Scientific ; 1;2;3 zz &amp; &#0; &x; ]]&gt;'.split(
    ' ',
  )
const NAMES = Array.from({ length: 12 }, (_, i) => `N${i}`)
const NOISE = [
  '<',
  '>',
  '/',
  '</',
  '&',
  '"',
  "'",
  '<!--',
  '-->',
  '<![CDATA[',
  ']]>',
  '<?',
  '?>',
  '<!DOCTYPE a [',
  '\0',
  ' ',
  '=',
]

function node(r, depth) {
  const kind = r.pick(KINDS)
  const children = []
  for (let count = r.below(10); count > 0; count--) children.push(child(r, depth))
  if (r.chance(0.7))
    children.push(
      `<${r.chance(0.5) ? 'pValue' : 'Value'}>${r.chance(0.5) ? r.pick(NAMES) : r.pick(WORDS)}</${'pValue'}>`.replace(
        /<(\w+)>(.*)<\/\w+>/s,
        '<$1>$2</$1>',
      ),
    )
  if (/Reg/.test(kind)) children.push('<Address>0</Address><Length>4</Length><AccessMode>RW</AccessMode>')
  if (/Knife|Converter/.test(kind)) {
    children.push(`<pVariable Name="A">${r.pick(NAMES)}</pVariable>`)
    for (const tag of ['Formula', 'FormulaTo', 'FormulaFrom'])
      children.push(`<${tag}>${escaped(formula(r, 4))}</${tag}>`)
    if (r.chance(0.3)) children.push(`<Expression Name="B">${escaped(formula(r, 2))}</Expression>`)
  }
  if (kind === 'Enumeration') {
    for (let i = r.below(4); i >= 0; i--)
      children.push(`<EnumEntry Name="E${i}"><Value>${r.below(3)}</Value></EnumEntry>`)
  }
  if (kind === 'StructReg')
    children.push(`<StructEntry Name="${r.pick(NAMES)}"><Bit>${r.below(40)}</Bit></StructEntry>`)
  return `<${kind} Name="${r.pick(NAMES)}"${r.chance(0.2) ? ' NameSpace="Standard"' : ''}>${children.join('')}</${kind}>`
}

function child(r, depth) {
  const roll = r.below(10)
  if (roll < 5) {
    const tag = r.pick(POINTERS)
    const offset = tag === 'pIndex' && r.chance(0.5) ? ` Offset="${r.pick(WORDS)}"` : ''
    return `<${tag}${offset}>${r.pick(NAMES)}</${tag}>`
  }
  if (roll < 9 || depth > 3) {
    const tag = r.pick(LITERALS)
    return `<${tag}>${r.pick(WORDS)}</${tag}>`
  }
  return node(r, depth + 1)
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function description(r) {
  let nodes =
    '<Category Name="Root"><pFeature>N0</pFeature><pFeature>N1</pFeature></Category><Port Name="Device"/>'
  for (let count = 1 + r.below(14); count > 0; count--) nodes += node(r, 0)
  if (r.chance(0.03)) nodes += crowd(r)
  return `<RegisterDescription ModelName="M" VendorName="V" SchemaMajorVersion="1" SchemaMinorVersion="${r.below(2)}">${nodes}</RegisterDescription>`
}

/** One node, tens of thousands of times, each pointing to the next where it points anywhere. */
function crowd(r) {
  const template = node(r, 3)
  const count = Math.min(50_000, Math.floor((MAX_INPUT - 20_000) / (template.length + 40)))
  let nodes = ''
  for (let i = 0; i < count; i++) {
    nodes += template.replace(/Name="N\d+"/, `Name="N${i}"`).replaceAll(/>N\d+</g, `>N${(i + 1) % count}<`)
  }
  return nodes
}

/** Cuts, doubles, moves and salts a text; now and then blows it up to the limit. */
function mutated(r, text) {
  for (let count = r.chance(0.5) ? r.below(4) : 0; count > 0; count--) {
    const [from, length, to] = [r.below(text.length + 1), r.below(60), r.below(text.length + 1)]
    const piece = text.slice(from, from + length)
    const roll = r.below(4)
    if (roll === 0) text = text.slice(0, from) + text.slice(from + length)
    else if (roll === 1) text = text.slice(0, to) + piece + text.slice(to)
    else text = text.slice(0, to) + r.pick(NOISE) + text.slice(to)
  }
  if (r.chance(0.03) && text.length > 0) {
    const from = r.below(text.length)
    const piece = text.slice(from, from + 1 + r.below(200)) || '<'
    const times = Math.floor((MAX_INPUT - text.length) / piece.length)
    text = text.slice(0, from) + piece.repeat(Math.max(0, times)) + text.slice(from)
  }
  return text.slice(0, MAX_INPUT)
}

/** One piece of text again and again, anywhere in it. */
function swollen(r, text) {
  const piece = r.pick([
    '&lt;',
    '&#65;',
    '\n',
    '\x01',
    '\x80',
    '1;',
    ' a="b"',
    'x',
    ' ',
    '<!-- -->',
    '<a>1</a>',
    ']]>',
  ])
  const from = r.below(text.length + 1)
  const times = Math.floor((SWOLLEN - text.length) / piece.length)
  return text.slice(0, from) + piece.repeat(Math.max(0, times)) + text.slice(from)
}

function zipped(r, text) {
  const data = deflateRawSync(Buffer.from(text, r.chance(0.1) ? 'latin1' : 'utf8'))
  const name = Buffer.from('c.xml')
  const local = Buffer.alloc(30)
  local.writeUInt32LE(0x04034b50, 0)
  local.writeUInt16LE(8, 8)
  local.writeUInt16LE(name.length, 26)
  const entry = Buffer.alloc(46)
  entry.writeUInt32LE(0x02014b50, 0)
  entry.writeUInt16LE(8, 10)
  entry.writeUInt32LE(data.length, 20)
  entry.writeUInt16LE(name.length, 28)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(30 + name.length + data.length, 16)
  const archive = Buffer.concat([local, name, data, entry, name, end])
  for (let count = r.below(4); count > 0; count--) archive[r.below(archive.length)] = r.below(256)
  return archive
}

/** Registers that hold whatever the generator says. */
const portOf = (r) => ({
  read: async (_address, length) => Uint8Array.from({ length }, () => r.below(256)),
  write: async () => {},
})

async function useFeature(node) {
  const { visibility, selects, selectedBy, unit, pollingTime, cachingMode } = node
  void [visibility, selects, selectedBy, unit, pollingTime, cachingMode, node.features()]
  for (const use of [
    () => node.isCached(),
    () => node.access(),
    () => node.getText(),
    () => node.entries(),
    () => node.max(),
    () => node.setText('1'),
  ]) {
    await within(USING, use).catch(assertTyped)
  }
}

async function descriptionRun(r) {
  const text = mutated(r, description(r))
  const swells = r.chance(0.03)
  const bytes =
    swells || r.chance(0.3)
      ? zipped(r, swells ? swollen(r, text) : text)
      : Buffer.from(text, r.chance(0.1) ? 'latin1' : 'utf8')
  const map = await within(swells ? READING_SWOLLEN : READING, () =>
    createNodeMap(loadDescription(bytes).xml, portOf(r)),
  )
  await within(USING, () => map.problems())
  const names = [...map].slice(0, 40).map(({ name }) => name)
  const outcomes = await within(USING, () => map.getMany(names))
  for (const outcome of outcomes.values()) if ('error' in outcome) assertTyped(outcome.error)
  for (const name of names.slice(0, 12)) await useFeature(map.node(name))
  map.invalidate()
}

// ---- formulas --------------------------------------------------------------------------------------------------------

const OPERATORS = [
  '+',
  '-',
  '*',
  '/',
  '%',
  '**',
  '<<',
  '>>',
  '&',
  '|',
  '^',
  '=',
  '<>',
  '<',
  '>',
  '<=',
  '>=',
  '&&',
  '||',
]
const TOKENS = [
  ...OPERATORS,
  '?',
  ':',
  '(',
  ')',
  ',',
  '~',
  '!',
  '.',
  '0x',
  '1e',
  '$',
  '1',
  '0xFFFFFFFFFFFFFFFF',
  'A',
  'B',
  'PI',
  'SIN',
  'ROUND(',
  'TO',
  'FROM',
  ' ',
  '\n',
]

function formula(r, depth) {
  if (depth === 0 || r.chance(0.2))
    return r.pick(['A', 'B', '1', '0', '2.5', '0xFF', '1e300', 'PI', 'TO', 'FROM', '9223372036854775807'])
  const inner = () => formula(r, depth - 1)
  switch (r.below(5)) {
    case 0:
      return `(${inner()}) ? (${inner()}) : (${inner()})`
    case 1:
      return `${r.pick(['SGN', 'NEG', 'ABS', 'ROUND', 'LN', 'SQRT', 'ATAN'])}(${inner()})`
    case 2:
      return `${r.pick(['-', '~', '+'])}(${inner()})`
    default:
      return `(${inner()}) ${r.pick(OPERATORS)} (${inner()})`
  }
}

async function formulaRun(r) {
  let text = formula(r, 1 + r.below(6))
  if (r.chance(0.5)) for (let count = r.below(40); count > 0; count--) text += r.pick(TOKENS)
  if (r.chance(0.02))
    text = r.pick(['(', '-', '1+', '1?1:', '2**', 'SIN(', '1 ', 'A']).repeat(1 + r.below(1 << 20))
  for (const [arithmetic, load] of [
    [integerArithmetic, () => BigInt(r.below(5) - 2)],
    [floatArithmetic, () => r.below(5) - 2],
  ]) {
    const vocabulary = {
      literal: arithmetic.literal,
      resolve: (name) => (name.length < 5 ? name : undefined),
    }
    const program = await within(READING, () => compile(text, vocabulary))
    try {
      await within(USING, () => evaluate(program, arithmetic, load))
    } catch (error) {
      if (!(error instanceof FormulaValueError)) throw error
    }
  }
}

// ---- the loop ---------------------------------------------------------------------------------------------------------

function assertTyped(error) {
  if (!(error instanceof GigeError)) throw error
}

/** Fails where `work` takes more than `ms` of processor time, whatever comes of it. */
async function within(ms, work) {
  const before = process.cpuUsage().user
  try {
    return await work()
  } finally {
    const took = (process.cpuUsage().user - before) / 1000
    if (took > ms) giveUp(`${took} ms of processor time, where ${ms} are allowed: ${work}`)
  }
}

let run = Number(options.from ?? 0)

function giveUp(why) {
  console.error(`seed ${seed}, run ${run}: ${why}`)
  process.exit(1)
}

const kinds = [
  descriptionRun,
  descriptionRun,
  formulaRun,
  formulaRun,
  formulaRun,
  (r) => parseDescriptionUrl(mutated(r, 'Local:a.zip;1000;20')),
]

for (; run < runs; run++) {
  const r = randomOf(run)
  try {
    await r.pick(kinds)(r)
  } catch (error) {
    if (!(error instanceof GigeError)) giveUp(error.stack ?? error)
  }
}
console.log(`seed ${seed}: ${runs} runs`)
