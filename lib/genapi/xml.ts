// The description's text as a tree. A scanner of our own: descriptions use little of XML, hostile ones must find neither DTD nor
// entities to abuse, real ones are not quite well-formed, and a general parser takes longer over 1.3 MB than everything else that
// opening a camera needs (docs/performance.md). Linear on any input; elements are matched by local name; vendor trees under
// Extension are left out.

import { descriptionError } from './errors.js'
import {
  decodeText,
  EXTENSION,
  NO_ATTRIBUTES,
  type XmlAttributes,
  XmlDocument,
  XmlElement,
} from './xml-element.js'

export const MAX_DEPTH = 64
/** Tags, comments and the like; real descriptions have 30 000. */
export const MAX_ELEMENTS = 200_000
export const MAX_ATTRIBUTES = 400_000
/** Characters of one element's text, of one attribute; the longest real ones are tool tips of some thousand. */
export const MAX_TEXT = 1 << 20
export const MAX_ATTRIBUTE = 1 << 16

/**
 * Elements side by side that hold nothing but text, which is what most of a description is: a regular expression takes them ten times
 * as fast as code that runs for the first time. Not too many at once, since it remembers each.
 */
const LEAVES = /(?:[\0- ]*<([A-Za-z_]\w{0,60})>[^<]*<\/\1>){1,100}/y

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

const ATTRIBUTE = /[\0- ]*([^\0- >/=]+)[\0- ]*=[\0- ]*(?:"([^"]*)"|'([^']*)')/y

class Scanner {
  private readonly text: string
  private readonly document: XmlDocument
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
      this.count(at)
      at = this.next(at)
      if (this.tags.length === 0 && this.root) return this.root
      at = this.leaves(at)
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
    const nameEnd = this.endOfName(at + 1)
    const tag = text.slice(at + 1, nameEnd)
    const name = tag.slice(tag.indexOf(':') + 1)
    if (!/^[A-Za-z_\u0080-\uffff]/.test(name)) throw this.fail(at, 'a "<" that begins no tag')
    const { attributes, after, isEmpty } = this.readAttributes(nameEnd)
    this.push(tag, name, attributes, at)
    if (isEmpty) this.pop()
    return after
  }

  /** Takes the leaves that begin at `at`, if any; gives where they end. White space between them is nobody's text. */
  private leaves(at: number): number {
    if (this.tags.length === 0 || this.tags.length >= MAX_DEPTH) return at
    LEAVES.lastIndex = at
    while (LEAVES.test(this.text)) {
      const end = LEAVES.lastIndex
      this.countLeaves(at, end)
      if (end - at > MAX_TEXT) this.measureLeaves(at, end)
      if (this.tags.length === this.open.length) this.open.at(-1)!.addLeaves(at, end)
      at = end
    }
    return at
  }

  private countLeaves(start: number, end: number): void {
    const text = this.text
    for (let at = text.indexOf('</', start); at >= 0 && at < end; at = text.indexOf('</', at + 2)) {
      this.count(at)
    }
  }

  private measureLeaves(start: number, end: number): void {
    const text = this.text
    for (let at = text.indexOf('>', start); at >= 0 && at < end; at = text.indexOf('>', at + 1)) {
      this.measure(at, text.indexOf('<', at) - at)
    }
  }

  private measure(at: number, length: number): void {
    if (length > MAX_TEXT) throw this.fail(at, `a text of more than ${MAX_TEXT} characters`)
  }

  private count(at: number): void {
    if (++this.markup > MAX_ELEMENTS) throw this.fail(at, `more than ${MAX_ELEMENTS} elements`)
  }

  private readAttributes(from: number): { attributes: XmlAttributes; after: number; isEmpty: boolean } {
    const text = this.text
    let attributes: string[] | undefined
    let at = from
    ATTRIBUTE.lastIndex = at
    for (let found = ATTRIBUTE.exec(text); found; found = ATTRIBUTE.exec(text)) {
      if (++this.attributes > MAX_ATTRIBUTES) throw this.fail(at, `more than ${MAX_ATTRIBUTES} attributes`)
      const value = found[2] ?? found[3]!
      if (value.length > MAX_ATTRIBUTE || found[1]!.length > MAX_ATTRIBUTE)
        throw this.fail(at, `an attribute of more than ${MAX_ATTRIBUTE} characters`)
      attributes ??= []
      attributes.push(found[1]!, decodeText(value))
      at = ATTRIBUTE.lastIndex
    }
    at = this.skipSpace(at)
    const isEmpty = text.charCodeAt(at) === SLASH
    const end = isEmpty ? at + 1 : at
    if (text.charCodeAt(end) !== GREATER) throw this.fail(at, 'a tag that is not well-formed')
    return { attributes: attributes ?? NO_ATTRIBUTES, after: end + 1, isEmpty }
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
    const skipped = this.tags.length > this.open.length || name === EXTENSION
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
    if (this.tags.length !== this.open.length) return
    this.measure(start, this.open.at(-1)?.addText(start, end, isCdata) ?? 0)
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
