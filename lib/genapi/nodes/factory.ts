// Element names and the classes that implement them.

import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import { BooleanNode } from './boolean.js'
import { CommandNode } from './command.js'
import { ConverterNode, IntConverterNode } from './converter.js'
import { EnumEntryNode } from './enum-entry.js'
import { EnumerationNode } from './enumeration.js'
import { FloatNode, FloatRegNode } from './float.js'
import { IntRegNode } from './int-reg.js'
import { IntegerNode } from './integer.js'
import type { GenApiNode } from './node.js'
import { RegisterNode } from './raw-register.js'
import { CategoryNode, PlainNode, PortNode, UnsupportedNode } from './structure.js'
import { IntSwissKnifeNode, SwissKnifeNode } from './swiss-knife.js'
import { StringNode, StringRegNode } from './text.js'

const CLASSES: Record<string, new (graph: Graph, spec: NodeSpec) => GenApiNode> = {
  Category: CategoryNode,
  Integer: IntegerNode,
  IntReg: IntRegNode,
  MaskedIntReg: IntRegNode,
  Float: FloatNode,
  FloatReg: FloatRegNode,
  Boolean: BooleanNode,
  Command: CommandNode,
  Enumeration: EnumerationNode,
  EnumEntry: EnumEntryNode,
  String: StringNode,
  StringReg: StringRegNode,
  Register: RegisterNode,
  SwissKnife: SwissKnifeNode,
  IntSwissKnife: IntSwissKnifeNode,
  Converter: ConverterNode,
  IntConverter: IntConverterNode,
  Port: PortNode,
  Node: PlainNode,
  ConfRom: UnsupportedNode,
  TextDesc: UnsupportedNode,
  IntKey: UnsupportedNode,
  AdvFeatureLock: UnsupportedNode,
  DcamLock: UnsupportedNode,
  SmartFeature: UnsupportedNode,
}

/** Throws ERR_GIGE_DESCRIPTION when the declaration makes no sense. */
export function createNode(graph: Graph, spec: NodeSpec): GenApiNode {
  const NodeClass = Object.hasOwn(CLASSES, spec.kind) ? CLASSES[spec.kind] : undefined
  if (NodeClass) return new NodeClass(graph, spec)
  const { line } = spec.element
  throw descriptionError(`Line ${line}: nodes of kind ${spec.kind} are unknown.`, {
    line,
    feature: spec.name,
  })
}
