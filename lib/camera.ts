// Camera in this process: finds it, takes control, reads its description, and owns its streams.

import { EventEmitter } from 'node:events'
import type { CameraControl, NativeCapabilities } from '../binding.js'
import * as argument from './arguments.js'
import { explainRefusal, noFrameError } from './camera-errors.js'
import { CameraEventSource } from './camera-events.js'
import { CameraLife } from './camera-life.js'
import { readNodeMap } from './camera-port.js'
import { assertSame, checkTarget, findCamera, isCameraInfo } from './camera-target.js'
import { GigeError, invalidArgument } from './errors.js'
import {
  loadSettings,
  type NodeMap,
  type Settings,
  type SettingsReport,
  saveSettings,
} from './genapi/index.js'
import { native } from './native.js'
import { negotiate } from './packet-size.js'
import { explainHolder } from './preflight/explain.js'
import { CameraStream, type StreamHost } from './stream.js'
import { STREAM } from './stream-options.js'
import type {
  Camera,
  CameraEvents,
  CameraInfo,
  CameraTarget,
  Frame,
  FrameStream,
  IpConfiguration,
  OpenOptions,
  PacketSizeResult,
  StreamOptions,
} from './types.js'

const OPEN: argument.Rules<OpenOptions> = {
  access: argument.oneOf(['control', 'exclusive', 'monitor']),
  heartbeatTimeout: argument.whole(0, 0xffff_ffff),
  interface: argument.nonEmpty,
  discoverTimeout: argument.range(1, 3_600_000),
  signal: argument.signal,
}
const NEGOTIATE: argument.Rules<NonNullable<Parameters<Camera['negotiatePacketSize']>[0]>> = {
  min: argument.whole(0, 65535),
  max: argument.whole(0, 65535),
  timeout: argument.range(1, 60_000),
}
const GRAB: argument.Rules<NonNullable<Parameters<Camera['grab']>[0]>> = {
  ...STREAM,
  timeout: argument.range(1, 0x7fff_ffff),
}
const PERSISTENT_IP: argument.Rules<Parameters<Camera['setPersistentIp']>[0]> = {
  address: argument.address,
  subnetMask: argument.address,
  gateway: argument.address,
  persistent: argument.flag,
  dhcp: argument.flag,
}

/** What discovery gave names its NIC: another one cannot be asked for beside it. */
function assertSeenThrough({ address, interface: nic }: CameraInfo, wanted: string | undefined): void {
  if (wanted === undefined || wanted === nic.name || wanted === nic.address) return
  throw invalidArgument(
    `Camera ${address} was seen through ${nic.name} (${nic.address || 'no address'}), not through '${wanted}'`,
    'Leave interface out, or open the camera by its address or serial number, so that it is looked for there.',
  )
}

/**
 * Opens a camera: finds it, takes control (unless access is 'monitor'), downloads its description.
 * Errors: ERR_GIGE_INVALID_ARGUMENT; ERR_GIGE_NOT_FOUND; ERR_GIGE_ACCESS_DENIED with `holder` where the camera tells it; ERR_GIGE_TIMEOUT;
 * ERR_GIGE_DESCRIPTION; the signal's reason.
 */
