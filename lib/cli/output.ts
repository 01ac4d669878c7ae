// What a command prints: results on stdout (text or JSON), everything about the run (progress, warnings) on stderr, so that
// either can be piped. Purpose: one place decides on JSON, colours and how an error looks.

import { GigeError } from '../errors.js'
import { Styler } from './style.js'

/** bigint as string: other languages and JSON.parse would round it. Bytes as hexadecimal text. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return item.toString()
    if (item instanceof Uint8Array) return Buffer.from(item).toString('hex')
    return item
  })
}

export class Output {
  /** The command did its work, and the answer is no. */
  negative = false
  /** preflight found what stands in the way. */
  blocked = false
  json: boolean
  readonly style = new Styler(process.stdout)
  readonly errorStyle = new Styler(process.stderr)
  /** Set by a progress display: clears it so that a line can be printed above. */
  beforeNote: () => void = () => {}

  constructor({ json }: { json: boolean }) {
    this.json = json
  }

  /** A line of result for people. */
  line(text = ''): void {
    if (this.json) return
    this.beforeNote()
    process.stdout.write(`${text}\n`)
  }

  /** An object for programs. */
  object(value: unknown): void {
    if (this.json) process.stdout.write(`${toJson(value)}\n`)
  }

  /** About the run, for people. */
  note(text: string): void {
    if (this.json) return
    this.beforeNote()
    process.stderr.write(`${text}\n`)
  }

  warn(message: string, hint = ''): void {
    this.beforeNote()
    const style = this.errorStyle
    process.stderr.write(`${style.paint('yellow', 'warning:')} ${message}\n`)
    if (hint) process.stderr.write(`${style.paint('dim', indent(hint))}\n`)
  }
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${line}`)
    .join('\n')
}

/** What the library's hints tell a program to do, and what does it here. */
const FLAGS = [
  [
    "open with { access: 'monitor' }",
    'listen to what it sends to a group: `gigewire stream <camera> --access monitor --multicast <group>`',
  ],
  ['{ streamPort }', '--stream-port'],
  ['{ address }', '--address'],
  [' Open it again with openCamera().', ' Run the command again when it is back.'],
  ['; `statusName` says why.', '.'],
] as const

interface ErrorFacts {
  code: string
  message: string
  hint: string
  [detail: string]: unknown
}

/** What an error says, with its details and the messages of its causes. */
export function errorFacts(error: unknown): ErrorFacts {
  if (!(error instanceof Error)) return { code: 'ERR_UNKNOWN', message: String(error), hint: '' }
  const { code } = error as NodeJS.ErrnoException
  const facts: ErrorFacts = { code: code ?? error.name, message: error.message, hint: '' }
  if (error instanceof GigeError) {
    for (const [name, value] of Object.entries(error)) {
      if (name !== 'name' && name !== 'cause') facts[name] = value
    }
  }
  for (const [option, flag] of FLAGS) facts.hint = facts.hint.replace(option, flag)
  const causes: string[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    causes.push(cause.message)
  }
  if (causes.length > 0) facts.causes = causes
  return facts
}

export function reportError(output: Output, error: unknown): void {
  const facts = errorFacts(error)
  output.beforeNote()
  if (output.json) {
    output.object({ error: facts })
    return
  }
  const style = output.errorStyle
  const lines = [`${style.paint('red', 'error:')} ${facts.message} ${style.paint('dim', `(${facts.code})`)}`]
  for (const cause of (facts.causes as string[] | undefined) ?? []) {
    lines.push(style.paint('dim', indent(`caused by: ${cause}`)))
  }
  if (facts.hint) lines.push(indent(facts.hint))
  // An error without a code is a defect of ours: say where.
  const known = error instanceof GigeError || (error instanceof Error && 'code' in error)
  if (!known && error instanceof Error && error.stack) lines.push(style.paint('dim', error.stack))
  process.stderr.write(`${lines.join('\n')}\n`)
}
