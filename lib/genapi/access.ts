// Access modes and their arithmetic (genapi.md 3.1).

export type AccessMode = 'NI' | 'NA' | 'WO' | 'RO' | 'RW'

/** Codes that `X.AccessMode` yields in formulas. */
export const ACCESS_CODES: Record<AccessMode, bigint> = { NI: 0n, NA: 1n, WO: 2n, RO: 3n, RW: 4n }

export const isReadable = (mode: AccessMode): boolean => mode === 'RO' || mode === 'RW'
export const isWritable = (mode: AccessMode): boolean => mode === 'WO' || mode === 'RW'

/** What is left when two restrictions meet: RW is neutral, RO with WO leaves nothing. */
export function combine(a: AccessMode, b: AccessMode): AccessMode {
  if (a === 'NI' || b === 'NI') return 'NI'
  if (a === 'NA' || b === 'NA') return 'NA'
  if (a === b || b === 'RW') return a
  return a === 'RW' ? b : 'NA'
}

/** What a lock leaves: values stay readable, writing ends. */
export function locked(mode: AccessMode): AccessMode {
  if (mode === 'RW') return 'RO'
  return mode === 'WO' ? 'NA' : mode
}
