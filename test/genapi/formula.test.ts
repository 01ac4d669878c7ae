// The formula language: genapi.md section 4, with its vectors, against BigInt and double models.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Arithmetic, floatArithmetic, integerArithmetic } from '../../lib/genapi/formula/arithmetic.js'
import { evaluate } from '../../lib/genapi/formula/evaluate.js'
import { compile } from '../../lib/genapi/formula/parse.js'
import { camera, register } from './describe-camera.js'

function run<T>(arithmetic: Arithmetic<T>, formula: string, values: Record<string, T> = {}): T {
  const program = compile(formula, {
    literal: arithmetic.literal,
    resolve: (name) => (name in values ? name : undefined),
  })
  return evaluate(program, arithmetic, (name) => values[name]!)
}
const int = (formula: string, values: Record<string, bigint> = {}) => run(integerArithmetic, formula, values)
const float = (formula: string, values: Record<string, number> = {}) => run(floatArithmetic, formula, values)

describe('vectors of 4.6', () => {
  it.each([
    ['((3-4)*(2+(-1)))/(6-5)', -1n],
    ['A/B*(0x01||1)%B', -1n],
    ['-5&&7', 1n],
    ['((((2<<1)&0x01) <= (-2<0)) >= 0) && 1', 1n],
    ['A<>B', 1n],
    ['A=B', 0n],
  ])('integer %s = %s', (formula, expected) => {
    expect(int(formula, { A: 2n, B: -2n })).toBe(expected)
  })

  it.each([
    ['10.2+10+0x10+010', 46.2],
    ['ROUND(45.4545,2)', 45.45],
    ['ROUND(45.4545,-1)', 50],
    ['ROUND(5.5)', 6],
    ['ROUND(-5.5)', -6],
    ['5/2', 2.5],
    ['25.2 % 7', 4.2],
    ['NEG(3)', -3],
    ['FRAC(-1.25)', -0.25],
    ['TRUNC(-1.75)', -1],
    ['LG(1000) + LN(EXP(2)) + SQRT(16)', 9],
    ['sgn(-2) + Abs(-3)', 2],
    ['1e3 + .5', 1000.5],
  ])('float %s = %s', (formula, expected) => {
    expect(float(formula)).toBeCloseTo(expected, 10)
  })
})

describe('int64', () => {
  it.each([
    ['0x7FFFFFFFFFFFFFFF + 1', -(2n ** 63n)],
    ['0xFFFFFFFFFFFFFFFF', -1n],
    ['~0xFDFFFFFF & 0xFFFFFFFF', 0x02000000n],
    ['(0x12345678 << 32) | 0x9ABCDEF0', 0x123456789abcdef0n],
    ['-7/2', -3n],
    ['-7%3', -1n],
    ['-8>>1', -4n],
    ['1<<64', 1n],
    ['3**39', 3n ** 39n],
    ['2**64', 0n],
    ['2**-1', 0n],
    ['4.0*2', 8n],
    ['-2**2', -4n],
    ['2**3**2', 512n],
    ['NEG(-3)+ABS(-4)+SGN(-9)', 6n],
    ['--5', 5n],
  ])('%s', (formula, expected) => {
    expect(int(formula)).toBe(expected)
  })

  it.each(['1/0', '1%0', '0**-1', 'ROUND(2)', 'SIN(1)'])('%s has no result', (formula) => {
    expect(() => int(formula)).toThrow(/division by zero|needs floating-point/)
  })

  it('agrees with BigInt on random operands', () => {
    const model: Record<string, (a: bigint, b: bigint) => bigint> = {
      '+': (a, b) => a + b,
      '-': (a, b) => a - b,
      '*': (a, b) => a * b,
      '&': (a, b) => a & b,
      '|': (a, b) => a | b,
      '^': (a, b) => a ^ b,
      '<<': (a, b) => a * 2n ** (b & 63n),
      '/': (a, b) => (b === 0n ? 0n : a / b),
      '%': (a, b) => (b === 0n ? 0n : a % b),
      '<': (a, b) => BigInt(a < b),
      '=': (a, b) => BigInt(a === b),
    }
    const operand = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
    fc.assert(
      fc.property(fc.constantFrom(...Object.keys(model)), operand, operand, (operator, A, B) => {
        fc.pre(B !== 0n || !['/', '%'].includes(operator))
        expect(int(`A ${operator} B`, { A, B })).toBe(BigInt.asIntN(64, model[operator]!(A, B)))
      }),
    )
  })
})

