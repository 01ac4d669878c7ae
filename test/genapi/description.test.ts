// Getting from the camera's memory to text: URLs (gige-vision.md 3.3), archives and encodings (genapi.md 1.4, 1.5).

import { type Zippable, zipSync } from 'fflate'
import { describe, expect, it } from 'vitest'
import { loadDescription, parseDescriptionUrl } from '../../lib/genapi/index.js'

const ascii = (text: string) => new TextEncoder().encode(text)
const damaged = expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' })

describe('description URL', () => {
  it.each([
    ['Local:GRS_GEV_v003.zip;7F1D0040;6C52', 'GRS_GEV_v003.zip', 0x7f1d0040, 0x6c52],
    ['Local:MER2_GIGE_V2.4.12.zip;41a30000;890a', 'MER2_GIGE_V2.4.12.zip', 0x41a30000, 0x890a],
    ['local:///camera.xml;0x1000;0x20', 'camera.xml', 0x1000, 0x20],
    ['LOCAL: camera.zip ; 1000 ; 20 ', 'camera.zip', 0x1000, 0x20],
    ['Local:camera.zip;1000;20\0\0garbage', 'camera.zip', 0x1000, 0x20],
    ['Local:camera.zip;1000;20 more', 'camera.zip', 0x1000, 0x20],
  ])('reads %j', (text, name, address, length) => {
    expect(parseDescriptionUrl(text)).toEqual({ kind: 'local', name, address, length })
  })

  it('cuts the schema version off the length and keeps it', () => {
    expect(parseDescriptionUrl('Local:MC.zip;8001000;395C?SchemaVersion=1.1.0')).toEqual({
      kind: 'local',
      name: 'MC.zip',
      address: 0x8001000,
      length: 0x395c,
      schemaVersion: '1.1.0',
    })
  })

  it('tells files and web pages apart, and follows neither', () => {
    expect(parseDescriptionUrl('File:AviivaUM2GE_v2.1.xml')).toEqual({
      kind: 'file',
      path: 'AviivaUM2GE_v2.1.xml',
    })
    expect(parseDescriptionUrl('file:///opt/x.xml')).toEqual({ kind: 'file', path: '/opt/x.xml' })
    expect(parseDescriptionUrl('http://maker.example/x.zip')).toEqual({
      kind: 'http',
      url: 'http://maker.example/x.zip',
    })
  })

  it.each([
    '',
    '\0',
    'nonsense',
    'Local:x.zip',
    'Local:x.zip;1000',
    'Local:x.zip;zz;20',
    'Local:x.zip;1000;0',
  ])('does not take %j for a URL', (text) => {
    expect(parseDescriptionUrl(text)).toBeUndefined()
  })
})

