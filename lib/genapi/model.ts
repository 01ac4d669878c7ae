// From the document to a flat list of node declarations: groups opened, structures expanded, entries of
// enumerations named. Nothing is interpreted yet (genapi.md 1.2, 2.10).

import { descriptionError } from './errors.js'
import type { DescriptionInfo, DescriptionProblem } from './types.js'
import { XmlElement } from './xml-element.js'

/** Declaration of one node. */
export interface NodeSpec {
  name: string
  /** Element name; a StructEntry is already a MaskedIntReg here. */
  kind: string
  element: XmlElement
  /** Of an EnumEntry: what it is an entry of. */
  enumeration?: string
  /** Ours, not the description's. */
  isMadeUp?: boolean
}

export interface Model {
  info: DescriptionInfo
  /** Minor version of the schema: 0 brings legacy endianness and loose case in formulas. */
  schemaMinor: number
  /** By name, in document order. */
  specs: Map<string, NodeSpec>
  problems: DescriptionProblem[]
}

const NAME = /^[A-Za-z_][0-9A-Za-z_]*$/

// Exists in every real node map, so that streaming has something to lock (genapi.md 3.6).
const TL_PARAMS_LOCKED = integerVariable('TLParamsLocked')

/** Reads the root element. Throws ERR_GIGE_DESCRIPTION when it is no RegisterDescription. */
export function readModel(root: XmlElement): Model {
  if (root.name !== 'RegisterDescription') {
    throw descriptionError(
      `The root element is ${root.name}; a camera description begins with RegisterDescription.`,
      {
        line: root.line,
      },
    )
  }
  const model: Model = {
    info: readInfo(root),
    schemaMinor: Number.parseInt(root.attribute('SchemaMinorVersion') ?? '1', 10) || 0,
    specs: new Map(),
    problems: [],
  }
  addAll(model, root)
  if (!model.specs.has('TLParamsLocked')) {
    addSpec(model, { name: 'TLParamsLocked', kind: 'Integer', element: TL_PARAMS_LOCKED, isMadeUp: true })
  }
  return model
}

function readInfo(root: XmlElement): DescriptionInfo {
  const version = (prefix: string) =>
    ['Major', 'Minor', 'SubMinor']
      .map((part) => Number(root.attribute(`${prefix}${part}Version`) ?? 0) || 0)
      .join('.')
  return {
    modelName: root.attribute('ModelName') ?? '',
    vendorName: root.attribute('VendorName') ?? '',
    toolTip: root.attribute('ToolTip') ?? '',
    standardNameSpace: root.attribute('StandardNameSpace') ?? 'None',
    version: version(''),
    schemaVersion: version('Schema'),
  }
}

function addAll(model: Model, container: XmlElement): void {
  for (const element of container.children) {
    if (element.name === 'Group') addAll(model, element)
    else if (element.name === 'StructReg') addStructure(model, element)
    else add(model, element)
  }
}

/** Each entry becomes a MaskedIntReg that takes from the structure what it does not say itself. */
function addStructure(model: Model, structure: XmlElement): void {
  const common = structure.children.filter((child) => child.name !== 'StructEntry')
  const base = structure.with({ children: common })
  for (const entry of structure.all('StructEntry')) add(model, entry.with({ base }), 'MaskedIntReg')
}

function add(model: Model, element: XmlElement, kind = element.name): void {
  const name = element.attribute('Name')
  if (name === undefined || !NAME.test(name)) {
    report(model, name ?? '', element, `${kind} without a usable Name`)
    return
  }
  if (!addSpec(model, { name, kind, element })) return
  if (kind !== 'Enumeration') return
  for (const entry of element.all('EnumEntry')) {
    const entryName = entry.attribute('Name')
    const entryNode = { name: entryNodeName(name, entryName ?? ''), kind: 'EnumEntry', element: entry }
    if (entryName) addSpec(model, { ...entryNode, enumeration: name })
    else report(model, name, entry, 'EnumEntry without a Name')
  }
}

function addSpec(model: Model, spec: NodeSpec): boolean {
  if (model.specs.has(spec.name)) {
    report(model, spec.name, spec.element, 'a second node of this name is ignored')
    return false
  }
  model.specs.set(spec.name, spec)
  return true
}

/** Entry names are unique only within their enumeration; this is what the entry's node is called. */
export const entryNodeName = (enumeration: string, entry: string): string =>
  `EnumEntry_${enumeration}_${entry}`

function report(model: Model, name: string, element: XmlElement, message: string): void {
  model.problems.push({ name, line: element.line, message })
}

function integerVariable(name: string): XmlElement {
  const children = [
    XmlElement.made('Visibility', 'Invisible'),
    XmlElement.made('Value', '0'),
    XmlElement.made('Min', '0'),
    XmlElement.made('Max', '1'),
  ]
  return new XmlElement('Integer', ['Name', name, 'NameSpace', 'Standard']).with({ children })
}
