// A chart of bars in groups, each bar with its value: for what has no axis between its cases.

import { linear, logarithmic } from './scale.js'
import { AREA, type Axis, n, picture, shortNumber, text, WIDTH, xAxis, yAxis } from './svg.js'

export interface Bar {
  name: string
  value: number
  /** Before the number: '≥' where the limit lies above. */
  mark?: string
  /** Of COLORS; default: by the place of its name. */
  color?: number
}

export interface BarChart {
  title: string
  about: string
  y: Axis & { logarithmic?: boolean }
  groups: { name: string; bars: Bar[] }[]
}

const GAP = 0.12 // of a group's width
const RIGHT = WIDTH - 16
const LEGEND = 74 // height
const LETTER = 7.2

export function barChart(chart: BarChart): string {
  const names = [...new Set(chart.groups.flatMap(({ bars }) => bars.map(({ name }) => name)))]
  const values = chart.groups
    .flatMap(({ bars }) => bars.map(({ value }) => value))
    .filter((value) => value > 0)
  const y = chart.y.logarithmic
    ? logarithmic(Math.min(...values) / 2, Math.max(...values), AREA.bottom, AREA.top)
    : linear(Math.max(...values), AREA.bottom, AREA.top)
  const groupWidth = (RIGHT - AREA.left) / chart.groups.length
  const barWidth = Math.min(54, (groupWidth * (1 - GAP)) / names.length)
  const body = yAxis(y, chart.y, RIGHT)
  const middles = chart.groups.map((group, i) => ({
    at: AREA.left + (i + 0.5) * groupWidth,
    text: group.name,
  }))
  for (const [g, group] of chart.groups.entries()) {
    const begin = middles[g]!.at - (barWidth * group.bars.length) / 2
    for (const [b, bar] of group.bars.entries()) {
      const color = bar.color ?? names.indexOf(bar.name)
      const left = begin + b * barWidth
      const top = bar.value > 0 ? y.at(bar.value) : AREA.bottom
      body.push(
        `<rect class="f${color}" x="${n(left + 1.5)}" y="${n(top)}" width="${n(barWidth - 3)}" height="${n(Math.max(1, AREA.bottom - top))}" rx="2"/>`,
        text(
          left + barWidth / 2,
          top - 5,
          `${bar.mark ?? ''}${shortNumber(bar.value)}`,
          'class="value" text-anchor="middle"',
        ),
      )
    }
  }
  body.push(...xAxis(middles, '', RIGHT))
  return picture(chart.title, chart.about, [...body, ...legend(chart, names)])
}

/** One line of names that ends at the right: their widths are told by what letters usually take. */
function legend({ groups }: BarChart, names: string[]): string[] {
  const bars = groups.flatMap((group) => group.bars)
  const widths = names.map((name) => 30 + name.length * LETTER)
  let left = RIGHT - widths.reduce((sum, width) => sum + width, 0)
  return names.flatMap((name, i) => {
    const color = bars.find((bar) => bar.name === name)?.color ?? i
    const at = left
    left += widths[i]!
    return [
      `<rect class="f${color}" x="${n(at)}" y="${LEGEND - 10}" width="11" height="11" rx="2"/>`,
      text(at + 16, LEGEND, name, 'class="name"'),
    ]
  })
}
