// An element that is either a literal (Min) or a pointer to a node that holds the value (pMin).

import { descriptionError } from '../errors.js'
import type { Graph } from '../graph.js'
import { NodeRef } from '../node-ref.js'
import type { Session } from '../session.js'
import type { XmlElement } from '../xml-element.js'
import type { Domain } from './domain.js'

/** Reads the property in an operation. */
export type Property<T> = (s: Session) => T

/** Undefined when neither form is there. Throws ERR_GIGE_DESCRIPTION for an unreadable literal. */
export function property<T>(
  graph: Graph,
  element: XmlElement,
  tag: string,
  domain: Domain<T>,
): Property<T> | undefined {
  const ref = NodeRef.in(graph, element, `p${tag}`)
  if (ref) return (s) => domain.read(ref.node, s)
  const literal = element.first(tag)
  if (!literal || literal.text.trim() === '') return undefined
  const value = parseLiteral(literal, domain)
  return () => value
}

export function parseLiteral<T>(element: XmlElement, domain: Pick<Domain<T>, 'parse'>): T {
  const value = domain.parse(element.text)
  if (value === undefined) {
    const shown = element.text.trim().slice(0, 60)
    throw descriptionError(`Line ${element.line}: "${shown}" is no value for ${element.name}.`, {
      line: element.line,
    })
  }
  return value
}
