// Quoting for shells: whatever a path or a name holds, it stays one word. Tested against the shells' own rules.

/** POSIX sh. */
export function sh(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** PowerShell: it takes typographic quotes for straight ones, so they are doubled as well. */
export function powershell(word: string): string {
  return `'${word.replace(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`
}
