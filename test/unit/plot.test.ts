// Pictures of benchmarks: they are XML, show every curve and value that they are given, and nothing outside of their frame.

import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import { barChart } from '../../lib/bench/plot/bars.js'
import { lineChart } from '../../lib/bench/plot/lines.js'
import { linear, logarithmic } from '../../lib/bench/plot/scale.js'

interface Element {
  name: string
  attributes: Record<string, string>
  text: string
}

function elements(svg: string): Element[] {
  const list: Element[] = []
  const parser = new SaxesParser()
  parser.on('opentag', ({ name, attributes }) => {
    list.push({ name, attributes: attributes as Record<string, string>, text: '' })
  })
  parser.on('text', (text) => {
    const last = list.at(-1)
    if (last) last.text += text
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(svg).close()
  return list.map((element) => ({ ...element, text: element.text.trim() }))
}

function insideFrame(list: Element[]): void {
  const [, , width, height] = list[0]!.attributes.viewBox!.split(' ').map(Number)
  for (const { attributes } of list) {
    for (const name of ['x', 'x1', 'x2', 'cx']) {
      const value = Number(attributes[name] ?? 0)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(width!)
    }
    for (const name of ['y', 'y1', 'y2', 'cy']) {
      const value = Number(attributes[name] ?? 0)
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThanOrEqual(height!)
    }
  }
}

const point = (x: number, y: number) => ({ x, y, min: y * 0.9, max: y * 1.1 })

describe('scales', () => {
  it.each([0.003, 0.9, 7, 27, 1400, 123_456])('linear: from 0 to a round number not below %f', (highest) => {
    const { at, ticks } = linear(highest, 0, 100)
    expect(ticks[0]).toBe(0)
    expect(ticks.at(-1)!).toBeGreaterThanOrEqual(highest)
    expect(at(ticks.at(-1)!)).toBeCloseTo(100)
    expect(ticks.length).toBeLessThan(9)
  })

  it.each([
    [1, 9],
    [200, 50_000],
    [0.01, 3000],
  ])('logarithmic: marks between %f and %f', (low, high) => {
    const { at, ticks } = logarithmic(low, high, 0, 100)
    expect(ticks.length).toBeGreaterThan(1)
    expect(ticks.length).toBeLessThan(9)
    for (const value of [low, high, ...ticks]) {
      expect(at(value)).toBeGreaterThanOrEqual(0)
      expect(at(value)).toBeLessThanOrEqual(100)
    }
  })
})

describe.each([false, true])('lines (logarithmic: %s)', (log) => {
  const svg = lineChart({
    title: 'A < B & "C"',
    about: 'what it is',
    x: { label: 'x', logarithmic: log },
    y: { label: 'y', logarithmic: log },
    curves: ['one', 'two', 'three'].map((name, i) => ({
      name,
      points: [1, 2.5, 5, 10].map((x) => point(x, 100 + i)),
    })),
  })

  it('shows each point, and names each curve once, apart from the others', () => {
    const list = elements(svg)
    insideFrame(list)
    expect(list.filter(({ name }) => name === 'circle')).toHaveLength(12)
    const labels = list.filter(({ text }) => ['one', 'two', 'three'].includes(text))
    expect(labels).toHaveLength(3)
    const heights = labels.map(({ attributes }) => Number(attributes.y)).sort((a, b) => a - b)
    expect(heights[1]! - heights[0]!).toBeGreaterThanOrEqual(15)
    expect(heights[2]! - heights[1]!).toBeGreaterThanOrEqual(15)
    expect(list.find(({ name }) => name === 'title')!.text).toBe('A < B & "C"')
  })
})

describe('bars', () => {
  it('gives each its value, and those at zero a place', () => {
    const svg = barChart({
      title: 'Bars',
      about: '',
      y: { label: 'Gbit/s', logarithmic: true },
      groups: [
        { name: 'a', bars: [{ name: 'own', value: 42, mark: '\u2265' }] },
        {
          name: 'b',
          bars: [
            { name: 'own', value: 7.5 },
            { name: 'peer', value: 0 },
          ],
        },
      ],
    })
    const list = elements(svg)
    insideFrame(list)
    const texts = list.map(({ text }) => text)
    for (const expected of ['\u226542', '7.5', '0', 'own', 'peer', 'a', 'b'])
      expect(texts).toContain(expected)
  })
})
