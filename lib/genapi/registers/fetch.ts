// Gets many registers in few round trips: ranges that touch are read as one block, scattered registers together by value
// (genapi.md 7.3). What lies between the ranges is never touched: reading may have an effect.

import { GigeError } from '../../errors.js'
import type { RegisterPort, RegisterRange } from './register-port.js'

const MAX_BLOCK = 512 // one READMEM moves 536 bytes
/** Blocks of so many registers or fewer join the scattered ones; more are better read as memory. */
const FEW = 8

export interface Fetched extends RegisterRange {
  result: Uint8Array | { error: unknown }
}

type Block = RegisterRange[]

/** Reads every range. A failure is the result of the range that failed, not of the whole. */
export async function fetchRanges(ranges: readonly RegisterRange[]): Promise<Fetched[]> {
  const fetched: Fetched[][] = []
  const scattered = new Map<RegisterPort, Block>()
  const asMemory: Block[] = []
  for (const block of blocks(ranges)) {
    const { port } = block[0]!
    if (!isForRegisters(block)) {
      asMemory.push(block)
      continue
    }
    const registers = scattered.get(port) ?? []
    for (const range of block) registers.push(range)
    scattered.set(port, registers)
  }
  for (const registers of scattered.values()) fetched.push(await fetchRegisters(registers))
  for (const block of asMemory) fetched.push(await fetchBlock(block))
  return fetched.flat()
}

function isForRegisters(block: Block): boolean {
  const { port } = block[0]!
  if (port.usesRegisterAccess(4) && block[0]!.length === 4) return port.device?.readRegisters !== undefined
  return port.readsRegistersTogether && block.length <= FEW && block.every(isWord)
}

const isWord = ({ address, length }: RegisterRange): boolean => length === 4 && address % 4n === 0n

/** One request for all; where the device refuses one of them, halves, until the refusal has found its register. */
async function fetchRegisters(registers: Block): Promise<Fetched[]> {
  if (registers.length === 1) return await fetchEach(registers)
  try {
    const words = await registers[0]!.port.readRegisters(registers.map(({ address }) => address))
    return registers.map((range, index) => ({ ...range, result: words[index]! }))
  } catch (error) {
    if (isEnd(error)) return registers.map((range) => ({ ...range, result: { error } }))
    const half = registers.length >> 1
    const found = await fetchRegisters(registers.slice(0, half))
    for (const one of await fetchRegisters(registers.slice(half))) found.push(one)
    // None of them is at fault: the device refuses the manner.
    if (found.every(({ result }) => result instanceof Uint8Array)) registers[0]!.port.refusesTogether = true
    return found
  }
}

async function fetchBlock(block: Block): Promise<Fetched[]> {
  const first = block[0]!
  if (block.length === 1) return await fetchEach(block)
  try {
    const data = await first.port.read(first.address, span(block))
    return block.map((range) => {
      const at = Number(range.address - first.address)
      return { ...range, result: data.slice(at, at + range.length) }
    })
  } catch (error) {
    if (isEnd(error)) return block.map((range) => ({ ...range, result: { error } }))
    // Some devices refuse blocks across registers; each range then tells for itself.
    return await fetchEach(block)
  }
}

async function fetchEach(ranges: Block): Promise<Fetched[]> {
  const fetched: Fetched[] = []
  for (const range of ranges) {
    const result = await range.port.read(range.address, range.length).catch((error: unknown) => ({ error }))
    fetched.push({ ...range, result })
  }
  return fetched
}

/** After these, asking piece by piece would only fail as often, each time after all retries. */
const isEnd = (error: unknown): boolean =>
  error instanceof GigeError &&
  ['ERR_GIGE_TIMEOUT', 'ERR_GIGE_CONTROL_LOST', 'ERR_GIGE_CLOSED', 'ERR_GIGE_NETWORK'].includes(error.code)

function blocks(ranges: readonly RegisterRange[]): Block[] {
  const sorted = [...ranges].sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0))
  const open = new Map<RegisterPort, { block: Block; end: bigint }>()
  const all: Block[] = []
  for (const range of sorted) {
    const end = range.address + BigInt(range.length)
    const last = open.get(range.port)
    if (last && joins(last.block, last.end, range)) {
      last.block.push(range)
      if (end > last.end) last.end = end
    } else {
      const block = [range]
      open.set(range.port, { block, end })
      all.push(block)
    }
  }
  return all
}

function joins(block: Block, end: bigint, range: RegisterRange): boolean {
  if (range.port.usesRegisterAccess(4)) return false // by value: no blocks
  const next = range.address + BigInt(range.length)
  return range.address <= end && Number((next > end ? next : end) - block[0]!.address) <= MAX_BLOCK
}

function span(block: Block): number {
  let end = 0n
  for (const range of block) {
    const rangeEnd = range.address + BigInt(range.length)
    if (rangeEnd > end) end = rangeEnd
  }
  return Number(end - block[0]!.address)
}
