// `--fault key=value` of simulated cameras: the keys of SimulatorFaults, each read as what it is.

import { InvalidArgumentError } from 'commander'
import type { SimulatorFaults } from '../simulator.js'
import { FAULTS } from '../simulator-options.js'
import { assignment } from './arguments.js'

const TRAILER = 0xffff_ffff

function chance(key: string, text: string): number {
  const value = text.endsWith('%') ? Number(text.slice(0, -1)) / 100 : Number(text)
  if (text === '' || !(value >= 0 && value <= 1)) {
    throw new InvalidArgumentError(`${key} is a probability: 0 to 1, or a percentage like 1%.`)
  }
  return value
}

function count(key: string, text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value > 0xffff_ffff) {
    throw new InvalidArgumentError(`${key} is a whole number from 0 up.`)
  }
  return value
}

function flag(key: string, text: string): boolean {
  if (!['true', 'false', '1', '0'].includes(text)) throw new InvalidArgumentError(`${key} is true or false.`)
  return text === 'true' || text === '1'
}

/** BLOCK:PACKET[:TIMES]; block '*' is every one, packet may be 'leader' or 'trailer'. */
function chosenPacket(text: string): NonNullable<SimulatorFaults['drop']>[number] {
  const match = /^(\*|\d+):(leader|trailer|\d+)(?::(\d+))?$/.exec(text)
  if (!match) {
    throw new InvalidArgumentError(
      "drop is BLOCK:PACKET[:TIMES], as in drop=3:17, drop='*:leader' or drop=0:trailer:2.",
    )
  }
  const [, block = '*', packet = '0', times] = match
  return {
    ...(block !== '*' && { block: count('block', block) }),
    packet: packet === 'leader' ? 0 : packet === 'trailer' ? TRAILER : count('packet', packet),
    ...(times !== undefined && { count: count('times', times) }),
  }
}

/** Parser for a repeatable commander option. */
export function collectFaults(text: string, before: SimulatorFaults | undefined): SimulatorFaults {
  const { name, value } = assignment(text)
  const key = Object.keys(FAULTS).find((known) => known.toLowerCase() === name.toLowerCase())
  if (!key) {
    throw new InvalidArgumentError(
      `There is no fault '${name}'; there are ${Object.keys(FAULTS).join(', ')}.`,
    )
  }
  const faults = before ?? {}
  const kind = FAULTS[key as keyof SimulatorFaults]
  if (kind === 'chosen') return { ...faults, drop: [...(faults.drop ?? []), chosenPacket(value)] }
  if (kind === 'chance') return { ...faults, [key]: chance(key, value) }
  if (kind === 'count') return { ...faults, [key]: count(key, value) }
  if (kind === 'flag') return { ...faults, [key]: flag(key, value) }
  if (!kind.includes(value)) throw new InvalidArgumentError(`${key} is one of ${kind.join(', ')}.`)
  return { ...faults, [key]: value }
}

const choices = (name: 'resend' | 'packetSize') => (FAULTS[name] as readonly string[]).join('|')

export const FAULT_HELP = `
Faults (--fault key=value, repeatable; probabilities 0 to 1 or as percentage, per packet unless said otherwise):
  loss  burstLoss, burstLength  duplicate  reorder, reorderDistance  delay, delayUs  truncate  wrongId
  corruptHeader  foreign                     what happens to packets
  drop=BLOCK:PACKET[:TIMES]                  chosen packets; '*' = every block, leader and trailer by name
  loseLeader  loseTrailer  loseTail, tailLength  loseBlock            per block
  onResend  resend=${choices('resend')}  resendDelayUs
  packetSize=${choices('packetSize')}
  clampSize  roundTo  pathMtu                which packet sizes it accepts and which arrive
  controlStallMs, controlStallAfter, controlStallDrops  controlLoss  controlRequestLoss  controlDuplicate
  controlStaleAcks  pendingAckMs, pendingAckCount                    what happens to commands
  crashAfterBlocks  rebootAfterBlocks, rebootMs  noScsp  noDiscovery  shortReadMemAck`
