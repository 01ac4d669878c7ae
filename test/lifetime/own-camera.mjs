// A worker with a camera of its own. Purpose: several environments use the binary at once. Reads `frames` frames and checks them,
// asks for errors that are born in native code, reports, and goes on reading until it is ended.

import { parentPort, workerData } from 'node:worker_threads'

const { entry, address, frames } = workerData
const { GigeError, firstWrongByte, openCamera, startSimulator } = await import(entry)

await startSimulator({ address, serial: address, width: 160, height: 120, frameRate: 300, seed: 7 })
const camera = await openCamera(address)
const second = await openCamera(address).catch((error) => error)
const refused = [second instanceof GigeError, second.code]
const stream = camera.stream()
let seen = 0
let wrong = 0
for await (const frame of stream) {
  if (firstWrongByte(frame.data, frame.blockId, 7n) >= 0) wrong++
  frame.release()
  if (++seen === frames) {
    parentPort.postMessage({ serial: camera.info.serial, wrong, refused })
  }
}
