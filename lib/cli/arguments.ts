// Reads numbers, names and lists from the command line; what cannot be read is wrong usage (exit code 2).

import { InvalidArgumentError } from 'commander'

export function wholeNumber(low: number, high = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!Number.isInteger(value) || value < low || value > high) {
      throw new InvalidArgumentError(
        `It must be a whole number from ${low}${high === Number.MAX_SAFE_INTEGER ? ' up' : ` to ${high}`}.`,
      )
    }
    return value
  }
}

export function number(low: number, high = Number.POSITIVE_INFINITY): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isNaN(value) || value < low || value > high || !Number.isFinite(value)) {
      throw new InvalidArgumentError(
        `It must be a number from ${low}${high === Number.POSITIVE_INFINITY ? ' up' : ` to ${high}`}.`,
      )
    }
    return value
  }
}

export function bigNumber(text: string): bigint {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text))
    throw new InvalidArgumentError('It must be a whole number from 0 up.')
  return BigInt(text)
}

/** For options that may be given several times. */
export function collect(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), text]
}

export interface Assignment {
  name: string
  value: string
}

/** `Name=value`; the value may hold more equal signs. */
export function assignment(text: string): Assignment {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError(`'${text}' is not of the form Name=value.`)
  return { name: text.slice(0, at), value: text.slice(at + 1) }
}

export function collectAssignments(text: string, before: Assignment[] | undefined): Assignment[] {
  return [...(before ?? []), assignment(text)]
}

/** A choice by its name, whatever the case of its letters. */
export function choice<T extends string>(...choices: T[]): (text: string) => T {
  return (text) => {
    const found = choices.find((one) => one.toLowerCase() === text.toLowerCase())
    if (!found) throw new InvalidArgumentError(`It must be one of ${choices.join(', ')}.`)
    return found
  }
}

/** `5000` or `5000-5010`. */
export function portRange(text: string): number | [number, number] {
  const match = /^(\d+)(?:-(\d+))?$/.exec(text)
  const low = Number(match?.[1])
  const high = Number(match?.[2] ?? low)
  if (!match || low < 1 || high > 65535 || low > high) {
    throw new InvalidArgumentError('It must be a port, or a range like 5000-5010.')
  }
  return match[2] === undefined ? low : [low, high]
}

/** `2` or `2,3`. */
export function cpuList(text: string): number[] {
  return text.split(',').map(wholeNumber(0, 1023))
}

/** `35` or `35,65`. */
export function secondsList(text: string): number[] {
  return text.split(',').map(number(0.1, 600))
}

/** `FrameID,Timestamp`. */
export function nameList(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('It must be names, with commas between them.')
  return names
}

/** A number of bytes, or 'auto'. */
export function packetSize(text: string): number | 'auto' {
  return text === 'auto' ? 'auto' : wholeNumber(46, 65535)(text)
}
