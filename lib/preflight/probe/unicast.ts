// P3: asks the camera by its address, on a connected socket, which learns of ICMP errors where others do not. Also tells the way there.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const PORT = 3956
const TRIES = 3
const PATIENCE_MS = 250
/** DISCOVERY_CMD that wants an acknowledge; the last two bytes are its id. */
const REQUEST = [0x42, 0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00]
const ACK = 0x0003
const HEADER = 8
const ACK_SIZE = HEADER + 248

export interface UnicastAnswer {
  mac: string
  address: string
  subnetMask: string
  model: string
}

export interface UnicastOutcome {
  sent: number
  answers: number
  /** What the system or the other end said: 'ECONNREFUSED', 'EPERM', 'EHOSTUNREACH', ... */
  error?: string
  /** Own address that the system sends from to there. */
  source?: string
  camera?: UnicastAnswer
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error)

export async function askByUnicast(address: string, signal?: AbortSignal): Promise<UnicastOutcome> {
  const socket = createSocket('udp4')
  const outcome: UnicastOutcome = { sent: 0, answers: 0 }
  socket.on('error', (error) => {
    outcome.error ??= codeOf(error)
  })
  socket.on('message', (datagram) => {
    const camera = parseAnswer(datagram)
    if (!camera) return
    outcome.answers++
    outcome.camera ??= camera
  })
  try {
    socket.connect(PORT, address)
    await Promise.race([once(socket, 'connect'), once(socket, 'error').then(() => undefined)]).catch(() => {})
    if (outcome.error !== undefined) return outcome
    outcome.source = socket.address().address
    for (let id = 1; id <= TRIES && outcome.answers === 0; id++) {
      signal?.throwIfAborted()
      await send(socket, id, outcome)
      await answered(outcome)
    }
    return outcome
  } catch (error) {
    if (signal?.aborted) throw error
    outcome.error ??= codeOf(error)
    return outcome
  } finally {
    socket.close()
  }
}

async function send(socket: Socket, id: number, outcome: UnicastOutcome): Promise<void> {
  const request = Uint8Array.from(REQUEST)
  request[7] = id
  await new Promise<void>((resolve) =>
    socket.send(request, (error) => {
      if (error) outcome.error ??= codeOf(error)
      else outcome.sent++
      resolve()
    }),
  )
}

/** Until an answer is there, or it is time to ask again. An error does not end it: the answer may come all the same. */
async function answered(outcome: UnicastOutcome): Promise<void> {
  const end = performance.now() + PATIENCE_MS
  while (outcome.answers === 0 && performance.now() < end) await delay(5)
}

function parseAnswer(datagram: Uint8Array): UnicastAnswer | undefined {
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  if (datagram.length < ACK_SIZE || view.getUint16(0) !== 0 || view.getUint16(2) !== ACK) return undefined
  const bytes = (offset: number, length: number) =>
    datagram.subarray(HEADER + offset, HEADER + offset + length)
  const dotted = (offset: number) => [...bytes(offset, 4)].join('.')
  const model = Buffer.from(bytes(104, 32)).toString('latin1').split('\0')[0]!
  return {
    mac: [...bytes(10, 6)].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    address: dotted(36),
    subnetMask: dotted(52),
    model: model.replace(/[^\x20-\x7e]/g, '?'),
  }
}
