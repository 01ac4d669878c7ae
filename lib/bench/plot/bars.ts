// A chart of bars in groups, each bar with its value: for what has no axis between its cases.

import { linear, logarithmic } from './scale.js'
import { AREA, type Axis, n, picture, shortNumber, text, WIDTH, xAxis, yAxis } from './svg.js'

export interface Bar {
  name: string
  value: number
  /** Before the number: '≥' where the limit lies above. */
  mark?: string
}

export interface BarChart {
  title: string
  about: string
  y: Axis & { logarithmic?: boolean }
  groups: { name: string; bars: Bar[] }[]
}

const GAP = 0.28 // of a group's width

export function barChart(chart: BarChart): string {
  const names = [...new Set(chart.groups.flatMap(({ bars }) => bars.map(({ name }) => name)))]
  const values = chart.groups
    .flatMap(({ bars }) => bars.map(({ value }) => value))
    .filter((value) => value > 0)
  const y = chart.y.logarithmic
    ? logarithmic(Math.min(...values) / 2, Math.max(...values), AREA.bottom, AREA.top)
    : linear(Math.max(...values), AREA.bottom, AREA.top)
  const groupWidth = (AREA.right - AREA.left) / chart.groups.length
  const barWidth = Math.min(44, (groupWidth * (1 - GAP)) / names.length)
  const body = yAxis(y, chart.y)
  const middles = chart.groups.map((group, i) => ({
    at: AREA.left + (i + 0.5) * groupWidth,
    text: group.name,
  }))
  for (const [g, group] of chart.groups.entries()) {
    const begin = middles[g]!.at - (barWidth * group.bars.length) / 2
    for (const [b, bar] of group.bars.entries()) {
      const color = names.indexOf(bar.name)
      const left = begin + b * barWidth
      const top = bar.value > 0 ? y.at(bar.value) : AREA.bottom
      body.push(
        `<rect class="f${color}" x="${n(left + 1.5)}" y="${n(top)}" width="${n(barWidth - 3)}" height="${n(Math.max(1, AREA.bottom - top))}" rx="2"/>`,
        text(
          left + barWidth / 2,
          top - 5,
          `${bar.mark ?? ''}${shortNumber(bar.value)}`,
          'text-anchor="middle"',
        ),
      )
    }
  }
  body.push(...xAxis(middles, ''))
  for (const [i, name] of names.entries()) {
    const top = AREA.top + 10 + i * 22
    body.push(
      `<rect class="f${i}" x="${AREA.right + 16}" y="${top - 9}" width="11" height="11" rx="2"/>`,
      text(
        AREA.right + 34,
        top + 1,
        name.slice(0, Math.floor((WIDTH - AREA.right - 34) / 6)),
        'class="name"',
      ),
    )
  }
  return picture(chart.title, chart.about, body)
}