describe('archives', () => {
  const zip = (files: Zippable) => zipSync(files)

  it('unzips by signature, through padding behind the archive', () => {
    const packed = zip({ 'camera.xml': ascii('<a/>') })
    const padded = new Uint8Array(packed.length + 7)
    padded.set(packed)
    expect(loadDescription(padded)).toMatchObject({ xml: '<a/>', entry: 'camera.xml', encoding: 'utf-8' })
  })

  it('takes stored entries', () => {
    expect(loadDescription(zip({ 'c.xml': [ascii('<a/>'), { level: 0 }] })).xml).toBe('<a/>')
  })

  it('passes over junk: the first XML outside of __MACOSX, else the first file', () => {
    const junk = { 'read.me': ascii('no'), '__MACOSX/._c.xml': ascii('junk'), 'dir/': ascii('') }
    expect(loadDescription(zip({ ...junk, 'dir/C.XML': ascii('<a/>') })).entry).toBe('dir/C.XML')
    expect(loadDescription(zip({ '__MACOSX/x': ascii('junk'), camera: ascii('<a/>') })).entry).toBe('camera')
  })

  it('uses the central directory, where local headers leave sizes to a data descriptor', () => {
    const xml = ascii(`<a>${'x'.repeat(1000)}</a>`)
    const packed = withDataDescriptor(zip({ 'camera.xml': xml }))
    expect(loadDescription(packed).xml).toBe(new TextDecoder().decode(xml))
  })

  it('refuses an archive that inflates beyond the limit, quickly, though its directory lies about the size', () => {
    const bomb = zip({ 'camera.xml': new Uint8Array(64 * 1024 * 1024) })
    const directory = bomb.length - 22 - (46 + 'camera.xml'.length)
    new DataView(bomb.buffer).setUint32(directory + 24, 100, true)
    const start = performance.now()
    expect(() => loadDescription(bomb)).toThrow(/inflates to more than/)
    expect(performance.now() - start).toBeLessThan(2000)
  })

  it('refuses more than 4 MiB of archive and 32 MiB of text', () => {
    const big = zip({ 'c.xml': [new Uint8Array(5 * 1024 * 1024), { level: 0 }] })
    expect(() => loadDescription(big)).toThrow(damaged)
    expect(() => loadDescription(new Uint8Array(33 * 1024 * 1024).fill(32))).toThrow(damaged)
  })

  it('reports every kind of damage as such', () => {
    const good = zip({ 'camera.xml': ascii('<a/>'.repeat(100)) })
    for (let length = 4; length < good.length; length++) {
      expect(() => loadDescription(good.subarray(0, length)), `cut to ${length}`).toThrow(damaged)
    }
    const withoutData = good.slice()
    const directory = good.length - 22 - (46 + 'camera.xml'.length)
    new DataView(withoutData.buffer).setUint32(directory + 20, 0, true)
    expect(() => loadDescription(withoutData)).toThrow(damaged)
    const flipped = (at: number) => good.map((byte, index) => (index === at ? byte ^ 0xff : byte))
    for (let at = 4; at < good.length; at++) {
      try {
        loadDescription(flipped(at))
      } catch (error) {
        expect(error).toEqual(damaged)
      }
    }
  })
})

describe('encodings', () => {
  it('drops the byte order mark and what follows a NUL', () => {
    expect(loadDescription(Uint8Array.of(0xef, 0xbb, 0xbf, ...ascii('<a/>\0\0junk'))).xml).toBe('<a/>')
  })

  it('falls back to windows-1252 for the whole text', () => {
    const bytes = Uint8Array.of(...ascii('<a>'), 0xb0, 0x92, 0xb5, ...ascii('</a>'))
    expect(loadDescription(bytes)).toMatchObject({ xml: '<a>°’µ</a>', encoding: 'windows-1252' })
  })

  it('reads UTF-16 by its mark', () => {
    const text = '\ufeff<a>°</a>'
    const bytes = new Uint8Array(Uint16Array.from(text, (char) => char.charCodeAt(0)).buffer)
    expect(loadDescription(bytes)).toMatchObject({ xml: '<a>°</a>', encoding: 'utf-16' })
  })

  it('calls nothing a description', () => {
    expect(() => loadDescription(new Uint8Array(16))).toThrow(damaged)
  })
})

/** Rewrites a one-entry archive so that sizes follow the data, as streaming writers do. */
function withDataDescriptor(packed: Uint8Array): Uint8Array {
  const view = new DataView(packed.buffer.slice(0))
  const end = packed.length - 22
  const directory = view.getUint32(end + 16, true)
  const descriptor = new Uint8Array(16)
  const out = new DataView(descriptor.buffer)
  out.setUint32(0, 0x08074b50, true)
  for (const [to, from] of [
    [4, 14],
    [8, 18],
    [12, 22],
  ] as const) {
    out.setUint32(to, view.getUint32(from, true), true)
    view.setUint32(from, 0, true)
  }
  view.setUint16(6, view.getUint16(6, true) | 8, true)
  view.setUint16(directory + 8, view.getUint16(directory + 8, true) | 8, true)
  view.setUint32(end + 16, directory + 16, true)
  const patched = new Uint8Array(view.buffer)
  return Uint8Array.of(...patched.subarray(0, directory), ...descriptor, ...patched.subarray(directory))
}