describe('double', () => {
  it('does bit operations on 64 bits, not on 32', () => {
    expect(float('A << 20', { A: 0xffffffff })).toBe(0xffffffff * 2 ** 20)
    expect(float('A & 0xFFFFFFFF00', { A: 0x123456789a })).toBe(0x1234567800)
    expect(float('~A', { A: 0 })).toBe(-1)
    expect(float('A & 0xFFFFFFFFFFFFFFFF', { A: 5 })).toBe(5)
  })

  it('refuses division by zero and bits of infinity', () => {
    expect(() => float('1/0')).toThrow(/division by zero/)
    expect(() => float('1%0')).toThrow(/division by zero/)
    expect(() => float('A & 1', { A: Infinity })).toThrow(/no integer value/)
  })
})

describe('grammar', () => {
  // Only operators that C, JavaScript and this language share, so JavaScript itself is the model.
  it('has the precedence of C', () => {
    const operators = ['+', '-', '*', '&', '|', '^', '<<', '>>', '<', '>', '<=', '>=', '&&', '||']
    const step = fc.tuple(fc.constantFrom(...operators), fc.integer({ min: 0, max: 5 }))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), fc.array(step, { maxLength: 5 }), (first, steps) => {
        const formula = steps.reduce((text, [operator, value]) => `${text} ${operator} ${value}`, `${first}`)
        expect(int(formula)).toBe(asC(first, steps))
      }),
      { numRuns: 500 },
    )
  })

  it('takes = as equality, and its aliases', () => {
    expect(int('A=1 & B=0', { A: 1n, B: 0n })).toBe(1n)
    expect(int('(A==1) && (A!=2)', { A: 1n })).toBe(1n)
  })

  it('reads only what the control flow reaches', () => {
    const loaded: string[] = []
    const program = compile('A ? B : (A || C) && A', { literal: BigInt, resolve: (name) => name })
    evaluate(program, integerArithmetic, (name) => {
      loaded.push(name)
      return name === 'C' ? 1n : 0n
    })
    expect(loaded).toEqual(['A', 'A', 'C', 'A'])
  })

  it('nests 128 ternaries, and chains thousands', () => {
    let nested = '128'
    for (let index = 127; index >= 0; index--) nested = `((A=${index})?(${index}*2):(${nested}))`
    expect(int(nested, { A: 127n })).toBe(254n)
    const chain = `${Array.from({ length: 3000 }, (_, index) => `A=${index}?${index}*3`).join(':')}:0`
    expect(int(chain, { A: 2999n })).toBe(8997n)
  })

  it.each([
    '',
    ' ',
    '()',
    '1 +',
    '(1',
    '1)',
    '1 2',
    '0x',
    '1 $ 2',
    '#',
    '}',
    '"a"',
    '!1',
    'UNKNOWN',
    'FOO(1)',
    'SIN()',
    'SIN(1,2)',
    'ROUND(1,2,3)',
    '1 ? 2',
    '1 : 2',
    '1 = = 2',
    'constructor',
    'toString(1)',
    '__proto__',
  ])('refuses %j', (formula) => {
    expect(() => run(integerArithmetic, formula, Object.create(null))).toThrow(
      expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' }),
    )
  })

  it('ends deep nesting and endless text in a typed error', () => {
    for (const formula of [
      '('.repeat(60_000),
      '-'.repeat(60_000),
      '2**'.repeat(20_000),
      '1+'.repeat(40_000),
    ]) {
      expect(() => int(formula)).toThrow(expect.objectContaining({ code: 'ERR_GIGE_DESCRIPTION' }))
    }
  })
})

