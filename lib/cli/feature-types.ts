// A camera's features as TypeScript types: enumerations as unions of their entries, so that a misspelt one does not compile. What comes
// from the camera is only ever printed as a string literal, a checked identifier or a comment.

import type { FeatureNode, NodeMap } from '../genapi/index.js'

export interface FeatureTypesOptions {
  /** First line of the file: what camera this is. */
  about: string
  /** Leave `FeatureTypes` alone, for programs with cameras of several kinds. */
  isLocal?: boolean
}

/** The text of a `.d.ts`. Reads access, entries and limits from the camera, as they are now. */
export async function featureTypes(
  map: NodeMap,
  { about, isLocal = false }: FeatureTypesOptions,
): Promise<string> {
  const features: string[] = []
  const commands: string[] = []
  for (const node of map) {
    if (!node.isFeature || (await quietly(node.access())) === 'NI') continue
    if (node.type === 'Command') commands.push(JSON.stringify(node.name))
    const type = await valueType(node)
    if (type) features.push(`${comment(node)}  ${node.name}: ${type}\n`)
  }
  const merged = `
declare module 'gigewire/genapi' {
  interface FeatureTypes extends Features {}
}
`
  return `// ${oneLine(about)}
// Made by \`gigewire types\`: camera.features.set('PixelFormat', 'Mon08') does not compile with it.

import type {} from 'gigewire/genapi'

export interface Features {
${features.join('')}}

export type Command = ${commands.join(' | ') || 'never'}
${isLocal ? '' : merged}`
}

async function valueType(node: FeatureNode): Promise<string | undefined> {
  switch (node.type) {
    case 'Boolean':
      return 'boolean'
    case 'Float':
      return 'number'
    case 'String':
      return 'string'
    case 'Register':
      return 'Uint8Array'
    case 'Integer': {
      const limits = [await quietly(node.min()), await quietly(node.max())]
      return limits.every((limit) => typeof limit === 'number') ? 'number' : 'number | bigint'
    }
    case 'Enumeration': {
      const entries = (await quietly(node.entries())) ?? []
      const names = [...new Set(entries.map(({ name }) => JSON.stringify(name)))]
      return names.join(' | ') || 'string'
    }
    default:
      return undefined
  }
}

function comment(node: FeatureNode): string {
  const text = oneLine(node.description || node.toolTip)
  const unit = node.unit && `In ${oneLine(node.unit)}.`
  const parts = [text, unit].filter((part) => part !== '')
  return parts.length === 0 ? '' : `  /** ${parts.join(' ').replaceAll('*/', '* /')} */\n`
}

/** Nothing in it ends a comment's line. */
const oneLine = (text: string): string => text.replace(/[\s\p{Cc}\u2028\u2029]+/gu, ' ').trim()

const quietly = async <T>(work: Promise<T>): Promise<T | undefined> => await work.catch(() => undefined)
