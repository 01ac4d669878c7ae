// FrameStream of a camera in this process: negotiates, allocates shared memory, starts the receive thread and the
// acquisition, hands out frames, and undoes it all in order.

import { EventEmitter } from 'node:events'
import type { CameraControl, NativeStreamOptions, StreamPort, StreamReceiver } from '../binding.js'
import { GigeError } from './errors.js'
import { FrameQueue } from './frame-queue.js'
import type { NodeMap } from './genapi/index.js'
import { CONST } from './layout.js'
import { bypassWarning, fragmentsWarning, isLinkEngine } from './link-engine.js'
import { choosePacketSize, type Negotiated, readPacketSize } from './packet-size.js'
import { countersFor } from './preflight/explain.js'
import { streamPlan } from './preflight/plan.js'
import type { Finding } from './preflight/report.js'
import { Region, type RegionEvent } from './region.js'
import { emptyStats, type StreamStats, streamStats } from './stats.js'
import { StreamCamera } from './stream-camera.js'
import { allocateStream, payloadBytes } from './stream-memory.js'
import { validateStreamOptions } from './stream-options.js'
import { explainSilentStream, FIRST_FRAME_TIMEOUT, silenceWarning } from './stream-silence.js'
import { bindPort, openReceiver, queueOf, sentTo, tuneSocket } from './stream-socket.js'
import { chooseThread, grantsOf, nativeTuning, tuningWarnings } from './stream-tuning.js'
import type {
  Frame,
  FrameStream,
  FrameStreamEvents,
  PacketSizeResult,
  StreamEngine,
  StreamGrants,
  StreamOptions,
  StreamShare,
  StreamWarning,
  XdpMode,
} from './types.js'

const RESEND_CAPABILITY = 0x4
/** In the order of the native enumeration (net/packet_source.h). */
const ENGINES: readonly StreamEngine[] = ['copy', 'scatter', 'aggregate', 'packet-ring', 'xdp', 'registered']

/** What a stream needs of its camera. */
export interface StreamHost {
  readonly control: CameraControl
  readonly features: NodeMap
  readonly access: 'control' | 'exclusive' | 'monitor'
  readonly cameraAddress: string
  readonly localAddress: string
  /** NIC to pin the stream socket to; '' for a camera on this machine. */
  readonly device: string
  readonly gvcpCapability: number
  readonly tickFrequency: bigint
  onStreamClosed(stream: CameraStream): void
}

function ignore(): void {}

type State = 'idle' | 'starting' | 'running' | 'closed'

export class CameraStream extends EventEmitter<FrameStreamEvents> implements FrameStream {
  private state: State = 'idle'
  private starting: Promise<void> | undefined
  private opening: Promise<void> | undefined
  private closing: Promise<void> | undefined
  private port: StreamPort | undefined
  private receiver: StreamReceiver | undefined
  private region: Region | undefined
  private queue: FrameQueue | undefined
  private negotiated: Negotiated | undefined
  private grants: StreamGrants | undefined
  private packetBytes = 0
  private startedAt = 0
  private counters: ReturnType<typeof countersFor> | undefined
  private silence: NodeJS.Timeout | undefined
  private gone = false
  private loss: unknown
  private leaked = 0
  private asked = 0
  private lastAsked: Promise<void> | undefined
  private taken = ''
  private readonly options: StreamOptions
  private readonly camera: StreamCamera

  constructor(
    private readonly host: StreamHost,
    options: StreamOptions = {},
  ) {
    super()
    this.options = validateStreamOptions(options, host.access)
    this.camera = new StreamCamera(host)
    options.signal?.addEventListener('abort', this.onAbort, { once: true })
  }

  get packetSize(): PacketSizeResult | undefined {
    if (!this.negotiated) return undefined
    const { sourcePort: _, punchPort: __, warning: ___, ...result } = this.negotiated
    return result
  }

  get engine(): StreamEngine | undefined {
    return this.region && ENGINES[this.region.counters().manner]
  }

  get granted(): StreamGrants | undefined {
    return this.grants
  }

  get xdpMode(): XdpMode | undefined {
    return this.receiver?.mode || undefined
  }

