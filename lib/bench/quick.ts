// The quick benchmark in words: what its figures mean for somebody who wonders how many cameras a machine carries.

import type { Results } from './model.js'
import { coreShare, latencyOver, over } from './series.js'

const GIGE_GBIT = 1

function size(bytes: number): string {
  return bytes === 9000 ? '9000 bytes (jumbo frames)' : `${bytes} bytes`
}

export function quickWords({ sections }: Results): string[] {
  const { measured, rates } = sections[0]!
  const words: string[] = []
  for (const { load, gigabits, senderLimited } of rates) {
    const rate = `${gigabits.toFixed(1)} Gbit/s`
    words.push(
      gigabits === 0
        ? `In packets of ${size(load.packetSize)} it lost some at every rate that was tried: something else keeps the machine busy.`
        : senderLimited
          ? `In packets of ${size(load.packetSize)} it takes at least ${rate} without losing one; the simulated camera could send no faster.`
          : `In packets of ${size(load.packetSize)} it takes ${rate} without losing one.`,
    )
  }
  for (const one of measured) {
    const share = over(one, coreShare).median
    const cameras = Math.floor(1 / share)
    words.push(
      `A camera that fills a link of ${GIGE_GBIT} Gbit/s with packets of ${size(one.load.packetSize)} takes ${(100 * share).toFixed(0)} % of one core` +
        `${cameras > 1 ? `; one core receives ${cameras} of them` : ''}.`,
    )
    const [p50, p99] = [latencyOver(one, 'p50').median, latencyOver(one, 'p99').median]
    if (Number.isFinite(p50)) {
      words.push(
        `Its frames are in the hands of JavaScript ${(p50 / 1000).toFixed(2)} ms after their last packet was sent, 99 of 100 within ${(p99 / 1000).toFixed(2)} ms.`,
      )
    }
  }
  words.push(
    'The camera was a simulated one on this machine: it took a core of its own and no network card took part. A real one adds the work of its driver; `gigewire stream <camera>` tells what is lost.',
  )
  return words
}
