// A camera's events on their way to listeners: the message channel is opened when it is first needed, and each event told with the
// values that the camera's description attaches to it. Owner: the camera.

import type { CameraControl } from '../binding.js'
import { GigeError } from './errors.js'
import type { EventCommand } from './event-message.js'
import {
  disableEvents,
  type EventItem,
  type EventValues,
  enableEvents,
  type NodeMap,
  parseEventItems,
} from './genapi/index.js'
import { MessageChannel } from './message-channel.js'
import type { CameraEvent } from './types.js'

/** Events whose values are still being read; a camera that sends more than this program takes must not fill its memory. */
const MOST_WAITING = 1024
const NO_STREAM = 0xffff

export interface EventsHost {
  readonly control: CameraControl
  readonly features: NodeMap
  readonly access: 'control' | 'exclusive' | 'monitor'
  readonly cameraAddress: string
  readonly localAddress: string
  readonly tickFrequency: bigint
}

export class CameraEventSource {
  private opening: Promise<MessageChannel> | undefined
  private readonly switched: string[] = []
  private waiting = 0
  private readonly warned = new Set<string>()
  private closed = false

  constructor(
    private readonly host: EventsHost,
    private readonly tell: (event: CameraEvent) => void,
  ) {}

  async open(): Promise<void> {
    this.opening ??= this.openChannel()
    await this.opening
  }

  async enable(names?: readonly string[]): Promise<string[]> {
    await this.open()
    const { on, switched } = await enableEvents(this.host.features, names)
    this.switched.push(...switched)
    return on
  }

  async disable(): Promise<void> {
    await disableEvents(this.host.features, this.switched.splice(0))
  }

  /** `gone`: the camera is not to be asked any more. */
  async close(gone: boolean): Promise<void> {
    this.closed = true
    const channel = await this.opening?.catch(() => undefined)
    if (gone) channel?.dispose()
    else await channel?.close()
  }

  private async openChannel(): Promise<MessageChannel> {
    const { host } = this
    if (host.access === 'monitor') {
      throw new GigeError(
        'ERR_GIGE_ACCESS_DENIED',
        'Without control a camera cannot be told where to send its events',
        {
          hint: 'Open the camera with control.',
        },
      )
    }
    try {
      return await MessageChannel.open(host, (command) => this.receive(command))
    } catch (error) {
      this.opening = undefined // the next one may try again
      throw error
    }
  }

  /** For the message channel. */
  receive({ payload, hasData, extendedIds }: EventCommand): void {
    for (const item of parseEventItems(payload, { hasData, extendedIds })) void this.deliver(item)
  }

  private async deliver(item: EventItem): Promise<void> {
    if (this.waiting >= MOST_WAITING) return this.drop()
    this.waiting++
    try {
      const { name, values } = await this.valuesOf(item)
      if (this.closed) return // for nobody any more
      const { id, timestamp, blockId, data } = item
      const { tickFrequency } = this.host
      this.tell({
        id,
        name: name ?? `0x${id.toString(16).padStart(4, '0')}`,
        timestamp,
        timestampNs: tickFrequency === 0n ? undefined : (timestamp * 1_000_000_000n) / tickFrequency,
        streamChannel: item.streamChannel === NO_STREAM ? undefined : item.streamChannel,
        blockId,
        data: Uint8Array.from(data),
        values,
      })
    } catch (error) {
      // A listener has thrown: it surfaces as from any emitter, and ends neither this message nor the next.
      process.nextTick(() => {
        throw error
      })
    } finally {
      this.waiting--
    }
  }

  /** The event has come, whatever its description makes of it: without values where that fails. */
  private async valuesOf(item: EventItem): Promise<EventValues> {
    try {
      return await this.host.features.eventValues(item)
    } catch (error) {
      this.warnOnce('events-unread', `cannot take its events apart: ${(error as Error).message}`)
      return { name: undefined, values: new Map() }
    }
  }

  private drop(): void {
    this.warnOnce(
      'events-dropped',
      `sends events faster than their values are read: more than ${MOST_WAITING} were waiting, and further ones are dropped`,
    )
  }

  private warnOnce(code: string, what: string): void {
    if (this.closed || this.warned.has(code)) return
    this.warned.add(code)
    process.emitWarning(`Camera ${this.host.cameraAddress} ${what}`, { type: 'GigewireWarning', code })
  }
}
