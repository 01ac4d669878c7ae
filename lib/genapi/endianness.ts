// Whether a camera's 4-byte registers must be accessed by value ("legacy endianness", genapi.md 7.1): decided by what the camera
// itself answers where that tells, else by a table of cameras that are known for it, else by the schema.

import { isReadable } from './access.js'
import type { Graph } from './graph.js'
import type { Operations } from './operations.js'
import type { EndiannessVerdict } from './types.js'

/** Sizes of a picture: nothing real is larger, and a small number with its bytes reversed always is. */
const LARGEST_SIZE = 0xffff
const WITNESSES = ['Width', 'Height']

// Cameras whose descriptions of schema 1.1 are written as if it were 1.0 (VendorName and ModelName of the description).
const LEGACY: readonly (readonly [vendor: RegExp, model: RegExp])[] = [
  [/^AutomationTechnology/i, /^C6_\w+_GigE/],
  [/^DO3THINK/i, /^MGV518/],
  [/^EVK/i, /^HELIOS/],
  [/^IDS/i, /^GV_(53\w*FxLE_M|58\w*CxLE_M|524\w*CP_NIR|599\w*CP_C)/],
  [/^Imperx/i, /^IpxGEVCamera/],
  [/^Kowa/i, /^SC130ET3/],
  [/^NIT/i, /^(Tachyon16k|NSC1601GIGE)/],
  [/^Pleora/i, /^(iPORTCLGigE|NTxGigE)/],
  [/^Sony/i, /^XCG_C[GP]Series/],
  [/^TeledyneDALSA/i, /^ICE/],
  [/^Xenics/i, /^Wildcat/],
  [/^FLIR/i, /^XscSeries/],
]

/**
 * Decides and sets the graph accordingly. The evidence is a picture size: read either way, only one of the numbers lies within its
 * limits. Reads a few registers, writes none; a camera that does not answer decides nothing.
 */
export async function settleEndianness(graph: Graph, operations: Operations): Promise<EndiannessVerdict> {
  const bySchema = graph.legacyEndianness
  if (!graph.device.readRegister) return { legacy: bySchema, by: 'schema' }
  for (const name of WITNESSES) {
    if (!graph.spec(name)) continue
    const legacy = await isPlausible(graph, operations, name, true)
    const plain = await isPlausible(graph, operations, name, false)
    if (legacy !== plain) return settle(graph, operations, { legacy, by: 'evidence' })
    // Both ways give the same number: the camera is big-endian throughout, and there is nothing to decide.
  }
  const { vendorName, modelName } = graph.model.info
  const isListed = LEGACY.some(([vendor, model]) => vendor.test(vendorName) && model.test(modelName))
  return settle(graph, operations, { legacy: isListed || bySchema, by: isListed ? 'table' : 'schema' })
}

function settle(graph: Graph, operations: Operations, verdict: EndiannessVerdict): EndiannessVerdict {
  graph.legacyEndianness = verdict.legacy
  operations.invalidateAll()
  return verdict
}

async function isPlausible(
  graph: Graph,
  operations: Operations,
  name: string,
  legacy: boolean,
): Promise<boolean> {
  graph.legacyEndianness = legacy
  operations.invalidateAll()
  try {
    return await operations.read(name, { ignoreCache: true }, (s) => {
      const node = graph.node(name)
      if (!isReadable(node.access(s))) return false
      const value = node.readInteger(s)
      const { min, max } = node.integerLimits(s)
      return value > 0n && value <= LARGEST_SIZE && value >= min && value <= max
    })
  } catch {
    return false
  }
}
