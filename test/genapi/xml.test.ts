// What the reader forgives and what it does not (genapi.md 1.5, 9.1).

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNodeMap } from '../../lib/genapi/index.js'
import { MAX_DEPTH, parseXml } from '../../lib/genapi/xml.js'
import type { XmlElement } from '../../lib/genapi/xml-element.js'
import { XmlDocument } from '../../lib/genapi/xml-element.js'
import { camera, description, register } from './describe-camera.js'
import { FakePort } from './fake-port.js'

describe('lenient in text', () => {
  it.each([
    ['a lone ampersand', '<a>R & D; <b/></a>', 'R & D; '],
    ['an unknown entity', '<a>&copy; 2020</a>', '&copy; 2020'],
    ['entities that count', '<a>&lt;&#65;&#x42;&amp;amp;</a>', '<AB&amp;'],
    ['an impossible character reference', '<a>&#0;&#xFFFFFF;</a>', '&#0;&#xFFFFFF;'],
    ['CDATA as it is', '<a><![CDATA[A && B &amp; <x>]]></a>', 'A && B &amp; <x>'],
    ['a comment with an ampersand', '<a>x<!-- a & b -->y & z</a>', 'xy & z'],
    ['"]]>" in text', '<a>x]]>y</a>', 'x]]>y'],
    ['control characters', '<a>x\u0001\u001fy</a>', 'x  y'],
    ['a banner line and an XML declaration after it', 'Saved by a tool:\n<?xml version="1.0"?><a>x</a>', 'x'],
    ['text after the root', '<a>x</a> trailing & rubbish', 'x'],
  ])('accepts %s', (_what, xml, text) => {
    expect(parseXml(xml).text).toBe(text)
  })

  it('works without XML declaration, with a namespace prefix and padded values', async () => {
    const xml = description(register('IntReg', 'R', '<Address>\n  0x100\n</Address>'))
      .replace(/^<\?xml.*\n/, '')
      .replace(/<(\/?)RegisterDescription/g, '<$1g:RegisterDescription')
    const port = new FakePort().poke32(0x100, 7)
    expect(await createNodeMap(xml, port).get('R')).toBe(7)
  })

  it('ignores everything under Extension, even nodes with names', () => {
    const { map } = camera(
      '<Category Name="Root"><Extension><IntReg Name="Ghost"/><Foo/></Extension></Category><Extension><Integer Name="Other"/></Extension>',
    )
    expect(map.has('Ghost')).toBe(false)
    expect(map.has('Other')).toBe(false)
    expect(map.problems()).toEqual([])
  })
})

describe('strict in structure', () => {
  it.each([
    ['an unclosed element', '<a><b></a>'],
    ['a document cut short', '<a><b/>'],
    ['an unquoted attribute', '<a b=c></a>'],
    ['no element at all', 'no markup here'],
    ['only a comment', '<!-- nothing -->'],
    ['an unterminated CDATA section', '<a><![CDATA[ & </a>'],
  ])('refuses %s', (_what, xml) => {
    expect(() => parseXml(xml)).toThrow(expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' }))
  })

  it('tells the line', () => {
    expect(() => parseXml('<a>\n\n<b></c>\n</a>')).toThrow(expect.objectContaining({ line: 3 }))
  })

  it('refuses another kind of document', () => {
    expect(() => createNodeMap('<html/>', new FakePort())).toThrow(/begins with RegisterDescription/)
  })
})

describe('a tree', () => {
  interface Tree {
    name: string
    attributes: Record<string, string>
    /** Of a tree without children. */
    text: string
    children: Tree[]
  }
  const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.record({
      name: fc.constantFrom('a', 'Value', 'pValue', 'x:Value', 'Extension', 'Ex', `N${'n'.repeat(80)}`),
      attributes: fc.dictionary(fc.constantFrom('Name', 'Unit'), fc.constantFrom('one', 'a&b', '<')),
      text: fc.constantFrom('', '0x10', ' R & D ', '<&>', '\n'),
      children: fc.oneof({ maxDepth: 4 }, fc.constant<Tree[]>([]), fc.array(tie('tree'), { maxLength: 4 })),
    }),
  }))
  const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;')
  const attributesOf = ({ attributes }: Tree) => Object.entries(attributes).flat()

  function written(tree: Tree, between: string): string {
    const attributes = Object.entries(tree.attributes).map(([key, value]) => ` ${key}="${escaped(value)}"`)
    const children = tree.children.map((child) => between + written(child, between)).join('')
    const body = tree.children.length > 0 ? children + between : escaped(tree.text)
    return `<${tree.name}${attributes.join('')}>${body}</${tree.name}>`
  }

  /** Without what is left out. */
  const expected = (tree: Tree): unknown => [
    tree.name.replace('x:', ''),
    attributesOf(tree),
    tree.children.length > 0 ? '' : tree.text.trim(),
    tree.children.filter(({ name }) => name !== 'Extension').map(expected),
  ]
  const found = (element: XmlElement): unknown => [
    element.name,
    [...element.attributes],
    element.text.trim(),
    element.children.map(found),
  ]

  it('is read as it was written, whatever its elements have or lack', () => {
    fc.assert(
      fc.property(tree, fc.constantFrom('', ' ', '\r\n\t'), (tree, between) => {
        const root = { ...tree, name: 'root' }
        expect(found(parseXml(`<?xml?>${written(root, between)}`))).toEqual(expected(root))
      }),
      { numRuns: 500 },
    )
  })

  it('tells the lines of its elements', () => {
    const root = parseXml('<a>\n<b>1</b>\n\n<c>2</c><d x="">\n<e>3</e></d></a>')
    const lines = (element: XmlElement): unknown[] => [element.line, ...element.children.flatMap(lines)]
    expect(lines(root)).toEqual([1, 2, 4, 4, 5])
  })

  it(`may be ${MAX_DEPTH} levels deep, counting those that hold nothing but text`, () => {
    const nested = (levels: number) => `${'<a>'.repeat(levels)}${'</a>'.repeat(levels)}`
    expect(parseXml(nested(MAX_DEPTH)).name).toBe('a')
    expect(() => parseXml(nested(MAX_DEPTH + 1))).toThrow(/nest deeper/)
  })
})

it('lines are counted right wherever they are', () => {
  const text = fc
    .array(fc.tuple(fc.constantFrom('\n', 'a', '\n\n'), fc.constantFrom(1, 100, 9000)), { maxLength: 12 })
    .map((parts) => parts.map(([what, times]) => what.repeat(times)).join(''))
  fc.assert(
    fc.property(text, fc.nat(), (given, seed) => {
      const at = given.length === 0 ? 0 : seed % given.length
      expect(new XmlDocument(given).lineOf(at)).toBe(given.slice(0, at).split('\n').length)
    }),
  )
})