  start(): Promise<void> {
    this.starting ??= this.run()
    return this.starting
  }

  stats(): StreamStats {
    if (!this.region) return emptyStats()
    return streamStats(this.region.counters(), {
      framesTaken: this.region.framesTaken,
      framesReturned: this.queue?.returned ?? 0,
      framesLeaked: this.leaked,
    })
  }

  share(): StreamShare {
    if (!this.region || !this.receiver) {
      throw new GigeError('ERR_GIGE_INVALID_ARGUMENT', 'The stream has no memory to share yet', {
        hint: 'Await stream.start() first.',
      })
    }
    return {
      id: this.receiver.id,
      memory: this.region.memory,
      baseOffset: this.region.baseOffset,
      tickFrequency: this.host.tickFrequency,
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame, void, undefined> {
    // The iterator is made where the caller stands: the only place a forgotten frame can be traced back to.
    this.taken = new Error('frames taken').stack?.split('\n').slice(2).join('\n') ?? ''
    return {
      next: () => this.next(),
      return: async () => {
        await this.close()
        return { done: true, value: undefined }
      },
    }
  }

  next(): Promise<IteratorResult<Frame, void>> {
    const { frames } = this.options
    if (frames !== undefined && this.asked >= frames) return this.finishAfter(this.lastAsked)
    this.asked++
    const ready = this.readyFrame()
    if (ready) {
      this.lastAsked = undefined
      return ready
    }
    const asked = this.nextFrame()
    // Without its result, which would keep the frame from being collected.
    if (frames !== undefined) this.lastAsked = asked.then(ignore, ignore)
    return asked
  }

  /** What a stream under full load does for each frame: no wait, no native call, one promise. */
  private readyFrame(): Promise<IteratorResult<Frame, void>> | undefined {
    if (this.state !== 'running') return undefined
    try {
      const value = this.queue?.takeReady()
      if (!value) return undefined
      this.tellEvents()
      return Promise.resolve({ done: false, value })
    } catch (error) {
      return this.failWith(error)
    }
  }

  private async nextFrame(): Promise<IteratorResult<Frame, void>> {
    try {
      if (this.state !== 'running') await this.start()
      const result = await (this.queue as FrameQueue).next()
      if (result.done) await this.close()
      // The frame may have been taken before the knock that announced it: what happened before it is told before it.
      else this.tellEvents()
      return result
    } catch (error) {
      return await this.failWith(error)
    }
  }

  private async failWith(error: unknown): Promise<never> {
    await this.close()
    throw error
  }

  /** All frames that were wanted are asked for; the last of them may still be on its way to another caller. */
  private async finishAfter(last: Promise<void> | undefined): Promise<IteratorResult<Frame, void>> {
    await last
    await this.close()
    return { done: true, value: undefined }
  }

  /** The camera is gone: frames that are complete are still handed out, then the error. */
  fail(error: unknown): void {
    this.gone = true
    this.loss = error
    if (this.state === 'closed') return
    this.queue?.finish(error)
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private readonly onAbort = (): void => {
    this.queue?.finish(this.options.signal?.reason)
    void this.close()
  }

  private async run(): Promise<void> {
    try {
      this.assertOpen()
      this.options.signal?.throwIfAborted()
      this.state = 'starting'
      this.opening = this.open()
      await this.opening
      this.assertOpen()
      this.state = 'running'
    } catch (error) {
      const closed = this.closing !== undefined
      await this.close()
      if (closed) this.assertOpen() // that is why, whatever step noticed it
      throw error
    }
  }

  private async open(): Promise<void> {
    const { host, options } = this
    const warn = (warning: StreamWarning) => this.warn(warning)
    await this.camera.enableChunks(options.chunks)
    const payload = await payloadBytes(host.features, warn)
    const monitor = host.access === 'monitor'
    const ports = options.streamPort ?? (monitor ? await sentTo(host) : 0)
    this.assertOpen()
    this.port = bindPort(host, options, ports)
    const { busyPollError, receiveBuffer } = tuneSocket(this.port, options, payload, warn)
    if (!monitor) await this.camera.openChannel(this.port, options)
    this.assertOpen()
    this.negotiated = monitor ? undefined : await this.choosePacketSize(this.port)
    const punchPort = this.negotiated?.punchPort || this.camera.sourcePort
    if (this.negotiated && punchPort !== 0) this.negotiated.punched = true // at the receiver's start
    const packetSize = this.negotiated?.packetSize ?? (await readPacketSize(host.control))
    // Changing the packet size may change the payload (chunks), never the other way round.
    const slotBytes = Math.max(await payloadBytes(host.features, warn), payload)
    this.assertOpen()
    this.packetBytes = packetSize
    const slots = options.buffers ?? 8
    const memory = allocateStream(slots, slotBytes, packetSize)
    const thread = await chooseThread(options, host.features, slotBytes, packetSize)
    this.assertOpen()
    const tuning = options.tuning ?? {}
    const busy = tuning.busyPoll !== undefined && busyPollError === 0
    const coalesce = options.coalesce ?? (busy ? 0 : undefined) // who asks all the time need not rest
    const resend = typeof options.resend === 'object' ? options.resend : {}
    const canResend = (host.gvcpCapability & RESEND_CAPABILITY) !== 0 && !monitor
    const wishes: NativeStreamOptions = {
      slots,
      slotBytes,
      packetSize,
      packetSizeConfirmed: this.negotiated?.confirmed ?? false,
      payloadSize: slotBytes,
      cameraAddress: host.cameraAddress,
      channelIsNew: this.camera.channelOpen,
      bufferHandling: options.bufferHandling ?? 'OldestFirst',
      deliverIncomplete: options.incomplete === 'deliver',
      resend: { enabled: options.resend !== false && canResend, ...resend },
      cameraPort: this.negotiated?.sourcePort || this.camera.sourcePort,
      cameraPortProven: (this.negotiated?.sourcePort ?? 0) !== 0,
      punchPort,
      queueBytes: receiveBuffer.granted ?? 0,
      ...(options.engine && { engine: options.engine }),
      ...(isLinkEngine(options.engine) && { device: host.device }),
      ...(coalesce !== undefined && { coalesce }),
      ...nativeTuning(tuning, busyPollError),
      ...thread,
      ...(options.frameTimeout !== undefined && { frameTimeout: options.frameTimeout }),
    }
    this.receiver = openReceiver(wishes, host.control, this.port, memory, () => this.onWake())
    const granted = queueOf(options.engine, receiveBuffer, this.receiver, warn)
    this.region = new Region(memory, this.receiver.baseOffset)
    this.queue = new FrameQueue(this.region, host.tickFrequency, {
      ref: (waiting) => this.receiver?.ref(waiting),
      onLeak: (blockId) => this.onLeak(blockId),
      chunkValues: (payload) => host.features.chunkValues(payload),
    })
    this.grants = grantsOf(tuning, granted, busyPollError, this.receiver.start())
    for (const warning of tuningWarnings(this.grants)) this.warn(warning)
    this.counters = countersFor(host.localAddress)
    if (options.acquisition !== 'manual' && !monitor) await this.camera.start(() => this.assertOpen())
    this.startedAt = performance.now()
    // Who starts the acquisition himself says by the option that he has done so.
    const patience = options.firstFrameTimeout ?? (this.camera.acquiring ? FIRST_FRAME_TIMEOUT : 0)
    if (!monitor) this.watchForFrames(patience)
  }

  /** Findings about a stream that brings nothing. */
  async explain(): Promise<Finding[]> {
    const { control, features, cameraAddress, localAddress } = this.host
    if (!this.port || !this.counters) return []
    return await explainSilentStream({
      ...{ control, features, cameraAddress, localAddress },
      port: this.port.port,
      since: performance.now() - this.startedAt,
      stats: this.stats(),
      counters: this.counters,
      isOpen: this.state !== 'closed',
      plan: streamPlan(this.options),
    })
  }

  private watchForFrames(timeout: number): void {
    if (timeout === 0) return
    this.silence = setTimeout(() => {
      if (this.state === 'closed' || this.hasFrames()) return
      void this.explain().then((findings) => {
        if (this.state !== 'closed') this.tell(() => this.warn(silenceWarning(findings, timeout)))
      })
    }, timeout).unref()
  }

  private hasFrames(): boolean {
    const { blocksComplete, blocksIncomplete } = this.stats()
    return blocksComplete > 0 || (this.options.incomplete === 'deliver' && blocksIncomplete > 0)
  }

  private choosePacketSize(port: StreamPort): Promise<Negotiated> {
    const { control, features, localAddress, cameraAddress } = this.host
    return choosePacketSize(
      { control, port, features, localAddress, cameraAddress, plan: streamPlan(this.options) },
      this.options.packetSize ?? 'auto',
      (warning) => this.warn(warning),
    )
  }

  private onWake(): void {
    this.tellEvents()
    this.queue?.wake()
  }

  /** Runs listeners. What one of them throws is nobody's frame, and ends nothing half-way: it surfaces as it would from the knock. */
  private tell(what: () => void): void {
    try {
      what()
    } catch (error) {
      process.nextTick(() => {
        throw error
      })
    }
  }

  private tellEvents(): void {
    if (!this.region?.hasEvents) return
    for (const event of this.region.drainEvents()) this.tell(() => this.emitEvent(event))
  }

  private emitEvent({ kind, blockId, a, b }: RegionEvent): void {
    if (kind === CONST.eventIncomplete) this.emit('incomplete', { blockId, missing: a, expected: b })
    else if (kind === CONST.eventStarved)
      this.emit('starved', { blockId, buffers: this.region?.slotCount ?? 0 })
    else if (kind === CONST.eventMissed) this.emit('missed', { blockId, blocks: a })
    else this.emitNotice(kind)
  }

  private emitNotice(kind: number): void {
    const { options, host, port } = this
    if (!isLinkEngine(options.engine)) return
    if (kind === CONST.eventFragments) this.warn(fragmentsWarning(options.engine, this.packetBytes))
    else if (kind === CONST.eventFirewallBypassed)
      this.warn(bypassWarning(options.engine, host.cameraAddress, port?.port ?? 0))
  }

  private onLeak(blockId: bigint): void {
    this.leaked++
    if (this.closing) return // nobody waits for the slot any more
    const event = { blockId, taken: this.taken }
    if (this.listenerCount('leak') > 0) this.emit('leak', event)
    else if (this.leaked === 1) {
      process.emitWarning(
        `Frame ${blockId} was garbage-collected without release(): its slot was out of use until now. The stream is read here:\n${this.taken}`,
        { type: 'GigewireLeak', code: 'GIGE_FRAME_LEAK' },
      )
    }
  }

  private warn(warning: StreamWarning): void {
    if (this.listenerCount('warning') > 0) this.emit('warning', warning)
    else
      process.emitWarning(`${warning.message}. ${warning.hint}`, {
        type: 'GigewireWarning',
        code: warning.code,
      })
  }

  private assertOpen(): void {
    if (this.state === 'closed') {
      this.options.signal?.throwIfAborted()
      throw new GigeError('ERR_GIGE_CLOSED', 'The stream is closed')
    }
    if (this.gone) throw this.loss
  }

  /** Before the camera stops sending: what comes from now on is nobody's loss. Frames that nobody took are not given out any more. */
  private stopReceiving(): void {
    this.receiver?.stop()
    this.queue?.finish()
    this.queue?.releaseReady()
  }

  private async shutDown(): Promise<void> {
    this.state = 'closed'
    clearTimeout(this.silence)
    this.options.signal?.removeEventListener('abort', this.onAbort)
    // A start that is under way notices, and leaves behind what is then undone here. Its negotiation ends with the port.
    if (this.opening && !this.receiver) this.port?.close()
    this.stopReceiving()
    await this.opening?.catch(ignore)
    this.stopReceiving()
    this.tellEvents() // no knock comes through any more
    try {
      const warning = await this.camera.stop(() => this.gone)
      if (warning) this.tell(() => this.warn(warning))
    } finally {
      this.port?.close()
      this.host.onStreamClosed(this)
      this.tell(() => this.emit('end'))
    }
  }
}
