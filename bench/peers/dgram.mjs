// What one writes without a library: Node's dgram, and frames put together in JavaScript. Each packet's payload is copied into its
// frame's Buffer; a frame is done when all of its packets came. Arguments: address, packet size, payload bytes.

import { createSocket } from 'node:dgram'
import { createInterface } from 'node:readline'
import { cpuTimes, monotonicBase } from '../../dist/bench/cpu.js'
import { serve } from '../../dist/bench/serve.js'

const HEADER = 8
const [LEADER, TRAILER, PAYLOAD] = [1, 2, 3]
const QUEUE_BYTES = 16 << 20
const SLOTS = 8
const OPEN = 2 // blocks at a time; a third one closes the oldest
const SEEN = 1 << 18

const packetSize = Number(process.argv[3])
const payloadBytes = Number(process.argv[4])
const dataBytes = packetSize - 28 - HEADER
const dataPackets = Math.ceil(payloadBytes / dataBytes)
const slots = Array.from({ length: SLOTS }, () => Buffer.alloc(payloadBytes))
const blocks = new Map()
const counters = { packets: 0, frames: 0, framesLost: 0, lost: 0 }
const seen = []
const clockBase = monotonicBase()
let nextSlot = 0
let watching = false
let begin

function open(id) {
  if (blocks.size >= OPEN) {
    const [oldest, block] = blocks.entries().next().value
    blocks.delete(oldest)
    counters.framesLost++
    counters.lost += dataPackets + 2 - block.count
  }
  const block = { data: slots[nextSlot++ % SLOTS], count: 0, has: new Uint8Array(dataPackets + 2) }
  blocks.set(id, block)
  return block
}

function receive(packet) {
  counters.packets++
  if (packet.length < HEADER) return
  const format = packet[4] & 0x0f
  const id = packet.readUInt16BE(2)
  const packetId = packet.readUIntBE(5, 3)
  if (format !== LEADER && format !== TRAILER && format !== PAYLOAD) return
  if (packetId > dataPackets + 1) return
  const block = blocks.get(id) ?? open(id)
  if (block.has[packetId]) return
  block.has[packetId] = 1
  if (format === PAYLOAD) packet.copy(block.data, (packetId - 1) * dataBytes, HEADER)
  if (++block.count < dataPackets + 2) return
  blocks.delete(id)
  counters.frames++
  if (watching && seen.length < 2 * SEEN) seen.push(id, performance.now() * 1e6 + clockBase)
}

const socket = createSocket({ type: 'udp4' })
socket.on('message', receive)

const snapshot = () => ({ ...counters, cpu: cpuTimes(), time: performance.now() })

await serve(createInterface({ input: process.stdin }), {
  start: async () => {
    await new Promise((resolve) => socket.bind(0, resolve))
    try {
      socket.setRecvBufferSize(QUEUE_BYTES)
    } catch {
      // the kernel gave what it may
    }
    return { port: socket.address().port }
  },
  measure: () => {
    begin = snapshot()
    watching = true
    return { measuring: true }
  },
  stop: () => {
    watching = false
    const end = snapshot()
    const moved = (name) => end[name] - begin[name]
    return {
      seconds: moved('time') / 1000,
      ...Object.fromEntries(Object.keys(counters).map((name) => [name, moved(name)])),
      cpuNs: end.cpu.processNs - begin.cpu.processNs,
      threadNs: end.cpu.mainNs - begin.cpu.mainNs,
      mainNs: end.cpu.mainNs - begin.cpu.mainNs,
      seen,
    }
  },
})
socket.close()
