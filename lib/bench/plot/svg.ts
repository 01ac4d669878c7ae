// The picture around a chart: size, fonts, colours for light and dark pages, title, axes. No background of its own.

import type { Scale } from './scale.js'

export const WIDTH = 760
export const HEIGHT = 420
export const AREA = { left: 64, top: 102, bottom: 366 }

export interface Axis {
  label: string
  format?: (value: number) => string
}

// Told apart by lightness, too, so that they serve those who see few colours.
/** Places in the palettes. */
export const COLORS = { blue: 0, orange: 1, green: 2, violet: 3, grey: 4, red: 5 } as const

const LIGHT = ['#0b62c4', '#b4530a', '#12805c', '#8a3ffc', '#6b7280', '#b81d5b']
const DARK = ['#6cb2ff', '#ffa657', '#56d4a4', '#c297ff', '#a3abb8', '#ff8ab5']

function palette(colors: readonly string[]): string {
  return colors.map((color, i) => `.s${i}{stroke:${color}}.f${i}{fill:${color}}`).join('')
}

const STYLE = `text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;font-size:12px;fill:#3b4350}
.title{font-size:16px;font-weight:600;fill:#14181f}.name{font-weight:600}.label{fill:#667080}.value{font-size:11px}
.grid{stroke:#8c96a6;stroke-opacity:.28}.axis{stroke:#8c96a6}
.line{fill:none;stroke-width:2.25;stroke-linejoin:round}.range{stroke-opacity:.45;stroke-width:1.5}
${palette(LIGHT)}
@media (prefers-color-scheme:dark){text{fill:#b6bfcc}.title{fill:#f0f3f7}.label{fill:#8b95a5}${palette(DARK)}}`

export function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

export function n(value: number): string {
  return String(Number(value.toFixed(1)))
}

export function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${n(x)}" y="${n(y)}"${attributes && ` ${attributes}`}>${escaped(content)}</text>`
}

export function picture(title: string, about: string, body: string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img">
<title>${escaped(title)}</title><style>${STYLE}</style>
${text(16, 28, title, 'class="title"')}
${text(16, 48, about)}
${body.join('\n')}
</svg>
`
}

/** Large numbers in thousands, small ones with the digits that matter. */
export function shortNumber(value: number): string {
  if (Math.abs(value) >= 10_000) return `${n(value / 1000)}k`
  return String(Number(value.toPrecision(3)))
}

export function yAxis(scale: Scale, { label, format = shortNumber }: Axis, right: number): string[] {
  return [
    text(16, AREA.top - 16, label, 'class="label"'),
    ...scale.ticks.flatMap((tick) => {
      const y = n(scale.at(tick))
      return [
        `<line class="grid" x1="${AREA.left}" x2="${right}" y1="${y}" y2="${y}"/>`,
        text(AREA.left - 8, scale.at(tick) + 4, format(tick), 'text-anchor="end"'),
      ]
    }),
  ]
}

/** Marks at the values themselves: what was measured is read off, not guessed. */
export function xAxis(marks: { at: number; text: string }[], label: string, right: number): string[] {
  return [
    `<line class="axis" x1="${AREA.left}" x2="${right}" y1="${AREA.bottom}" y2="${AREA.bottom}"/>`,
    ...marks.map((mark) => text(mark.at, AREA.bottom + 20, mark.text, 'text-anchor="middle"')),
    text((AREA.left + right) / 2, AREA.bottom + 42, label, 'class="label" text-anchor="middle"'),
  ]
}
