// The formulas of one knife or converter: names bound to variables, constants and expressions, compiled when
// first evaluated, so that a bad formula fails its own feature and no other (genapi.md 4.4, 4.5).

import { GigeError } from '../../errors.js'
import { ACCESS_CODES, type AccessMode, isReadable } from '../access.js'
import { descriptionError, featureError } from '../errors.js'
import { FormulaValueError } from '../formula/arithmetic.js'
import { evaluate } from '../formula/evaluate.js'
import { compile } from '../formula/parse.js'
import type { Program } from '../formula/program.js'
import { NodeRef } from '../node-ref.js'
import type { CachingMode } from '../registers/register-port.js'
import type { Session } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import type { Domain } from './domain.js'
import { type GenApiNode, VISIBILITIES } from './node.js'
import { parseLiteral } from './property.js'

/** Value of TO or FROM in a converter's formula. */
export interface Implicit<T> {
  name: 'TO' | 'FROM'
  value: T
}

/** One evaluation: expressions are computed once in it, and at most so deep. */
interface Run<T> {
  s: Session
  implicit: Implicit<T> | undefined
  results: Map<string, T>
  open: Set<string>
}

type Load<T> = (run: Run<T>) => T

const MAX_EXPRESSION_DEPTH = 64
const CACHING_CODES: Record<CachingMode, bigint> = { NoCache: 0n, WriteThrough: 1n, WriteAround: 2n }

export class Formulas<T> {
  readonly #owner: GenApiNode
  readonly #domain: Domain<T>
  readonly #names = new Map<string, Load<T>>()
  /** The same in capitals, the first of each. */
  readonly #loose = new Map<string, Load<T>>()
  readonly #texts = new Map<string, string>()
  readonly #programs = new Map<string, Program<T, Load<T>> | GigeError>()
  readonly #variables: { ref: NodeRef; readsValue: boolean }[] = []

  constructor(owner: GenApiNode, element: XmlElement, domain: Domain<T>) {
    this.#owner = owner
    this.#domain = domain
    for (const tag of ['Formula', 'FormulaTo', 'FormulaFrom']) {
      const text = element.textOf(tag)
      if (text !== undefined) this.#texts.set(tag, text)
    }
    for (const variable of element.all('pVariable')) this.#addVariable(variable)
    for (const constant of element.all('Constant')) {
      const value = parseLiteral(constant, domain)
      this.#addName(constant, () => value)
    }
    for (const expression of element.all('Expression')) {
      const name = this.#addName(expression, (run) => this.#evaluateExpression(name, run))
      this.#texts.set(expressionKey(name), expression.text.trim())
    }
  }

  /** RW when all variables can be read; NI or NA as the worst of them (genapi.md 2.12). */
  access(s: Session): AccessMode {
    let mode: AccessMode = 'RW'
    for (const { ref, readsValue } of this.#variables) {
      if (!readsValue) continue
      const access = ref.node.access(s)
      if (access === 'NI') return 'NI'
      if (!isReadable(access)) mode = 'NA'
    }
    return mode
  }

