// P11: a short piece of the real stream, at its full rate, with its statistics. Also finds out why a camera that can send does not.

import { openCamera } from '../../camera.js'
import { GigeError } from '../../errors.js'
import type { Camera, CameraInfo, FrameStream, StreamOptions } from '../../types.js'
import { type AcquisitionFacts, acquisitionFacts } from '../acquisition-facts.js'
import type { BurstProbe, PlanFacts, RefusedProbe, RestoreProbe, StreamFacts } from '../facts.js'
import { streamFactsOf } from '../stream-facts.js'
import { counted } from './counted.js'

const SCPS = 0x0d04
const FIRE = 0x8000_0000
const SMALL = 576
const BURST_MS = 300
/** For the first frame; where not even a test packet came, little is to be hoped for. */
const PATIENCE_MS = 700
const LITTLE_PATIENCE_MS = 300
/** For a camera that is slow by its own account. */
const MOST_PATIENCE_MS = 5000

export interface BurstOutcome {
  probe: BurstProbe | RefusedProbe
  /** Of the packet size; complete when the outcome is there. */
  restore: RestoreProbe
  camera?: AcquisitionFacts['camera']
  receiveBuffer?: { asked: number; granted: number }
}

export async function burst(
  target: CameraInfo | string,
  plan: PlanFacts,
  { nic, proven }: { nic: string; proven: boolean },
  signal?: AbortSignal,
): Promise<BurstOutcome> {
  const started = performance.now()
  const restore: RestoreProbe = { probe: 'restore', restored: [], failed: [], ms: 0 }
  try {
    await using camera = await openCamera(target, { ...(signal && { signal }) })
    await using _ = await keepPacketSize(camera, restore)
    const options: StreamOptions = {
      buffers: 4,
      ...(!proven && { packetSize: SMALL }),
      ...(plan.streamPort !== undefined && { streamPort: plan.streamPort }),
      ...(plan.streamDestination !== undefined && { streamDestination: plan.streamDestination }),
      ...(plan.multicast !== undefined && { multicast: plan.multicast }),
    }
    const stream = camera.stream(options)
    stream.on('warning', () => {}) // what it would warn of is among the facts
    const { value, ms, counters } = await counted(nic, () => read(stream, camera, proven, signal))
    const { granted, packetSize } = stream
    return {
      probe: {
        probe: 'burst',
        packetSize: packetSize?.packetSize ?? 0,
        proven,
        seconds: value.stream.seconds,
        stream: value.stream,
        interface: nic,
        ms,
        ...(counters && { counters }),
      },
      restore,
      camera: value.camera,
      ...(granted?.receiveBuffer.granted !== undefined && {
        receiveBuffer: { asked: granted.receiveBuffer.asked, granted: granted.receiveBuffer.granted },
      }),
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof GigeError)) throw error
    const ms = Math.round(performance.now() - started)
    return { probe: { probe: 'stream-refused', ms, error: error.code }, restore }
  }
}

/** Streams leave the packet size that they found; a probe leaves the one that was. */
async function keepPacketSize(camera: Camera, restore: RestoreProbe): Promise<AsyncDisposable> {
  const size = await camera.readRegister(SCPS)
  return {
    [Symbol.asyncDispose]: async () => {
      const started = performance.now()
      const done = await camera.writeRegister(SCPS, (size & ~FIRE) >>> 0).then(
        () => restore.restored,
        () => restore.failed,
      )
      done.push(`0x${SCPS.toString(16)}`)
      restore.ms = Math.round(performance.now() - started)
    },
  }
}

/** At its rate a frame, and half of one more, has to come within that. */
function patienceFor({ stream: { frameRate } }: AcquisitionFacts, proven: boolean): number {
  if (!proven) return LITTLE_PATIENCE_MS
  return Math.min(Math.max(PATIENCE_MS, frameRate ? 1500 / frameRate : 0), MOST_PATIENCE_MS)
}

async function read(
  stream: FrameStream,
  { features }: Camera,
  proven: boolean,
  signal?: AbortSignal,
): Promise<{ stream: StreamFacts; camera: AcquisitionFacts['camera'] }> {
  let state = await acquisitionFacts(features)
  const started = performance.now()
  const end = () => void stream.close()
  signal?.addEventListener('abort', end, { once: true })
  let flowing: number | undefined
  const nothingCame = async () => {
    state = await acquisitionFacts(features) // as long as it is to acquire
    end()
  }
  let limit = setTimeout(() => void nothingCame(), patienceFor(state, proven))
  try {
    for await (const frame of stream) {
      frame.release()
      if (flowing !== undefined) continue
      flowing = performance.now()
      clearTimeout(limit)
      limit = setTimeout(end, BURST_MS)
    }
  } finally {
    clearTimeout(limit)
    signal?.removeEventListener('abort', end)
  }
  const { acquiring, ...rate } = state.stream
  const ended = performance.now()
  return {
    stream: {
      ...streamFactsOf(stream.stats(), (ended - started) / 1000),
      ...rate,
      ...(flowing === undefined && acquiring !== undefined && { acquiring }), // of the time before it was started, else
      ...(flowing !== undefined && { flowing: (ended - flowing) / 1000 }),
    },
    camera: state.camera,
  }
}
