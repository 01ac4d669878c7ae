// Checks what callers give to public entries: names, types and ranges. Purpose: one voice for all of them. Unknown names are most
// often misspelled ones, and an option that is ignored costs more than one that is refused.

import { isIPv4 } from 'node:net'
import { invalidArgument } from './errors.js'

/** Throws for what it does not like. Undefined is never asked about: it means "left out". */
export type Rule = (name: string, value: unknown) => void
export type Rules<T> = Record<keyof T, Rule>

const MAC = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i

/** `what` names the kind of options in messages: 'stream', 'simulator', ... */
export function checkOptions<T extends object>(
  what: string,
  given: T,
  rules: Rules<T>,
  required: readonly (keyof T & string)[] = [],
): void {
  if (typeof given !== 'object' || given === null)
    throw invalidArgument(`The ${what} options must be an object, not ${text(given)}`)
  for (const name of Object.keys(given)) if (!Object.hasOwn(rules, name)) throw unknown(what, name, rules)
  for (const [name, rule] of Object.entries<Rule>(rules)) {
    const value = given[name as keyof T]
    if (value !== undefined) rule(name, value)
    else if (required.includes(name as keyof T & string)) throw invalidArgument(`${name} is missing`)
  }
}

function unknown(what: string, name: string, rules: object) {
  const names = Object.keys(rules)
  const near = names.find((known) => known.toLowerCase() === name.toLowerCase())
  return invalidArgument(
    `Unknown ${what} option '${name}'`,
    near ? `Did you mean '${near}'?` : `There are ${names.join(', ')}.`,
  )
}

/** For messages: whatever it is. */
export function text(value: unknown): string {
  try {
    return typeof value === 'object' ? (JSON.stringify(value) ?? typeof value) : String(value)
  } catch {
    return typeof value
  }
}

function rule(is: (value: unknown) => boolean, what: string): Rule {
  return (name, value) => {
    if (!is(value)) throw invalidArgument(`${name} must be ${what}, not ${text(value)}`)
  }
}

export function isAddress(value: unknown): value is string {
  return typeof value === 'string' && isIPv4(value)
}

export function isMac(value: unknown): value is string {
  return typeof value === 'string' && MAC.test(value)
}

/** As discovery writes it. */
export function canonicalMac(mac: string): string {
  return mac.toLowerCase().replaceAll('-', ':')
}

export const address = rule(isAddress, 'an IPv4 address')
export const mac = rule(isMac, 'a MAC address like 00:11:1c:f5:a0:b1')
export const string = rule((value) => typeof value === 'string', 'a string')
export const nonEmpty = rule(
  (value) => typeof value === 'string' && value !== '',
  'a string that is not empty',
)
export const flag = rule((value) => typeof value === 'boolean', 'true or false')
export const callable = rule((value) => typeof value === 'function', 'a function')
// Not instanceof: it may come from another realm.
export const signal = rule((value) => {
  const it = value as AbortSignal | null
  return typeof it?.addEventListener === 'function' && typeof it.throwIfAborted === 'function'
}, 'an AbortSignal')
export const natural = rule(
  (value) => (typeof value === 'bigint' || Number.isSafeInteger(value)) && (value as number | bigint) >= 0,
  'a whole number from 0 up',
)

export function whole(low: number, high: number): Rule {
  return rule(
    (value) => Number.isInteger(value) && (value as number) >= low && (value as number) <= high,
    `a whole number from ${low} to ${high}`,
  )
}

export function range(low: number, high: number): Rule {
  return rule(
    (value) => typeof value === 'number' && value >= low && value <= high,
    `a number from ${low} to ${high}`,
  )
}

export function oneOf(choices: readonly unknown[]): Rule {
  return rule(
    (value) => choices.includes(value),
    `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`,
  )
}

export function listOf(each: Rule): Rule {
  return (name, value) => {
    if (!Array.isArray(value)) throw invalidArgument(`${name} must be an array, not ${text(value)}`)
    for (const item of value) each(`each of ${name}`, item)
  }
}