  /** Throws ERR_GIGE_DESCRIPTION for a formula in error, ERR_GIGE_FEATURE ('formula') where it has no result. */
  evaluate(tag: 'Formula' | 'FormulaTo' | 'FormulaFrom', s: Session, implicit?: Implicit<T>): T {
    try {
      return this.#run(tag, { s, implicit, results: new Map(), open: new Set() })
    } catch (error) {
      if (!(error instanceof FormulaValueError)) throw error
      throw featureError(
        s.subject,
        'formula',
        `${s.subject}: the formula of ${this.#owner.name} has no result: ${error.message}.`,
        'Other features of the camera feed this formula; set those first.',
        { formula: this.#texts.get(tag)?.slice(0, 500) },
      )
    }
  }

  #run(key: string, run: Run<T>): T {
    return evaluate(this.#program(key), this.#domain.arithmetic, (load) => load(run))
  }

  #program(key: string): Program<T, Load<T>> {
    let program = this.#programs.get(key)
    if (!program) {
      try {
        program = compile(this.#texts.get(key) ?? '', {
          literal: this.#domain.arithmetic.literal,
          resolve: (name) => this.#resolve(name),
        })
      } catch (error) {
        if (!(error instanceof GigeError)) throw error
        program = descriptionError(`${this.#owner.name}: ${error.message}`, {
          ...error,
          feature: this.#owner.name,
        })
      }
      this.#programs.set(key, program)
    }
    if (program instanceof GigeError) throw program
    return program
  }

  /** Own names come first, so that a variable may be called E or TO. */
  #resolve(name: string): Load<T> | undefined {
    const own = this.#names.get(name) ?? this.#looselyNamed(name)
    if (own) return own
    const upper = name.toUpperCase()
    if (this.#isImplicit(name)) return (run) => implicitValue(run, upper)
    if (upper !== 'PI' && upper !== 'E') return undefined
    const value = this.#domain.arithmetic.constants[upper]
    return () => value
  }

  #isImplicit(name: string): boolean {
    const spelled = this.#isLoose ? name.toUpperCase() : name
    return (spelled === 'TO' || spelled === 'FROM') && this.#texts.has('FormulaTo')
  }

  /** Schema 1.0 does not tell cases apart. */
  get #isLoose(): boolean {
    return this.#owner.graph.model.schemaMinor === 0
  }

  #looselyNamed(name: string): Load<T> | undefined {
    if (!this.#isLoose) return undefined
    return this.#loose.get(name.toUpperCase())
  }

  #addName(element: XmlElement, load: Load<T>): string {
    const name = element.attribute('Name')
    if (!name) {
      throw descriptionError(`Line ${element.line}: ${element.name} without a Name.`, { line: element.line })
    }
    if (!this.#names.has(name)) this.#names.set(name, load)
    if (this.#isLoose && !this.#loose.has(name.toUpperCase())) this.#loose.set(name.toUpperCase(), load)
    return name
  }

  #addVariable(element: XmlElement): void {
    const ref = new NodeRef(this.#owner.graph, element.text.trim())
    const [, suffix = '', entry] = /\.(Min|Max|Inc|AccessMode|Visibility|CachingMode|Entry\.(\w+))$/.exec(
      element.attribute('Name') ?? '',
    ) ?? ['']
    const load = this.#suffixed(ref, suffix, entry) ?? (({ s }) => this.#domain.read(ref.node, s))
    this.#addName(element, load)
    this.#variables.push({ ref, readsValue: suffix === '' })
  }

  #suffixed(ref: NodeRef, suffix: string, entry: string | undefined): Load<T> | undefined {
    const { ofInteger, limits } = this.#domain
    const { references } = this.#owner.graph
    switch (suffix) {
      case '':
        return undefined
      case 'Min':
        return ({ s }) => limits(ref.node, s).min
      case 'Max':
        return ({ s }) => limits(ref.node, s).max
      case 'Inc':
        return ({ s }) => {
          const { inc } = limits(ref.node, s)
          if (inc === undefined) throw new FormulaValueError(`${ref.name} has no increment`)
          return inc
        }
      case 'AccessMode':
        return ({ s }) => ofInteger(ACCESS_CODES[ref.node.access(s)])
      case 'Visibility':
        return () => ofInteger(BigInt(VISIBILITIES.indexOf(ref.node.visibility)))
      case 'CachingMode':
        return () => ofInteger(CACHING_CODES[references.cachingMode(ref.node.name)])
      default:
        return () => ofInteger(ref.node.entryValue(entry ?? ''))
    }
  }

  #evaluateExpression(name: string, run: Run<T>): T {
    const known = run.results.get(name)
    if (known !== undefined) return known
    if (run.open.has(name) || run.open.size >= MAX_EXPRESSION_DEPTH) {
      throw descriptionError(
        `${this.#owner.name}: expression ${name} depends on itself or too many others.`,
        {
          feature: this.#owner.name,
          reason: 'cycle',
        },
      )
    }
    run.open.add(name)
    const value = this.#run(expressionKey(name), run)
    run.open.delete(name)
    run.results.set(name, value)
    return value
  }
}

/** Apart from the formulas' own keys, whatever the expression is called. */
const expressionKey = (name: string): string => `Expression ${name}`

function implicitValue<T>(run: Run<T>, name: string): T {
  if (run.implicit?.name !== name) throw new FormulaValueError(`${name} has no value here`)
  return run.implicit.value
}
