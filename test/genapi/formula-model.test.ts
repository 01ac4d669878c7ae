// Formulas against models: a tree is printed as a formula and computed beside it, in BigInt cut to 64 bits and in double.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FormulaValueError, floatArithmetic, integerArithmetic } from '../../lib/genapi/formula/arithmetic.js'
import { evaluate } from '../../lib/genapi/formula/evaluate.js'
import { compile } from '../../lib/genapi/formula/parse.js'

type Tree =
  | { kind: 'number'; value: bigint }
  | { kind: 'variable'; name: string }
  | { kind: 'unary'; operator: string; a: Tree }
  | { kind: 'binary'; operator: string; a: Tree; b: Tree }
  | { kind: 'choice'; a: Tree; b: Tree; c: Tree }

/** C's levels, loosest first; what stands on one level associates to the left. */
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['=', '<>'],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
]
const levelOf = (operator: string) => LEVELS.findIndex((level) => level.includes(operator))
const UNARY = LEVELS.length

/** As few brackets as the grammar of genapi.md 4.1 allows, so that precedence and association are put to the test. */
function print(tree: Tree, level = -1): string {
  const [text, own] = bare(tree)
  return own < level ? `(${text})` : text
}

function bare(tree: Tree): [text: string, level: number] {
  switch (tree.kind) {
    case 'number':
      return [tree.value < 1000n ? `${tree.value}` : `0x${tree.value.toString(16)}`, UNARY + 1]
    case 'variable':
      return [tree.name, UNARY + 1]
    case 'unary':
      return [`${tree.operator}${print(tree.a, UNARY)}`, UNARY]
    case 'binary': {
      const level = levelOf(tree.operator)
      return [`${print(tree.a, level)} ${tree.operator} ${print(tree.b, level + 1)}`, level]
    }
    case 'choice':
      return [`${print(tree.a, 0)} ? ${print(tree.b)} : ${print(tree.c)}`, -1]
  }
}

const VALUES: Record<string, bigint> = { A: 3n, B: -7n, C: 0n, HIGH: 0x7fffffffffffffffn, LOW: -(2n ** 63n) }

const trees = (operators: string[], unary: string[]): fc.Arbitrary<Tree> =>
  fc.letrec<{ tree: Tree }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc
        .oneof(fc.nat(20).map(BigInt), fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }))
        .map((value): Tree => ({ kind: 'number', value })),
      fc.constantFrom(...Object.keys(VALUES)).map((name): Tree => ({ kind: 'variable', name })),
      fc.record({ kind: fc.constant('unary' as const), operator: fc.constantFrom(...unary), a: tie('tree') }),
      fc.record({
        kind: fc.constant('binary' as const),
        operator: fc.constantFrom(...operators),
        a: tie('tree'),
        b: tie('tree'),
      }),
      fc.record({ kind: fc.constant('choice' as const), a: tie('tree'), b: tie('tree'), c: tie('tree') }),
    ),
  })).tree

/** Undefined: no result, as for a division by zero. */
type Model<T> = {
  leaf(value: bigint): T
  unary(operator: string, a: T): T
  binary(operator: string, a: T, b: T): T | undefined
  truth(a: T): boolean
}

function compute<T>(tree: Tree, model: Model<T>): T | undefined {
  switch (tree.kind) {
    case 'number':
      return model.leaf(tree.value)
    case 'variable':
      return model.leaf(VALUES[tree.name]!)
    case 'unary': {
      const a = compute(tree.a, model)
      return a === undefined ? undefined : model.unary(tree.operator, a)
    }
    case 'choice': {
      const a = compute(tree.a, model)
      return a === undefined ? undefined : compute(model.truth(a) ? tree.b : tree.c, model)
    }
    case 'binary': {
      const a = compute(tree.a, model)
      if (a === undefined) return undefined
      // What the left side decides alone needs no right side.
      if (tree.operator === '&&' && !model.truth(a)) return model.leaf(0n)
      if (tree.operator === '||' && model.truth(a)) return model.leaf(1n)
      const b = compute(tree.b, model)
      if (b === undefined) return undefined
      if (tree.operator === '&&' || tree.operator === '||') return model.leaf(model.truth(b) ? 1n : 0n)
      return model.binary(tree.operator, a, b)
    }
  }
}

