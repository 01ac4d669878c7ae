// A program that is ended in the middle of its work. Purpose: the subject of the exit matrix. Goes to a stage, says `ready`, and
// ends in the way it is told; with `thread: 'worker'` the work is in a worker, and main ends it or itself.

import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

const plan = isMainThread ? JSON.parse(process.argv[2]) : workerData
const { entry, stage, ending, thread, info } = plan

// What is under way when the end comes: its outcome is of no interest.
const pending = (promise) => void promise.catch(() => {})
const turn = () => new Promise((resolve) => setImmediate(resolve))

// Promise.withResolvers() of later Nodes
function withResolvers() {
  let resolve
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

const binary = async () => (await import(new URL('./native.js', `file://${entry}`))).native

/** From now on a camera's control channel asks replace(method of the binary, its arguments) instead. */
async function intercept(method, replace) {
  const native = await binary()
  const { CameraControl } = native
  native.CameraControl = class extends CameraControl {
    [method](...args) {
      return replace((...same) => super[method](...same), args)
    }
  }
}

async function go({ discover, openCamera }) {
  const open = () => openCamera(info, { heartbeatTimeout: 500 })
  switch (stage) {
    case 'discovering':
      pending(discover({ timeout: 600_000 }))
      await turn()
      return undefined
    case 'opening': // the camera never answers
      pending(open())
      await turn()
      return undefined
    case 'describing': {
      // control is granted, and the download of the description begins again and again
      const { promise: reached, resolve: reach } = withResolvers()
      await intercept('readMemory', (read, [address, length]) => {
        if (length <= 512) return read(address, length) // where it is
        const again = () => read(address, length).then(again, () => {})
        pending(again())
        reach()
        return new Promise(() => {})
      })
      pending(open())
      await reached
      return undefined
    }
    case 'open':
      return await open()
    case 'negotiating': {
      // its test packets never come
      const { promise: reached, resolve: reach } = withResolvers()
      await intercept('negotiatePacketSize', (negotiate, args) => {
        reach()
        return negotiate(...args)
      })
      const camera = await open()
      pending(camera.stream().start())
      await reached
      // Looked at from beside: the camera's packet size is another one by now.
      const witness = new (await binary()).CameraControl(() => {})
      await witness.open({ address: info.address })
      while (((await witness.readRegisters([0x0d04]))[0] & 0xffff) !== 576) await turn()
      await witness.close()
      return camera
    }
    case 'starting': {
      // the channel is open and the receiver runs, AcquisitionStart takes its time
      const camera = await open()
      const { promise: reached, resolve: reach } = withResolvers()
      const execute = camera.features.execute.bind(camera.features)
      camera.features.execute = async (name, ...rest) => {
        if (name === 'AcquisitionStart') {
          reach()
          // A slow camera, not a wait: what ends the program comes meanwhile; close(), which waits for it, is not kept for ever.
          await new Promise((resolve) => setTimeout(resolve, 1000))
        }
        return await execute(name, ...rest)
      }
      pending(camera.stream().start())
      await reached
      return camera
    }
    case 'waiting': {
      const camera = await open()
      const stream = camera.stream({ acquisition: 'manual' })
      await stream.start()
      pending(stream[Symbol.asyncIterator]().next())
      return camera
    }
    case 'mid-frame': {
      // a frame takes longer than the test
      const camera = await open()
      const stream = camera.stream({ packetSize: 1500, frameTimeout: 60_000 })
      await stream.start()
      pending(stream[Symbol.asyncIterator]().next())
      while (stream.stats().datagrams < 5) await turn()
      return camera
    }
    case 'leased': {
      const camera = await open()
      const frames = camera.stream({ buffers: 4 })[Symbol.asyncIterator]()
      globalThis.held = [(await frames.next()).value, (await frames.next()).value]
      return camera
    }
    case 'closing': {
      const camera = await open()
      const frames = camera.stream()[Symbol.asyncIterator]()
      await frames.next()
      pending(camera.close())
      return camera
    }
  }
}

function ready() {
  if (isMainThread) process.stdout.write('ready\n')
  else parentPort.postMessage('ready')
}

function end(camera) {
  switch (ending) {
    case 'exit(0)':
      process.exit(0)
      return
    case 'exit(7)':
      process.exit(7)
      return
    case 'exit in a handler of exit':
      process.once('exit', () => process.exit(9))
      process.exit(0)
      return
    case 'uncaught':
      throw new Error('uncaught, as it should be')
    case 'rejection':
      void Promise.reject(new Error('unhandled, as it should be'))
      return
    case 'worker exit(5)':
      process.exit(5)
      return
    case 'terminate': // by main, both
    case 'main exits':
    case 'SIGTERM':
      setInterval(() => {}, 1000) // until it comes
      return
    case 'SIGTERM, handler exits':
      process.on('SIGTERM', () => process.exit(3))
      setInterval(() => {}, 1000)
      return
    case 'SIGTERM, handler closes': {
      const alive = setInterval(() => {}, 1000)
      process.on('SIGTERM', async () => {
        await camera?.close()
        clearInterval(alive)
        process.exitCode = 4
        if (!camera) process.exit() // nothing to close: a search or an opening is still under way
      })
      return
    }
  }
}

if (isMainThread && thread === 'worker') {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: plan })
  worker.on('error', (error) => {
    process.exitCode = 70
    console.error(error)
  })
  worker.on('message', () => {
    ready()
    if (ending === 'terminate') void worker.terminate()
    if (ending === 'main exits') process.exit(6)
  })
  worker.on('exit', (code) => process.stdout.write(`worker ${code}\n`))
} else {
  const camera = await go(await import(entry))
  if (ending.startsWith('SIGTERM')) {
    end(camera)
    ready()
  } else {
    ready()
    end(camera)
  }
}
