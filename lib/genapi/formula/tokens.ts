// Formula text to tokens (genapi.md 4.2).

import { descriptionError } from '../errors.js'

export const MAX_FORMULA_LENGTH = 64 * 1024

export type Token =
  | { kind: 'number'; text: string; at: number }
  | { kind: 'name'; text: string; at: number }
  | { kind: 'symbol'; text: string; at: number }
  | { kind: 'end'; text: ''; at: number }

const SPACE = /\s+/y
const NUMBER = /0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y
const NAME = /[A-Za-z_][0-9A-Za-z_.]*/y
const SYMBOL = /\*\*|<<|>>|<=|>=|<>|==|!=|&&|\|\||[-+*/%&|^~()=<>?:,]/y
// Outside of the reference's grammar, but without another meaning.
const ALIASES: Record<string, string> = { '==': '=', '!=': '<>' }

export function tokenize(formula: string): Token[] {
  if (formula.length > MAX_FORMULA_LENGTH) {
    throw descriptionError(`A formula has ${formula.length} characters; ${MAX_FORMULA_LENGTH} is the limit.`)
  }
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(formula)?.[0]
  }
  while (at < formula.length) {
    const space = match(SPACE)
    if (space !== undefined) {
      at += space.length
      continue
    }
    const token = read(match, at)
    if (!token) throw formulaSyntaxError(formula, at, `unexpected character "${formula[at]}"`)
    tokens.push(token)
    at += token.text.length
    if (token.kind === 'symbol') token.text = ALIASES[token.text] ?? token.text
  }
  tokens.push({ kind: 'end', text: '', at })
  return tokens
}

function read(match: (pattern: RegExp) => string | undefined, at: number): Token | undefined {
  const number = match(NUMBER)
  if (number !== undefined) return { kind: 'number', text: number, at }
  const name = match(NAME)
  if (name !== undefined) return { kind: 'name', text: name, at }
  const symbol = match(SYMBOL)
  return symbol === undefined ? undefined : { kind: 'symbol', text: symbol, at }
}

export function formulaSyntaxError(formula: string, at: number, why: string) {
  const excerpt = formula.slice(Math.max(0, at - 30), at + 30).replace(/\s+/g, ' ')
  return descriptionError(`Formula error at character ${at + 1}: ${why} (near "${excerpt}").`, {
    formula: formula.length > 500 ? `${formula.slice(0, 500)}...` : formula,
    at,
  })
}
