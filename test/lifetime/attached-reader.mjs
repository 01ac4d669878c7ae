// A worker that takes part in a stream. Told by workerData what to do with frames, by messages what to do next; reports each
// frame it takes. Purpose: the other side of the tests in leases.test.ts and exit-matrix.test.ts.

import { parentPort, workerData } from 'node:worker_threads'

const { entry, share, seed = 1, mark = false, greedy = false } = workerData
// pauseAfter: so many frames are taken, then none until 'go on'. greedy: taking is all it does.
let { hold = 0, pauseAfter = 0 } = workerData
const { attachStream, firstWrongByte } = await import(entry)
const stream = attachStream(share)
const held = []
let goOn = () => {}
parentPort.on('message', (what) => {
  if (what === 'release') {
    hold = 0
    for (const frame of held.splice(0)) frame.release()
  }
  if (what === 'go on') goOn()
  if (what === 'close') stream.close()
})
parentPort.unref()
parentPort.postMessage({ kind: 'attached' })
for await (const frame of stream) {
  if (greedy) {
    frame.release()
    continue
  }
  const wrong = firstWrongByte(frame.data, frame.blockId, BigInt(seed))
  const offset = frame.data.byteOffset
  if (mark) frame.data[0] ^= 0xff
  parentPort.postMessage({
    kind: 'frame',
    id: Number(frame.blockId),
    wrong,
    offset,
    shared: frame.data.buffer === share.memory,
  })
  if (held.length < hold) held.push(frame)
  else frame.release()
  if (pauseAfter > 0 && --pauseAfter === 0) {
    parentPort.ref() // nothing else keeps it alive
    await new Promise((resolve) => {
      goOn = resolve
    })
    parentPort.unref()
  }
}
parentPort.postMessage({ kind: 'end', taken: stream.stats().framesTaken })
