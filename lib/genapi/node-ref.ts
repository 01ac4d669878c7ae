// A pointer from one node to another by name, followed when first used: descriptions may point forwards, in
// circles, or nowhere.

import type { Graph } from './graph.js'
import type { GenApiNode } from './nodes/node.js'
import type { XmlElement } from './xml-element.js'

export class NodeRef {
  #node: GenApiNode | undefined

  constructor(
    private readonly graph: Graph,
    readonly name: string,
  ) {}

  /** Throws ERR_GIGE_DESCRIPTION for a dangling pointer or a node that cannot be built. */
  get node(): GenApiNode {
    this.#node ??= this.graph.node(this.name)
    return this.#node
  }

  /** Reference in the first child element of that name; undefined without one. */
  static in(graph: Graph, element: XmlElement, tag: string): NodeRef | undefined {
    const name = element.textOf(tag)
    return name === undefined ? undefined : new NodeRef(graph, name)
  }
}
