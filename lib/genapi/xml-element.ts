// One element of a description, as the scanner in xml.ts leaves it: text, line numbers, and children that hold nothing but text, are
// made of the document when somebody asks, because most of a description is never looked at.

/** Lines are counted once for each so many characters, and then within them: a document of line ends alone is as cheap as any. */
const COUNTED_TOGETHER = 1 << 10

/** Text of a document, with what is needed to tell the line of a place in it. */
export class XmlDocument {
  #lines: Uint32Array | undefined

  constructor(readonly text: string) {}

  /** Line of an offset, from 1. */
  lineOf(at: number): number {
    const { text } = this
    const end = Math.min(Math.max(at, 0), text.length)
    this.#lines ??= linesBefore(text)
    const part = Math.floor(end / COUNTED_TOGETHER)
    return 1 + this.#lines[part]! + lineEnds(text, part * COUNTED_TOGETHER, end)
  }
}

/** How many lines end before each part. */
function linesBefore(text: string): Uint32Array {
  const before = new Uint32Array(Math.floor(text.length / COUNTED_TOGETHER) + 1)
  for (let part = 1; part < before.length; part++) {
    const start = (part - 1) * COUNTED_TOGETHER
    before[part] = before[part - 1]! + lineEnds(text, start, start + COUNTED_TOGETHER)
  }
  return before
}

function lineEnds(text: string, start: number, end: number): number {
  const part = text.slice(start, end) // so that nothing looks for a line's end beyond it
  let count = 0
  for (let at = part.indexOf('\n'); at >= 0; at = part.indexOf('\n', at + 1)) count++
  return count
}

/** Names and values in turn. */
export type XmlAttributes = readonly string[]

export const NO_ATTRIBUTES: XmlAttributes = []

/** Holds what a vendor likes; left out. */
export const EXTENSION = 'Extension'

const NOWHERE = new XmlDocument('')
const NO_CHILDREN: readonly XmlElement[] = []

/** Bounds of elements side by side that have neither attributes nor children. */
interface Leaves {
  readonly start: number
  readonly end: number
}

export class XmlElement {
  // No #names: to define them takes a tenth of the time for a description, which is read by code that has not run before.
  private elements: (XmlElement | Leaves)[] | undefined
  private hasLeaves = false
  private byName: Map<string, XmlElement[]> | undefined
  private content: string | undefined
  /** Bounds of the first run of text, which is mostly the only one; the end of CDATA is negative. */
  private start = 0
  private end = 0
  private length = 0
  /** Bounds of the others. */
  private more: number[] | undefined

  /** `inherited` answers for child elements that this one does not have: how StructEntry works. */
  constructor(
    readonly name: string,
    readonly attributes: XmlAttributes = NO_ATTRIBUTES,
    private readonly document: XmlDocument = NOWHERE,
    private readonly at = 0,
    readonly inherited?: XmlElement,
  ) {}

  /** An element that no document has. */
  static made(name: string, text: string): XmlElement {
    const element = new XmlElement(name)
    element.content = text
    return element
  }

  get children(): readonly XmlElement[] {
    if (this.hasLeaves) {
      this.elements = this.elements!.flatMap((part) =>
        part instanceof XmlElement ? part : this.unfolded(part),
      )
      this.hasLeaves = false
    }
    return (this.elements as XmlElement[] | undefined) ?? NO_CHILDREN
  }

  get line(): number {
    return this.document.lineOf(this.at)
  }

  /** Everything between the tags that is no markup. */
  get text(): string {
    this.content ??= this.decoded()
    return this.content
  }

  /** For the scanner. */
  addChild(child: XmlElement): void {
    if (this.elements) this.elements.push(child)
    else this.elements = [child]
  }

  /** For the scanner, which has seen that nothing but `<name>text</name>` stands from `start` to `end`. */
  addLeaves(start: number, end: number): void {
    const leaves = { start, end }
    if (this.elements) this.elements.push(leaves)
    else this.elements = [leaves]
    this.hasLeaves = true
  }

  /** For the scanner: the document's text from `start` to `end` belongs to this element. Gives the length of all of its text. */
  addText(start: number, end: number, isCdata: boolean): number {
    const last = isCdata ? -end : end
    this.length += end - start
    if (this.end === 0) {
      this.start = start
      this.end = last
    } else {
      this.more ??= []
      this.more.push(start, last)
    }
    return this.length
  }

  all(name: string): XmlElement[] {
    this.byName ??= groupByName(this.children)
    return this.byName.get(name) ?? this.inherited?.all(name) ?? []
  }

  first(name: string): XmlElement | undefined {
    return this.all(name)[0]
  }

  /** Trimmed text of the first child of that name; undefined when it is absent or blank. */
  textOf(name: string): string | undefined {
    return this.first(name)?.text.trim() || undefined
  }

  attribute(name: string): string | undefined {
    for (let index = 0; index < this.attributes.length; index += 2) {
      if (this.attributes[index] === name) return this.attributes[index + 1]!.trim() || undefined
    }
    return undefined
  }

  /** A twin with other children, or one that takes what it lacks from `base`. */
  with({ children, base }: { children?: XmlElement[]; base?: XmlElement }): XmlElement {
    const twin = new XmlElement(this.name, this.attributes, this.document, this.at, base)
    twin.elements = children ?? [...this.children]
    return twin
  }

  private unfolded({ start, end }: Leaves): XmlElement[] {
    const { text } = this.document
    const leaves: XmlElement[] = []
    for (let at = text.indexOf('<', start); at >= 0 && at < end; at = text.indexOf('<', at)) {
      const nameEnd = text.indexOf('>', at)
      const name = text.slice(at + 1, nameEnd)
      const textEnd = text.indexOf('<', nameEnd)
      if (name !== EXTENSION) {
        const leaf = new XmlElement(name, NO_ATTRIBUTES, this.document, at)
        if (textEnd > nameEnd + 1) leaf.addText(nameEnd + 1, textEnd, false)
        leaves.push(leaf)
      }
      at = textEnd + name.length + 3
    }
    return leaves
  }

  private decoded(): string {
    let text = this.run(this.start, this.end)
    for (let index = 0; this.more && index < this.more.length; index += 2) {
      text += this.run(this.more[index]!, this.more[index + 1]!)
    }
    return text
  }

  private run(start: number, end: number): string {
    const text = this.document.text.slice(start, Math.abs(end))
    return end < 0 ? printable(text) : decodeText(text)
  }
}

function groupByName(elements: readonly XmlElement[]): Map<string, XmlElement[]> {
  const groups = new Map<string, XmlElement[]>()
  for (const element of elements) {
    const group = groups.get(element.name)
    if (group) group.push(element)
    else groups.set(element.name, [element])
  }
  return groups
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what XML forbids and cameras send
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g

const printable = (text: string): string => text.replace(FORBIDDEN, ' ')

const ENTITY = /&(?:(amp|lt|gt|quot|apos)|#(\d{1,7})|#x([0-9a-fA-F]{1,6}));/g
const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

/** The five predefined entities and character references; whatever else begins with `&` stands for itself. */
export function decodeText(text: string): string {
  const clean = printable(text)
  if (!clean.includes('&')) return clean
  return clean.replace(ENTITY, (whole, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name) return NAMED[name]!
    const code = decimal ? Number(decimal) : Number.parseInt(hexadecimal!, 16)
    return isXmlCharacter(code) ? String.fromCodePoint(code) : whole
  })
}

function isXmlCharacter(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa || code === 0xd
  return code <= 0xd7ff || (code >= 0xe000 && code <= 0xfffd) || (code >= 0x10000 && code <= 0x10ffff)
}
