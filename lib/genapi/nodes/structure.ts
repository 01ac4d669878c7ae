// Nodes without a value of their own: Category, Port, Node, and the leftovers of IEEE 1394 that a GigE camera
// has no use for but whose presence must not fail the load (genapi.md 2.4, 2.13, 2.14).

import type { AccessMode } from '../access.js'
import type { Graph } from '../graph.js'
import type { NodeSpec } from '../model.js'
import type { Session } from '../session.js'
import type { FeatureValue, InterfaceType, Visibility } from '../types.js'
import { GenApiNode, VISIBILITIES } from './node.js'

export class CategoryNode extends GenApiNode {
  readonly type: InterfaceType = 'Category'

  /** Visible as soon as anything in it is; an empty category is invisible. */
  override get visibility(): Visibility {
    let lowest = VISIBILITIES.length - 1
    for (const name of this.graph.references.contents(this.name)) {
      const spec = this.graph.spec(name)
      if (!spec || spec.kind === 'Category') continue
      const text = (spec.element.textOf('Visibility') ?? 'Beginner') as Visibility
      lowest = Math.min(lowest, Math.max(0, VISIBILITIES.indexOf(text)))
    }
    return VISIBILITIES[lowest]!
  }

  /** RO while anything in it is implemented. */
  protected baseAccess(s: Session): AccessMode {
    for (const name of this.graph.references.members(this.name)) {
      if (this.#memberAccess(name, s) !== 'NI') return 'RO'
    }
    return 'NI'
  }

  override getValue(_s: Session): FeatureValue {
    return this.name
  }

  /** A member that cannot be built counts as not implemented, rather than taking the category with it. */
  #memberAccess(name: string, s: Session): AccessMode {
    const member = this.graph.tryNode(name)
    return member ? member.access(s) : 'NI'
  }
}

export class PortNode extends GenApiNode {
  readonly type: InterfaceType = 'Port'
  readonly #isDataPort: boolean

  constructor(graph: Graph, spec: NodeSpec) {
    super(graph, spec)
    this.#isDataPort = graph.isDataPort(spec)
  }

  protected baseAccess(s: Session): AccessMode {
    const port = this.graph.port(this.name)
    if (port.data(s)) return 'RO'
    if (port.device) return port.device.access ?? 'RW'
    return this.#isDataPort ? 'NA' : 'NI'
  }
}

/** Node: a dummy that carries conditions. */
export class PlainNode extends GenApiNode {
  readonly type: InterfaceType = 'Node'

  protected baseAccess(): AccessMode {
    return 'RW'
  }
}

/** ConfRom, TextDesc, IntKey, AdvFeatureLock, SmartFeature: known, not implemented. */
export class UnsupportedNode extends GenApiNode {
  readonly type: InterfaceType = 'Node'

  protected baseAccess(): AccessMode {
    return 'NI'
  }
}
