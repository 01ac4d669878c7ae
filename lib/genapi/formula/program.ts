// A compiled formula: flat code for a stack machine, so that running it needs no recursion, and one program
// serves both number systems.

export type UnaryOperator = '-' | '+' | '~'
export type BinaryOperator =
  | '**'
  | '*'
  | '/'
  | '%'
  | '+'
  | '-'
  | '<<'
  | '>>'
  | '<'
  | '>'
  | '<='
  | '>='
  | '='
  | '<>'
  | '&'
  | '^'
  | '|'

/** Least and most arguments of each function (genapi.md 4.3). */
export const FUNCTIONS = {
  SGN: [1, 1],
  NEG: [1, 1],
  ABS: [1, 1],
  TRUNC: [1, 1],
  FLOOR: [1, 1],
  CEIL: [1, 1],
  FRAC: [1, 1],
  ROUND: [1, 2],
  SQRT: [1, 1],
  EXP: [1, 1],
  LN: [1, 1],
  LG: [1, 1],
  SIN: [1, 1],
  COS: [1, 1],
  TAN: [1, 1],
  ASIN: [1, 1],
  ACOS: [1, 1],
  ATAN: [1, 1],
} as const
export type FunctionName = keyof typeof FUNCTIONS

export type Instruction<T, Symbol> =
  | { op: 'literal'; value: T }
  | { op: 'load'; symbol: Symbol }
  | { op: 'unary'; operator: UnaryOperator }
  | { op: 'binary'; operator: BinaryOperator }
  | { op: 'call'; name: FunctionName; count: number }
  | { op: 'truth' } // top becomes 1 or 0
  | { op: 'constant'; value: boolean }
  | { op: 'jump'; target: number }
  | { op: 'jump-if-false'; target: number } // pops the condition

/** `T` is the number type, `Symbol` whatever the compiler's look-up made of a name. */
export type Program<T, Symbol> = readonly Instruction<T, Symbol>[]
