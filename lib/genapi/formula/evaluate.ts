// Runs a compiled formula.

import { type Arithmetic, FormulaValueError } from './arithmetic.js'
import type { Program } from './program.js'

/**
 * Result of `program` in the given number system. `load` yields a symbol's value; it is called only for what the
 * control flow reaches. Throws FormulaValueError where the values have no result.
 */
export function evaluate<T, Symbol>(
  program: Program<T, Symbol>,
  arithmetic: Arithmetic<T>,
  load: (symbol: Symbol) => T,
): T {
  const stack: T[] = []
  const pop = (): T => stack.pop()!
  for (let at = 0; at < program.length; ) {
    const step = program[at++]!
    switch (step.op) {
      case 'literal':
        stack.push(step.value)
        break
      case 'load':
        stack.push(load(step.symbol))
        break
      case 'constant':
        stack.push(arithmetic.ofBoolean(step.value))
        break
      case 'truth':
        stack.push(arithmetic.ofBoolean(arithmetic.isTrue(pop())))
        break
      case 'unary':
        stack.push(arithmetic.unary[step.operator](pop()))
        break
      case 'binary': {
        const right = pop()
        stack.push(arithmetic.binary[step.operator](pop(), right))
        break
      }
      case 'call': {
        const run = arithmetic.functions[step.name]
        if (!run) throw new FormulaValueError(`${step.name} needs floating-point numbers`)
        stack.push(run(...stack.splice(stack.length - step.count)))
        break
      }
      case 'jump':
        at = step.target
        break
      case 'jump-if-false':
        if (!arithmetic.isTrue(pop())) at = step.target
        break
    }
  }
  return pop()
}
