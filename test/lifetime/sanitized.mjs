// What a binary built with sanitizers has to go through, in one process: lossy streams, resends, errors, workers that attach and are
// terminated, cameras that vanish, aborted calls, and an exit with everything open. Prints a line for each part that went right.

import { Worker } from 'node:worker_threads'

const { entry, reader, ownCamera } = JSON.parse(process.argv[2])
const { attachStream, discover, firstWrongByte, openCamera, startSimulator } = await import(entry)
const turn = () => new Promise((resolve) => setImmediate(resolve))
const said = (name, right) => process.stdout.write(`${name}: ${right ? 'ok' : 'WRONG'}\n`)

const simulator = await startSimulator({
  width: 320,
  height: 240,
  frameRate: 100,
  faults: {
    loss: 0.02,
    duplicate: 0.01,
    reorder: 0.02,
    truncate: 0.005,
    wrongId: 0.005,
    corruptHeader: 0.005,
    foreign: 0.01,
  },
})
const camera = await openCamera(simulator.address)

async function read(options) {
  let wrong = 0
  let seen = 0
  const stream = camera.stream(options)
  for await (const frame of stream) {
    seen++
    if (frame.complete && firstWrongByte(frame.data, frame.blockId, 1n) >= 0) wrong++
    void [frame.missing, frame.stride, frame.copy()]
    frame.release()
  }
  return [seen, wrong, stream.stats()]
}

{
  const [seen, wrong, stats] = await read({ frames: 60 })
  said('a lossy stream with resends', seen === 60 && wrong === 0 && stats.packetsResent > 0)
}
{
  const [seen, wrong, stats] = await read({
    frames: 60,
    resend: false,
    incomplete: 'deliver',
    bufferHandling: 'NewestOnly',
  })
  said('incomplete frames', seen === 60 && wrong === 0 && stats.packetsMissing > 0)
}
{
  const stream = camera.stream({ buffers: 8, bufferHandling: 'OldestFirstOverwrite' })
  await stream.start()
  for (let round = 0; round < 3; round++) {
    const workers = [0, 1].map(
      () => new Worker(reader, { workerData: { entry, share: stream.share(), hold: 2 } }),
    )
    await Promise.all(
      workers.map(
        (worker) => new Promise((resolve) => worker.on('message', (m) => m.kind === 'frame' && resolve(0))),
      ),
    )
    for (const worker of workers) await worker.terminate()
  }
  const mine = attachStream(stream.share())
  const frames = mine[Symbol.asyncIterator]()
  const frame = (await frames.next()).value
  const waiting = Promise.all([frames.next(), frames.next()])
  const right = frame.data.length === 320 * 240
  await stream.close()
  await waiting
  frame.release()
  said('workers that are terminated', right)
}
{
  const outcomes = []
  for (let after = 0; after < 20; after += 3) {
    const control = new AbortController()
    const before = simulator.stats().requests
    let settled = false
    const stream = camera.stream({ signal: control.signal })
    const starting = stream.start().then(
      () => 'started',
      (error) => error.name,
    )
    void starting.then(() => {
      settled = true
    })
    while (!settled && simulator.stats().requests < before + after) await turn()
    control.abort()
    outcomes.push(await starting)
    await stream.close() // what the abort has begun
    while (simulator.stats().streaming || simulator.stats().destination?.port > 0) await turn()
  }
  said('aborted starts', outcomes.includes('AbortError'))
}
{
  const [info] = await discover({ addresses: ['127.0.0.1'], until: (all) => all.length > 0 })
  const denied = await openCamera(info).catch((error) => error.code)
  const bad = await camera.readRegister(-1).catch((error) => error.code)
  const unknown = await camera.readRegister(0xfffffffc).catch((error) => error.code)
  said(
    'errors',
    denied === 'ERR_GIGE_ACCESS_DENIED' &&
      bad === 'ERR_GIGE_INVALID_ARGUMENT' &&
      unknown === 'ERR_GIGE_STATUS',
  )
}
{
  const codes = []
  for (const ending of ['terminate', 'loop']) {
    const worker = new Worker(ownCamera, {
      workerData: { entry, address: ending === 'loop' ? '127.0.0.3' : '127.0.0.2', frames: 5 },
    })
    worker.on('error', (error) => said(String(error), false))
    await new Promise((resolve) => worker.once('message', resolve))
    codes.push(await worker.terminate())
  }
  said('workers with cameras', codes.join() === '1,1')
}
{
  const dying = await startSimulator({
    address: '127.0.0.4',
    width: 64,
    height: 64,
    frameRate: 100,
    faults: { crashAfterBlocks: 3 },
  })
  const lost = await openCamera('127.0.0.4', { heartbeatTimeout: 600 })
  const ids = []
  let code
  try {
    for await (const frame of lost.stream()) {
      ids.push(Number(frame.blockId))
      frame.release()
    }
  } catch (error) {
    code = error.code
  }
  await lost.close()
  await dying.stop()
  said('a camera that dies', ids.join() === '1,2,3' && code === 'ERR_GIGE_CONTROL_LOST')
}
// Everything under way at the end.
const frames = camera.stream()[Symbol.asyncIterator]()
globalThis.held = (await frames.next()).value
frames.next().catch(() => {})
discover({ timeout: 60_000 }).catch(() => {})
await turn()
said('the end', true)
process.exit(0)