export async function openCamera(target: CameraTarget, options: OpenOptions = {}): Promise<Camera> {
  checkTarget(target)
  argument.checkOptions('opening', options, OPEN)
  const { access = 'control', heartbeatTimeout = 0, signal } = options
  signal?.throwIfAborted()
  if (isCameraInfo(target)) assertSeenThrough(target, options.interface)
  const info = isCameraInfo(target)
    ? target
    : await findCamera(target, {
        ...(options.interface !== undefined && { interface: options.interface }),
        ...(options.discoverTimeout !== undefined && { timeout: options.discoverTimeout }),
        ...(signal && { signal }),
      }).catch(async (error: unknown) => await explainRefusal(error, addressIn(target), signal))
  const life = new CameraLife(info.address)
  const control = new native.CameraControl((reason, message) => life.lose(reason, message))
  // The camera may not even answer that it was let go: its heartbeat ends it then.
  const release = () => control.close().catch(() => undefined)
  const abort = () => void release()
  signal?.addEventListener('abort', abort, { once: true })
  try {
    const capabilities = await control
      .open({
        address: info.address,
        ...(info.interface.address !== '' && info.reachable && { localAddress: info.interface.address }),
        // Where two NICs share a subnet the routing table picks one, not necessarily the camera's.
        device: info.interface.name,
      })
      .catch(async (error: unknown) => await explainRefusal(error, info.address, signal))
    if (isCameraInfo(target) && !capabilities.readsDenied) await assertSame(control, target)
    await takeControl(control, info, access, heartbeatTimeout)
    const features = await readNodeMap(control, life)
    signal?.throwIfAborted()
    life.assertUsable()
    return new LocalCamera(info, access, control, capabilities, features, life)
  } catch (error) {
    await release()
    signal?.throwIfAborted()
    throw error
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function addressIn(target: Exclude<CameraTarget, CameraInfo>): string | undefined {
  const address = typeof target === 'string' ? target : target.address
  return address !== undefined && argument.isAddress(address) ? address : undefined
}

async function takeControl(
  control: CameraControl,
  info: CameraInfo,
  access: 'control' | 'exclusive' | 'monitor',
  heartbeatTimeout: number,
): Promise<void> {
  try {
    await control.takeControl(access, heartbeatTimeout)
  } catch (error) {
    if (!(error instanceof GigeError) || error.code !== 'ERR_GIGE_ACCESS_DENIED') throw error
    const holder = control.holder()
    throw new GigeError(
      'ERR_GIGE_ACCESS_DENIED',
      `Camera ${info.address} is controlled by ${holder ? `${holder.address}:${holder.port}` : 'another application'}`,
      {
        hint: error.hint,
        cause: error,
        details: { holder, status: error.status, findings: explainHolder(info.address, holder) },
      },
    )
  }
}

class LocalCamera extends EventEmitter<CameraEvents> implements Camera, StreamHost {
  private readonly streams = new Set<CameraStream>()
  private closing: Promise<void> | undefined
  private negotiating = false
  private readonly events = new CameraEventSource(this, (event) => this.emit('event', event))

  constructor(
    readonly info: CameraInfo,
    readonly access: 'control' | 'exclusive' | 'monitor',
    readonly control: CameraControl,
    private readonly capabilities: NativeCapabilities,
    readonly features: NodeMap,
    private readonly life: CameraLife,
  ) {
    super()
    life.onLost = (reason, message) => this.onLost(reason, message)
    EventEmitter.prototype.on.call(this, 'newListener', (name) => {
      if (name === 'event') this.listenToEvents()
    })
  }

  private listenToEvents(): void {
    this.call(() => this.events.open()).catch((error: Error) => {
      const code = error instanceof GigeError ? error.code : undefined
      process.emitWarning(`No events of camera ${this.cameraAddress}: ${error.message}`, {
        type: 'GigewireWarning',
        ...(code && { code }),
      })
    })
  }

  async enableEvents(names?: readonly string[]): Promise<string[]> {
    return await this.call(() => this.events.enable(names))
  }

  async disableEvents(): Promise<void> {
    await this.call(() => this.events.disable())
  }

  get cameraAddress(): string {
    return this.info.address
  }
  get device(): string {
    const own = native.listInterfaces().some((nic) => nic.address === this.info.address)
    return own ? '' : this.info.interface.name
  }
  get localAddress(): string {
    return this.capabilities.localAddress
  }
  get gvcpCapability(): number {
    return this.capabilities.gvcp
  }
  get tickFrequency(): bigint {
    return this.capabilities.tickFrequency
  }

  async readRegister(address: number): Promise<number> {
    return (await this.readRegisters([address]))[0] as number
  }

  async readRegisters(addresses: number[]): Promise<number[]> {
    return await this.call(() => this.control.readRegisters(addresses))
  }

  async writeRegister(address: number, value: number): Promise<void> {
    await this.call(() => this.control.writeRegister(address, value))
  }

  async readMemory(address: number, length: number): Promise<Uint8Array> {
    return await this.call(() => this.control.readMemory(address, length))
  }

  async writeMemory(address: number, data: Uint8Array): Promise<void> {
    await this.call(() => this.control.writeMemory(address, data))
  }

  async saveSettings(): Promise<Settings> {
    return await this.call(() => saveSettings(this.features))
  }

  async loadSettings(settings: Settings): Promise<SettingsReport> {
    return await this.call(() => loadSettings(this.features, settings))
  }

  async negotiatePacketSize(
    options: { min?: number; max?: number; timeout?: number } = {},
  ): Promise<PacketSizeResult> {
    argument.checkOptions('negotiation', options, NEGOTIATE)
    this.assertUsable()
    if (this.access === 'monitor') {
      throw new GigeError('ERR_GIGE_ACCESS_DENIED', 'Without control the packet size is not ours to change', {
        hint: 'Open the camera with control; a listener takes the size that the controlling application chose.',
      })
    }
    if (this.streams.size > 0 || this.negotiating) {
      throw invalidArgument('The packet size cannot change while a stream runs', 'Close the stream first.')
    }
    const port = new native.StreamPort({
      address: this.localAddress,
      ...(this.device !== '' && { device: this.device }),
    })
    this.negotiating = true
    try {
      await this.call(() =>
        this.control.openStreamChannel({ channel: 0, address: this.localAddress, port: port.port }),
      )
      const {
        sourcePort: _,
        punchPort: __,
        warning: ___,
        ...result
      } = await negotiate(
        {
          control: this.control,
          port,
          features: this.features,
          localAddress: this.localAddress,
          cameraAddress: this.cameraAddress,
          plan: {},
        },
        options,
      )
      return result
    } finally {
      await this.control.closeStreamChannel(0).catch(() => undefined)
      port.close()
      this.negotiating = false
    }
  }

  stream(options: StreamOptions = {}): FrameStream {
    this.assertUsable()
    if (this.streams.size > 0) {
      throw invalidArgument(
        'This camera has a stream already',
        'Close it first; workers can take part in it through stream.share().',
      )
    }
    if (this.negotiating) {
      throw invalidArgument(
        'The packet size is being negotiated',
        'Await negotiatePacketSize() first; a stream does it by itself.',
      )
    }
    const stream = new CameraStream(this, options)
    this.streams.add(stream)
    return stream
  }

  async grab(options: StreamOptions & { timeout?: number } = {}): Promise<Frame> {
    argument.checkOptions('grab', options, GRAB)
    const { timeout = 5000, signal, ...rest } = options
    const limit = AbortSignal.timeout(timeout)
    const stream = this.stream({
      buffers: 2,
      ...rest,
      frames: 1,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    }) as CameraStream
    try {
      const result = await stream.next()
      if (!result.done) {
        // While the camera is in chunk mode: its description may not know of them afterwards.
        if (options.chunks) await result.value.chunks.catch(() => {})
        return result.value
      }
      throw new GigeError('ERR_GIGE_CLOSED', 'The stream ended before a frame came')
    } catch (error) {
      if (!limit.aborted || signal?.aborted) throw error
      throw await noFrameError(stream, timeout)
    } finally {
      await stream.close()
    }
  }

  async readIpConfiguration(): Promise<IpConfiguration> {
    const raw = await this.call(() => this.control.readIpConfiguration())
    const methods = (bits: number): ('persistent' | 'dhcp' | 'lla')[] => [
      ...((bits & 1) !== 0 ? (['persistent'] as const) : []),
      ...((bits & 2) !== 0 ? (['dhcp'] as const) : []),
      ...((bits & 4) !== 0 ? (['lla'] as const) : []),
    ]
    return {
      supported: methods(raw.supported),
      enabled: methods(raw.enabled),
      address: raw.address,
      subnetMask: raw.subnetMask,
      gateway: raw.gateway,
      persistent: {
        address: raw.persistentAddress,
        subnetMask: raw.persistentSubnetMask,
        gateway: raw.persistentGateway,
      },
    }
  }

  async setPersistentIp(options: {
    address: string
    subnetMask: string
    gateway?: string
    persistent?: boolean
    dhcp?: boolean
  }): Promise<void> {
    argument.checkOptions('persistent address', options, PERSISTENT_IP, ['address', 'subnetMask'])
    await this.call(() => this.control.setPersistentIp(options))
  }

  controlStats(): Record<string, number> {
    return this.control.stats()
  }

  onStreamClosed(stream: CameraStream): void {
    this.streams.delete(stream)
  }

  private onLost(reason: string, message: string): void {
    if (this.closing) return // it was about to be let go
    for (const stream of this.streams) stream.fail(this.life.lostError)
    void this.events.close(true)
    this.emit('lost', { reason, message })
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown()
    return this.closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  private async shutDown(): Promise<void> {
    // Control is given back whatever became of the streams.
    await Promise.allSettled([...this.streams].map((stream) => stream.close()))
    await this.events.close(this.life.lostError !== undefined)
    this.life.end()
    // A camera that does not answer any more frees itself when its heartbeat runs out; nothing is left to do about it here.
    await this.control.close().catch(() => undefined)
  }

  private assertUsable(): void {
    this.life.assertUsable()
    if (this.closing) throw this.life.closedError // streams that it ends may still ask
  }

  private async call<T>(work: () => Promise<T>): Promise<T> {
    this.assertUsable()
    return await this.life.call(work)
  }
}
