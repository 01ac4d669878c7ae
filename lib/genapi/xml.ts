// The description's text as a tree, by saxes made lenient where real files need it and limited where hostile
// ones could hurt. Elements are matched by local name; vendor trees under Extension are left out.

import { SaxesParser } from 'saxes'
import { descriptionError } from './errors.js'

export const MAX_DEPTH = 64
export const MAX_ELEMENTS = 200_000
/** Slips that are put right in one document; real ones have a handful, and each costs time. */
export const MAX_REPAIRS = 1000

export class XmlElement {
  text = ''
  #byName: Map<string, XmlElement[]> | undefined

  /** `inherited` answers for child elements that this one does not have: how StructEntry works. */
  constructor(
    readonly name: string,
    readonly attributes: Readonly<Record<string, string>>,
    readonly line: number,
    readonly children: XmlElement[] = [],
    readonly inherited?: XmlElement,
  ) {}

  all(name: string): XmlElement[] {
    this.#byName ??= groupByName(this.children)
    return this.#byName.get(name) ?? this.inherited?.all(name) ?? []
  }

  first(name: string): XmlElement | undefined {
    return this.all(name)[0]
  }

  /** Trimmed text of the first child of that name; undefined when it is absent or blank. */
  textOf(name: string): string | undefined {
    return this.first(name)?.text.trim() || undefined
  }

  attribute(name: string): string | undefined {
    return this.attributes[name]?.trim() || undefined
  }

  /** A twin that takes what it lacks from `base`. */
  inheriting(base: XmlElement): XmlElement {
    return new XmlElement(this.name, this.attributes, this.line, this.children, base)
  }
}

function groupByName(elements: XmlElement[]): Map<string, XmlElement[]> {
  const groups = new Map<string, XmlElement[]>()
  for (const element of elements) {
    const group = groups.get(element.name)
    if (group) group.push(element)
    else groups.set(element.name, [element])
  }
  return groups
}

/**
 * Parses a description. Lenient: banner lines before the first tag, lone `&`, unknown entities, control
 * characters and `]]>` in text, anything after the root. Strict: structure. Throws ERR_GIGE_DESCRIPTION with
 * `line` for broken structure, DOCTYPE and excess.
 */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser({ xmlns: false })
  const open: XmlElement[] = []
  let root: XmlElement | undefined
  let skipping = 0
  let begun = false
  let repairs = 0
  let count = 0
  const fail = (message: string) => descriptionError(`Line ${parser.line}: ${message}`, { line: parser.line })

  parser.on('doctype', () => {
    throw fail('a DOCTYPE is not allowed in a camera description.')
  })
  parser.on('opentagstart', () => {
    begun = true
  })
  parser.on('opentag', (tag) => {
    if (++count > MAX_ELEMENTS) throw fail(`more than ${MAX_ELEMENTS} elements.`)
    if (open.length + skipping >= MAX_DEPTH) throw fail(`elements nest deeper than ${MAX_DEPTH} levels.`)
    const name = localName(tag.name)
    if (skipping > 0 || name === 'Extension') {
      skipping++
      return
    }
    const element = new XmlElement(name, tag.attributes as Record<string, string>, parser.line)
    const parent = open.at(-1)
    if (parent) parent.children.push(element)
    else root ??= element
    open.push(element)
  })
  parser.on('closetag', () => {
    if (skipping > 0) skipping--
    else open.pop()
  })
  const append = (part: string) => {
    const element = open.at(-1)
    if (element && skipping === 0) element.text += part
  }
  parser.on('text', append)
  parser.on('cdata', append)
  parser.on('error', (error) => {
    // Outside of the root nothing matters (XML declarations in the wrong place, padding), and inside, a stray
    // "]]>" is only text.
    const outside = !begun || (root && open.length + skipping === 0)
    if ((!outside && !error.message.includes(']]>')) || ++repairs > MAX_REPAIRS) {
      throw descriptionError(`The description is not well-formed XML: ${error.message}`, {
        line: parser.line,
      })
    }
  })

  parser.write(tolerable(text)).close()
  if (!root) throw descriptionError('The description holds no XML element.', { line: 1 })
  return root
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1)
}

const ENTITY = /&(?:amp|lt|gt|quot|apos|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids and cameras send
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g

/** Text that saxes accepts: starts at the first tag, `&` escaped where it starts no entity. */
function tolerable(text: string): string {
  const start = text.indexOf('<')
  const clean = (start > 0 ? text.slice(start) : text).replace(FORBIDDEN, ' ')
  const parts: string[] = []
  let from = 0
  let verbatim = clean.indexOf('<!')
  for (let at = clean.indexOf('&'); at >= 0; at = clean.indexOf('&', at)) {
    // CDATA and comments are no place for entities. The cursor only moves forward: linear on any input.
    while (verbatim >= 0 && verbatim < at) {
      const end = endOfVerbatim(clean, verbatim)
      if (end > at) at = end
      verbatim = clean.indexOf('<!', end)
    }
    if (clean[at] !== '&') continue
    if (!startsEntity(clean, at)) {
      if (parts.length >= 2 * MAX_REPAIRS) {
        throw descriptionError(`More than ${MAX_REPAIRS} stray "&": this is no camera description.`)
      }
      parts.push(clean.slice(from, at), '&amp;')
      from = at + 1
    }
    at++
  }
  return parts.length === 0 ? clean : parts.join('') + clean.slice(from)
}

function startsEntity(text: string, at: number): boolean {
  ENTITY.lastIndex = at
  const match = ENTITY.exec(text)
  if (!match) return false
  const code = match[1] ? Number(match[1]) : match[2] ? Number.parseInt(match[2], 16) : undefined
  return code === undefined || isXmlCharacter(code)
}

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}

function endOfVerbatim(text: string, at: number): number {
  const terminator = text.startsWith('<![CDATA[', at)
    ? ']]>'
    : text.startsWith('<!--', at)
      ? '-->'
      : undefined
  if (!terminator) return at + 2
  const end = text.indexOf(terminator, at)
  return end < 0 ? text.length : end + 3
}
