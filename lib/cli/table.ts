// Columns of text, aligned, for a terminal or a file.

import { stripVTControlCharacters } from 'node:util'

function shownLength(text: string): number {
  return stripVTControlCharacters(text).length
}

/** Cameras name themselves: nothing that a terminal would obey gets through. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\u00b7')
}

export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - shownLength(text)))
}

/** Rows with columns two blanks apart; the last column is not padded. */
export function table(rows: string[][]): string[] {
  const columns = Math.max(0, ...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...rows.map((row) => shownLength(row[i] ?? ''))),
  )
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : pad(cell, widths[i] as number)))
      .join('  ')
      .trimEnd(),
  )
}
