// The URL that a camera keeps at 0x0200 and 0x0400, telling where its description lies
// (gige-vision.md 3.3, genapi.md 1.4).

export type DescriptionUrl =
  | { kind: 'local'; name: string; address: number; length: number; schemaVersion?: string }
  | { kind: 'file'; path: string }
  | { kind: 'http'; url: string }

/**
 * Understands the forms that cameras use: scheme in any case, optional slashes, blanks around the parts,
 * hexadecimal numbers with or without 0x, a `?SchemaVersion=` suffix, NUL padding. Undefined: not a URL we
 * know, so the second one should be tried. `address` and `length` are bytes.
 */
export function parseDescriptionUrl(text: string): DescriptionUrl | undefined {
  const end = text.indexOf('\0')
  const trimmed = (end < 0 ? text : text.slice(0, end)).trim()
  const colon = trimmed.indexOf(':')
  if (colon < 0) return undefined
  const scheme = trimmed.slice(0, colon).trim().toLowerCase()
  const rest = trimmed.slice(colon + 1).trim()
  if (scheme === 'http' || scheme === 'https') return { kind: 'http', url: trimmed }
  if (scheme === 'file') {
    const path = rest.replace(/^\/\/(?=\/)/, '')
    return path === '' ? undefined : { kind: 'file', path }
  }
  return scheme === 'local' ? parseLocal(rest) : undefined
}

function parseLocal(rest: string): DescriptionUrl | undefined {
  const [place = '', query = ''] = rest.split('?', 2)
  const parts = place.split(';')
  if (parts.length < 3) return undefined
  const address = parseHexPrefix(parts[1]!)
  const length = parseHexPrefix(parts[2]!)
  if (address === undefined || length === undefined || length === 0) return undefined
  const name = parts[0]!.trim().replace(/^\/+/, '')
  const schemaVersion = /(?:^|&)\s*SchemaVersion\s*=\s*([\d.]+)/i.exec(query)?.[1]
  return { kind: 'local', name, address, length, ...(schemaVersion ? { schemaVersion } : {}) }
}

/** Digits up to the first character that is none: cameras append all sorts of things. */
function parseHexPrefix(text: string): number | undefined {
  const digits = /^\s*(?:0[xX])?([0-9a-fA-F]+)/.exec(text)?.[1]
  if (digits === undefined) return undefined
  const value = Number.parseInt(digits, 16)
  return value <= 0xffffffff ? value : undefined
}
