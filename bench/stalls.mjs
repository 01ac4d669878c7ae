// What the machine itself takes away: a loop on each core that does nothing but read the clock, and how often it was not let. What is lost
// there no receiver can win back: latencies beyond these and rates that fill a socket's queue meanwhile are the machine's.
//
//   node bench/stalls.mjs [seconds]
//
// Figures of one run on one machine.

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const LIMITS_US = [100, 500, 1000, 2000, 3000]

function spin(seconds) {
  const longer = LIMITS_US.map(() => 0)
  const start = performance.now()
  let [before, longest, taken] = [start, 0, 0]
  while (before - start < seconds * 1000) {
    const now = performance.now()
    const gap = (now - before) * 1000
    before = now
    if (gap < 20) continue
    taken += gap
    longest = Math.max(longest, gap)
    for (let i = 0; i < LIMITS_US.length && gap > LIMITS_US[i]; i++) longer[i]++
  }
  return { longer, longest, share: taken / (seconds * 1e6) }
}

if (isMainThread) {
  const seconds = Number(process.argv[2] ?? 20)
  const cores = availableParallelism()
  const run = () =>
    new Promise((resolve, reject) => {
      new Worker(fileURLToPath(import.meta.url), { workerData: seconds })
        .once('message', resolve)
        .once('error', reject)
    })
  for (const busy of [1, cores]) {
    console.log(`${busy} of ${cores} cores busy for ${seconds} s`)
    for (const { longer, longest, share } of await Promise.all(Array.from({ length: busy }, run))) {
      const counts = LIMITS_US.map((limit, i) => `> ${limit} us: ${longer[i]}`)
      console.log(
        `  ${counts.join(', ')}; longest ${(longest / 1000).toFixed(2)} ms, in all ${(share * 100).toFixed(2)} %`,
      )
    }
  }
} else {
  parentPort.postMessage(spin(workerData))
}
