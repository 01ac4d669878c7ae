// Names to suggest where one was not found.

const MOST = 5

/** The most similar of `names`: other case, the same beginning, or a few letters apart. */
export function nearNames(wanted: string, names: Iterable<string>): string[] {
  const lower = wanted.toLowerCase().slice(0, 100)
  const scored: { name: string; score: number }[] = []
  for (const name of names) {
    const score = difference(lower, name.toLowerCase())
    if (score !== undefined) scored.push({ name, score })
  }
  scored.sort((a, b) => a.score - b.score || a.name.length - b.name.length)
  return scored.slice(0, MOST).map(({ name }) => name)
}

/** Undefined: not similar. */
function difference(a: string, b: string): number | undefined {
  if (a === b) return 0
  const isPart = Math.min(a.length, b.length) >= 4 && (a.startsWith(b) || b.startsWith(a))
  if (isPart) return 1 + Math.abs(a.length - b.length) / 10
  const most = Math.max(1, Math.floor(a.length / 5))
  if (Math.abs(a.length - b.length) > most) return undefined
  const edits = editDistance(a, b)
  return edits <= most ? edits : undefined
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const current = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      current.push(Math.min(replaced, previous[j]! + 1, current[j - 1]! + 1))
    }
    previous = current
  }
  return previous[b.length]!
}