describe('names in nodes', () => {
  const knife = (kind: string, rest: string) => `<${kind} Name="K">${rest}</${kind}>`

  it('binds variables, constants and nested expressions', async () => {
    const { map, port } = camera(
      register('IntReg', 'R', 0x100) +
        knife(
          'IntSwissKnife',
          `<pVariable Name="X.Y">R</pVariable><Constant Name="TEN">0x0A</Constant>
           <Expression Name="SUM">X.Y + TEN</Expression><Expression Name="TWICE">SUM * 2</Expression>
           <Formula><![CDATA[ TWICE +
             SUM ]]></Formula>`,
        ),
    )
    port.poke32(0x100, 1)
    expect(await map.get('K')).toBe(33)
  })

  it('lets a variable be called E, and knows PI otherwise', async () => {
    const nodes = '<Float Name="F"><Value>2</Value></Float>'
    const own = camera(
      nodes + knife('SwissKnife', '<pVariable Name="E">F</pVariable><Formula>E * pi</Formula>'),
    )
    expect(await own.map.get('K')).toBeCloseTo(2 * Math.PI)
    const standard = camera(nodes + knife('SwissKnife', '<Formula>E</Formula>'))
    expect(await standard.map.get('K')).toBe(Math.E)
  })

  it('tells cases apart in schema 1.1 only', async () => {
    const nodes =
      '<Integer Name="I"><Value>5</Value></Integer>' +
      knife('IntSwissKnife', '<pVariable Name="VALUE">I</pVariable><Formula>value</Formula>')
    expect(await camera(nodes, { schemaMinor: 0 }).map.get('K')).toBe(5)
    await expect(camera(nodes).map.get('K')).rejects.toMatchObject({
      code: 'ERR_GIGE_DESCRIPTION',
      feature: 'K',
      at: 0,
    })
  })

  it('offers the suffixes .Min .Max .Inc .AccessMode .Visibility .CachingMode .Entry', async () => {
    const { map } = camera(
      `<Integer Name="I"><Visibility>Guru</Visibility><Value>5</Value><Min>-3</Min><Max>9</Max><Inc>2</Inc></Integer>
       <Enumeration Name="N"><EnumEntry Name="Two"><Value>2</Value><NumericValue>7</NumericValue></EnumEntry><Value>2</Value></Enumeration>` +
        register('IntReg', 'R', 0x100, '<Cachable>NoCache</Cachable>', { access: 'WO' }) +
        knife(
          'IntSwissKnife',
          `${['Min', 'Max', 'Inc', 'Visibility'].map((suffix) => `<pVariable Name="I.${suffix}">I</pVariable>`).join('')}
           <pVariable Name="R.AccessMode">R</pVariable><pVariable Name="R.CachingMode">R</pVariable>
           <pVariable Name="N.Entry.Two">N</pVariable>
           <Formula>I.Min*-1000000 + I.Max*100000 + I.Inc*10000 + I.Visibility*1000 + R.AccessMode*100 + R.CachingMode*10 + N.Entry.Two</Formula>`,
        ),
    )
    expect(await map.get('K')).toBe(3_922_202)
  })

  it('keeps a bad formula to its own feature, and remembers the verdict', async () => {
    const { map } = camera(
      `${knife('IntSwissKnife', '<Formula>1 +</Formula>')}<Integer Name="I"><Value>5</Value></Integer>`,
    )
    expect(map.problems()).toEqual([])
    for (let round = 0; round < 2; round++) {
      await expect(map.get('K')).rejects.toMatchObject({ code: 'ERR_GIGE_DESCRIPTION', formula: '1 +' })
    }
    expect(await map.get('I')).toBe(5)
  })

  it('reports values without a result as the feature, not the description', async () => {
    const { map } = camera(
      `<Integer Name="I"><Value>0</Value></Integer>${knife('IntSwissKnife', '<pVariable Name="I">I</pVariable><Formula>1/I</Formula>')}`,
    )
    await expect(map.get('K')).rejects.toMatchObject({ code: 'ERR_GIGE_FEATURE', reason: 'formula' })
  })

  it('computes 64-bit timestamps from halves without loss', async () => {
    const { map, port } = camera(
      register('IntReg', 'H', 0x100) +
        register('IntReg', 'L', 0x104) +
        knife(
          'IntSwissKnife',
          '<pVariable Name="H">H</pVariable><pVariable Name="L">L</pVariable><Formula>(H&lt;&lt;32)|L</Formula>',
        ),
    )
    port.poke32(0x100, 0x12345678).poke32(0x104, 0x9abcdef1)
    expect(await map.get('K')).toBe(0x123456789abcdef1n)
  })
})

/** Reduces by C's precedence levels, tightest first. */
function asC(first: number, steps: [string, number][]): bigint {
  const levels = [
    ['*'],
    ['+', '-'],
    ['<<', '>>'],
    ['<', '>', '<=', '>='],
    ['&'],
    ['^'],
    ['|'],
    ['&&'],
    ['||'],
  ]
  let values = [BigInt(first), ...steps.map(([, value]) => BigInt(value))]
  let operators = steps.map(([operator]) => operator)
  for (const level of levels) {
    const nextValues = [values[0]!]
    const nextOperators: string[] = []
    operators.forEach((operator, index) => {
      const right = values[index + 1]!
      if (!level.includes(operator)) {
        nextOperators.push(operator)
        nextValues.push(right)
        return
      }
      nextValues.push(applyC(operator, nextValues.pop()!, right))
    })
    values = nextValues
    operators = nextOperators
  }
  return values[0]!
}

function applyC(operator: string, a: bigint, b: bigint): bigint {
  switch (operator) {
    case '+':
      return BigInt.asIntN(64, a + b)
    case '-':
      return BigInt.asIntN(64, a - b)
    case '*':
      return BigInt.asIntN(64, a * b)
    case '<<':
      return BigInt.asIntN(64, a << (b & 63n))
    case '>>':
      return a >> (b & 63n)
    case '<':
      return BigInt(a < b)
    case '>':
      return BigInt(a > b)
    case '<=':
      return BigInt(a <= b)
    case '>=':
      return BigInt(a >= b)
    case '&':
      return a & b
    case '^':
      return a ^ b
    case '|':
      return a | b
    case '&&':
      return BigInt(a !== 0n && b !== 0n)
    default:
      return BigInt(a !== 0n || b !== 0n)
  }
}
