// A worker that takes frames out of a region and gives them back, as fast as it can, until there are none. Purpose: something to
// terminate in the middle of it (region.test.ts).

import { workerData } from 'node:worker_threads'

const { entry, memory, holder } = workerData
const { Region } = await import(entry)
const region = new Region(memory, 0)
region.holder = holder
for (let lease = region.take(); lease; lease = region.take()) region.release(lease)
