// What the reader forgives and what it does not (genapi.md 1.5, 9.1).

import { describe, expect, it } from 'vitest'
import { createNodeMap } from '../../lib/genapi/index.js'
import { parseXml } from '../../lib/genapi/xml.js'
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
