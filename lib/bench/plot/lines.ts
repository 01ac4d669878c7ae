// A chart of curves: medians joined by lines, the range of all rounds as a bar, each curve named at its end.

import { linear, logarithmic } from './scale.js'
import { AREA, type Axis, n, picture, shortNumber, text, xAxis, yAxis } from './svg.js'

export interface Point {
  x: number
  y: number
  min: number
  max: number
}

export interface Curve {
  name: string
  /** Of COLORS; default: by its place. */
  color?: number
  points: Point[]
}

export interface LineChart {
  title: string
  about: string
  x: Axis & { logarithmic?: boolean }
  y: Axis & { logarithmic?: boolean }
  curves: Curve[]
}

const LABEL_HEIGHT = 16
const RIGHT = 574 // the curves' names stand beyond

/** Labels at the heights they would have, moved apart where they would cover each other. */
function spreadOut(wanted: number[]): number[] {
  const order = wanted.map((y, i) => ({ y, i })).sort((a, b) => a.y - b.y)
  for (let i = 1; i < order.length; i++) {
    order[i]!.y = Math.max(order[i]!.y, order[i - 1]!.y + LABEL_HEIGHT)
  }
  const beyond = (order.at(-1)?.y ?? 0) - AREA.bottom
  if (beyond > 0) for (const label of order) label.y -= beyond
  const result: number[] = []
  for (const { y, i } of order) result[i] = y
  return result
}

export function lineChart(chart: LineChart): string {
  const curves = chart.curves.filter(({ points }) => points.length > 0)
  const points = curves.flatMap((curve) => curve.points)
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b)
  const [low, high] = [Math.min(...points.map(({ min }) => min)), Math.max(...points.map(({ max }) => max))]
  const x = chart.x.logarithmic
    ? logarithmic(xs[0]!, xs.at(-1)!, AREA.left, RIGHT)
    : linear(xs.at(-1)!, AREA.left, RIGHT)
  const y = chart.y.logarithmic
    ? logarithmic(low, high, AREA.bottom, AREA.top)
    : linear(high, AREA.bottom, AREA.top)
  const ends = spreadOut(curves.map((curve) => y.at(curve.points.at(-1)!.y)))
  const formatX = chart.x.format ?? shortNumber
  const body = [
    ...yAxis(y, chart.y, RIGHT),
    ...xAxis(
      xs.map((value) => ({ at: x.at(value), text: formatX(value) })),
      chart.x.label,
      RIGHT,
    ),
  ]
  // The first curve is the one the chart is about: drawn last, above the others.
  for (const [i, curve] of [...curves.entries()].reverse()) {
    const color = curve.color ?? i
    const path = curve.points.map((point) => `${n(x.at(point.x))},${n(y.at(point.y))}`).join(' ')
    body.push(`<polyline class="line s${color}" points="${path}"/>`)
    for (const point of curve.points) {
      const at = n(x.at(point.x))
      body.push(
        `<line class="range s${color}" x1="${at}" x2="${at}" y1="${n(y.at(point.min))}" y2="${n(y.at(point.max))}"/>`,
        `<circle class="f${color}" cx="${at}" cy="${n(y.at(point.y))}" r="3.5"/>`,
      )
    }
    const end = curve.points.at(-1)!
    body.push(text(Math.max(x.at(end.x), RIGHT) + 12, ends[i]! + 4, curve.name, `class="name f${color}"`))
  }
  return picture(chart.title, chart.about, body)
}
