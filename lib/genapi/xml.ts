// The description's text as a tree. A scanner of our own: descriptions use little of XML, hostile ones must find neither DTD nor
// entities to abuse, real ones are not quite well-formed, and a general parser takes longer over 1.3 MB than everything else that
// opening a camera needs (docs/performance.md). Linear on any input; elements are matched by local name; vendor trees under
// Extension are left out.

import { descriptionError } from './errors.js'
import { decodeText, NO_ATTRIBUTES, type XmlAttributes, XmlDocument, XmlElement } from './xml-element.js'

export const MAX_DEPTH = 64
/** Tags, comments and the like; real descriptions have 30 000. */
export const MAX_ELEMENTS = 200_000
export const MAX_ATTRIBUTES = 400_000

const MAX_KNOWN_TAGS = 500
const GREATER = 0x3e
const SLASH = 0x2f
const EQUALS = 0x3d
const SPACE = 0x20 // and below: XML's white space, and control characters that cameras send

/**
 * Parses a description. Lenient: banner lines before the first tag, lone `&`, unknown entities, control
 * characters and `]]>` in text, anything after the root. Strict: structure. Throws ERR_GIGE_DESCRIPTION with
 * `line` for broken structure, DOCTYPE and excess.
 */
export function parseXml(text: string): XmlElement {
  return new Scanner(text).run()
}

class Scanner {
  private readonly text: string
  private readonly document: XmlDocument
  /** Tags without attributes, as they stand in the document, and their local names: most of a description. */
  private readonly plain = new Map<string, string>()
  private readonly open: XmlElement[] = []
  /** Names of all open tags, with prefix; longer than `open` within an Extension. */
  private readonly tags: string[] = []
  private root: XmlElement | undefined
  private markup = 0
  private attributes = 0

  constructor(text: string) {
    this.text = text
    this.document = new XmlDocument(text)
  }

  run(): XmlElement {
    const text = this.text
    let at = text.indexOf('<')
    while (at >= 0) {
      if (++this.markup > MAX_ELEMENTS) throw this.fail(at, `more than ${MAX_ELEMENTS} elements`)
      at = this.next(at)
      if (this.tags.length === 0 && this.root) return this.root
      const next = text.indexOf('<', at)
      if (next > at) this.addText(at, next, false)
      at = next
    }
    const unclosed = this.tags.at(-1)
    if (unclosed !== undefined) throw this.fail(text.length, `it ends before </${shown(unclosed)}>`)
    throw this.fail(0, 'it holds no XML element')
  }

  /** Takes what begins at the `<` at `at`; gives where it ends. */
  private next(at: number): number {
    const text = this.text
    switch (text[at + 1]) {
      case '/':
        return this.close(at)
      case '?':
        return this.endOf('?>', at + 2)
      case '!':
        return this.declaration(at)
      default:
        return this.openTag(at)
    }
  }

  private declaration(at: number): number {
    const text = this.text
    if (text.startsWith('<!--', at)) return this.endOf('-->', at + 4)
    if (text.startsWith('<![CDATA[', at)) {
      const end = this.endOf(']]>', at + 9)
      if (end - 3 > at + 9) this.addText(at + 9, end - 3, true)
      return end
    }
    throw this.fail(at, 'a DOCTYPE is not allowed in a camera description')
  }

  private openTag(at: number): number {
    const text = this.text
    const end = text.indexOf('>', at + 1)
    const known = end < 0 || end - at > 60 ? undefined : this.plain.get(text.slice(at + 1, end))
    if (known !== undefined) {
      this.push(known, known, NO_ATTRIBUTES, at)
      return this.leaf(known, end + 1) ?? end + 1
    }
    const nameEnd = this.endOfName(at + 1)
    const tag = text.slice(at + 1, nameEnd)
    const name = tag.slice(tag.indexOf(':') + 1)
    if (!/^[A-Za-z_\u0080-\uffff]/.test(name)) throw this.fail(at, 'a "<" that begins no tag')
    const { attributes, after, isEmpty } = this.readAttributes(nameEnd)
    this.push(tag, name, attributes, at)
    if (isEmpty) this.pop()
    else if (after === nameEnd + 1 && tag === name && this.plain.size < MAX_KNOWN_TAGS)
      this.plain.set(tag, name)
    return after
  }

