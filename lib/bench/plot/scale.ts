// From values to places on an axis, and where its marks go.

export interface Scale {
  at(value: number): number
  ticks: number[]
}

/** Steps of 1, 2 or 5 times a power of ten, about `count` of them, from 0. */
function roundStep(span: number, count: number): number {
  const rough = span / count
  const power = 10 ** Math.floor(Math.log10(rough))
  return power * ([1, 2, 5, 10].find((step) => step * power >= rough) ?? 10)
}

/** From 0 to a round number at or above the highest value. */
export function linear(highest: number, from: number, to: number): Scale {
  const step = roundStep(Math.max(highest, Number.MIN_VALUE), 5)
  const end = Math.ceil(highest / step - 1e-9) * step
  return {
    at: (value) => from + (value / end) * (to - from),
    ticks: Array.from({ length: Math.round(end / step) + 1 }, (_, i) => Number((i * step).toPrecision(6))),
  }
}

/** Marks at 1, 2 and 5 times powers of ten, fewer where there are many. */
export function logarithmic(lowest: number, highest: number, from: number, to: number): Scale {
  const [low, high] = [Math.log10(lowest) - 0.06, Math.log10(highest) + 0.06]
  const decades = high - low
  const steps = decades > 4 ? [1] : decades > 2.2 ? [1, 3] : [1, 2, 5]
  const ticks: number[] = []
  for (let power = Math.floor(low); power <= Math.ceil(high); power++) {
    for (const step of steps) {
      const tick = Number((step * 10 ** power).toPrecision(3))
      if (Math.log10(tick) >= low && Math.log10(tick) <= high) ticks.push(tick)
    }
  }
  return { at: (value) => from + ((Math.log10(value) - low) / (high - low)) * (to - from), ticks }
}
