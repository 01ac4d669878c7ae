// The socket of a stream: where it is bound, what it is granted, and the receiver on top of it. Purpose: what CameraStream asks of
// the system in this respect, with the words for what was refused.

import type { CameraControl, NativeStreamOptions, StreamPort, StreamReceiver } from '../binding.js'
import { GigeError, invalidArgument } from './errors.js'
import { explainEngine, isLinkEngine, ringWarning } from './link-engine.js'
import { native } from './native.js'
import type { StreamHost } from './stream.js'
import type { StreamEngine, StreamGrants, StreamOptions, StreamWarning } from './types.js'

const SCP = 0x0d00
const MEBI = 1 << 20

type Warn = (warning: StreamWarning) => void
type QueueGrant = StreamGrants['receiveBuffer']

/** The port of this machine that the camera sends to, as its controlling application wanted it. */
export async function sentTo({
  control,
  cameraAddress,
}: Pick<StreamHost, 'control' | 'cameraAddress'>): Promise<number> {
  const hint =
    'Start the stream of the application that controls the camera first, or name its port with { streamPort }.'
  const [scp = 0] = await control.readRegisters([SCP]).catch((cause: unknown) => {
    throw new GigeError(
      'ERR_GIGE_INVALID_ARGUMENT',
      `Camera ${cameraAddress} does not tell the port it sends to`,
      {
        hint,
        cause,
      },
    )
  })
  const port = scp & 0xffff
  if (port === 0) throw invalidArgument(`Camera ${cameraAddress} sends its stream to no port`, hint)
  return port
}

export function bindPort(
  { localAddress, device }: Pick<StreamHost, 'localAddress' | 'device'>,
  { multicast }: StreamOptions,
  ports: number | [number, number],
): StreamPort {
  const [low, high] = Array.isArray(ports) ? ports : [ports, ports]
  return new native.StreamPort({
    address: localAddress,
    ...(device !== '' && { device }),
    port: low,
    portHigh: high,
    ...(multicast !== undefined && { multicast }),
  })
}

/** `payload`: bytes of a block. */
export function tuneSocket(
  port: StreamPort,
  { engine, receiveBufferBytes, tuning = {} }: StreamOptions,
  payload: number,
  warn: Warn,
): { busyPollError: number; receiveBuffer: QueueGrant } {
  // Room for what comes while the receive thread is kept from running: two frames, or 20 ms at 1.6 Gbit/s.
  const asked = receiveBufferBytes ?? Math.min(Math.max(2 * payload, 4 * MEBI), 64 * MEBI)
  const granted = askForQueue(port, asked, payload)
  // Engines below the IP stack have a ring of their own, which is not there yet.
  const ring = isLinkEngine(engine)
  if (!ring && granted.reason !== undefined)
    warn({ code: 'receive-buffer', message: granted.reason, hint: granted.remedy ?? '' })
  return {
    receiveBuffer: ring ? { asked, granted: asked, by: 'privilege' } : granted,
    busyPollError: tuning.busyPoll === undefined ? 0 : port.setBusyPoll(tuning.busyPoll),
  }
}

function askForQueue(port: StreamPort, asked: number, payload: number): QueueGrant {
  const { bytes: granted, beyondLimit } = port.setReceiveBuffer(asked)
  const by = beyondLimit ? 'privilege' : 'limit'
  if (granted >= asked) return { asked, granted, by }
  // The kernel charges about 1.6 bytes of queue for a byte of payload in small packets, but counts the wish twice.
  const share = Math.round((100 * granted * 1.25) / Math.max(payload, 1))
  const reason = `The kernel grants ${granted} bytes of socket queue instead of ${asked}: about ${share} % of a frame; a receive thread kept waiting for longer loses packets`
  return { asked, granted, by, reason, remedy: `sudo sysctl -w net.core.rmem_max=${asked}` }
}

export function openReceiver(
  options: NativeStreamOptions,
  control: CameraControl,
  port: StreamPort,
  memory: SharedArrayBuffer,
  onWake: () => void,
): StreamReceiver {
  try {
    return new native.StreamReceiver(options, control, port, new Uint8Array(memory), onWake)
  } catch (error) {
    throw isLinkEngine(options.engine) ? explainEngine(error, options.engine) : error
  }
}

/** What became of the wish for a queue: the socket's, or that of the ring which the receiver has now. */
export function queueOf(
  engine: StreamEngine | 'auto' | undefined,
  wish: QueueGrant,
  { queueBytes }: StreamReceiver,
  warn: Warn,
): QueueGrant {
  if (!isLinkEngine(engine)) return wish
  if (queueBytes >= wish.asked / 2) return { ...wish, granted: queueBytes }
  const { message, hint, code } = ringWarning(wish.asked, queueBytes)
  warn({ code, message, hint })
  return { ...wish, granted: queueBytes, reason: message, remedy: hint }
}
