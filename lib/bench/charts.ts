// What was measured, as pictures: SVG by file name.

import type { Measured, SectionResult } from './model.js'
import { type Bar, barChart } from './plot/bars.js'
import { type Curve, lineChart, type Point } from './plot/lines.js'
import { COLORS } from './plot/svg.js'
import { AT_ONCE, OWN } from './receivers.js'
import { IMAGES, PACKET_SIZES } from './sections.js'
import { latencyOver, msPerGigabyte, over, processNsPerPacket } from './series.js'
import type { Spread } from './statistics.js'

export type Pictures = Record<string, string>

/** A receiver has one colour in all pictures. */
const COLOR_OF: Record<string, number> = {
  [OWN]: COLORS.blue,
  [AT_ONCE]: COLORS.red,
  discard: COLORS.grey,
  'aravis-socket': COLORS.orange,
  'aravis-default': COLORS.orange,
  'aravis-ring': COLORS.violet,
  dgram: COLORS.green,
}

const about = 'Medians; the bars show the range of all rounds.'

/** One curve for each receiver of these measurements. */
function curves(
  measured: Measured[],
  x: (measured: Measured) => number,
  y: (measured: Measured) => Spread,
  name: (measured: Measured) => string = (one) => one.receiver,
): Curve[] {
  const byName = new Map<string, Point[]>()
  for (const one of measured) {
    const { median, min, max } = y(one)
    if (!Number.isFinite(median)) continue
    const points = byName.get(name(one)) ?? []
    points.push({ x: x(one), y: median, min, max })
    byName.set(name(one), points)
  }
  return [...byName].map(([name, points]) => ({
    name,
    color: COLOR_OF[name],
    points: points.sort((a, b) => a.x - b.x),
  }))
}

const bytesName = (one: Measured) => `${one.load.packetSize} bytes`

function cpuPictures({ measured }: SectionResult): Pictures {
  const pictures: Pictures = {}
  for (const size of PACKET_SIZES) {
    for (const pacing of ['evenly', 'bursts'] as const) {
      const some = measured.filter(({ load }) => load.packetSize === size && load.pacing === pacing)
      if (some.length === 0) continue
      pictures[`cpu-${size}-${pacing}.svg`] = lineChart({
        title: `CPU for each gigabyte, packets of ${size} bytes, ${pacing === 'evenly' ? 'evenly' : 'in bursts'}`,
        about,
        x: { label: 'Gbit/s that arrived' },
        y: { label: 'ms of CPU per GB, whole receiving process', logarithmic: true },
        curves: curves(
          some,
          (one) => Number(over(one, (run) => run.arrived).median.toFixed(1)),
          (one) => over(one, msPerGigabyte),
        ),
      })
    }
  }
  return pictures
}

function sizePictures({ measured }: SectionResult): Pictures {
  const megapixels = ({ load }: Measured) => (load.width * load.height) / 1e6
  return {
    'frame-size.svg': lineChart({
      title: 'Cost of a packet by the size of the frame',
      about: `5 Gbit/s in bursts. ${about}`,
      x: { label: 'megapixels', logarithmic: true, format: (value) => value.toFixed(1) },
      y: { label: 'ns per packet, whole receiving process' },
      curves: curves(measured, megapixels, (one) => over(one, processNsPerPacket), bytesName),
    }),
  }
}

function lossPictures({ measured }: SectionResult): Pictures {
  return {
    'loss.svg': lineChart({
      title: 'Cost of a packet while packets are lost and sent again',
      about: `2.5 Gbit/s in bursts. ${about}`,
      x: { label: '% of packets lost at random' },
      y: { label: 'ns per packet, whole receiving process' },
      curves: curves(
        measured,
        ({ load }) => 100 * (load.faults?.loss ?? 0),
        (one) => over(one, processNsPerPacket),
        bytesName,
      ),
    }),
  }
}

function cameraPictures({ measured }: SectionResult): Pictures {
  return {
    'cameras.svg': lineChart({
      title: 'The same sum from more and more cameras',
      about: `Packets of 9000 bytes. ${about}`,
      x: { label: 'cameras', logarithmic: true, format: String },
      y: { label: 'ns per packet, whole receiving process' },
      curves: curves(
        measured,
        ({ load }) => load.cameras ?? 1,
        (one) => over(one, processNsPerPacket),
      ),
    }),
  }
}

function ratePictures({ rates }: SectionResult): Pictures {
  const image = IMAGES['2.3 MP']
  const some = rates.filter(({ load }) => load.width === image.width)
  const groups = new Map<string, Bar[]>()
  for (const { load, receiver, gigabits, senderLimited } of some) {
    const name = `${load.place}, ${load.packetSize}`
    const bars = groups.get(name) ?? []
    bars.push({
      name: receiver,
      value: gigabits,
      mark: senderLimited ? '\u2265' : '',
      color: COLOR_OF[receiver],
    })
    groups.set(name, bars)
  }
  return {
    'rate.svg': barChart({
      title: 'Highest rate without loss',
      about: 'Frames of 2.3 MP. \u2265: the sender could send no faster.',
      y: { label: 'Gbit/s', logarithmic: true },
      groups: [...groups].map(([name, bars]) => ({ name, bars })),
    }),
  }
}

function latencyPictures({ measured }: SectionResult): Pictures {
  const groups = new Map<string, Bar[]>()
  for (const one of measured.filter(({ load }) => load.packetSize === 1500)) {
    const name = `${one.load.gigabits} Gbit/s ${one.load.pacing}`
    const bars = groups.get(name) ?? []
    const value = latencyOver(one, 'p99').median
    if (Number.isFinite(value)) bars.push({ name: one.receiver, value, color: COLOR_OF[one.receiver] })
    groups.set(name, bars)
  }
  return {
    'latency.svg': barChart({
      title: 'From the last packet to the reader of the frame',
      about: '99 of 100 frames are faster. Packets of 1500 bytes; medians of all rounds.',
      y: { label: 'microseconds, p99', logarithmic: true },
      groups: [...groups].map(([name, bars]) => ({ name, bars })),
    }),
  }
}

const DRAWN: Record<string, (result: SectionResult) => Pictures> = {
  cpu: cpuPictures,
  latency: latencyPictures,
  rate: ratePictures,
  cameras: cameraPictures,
  size: sizePictures,
  loss: lossPictures,
}

/** The pictures of a section that has some. */
export function sectionPictures(result: SectionResult): Pictures {
  if (result.measured.length + result.rates.length === 0) return {}
  return DRAWN[result.id]?.(result) ?? {}
}
