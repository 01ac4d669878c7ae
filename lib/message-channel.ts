// The message channel: events on their way from the camera to JavaScript. Purpose: a socket of its own, acknowledges, each event once.
// It is Node's own socket, since events end in JavaScript anyway and come seldom: while the event loop is blocked they wait in the
// socket's queue, and the camera sends again what was not acknowledged. Thread: JavaScript. Owner: the camera.

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { CameraControl } from '../binding.js'
import { GigeError } from './errors.js'
import { type EventCommand, parseEventCommand } from './event-message.js'
import { ipv4Number } from './ipv4.js'

const MESSAGE_CHANNELS = 0x0900
const PORT = 0x0b00
const ADDRESS = 0x0b10
const SOURCE_PORT = 0x0b1c

/** A firewall on the way forgets after 30 s without a packet. */
const KEEP_ALIVE_MS = 10_000
/** Repetitions come within a few times of the camera's timeout; ids are used again only after 65535 others. */
const REMEMBERED = 256

export interface MessageChannelHost {
  control: CameraControl
  cameraAddress: string
  localAddress: string
}

export class MessageChannel {
  private readonly seen = new Set<number>()
  private keepAlive: NodeJS.Timeout | undefined

  private constructor(
    private readonly host: MessageChannelHost,
    private readonly socket: Socket,
    /** The camera's; 0: it does not tell. */
    private readonly sourcePort: number,
    private readonly onCommand: (command: EventCommand) => void,
  ) {
    socket.on('message', (datagram, from) => this.receive(datagram, from.address, from.port))
    socket.on('error', () => {}) // ICMP errors of a camera that vanished: the heartbeat tells
  }

  /** Errors: ERR_GIGE_FEATURE where the camera has no message channel; those of the socket and of the registers. */
  static async open(
    host: MessageChannelHost,
    onCommand: (command: EventCommand) => void,
  ): Promise<MessageChannel> {
    const [channels = 0] = await host.control.readRegisters([MESSAGE_CHANNELS]).catch(() => [0])
    if (channels === 0)
      throw new GigeError(
        'ERR_GIGE_FEATURE',
        `Camera ${host.cameraAddress} has no message channel: it sends no events`,
      )
    const socket = createSocket('udp4').unref()
    try {
      socket.bind(0, host.localAddress)
      await once(socket, 'listening')
      await host.control.writeRegister(ADDRESS, ipv4Number(host.localAddress))
      await host.control.writeRegister(PORT, socket.address().port)
      // Cameras that have no such register say so.
      const [port = 0] = await host.control.readRegisters([SOURCE_PORT]).catch(() => [0])
      const channel = new MessageChannel(host, socket, port & 0xffff, onCommand)
      channel.punch()
      return channel
    } catch (error) {
      socket.close()
      throw error
    }
  }

  /** Idempotent, never an error: a camera that does not answer any more sends no events either. */
  async close(): Promise<void> {
    clearInterval(this.keepAlive)
    await this.host.control.writeRegister(PORT, 0).catch(() => undefined)
    this.dispose()
  }

  /** Without a word to the camera, which is gone. */
  dispose(): void {
    clearInterval(this.keepAlive)
    try {
      this.socket.close()
    } catch {
      // it was closed before
    }
  }

  /** Has stateful firewalls between camera and host let its events in. */
  private punch(): void {
    if (this.sourcePort === 0) return
    const send = () => this.socket.send(new Uint8Array(0), this.sourcePort, this.host.cameraAddress, () => {})
    send()
    this.keepAlive = setInterval(send, KEEP_ALIVE_MS).unref()
  }

  private receive(datagram: Uint8Array, address: string, port: number): void {
    if (address !== this.host.cameraAddress || (this.sourcePort !== 0 && port !== this.sourcePort)) return
    const command = parseEventCommand(datagram)
    if (!command) return
    // Again, too: the first acknowledge may have been lost.
    if (command.acknowledge) this.socket.send(command.acknowledge, port, address, () => {})
    if (this.seen.has(command.requestId)) return
    this.seen.add(command.requestId)
    if (this.seen.size > REMEMBERED) this.seen.delete(this.seen.values().next().value as number)
    this.onCommand(command)
  }
}
