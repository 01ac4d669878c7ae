// EnumEntry: one name of an enumeration, a node of its own so that conditions apply to it (genapi.md 2.9).

import type { AccessMode } from '../access.js'
import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType } from '../types.js'
import { floats, integers } from './domain.js'
import { GenApiNode } from './node.js'
import { parseLiteral } from './property.js'

export class EnumEntryNode extends GenApiNode {
  readonly type: InterfaceType = 'EnumEntry'
  /** Name that users give. */
  readonly symbolic: string
  readonly value: bigint
  /** NumericValue, or the value where there is none. */
  readonly numericValue: number
  readonly hasNumericValue: boolean
  readonly isSelfClearing: boolean

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    const { element } = spec
    const value = element.first('Value')
    if (!value)
      throw descriptionError(`Line ${element.line}: ${spec.name} has no Value.`, { line: element.line })
    const numeric = element.first('NumericValue')
    this.symbolic = element.textOf('Symbolic') ?? element.attribute('Name') ?? ''
    this.value = parseLiteral(value, integers)
    this.hasNumericValue = numeric !== undefined
    this.numericValue = numeric ? parseLiteral(numeric, floats) : Number(this.value)
    this.isSelfClearing = element.textOf('IsSelfClearing') === 'Yes'
  }

  protected baseAccess(): AccessMode {
    return 'RO'
  }

  protected override computeInteger(): bigint {
    return this.value
  }

  protected override computeFloat(): number {
    return this.numericValue
  }

  override getValue(_s: Session): FeatureValue {
    return this.symbolic
  }
}