  /** Most elements hold nothing but text: `<tag>text</tag>` is taken at once. Undefined: this one does not. */
  private leaf(tag: string, start: number): number | undefined {
    const text = this.text
    const end = text.indexOf('<', start)
    const after = end + 2 + tag.length
    const closes = text.charCodeAt(end + 1) === SLASH && text.startsWith(tag, end + 2)
    if (end < 0 || !closes || text.charCodeAt(after) !== GREATER) return undefined
    if (end > start) this.addText(start, end, false)
    this.pop()
    return after + 1
  }

  private readAttributes(from: number): { attributes: XmlAttributes; after: number; isEmpty: boolean } {
    const text = this.text
    let attributes: string[] | undefined
    for (let at = this.skipSpace(from); ; at = this.skipSpace(at)) {
      const code = text.charCodeAt(at)
      if (code === GREATER) return { attributes: attributes ?? NO_ATTRIBUTES, after: at + 1, isEmpty: false }
      if (code === SLASH && text.charCodeAt(at + 1) === GREATER) {
        return { attributes: attributes ?? NO_ATTRIBUTES, after: at + 2, isEmpty: true }
      }
      const nameEnd = this.endOfName(at)
      const equals = this.skipSpace(nameEnd)
      const start = this.skipSpace(equals + 1)
      const quote = text[start]
      if (nameEnd === at || text.charCodeAt(equals) !== EQUALS || (quote !== '"' && quote !== "'")) {
        throw this.fail(at, 'a tag that is not well-formed')
      }
      const end = this.endOf(quote, start + 1)
      if (++this.attributes > MAX_ATTRIBUTES) throw this.fail(at, `more than ${MAX_ATTRIBUTES} attributes`)
      attributes ??= []
      attributes.push(text.slice(at, nameEnd), decodeText(text.slice(start + 1, end - 1)))
      at = end
    }
  }

  private close(at: number): number {
    const text = this.text
    const tag = this.tags.at(-1)
    if (tag === undefined) throw this.fail(at, 'an end tag where nothing is open')
    const nameEnd = at + 2 + tag.length
    const end = this.skipSpace(nameEnd)
    if (!text.startsWith(tag, at + 2) || text.charCodeAt(end) !== GREATER) {
      throw this.fail(at, `</${shown(tag)}> belongs here`)
    }
    this.pop()
    return end + 1
  }

  private push(tag: string, name: string, attributes: XmlAttributes, at: number): void {
    if (this.tags.length >= MAX_DEPTH) throw this.fail(at, `elements nest deeper than ${MAX_DEPTH} levels`)
    const skipped = this.tags.length > this.open.length || name === 'Extension'
    this.tags.push(tag)
    if (skipped) return
    const element = new XmlElement(name, attributes, this.document, at)
    const parent = this.open.at(-1)
    if (parent) parent.addChild(element)
    else this.root = element
    this.open.push(element)
  }

  private pop(): void {
    if (this.tags.length === this.open.length) this.open.pop()
    this.tags.pop()
  }

  private addText(start: number, end: number, isCdata: boolean): void {
    if (this.tags.length === this.open.length) this.open.at(-1)?.addText(start, end, isCdata)
  }

  private endOfName(at: number): number {
    const text = this.text
    for (; at < text.length; at++) {
      const code = text.charCodeAt(at)
      if (code <= SPACE || code === GREATER || code === SLASH || code === EQUALS) break
    }
    return at
  }

  private skipSpace(at: number): number {
    const text = this.text
    while (at < text.length && text.charCodeAt(at) <= SPACE) at++
    return at
  }

  /** Behind the next `terminator`. */
  private endOf(terminator: string, from: number): number {
    const end = this.text.indexOf(terminator, from)
    if (end < 0) throw this.fail(from, `"${terminator}" is missing`)
    return end + terminator.length
  }

  private fail(at: number, what: string) {
    const line = this.document.lineOf(Math.min(at, this.text.length - 1))
    return descriptionError(`Line ${line}: ${what}.`, { line })
  }
}

const shown = (tag: string): string => (tag.length > 60 ? `${tag.slice(0, 60)}...` : tag)
