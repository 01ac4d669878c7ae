// The camera's side of a stream: channel, chunk mode, locked parameters, acquisition. Purpose: what was begun is undone in order, each step
// even where the one before failed. Owner: the stream.

import type { StreamPort } from '../binding.js'
import type { StreamHost } from './stream.js'
import { switchChunksOn } from './stream-chunks.js'
import type { StreamOptions, StreamWarning } from './types.js'

export class StreamCamera {
  channelOpen = false
  acquiring = false
  /** Where it says that its packets come from; 0: it does not tell. */
  sourcePort = 0
  private locked = false
  private chunksOff: (() => Promise<void>) | undefined

  constructor(
    private readonly host: Pick<StreamHost, 'control' | 'features' | 'cameraAddress' | 'localAddress'>,
  ) {}

  /** Payloads grow by them, so this comes before their size is asked for. */
  async enableChunks(wanted: StreamOptions['chunks']): Promise<void> {
    if (!wanted) return
    this.chunksOff = await switchChunksOn(this.host.features, wanted)
  }

  async openChannel(port: StreamPort, { multicast, streamDestination }: StreamOptions): Promise<void> {
    const { control, localAddress } = this.host
    const address = multicast ?? streamDestination ?? localAddress
    const opened = await control.openStreamChannel({ channel: 0, address, port: port.port })
    this.channelOpen = true
    this.sourcePort = opened.sourcePort
  }

  /** `assertOpen` throws where the stream was closed meanwhile. */
  async start(assertOpen: () => void): Promise<void> {
    const { features } = this.host
    if (features.has('TLParamsLocked')) {
      this.locked = true // before it is: the end may come while it waits for its turn
      await features.set('TLParamsLocked', 1)
    }
    assertOpen()
    this.acquiring = true
    await features.execute('AcquisitionStart', { wait: false })
  }

  /** Either stop and a closed channel each end what the camera sends. Gives a warning where it confirmed neither. */
  async stop(isGone: () => boolean): Promise<StreamWarning | undefined> {
    const { control, features, cameraAddress } = this.host
    let failure: unknown
    let silent = !this.channelOpen
    const attempt = async (step: () => Promise<unknown>): Promise<boolean> => {
      if (isGone()) return false // it would only be waited for in vain
      try {
        await step()
        return true
      } catch (error) {
        failure = error
        return false
      }
    }
    if (this.acquiring) silent = await attempt(() => features.execute('AcquisitionStop', { wait: false }))
    if (this.locked) await attempt(() => features.set('TLParamsLocked', 0))
    if (this.chunksOff) await attempt(this.chunksOff)
    if (this.channelOpen) silent = (await attempt(() => control.closeStreamChannel(0))) || silent
    return silent || isGone() ? undefined : notStopped(cameraAddress, failure)
  }
}

function notStopped(address: string, failure: unknown): StreamWarning {
  return {
    code: 'not-stopped',
    message: `Camera ${address} did not confirm that it stopped sending: ${failure instanceof Error ? failure.message : failure}`,
    hint: 'Until its heartbeat timeout runs out, or it is opened and closed again, it may go on loading the network.',
  }
}