const MASK = (1n << 64n) - 1n
/** Two's complement by hand: the low 64 bits, and what their highest means. */
function int64(value: bigint): bigint {
  const low = value & MASK
  return low >> 63n === 1n ? low - (1n << 64n) : low
}
const bit = (value: boolean) => (value ? 1n : 0n)

const integerModel: Model<bigint> = {
  leaf: int64,
  truth: (a) => a !== 0n,
  unary: (operator, a) => int64(operator === '-' ? -a : operator === '~' ? -a - 1n : a),
  binary(operator, a, b) {
    switch (operator) {
      case '+':
        return int64(a + b)
      case '-':
        return int64(a - b)
      case '*':
        return int64(a * b)
      case '/':
        return b === 0n ? undefined : int64(a / b)
      case '%':
        return b === 0n ? undefined : int64(a - b * (a / b))
      case '<<':
        return int64(a * 2n ** (b & 63n))
      case '>>': {
        const divisor = 2n ** (b & 63n)
        return (a - (((a % divisor) + divisor) % divisor)) / divisor // rounded down
      }
      case '&':
        return int64(a & MASK & (b & MASK))
      case '|':
        return int64((a & MASK) | (b & MASK))
      case '^':
        return int64((a & MASK) ^ (b & MASK))
      default:
        return bit(compare(operator, a, b))
    }
  },
}

const floatModel: Model<number> = {
  leaf: (value) => Number(int64(value)),
  truth: (a) => a !== 0,
  unary: (operator, a) => (operator === '-' ? -a : a),
  binary(operator, a, b) {
    switch (operator) {
      case '+':
        return a + b
      case '-':
        return a - b
      case '*':
        return a * b
      case '/':
        return b === 0 ? undefined : a / b
      case '%':
        return b === 0 ? undefined : a % b
      default:
        return compare(operator, a, b) ? 1 : 0
    }
  },
}

function compare<T extends number | bigint>(operator: string, a: T, b: T): boolean {
  switch (operator) {
    case '=':
      return a === b
    case '<>':
      return a !== b
    case '<':
      return a < b
    case '>':
      return a > b
    case '<=':
      return a <= b
    default:
      return a >= b
  }
}

function run<T>(
  formula: string,
  arithmetic: typeof integerArithmetic | typeof floatArithmetic,
): T | undefined {
  const generic = arithmetic as unknown as typeof integerArithmetic
  const ofValue = (value: bigint) => generic.literal(value < 0n ? '0' : `${value}`)
  const load = (name: string) => {
    const value = VALUES[name]!
    return value < 0n ? generic.unary['-'](ofValue(-value)) : ofValue(value)
  }
  const program = compile(formula, {
    literal: generic.literal,
    resolve: (name) => (name in VALUES ? name : undefined),
  })
  try {
    return evaluate(program, generic, load) as unknown as T
  } catch (error) {
    if (error instanceof FormulaValueError) return undefined
    throw error
  }
}

const COMMON = ['+', '-', '*', '/', '%', '=', '<>', '<', '>', '<=', '>=', '&&', '||']

describe('random formulas', () => {
  it('in int64 are what BigInt makes of them', () => {
    fc.assert(
      fc.property(trees([...COMMON, '<<', '>>', '&', '|', '^'], ['-', '+', '~']), (tree) => {
        expect(run(print(tree), integerArithmetic), print(tree)).toBe(compute(tree, integerModel))
      }),
      { numRuns: 3000 },
    )
  })

  it('in double are what JavaScript makes of them', () => {
    fc.assert(
      fc.property(trees(COMMON, ['-', '+']), (tree) => {
        expect(run(print(tree), floatArithmetic), print(tree)).toBe(compute(tree, floatModel))
      }),
      { numRuns: 3000 },
    )
  })
})
