// Tokens to a program: precedence climbing over C's operator table (genapi.md 4.1). Ternary chains are
// followed in a loop and nesting is limited, so no formula can exhaust the stack.

import { FormulaValueError } from './arithmetic.js'
import {
  type BinaryOperator,
  FUNCTIONS,
  type FunctionName,
  type Instruction,
  type Program,
} from './program.js'
import { formulaSyntaxError, type Token, tokenize } from './tokens.js'

export const MAX_NESTING = 400

const PRECEDENCE: Record<string, number> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '=': 6,
  '<>': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
}

/** What the compiler asks about: the number behind a literal, the thing behind a name. */
export interface Vocabulary<T, Symbol> {
  literal(text: string): T
  /** Undefined: there is no such name. */
  resolve(name: string): Symbol | undefined
}

/** Compiles a formula. Throws ERR_GIGE_DESCRIPTION with `formula` and `at` for every fault in it. */
export function compile<T, Symbol>(formula: string, vocabulary: Vocabulary<T, Symbol>): Program<T, Symbol> {
  return new Compiler(formula, vocabulary).run()
}

class Compiler<T, Symbol> {
  readonly #formula: string
  readonly #vocabulary: Vocabulary<T, Symbol>
  readonly #tokens: Token[]
  readonly #code: Instruction<T, Symbol>[] = []
  #next = 0
  #depth = 0

  constructor(formula: string, vocabulary: Vocabulary<T, Symbol>) {
    this.#formula = formula
    this.#vocabulary = vocabulary
    this.#tokens = tokenize(formula)
  }

  run(): Program<T, Symbol> {
    this.#expression()
    const rest = this.#peek()
    if (rest.kind !== 'end') throw this.#fail(rest, `"${rest.text}" where an operator or the end belongs`)
    return this.#code
  }

  #expression(): void {
    if (++this.#depth > MAX_NESTING)
      throw this.#fail(this.#peek(), `nested deeper than ${MAX_NESTING} levels`)
    const ends: (() => void)[] = []
    this.#binary(1)
    while (this.#accept('?')) {
      const otherwise = this.#jump('jump-if-false')
      this.#expression()
      this.#expect(':')
      ends.push(this.#jump('jump'))
      otherwise()
      this.#binary(1)
    }
    for (const land of ends) land()
    this.#depth--
  }

  #binary(least: number): void {
    this.#unary()
    for (;;) {
      const token = this.#peek()
      const precedence = token.kind === 'symbol' ? PRECEDENCE[token.text] : undefined
      if (precedence === undefined || precedence < least) return
      this.#next++
      if (token.text === '&&' || token.text === '||') {
        this.#shortCircuit(token.text === '||', precedence + 1)
      } else {
        this.#binary(precedence + 1)
        this.#code.push({ op: 'binary', operator: token.text as BinaryOperator })
      }
    }
  }

  /** Left side is on the stack; the right one is only run, and its registers only read, where it matters. */
  #shortCircuit(or: boolean, precedence: number): void {
    const onFalse = this.#jump('jump-if-false')
    if (or) this.#code.push({ op: 'constant', value: true })
    else this.#rightSide(precedence)
    const end = this.#jump('jump')
    onFalse()
    if (or) this.#rightSide(precedence)
    else this.#code.push({ op: 'constant', value: false })
    end()
  }

  #rightSide(precedence: number): void {
    this.#binary(precedence)
    this.#code.push({ op: 'truth' })
  }

  #unary(): void {
    const operators: ('-' | '+' | '~')[] = []
    for (;;) {
      const { kind, text } = this.#peek()
      if (kind !== 'symbol' || (text !== '-' && text !== '+' && text !== '~')) break
      operators.push(text)
      this.#next++
    }
    this.#power()
    for (const operator of operators.reverse()) this.#code.push({ op: 'unary', operator })
  }

  /** Right associative; the exponent may carry a sign, the base's sign applies to the power. */
  #power(): void {
    this.#primary()
    if (!this.#accept('**')) return
    if (++this.#depth > MAX_NESTING)
      throw this.#fail(this.#peek(), `nested deeper than ${MAX_NESTING} levels`)
    this.#unary()
    this.#depth--
    this.#code.push({ op: 'binary', operator: '**' })
  }

  #primary(): void {
    const token = this.#peek()
    this.#next++
    if (token.kind === 'number') {
      this.#code.push({ op: 'literal', value: this.#literal(token) })
    } else if (token.kind === 'name') {
      this.#name(token)
    } else if (token.text === '(') {
      this.#expression()
      this.#expect(')')
    } else {
      throw this.#fail(token, token.kind === 'end' ? 'it ends too early' : `unexpected "${token.text}"`)
    }
  }

  /** A number that this kind of formula cannot hold is a fault of the formula. */
  #literal(token: Token): T {
    try {
      return this.#vocabulary.literal(token.text)
    } catch (error) {
      if (error instanceof FormulaValueError) throw this.#fail(token, error.message)
      throw error
    }
  }

  #name(token: Token): void {
    // A name is a function only where a bracket follows: a variable may be called E or LN.
    if (this.#peek().text === '(') {
      this.#call(token)
      return
    }
    const symbol = this.#vocabulary.resolve(token.text)
    if (symbol === undefined) throw this.#fail(token, `unknown name "${token.text}"`)
    this.#code.push({ op: 'load', symbol })
  }

  #call(token: Token): void {
    const name = token.text.toUpperCase()
    if (!Object.hasOwn(FUNCTIONS, name)) throw this.#fail(token, `unknown function "${token.text}"`)
    const [least, most] = FUNCTIONS[name as FunctionName]
    let count = 0
    this.#expect('(')
    do {
      this.#expression()
      count++
    } while (this.#accept(','))
    this.#expect(')')
    if (count < least || count > most) throw this.#fail(token, `${name} does not take ${count} arguments`)
    this.#code.push({ op: 'call', name: name as FunctionName, count })
  }

  /** Emits a jump whose target is set by calling the result. */
  #jump(op: 'jump' | 'jump-if-false'): () => void {
    const jump = { op, target: -1 }
    this.#code.push(jump)
    return () => {
      jump.target = this.#code.length
    }
  }

  #peek(): Token {
    return this.#tokens[Math.min(this.#next, this.#tokens.length - 1)]!
  }

  #accept(symbol: string): boolean {
    const token = this.#peek()
    if (token.kind !== 'symbol' || token.text !== symbol) return false
    this.#next++
    return true
  }

  #expect(symbol: string): void {
    if (!this.#accept(symbol)) throw this.#fail(this.#peek(), `"${symbol}" is missing`)
  }

  #fail(token: Token, why: string) {
    return formulaSyntaxError(this.#formula, token.at, why)
  }
}
