// Gets many registers in few round trips: ranges that touch are read as one block.

import type { RegisterRange } from './register-port.js'

const MAX_BLOCK = 512 // one READMEM moves 536 bytes

export interface Fetched extends RegisterRange {
  result: Uint8Array | { error: unknown }
}

/** Reads every range. A failure is the result of the range that failed, not of the whole. */
export async function fetchRanges(ranges: readonly RegisterRange[]): Promise<Fetched[]> {
  const fetched: Fetched[] = []
  for (const block of blocks(ranges)) {
    for (const range of await fetchBlock(block)) fetched.push(range)
  }
  return fetched
}

async function fetchBlock(block: RegisterRange[]): Promise<Fetched[]> {
  const first = block[0]!
  if (block.length > 1) {
    try {
      const data = await first.port.read(first.address, span(block))
      return block.map((range) => {
        const at = Number(range.address - first.address)
        return { ...range, result: data.slice(at, at + range.length) }
      })
    } catch {
      // Some devices refuse blocks across registers; each range then tells for itself.
    }
  }
  const fetched: Fetched[] = []
  for (const range of block) {
    const result = await range.port.read(range.address, range.length).catch((error: unknown) => ({ error }))
    fetched.push({ ...range, result })
  }
  return fetched
}

function blocks(ranges: readonly RegisterRange[]): RegisterRange[][] {
  const sorted = [...ranges].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  const open = new Map<unknown, RegisterRange[]>()
  const all: RegisterRange[][] = []
  for (const range of sorted) {
    const block = open.get(range.port)
    if (block && joins(block, range)) {
      block.push(range)
    } else {
      const started = [range]
      open.set(range.port, started)
      all.push(started)
    }
  }
  return all
}

function joins(block: RegisterRange[], range: RegisterRange): boolean {
  if (range.port.usesRegisterAccess(4)) return false // by value: no blocks
  const first = block[0]!
  const end = first.address + BigInt(span(block))
  return range.address <= end && span([...block, range]) <= MAX_BLOCK
}

function span(block: RegisterRange[]): number {
  let end = 0n
  for (const range of block) {
    const rangeEnd = range.address + BigInt(range.length)
    if (rangeEnd > end) end = rangeEnd
  }
  return Number(end - block[0]!.address)
}
