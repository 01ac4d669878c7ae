// P11: a short piece of the real stream, at its full rate, with its statistics. Also finds out why a camera that can send does not.

import { openCamera } from '../../camera.js'
import { GigeError } from '../../errors.js'
import type { NodeMap } from '../../genapi/index.js'
import type { Camera, CameraInfo, FrameStream, StreamOptions } from '../../types.js'
import type { BurstProbe, CameraFacts, PlanFacts, StreamFacts } from '../facts.js'
import { streamFactsOf } from '../stream-facts.js'
import { counted } from './counted.js'

const SCPS = 0x0d04
const FIRE = 0x8000_0000
const SMALL = 576
const BURST_MS = 300
/** For the first frame; where not even a test packet came, little is to be hoped for. */
const PATIENCE_MS = 700
const LITTLE_PATIENCE_MS = 300

export interface BurstOutcome {
  probe: BurstProbe
  camera: Pick<CameraFacts, 'triggerMode' | 'triggerSource'>
  receiveBuffer?: { asked: number; granted: number }
}

export async function burst(
  target: CameraInfo | string,
  plan: PlanFacts,
  { nic, proven }: { nic: string; proven: boolean },
  signal?: AbortSignal,
): Promise<BurstOutcome | undefined> {
  try {
    await using camera = await openCamera(target, { ...(signal && { signal }) })
    await using _ = await keepPacketSize(camera)
    const options: StreamOptions = {
      buffers: 4,
      ...(!proven && { packetSize: SMALL }),
      ...(plan.streamPort !== undefined && { streamPort: plan.streamPort }),
      ...(plan.streamDestination !== undefined && { streamDestination: plan.streamDestination }),
    }
    const stream = camera.stream(options)
    stream.on('warning', () => {}) // what it would warn of is among the facts
    const { value, ms, counters } = await counted(nic, () =>
      read(stream, proven ? PATIENCE_MS : LITTLE_PATIENCE_MS, signal),
    )
    const { granted, packetSize } = stream
    return {
      probe: {
        probe: 'burst',
        packetSize: packetSize?.packetSize ?? 0,
        proven,
        seconds: value.seconds,
        stream: value,
        interface: nic,
        ms,
        ...(counters && { counters }),
      },
      camera: await trigger(camera.features),
      ...(granted?.receiveBuffer.granted !== undefined && {
        receiveBuffer: { asked: granted.receiveBuffer.asked, granted: granted.receiveBuffer.granted },
      }),
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof GigeError) return undefined // other probes have more to say about it
    throw error
  }
}

/** Streams leave the packet size that they found; a probe leaves the one that was. */
async function keepPacketSize(camera: Camera): Promise<AsyncDisposable> {
  const size = await camera.readRegister(SCPS)
  return {
    [Symbol.asyncDispose]: async () => {
      await camera.writeRegister(SCPS, (size & ~FIRE) >>> 0).catch(() => {})
    },
  }
}

async function read(stream: FrameStream, patience: number, signal?: AbortSignal): Promise<StreamFacts> {
  const started = performance.now()
  const end = () => void stream.close()
  signal?.addEventListener('abort', end, { once: true })
  let limit = setTimeout(end, patience)
  let first = true
  try {
    for await (const frame of stream) {
      frame.release()
      if (!first) continue
      first = false
      clearTimeout(limit)
      limit = setTimeout(end, BURST_MS)
    }
  } finally {
    clearTimeout(limit)
    signal?.removeEventListener('abort', end)
  }
  return { ...streamFactsOf(stream.stats(), (performance.now() - started) / 1000), acquiring: true }
}

async function trigger(features: NodeMap): Promise<BurstOutcome['camera']> {
  const values = await features.getMany(['TriggerMode', 'TriggerSource'].filter((name) => features.has(name)))
  const text = (name: string) => {
    const outcome = values.get(name)
    return outcome && 'value' in outcome ? String(outcome.value) : undefined
  }
  const [mode, source] = [text('TriggerMode'), text('TriggerSource')]
  return {
    ...(mode !== undefined && { triggerMode: mode }),
    ...(source !== undefined && { triggerSource: source }),
  }
}
