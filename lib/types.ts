// The public interfaces. They say nothing about where the receive thread lives: the implementation in this process is one
// of several to come.

import type { EventEmitter } from 'node:events'
import type { FeatureOutcome, NodeMap, Settings, SettingsReport } from './genapi/index.js'
import type { Finding } from './preflight/report.js'
import type { StreamStats } from './stats.js'
import type { ChunkValues } from './stream-chunks.js'

/** The network interface that saw a camera. */
export interface InterfaceInfo {
  name: string
  /** IPv4, dotted; '' where the NIC has none. */
  address: string
  netmask: string
  /** Bytes of an IP packet. */
  mtu: number
}

export interface CameraInfo {
  /** Lower case, colons: `00:11:1c:f5:a0:b1`. */
  mac: string
  address: string
  subnetMask: string
  gateway: string
  manufacturer: string
  model: string
  version: string
  /** Empty where the camera has none; then `mac` identifies it. */
  serial: string
  userName: string
  manufacturerInfo: string
  /** GigE Vision version, e.g. "2.0". */
  specVersion: string
  interface: InterfaceInfo
  /** False: it answered, but its address cannot be used from that NIC. */
  reachable: boolean
  unreachableReason?: string
  /** Name of another NIC that saw the same camera before: this is one more way to it. */
  duplicateOf?: string
  /** Another camera behind this NIC has the same address: neither is `reachable`, and `unreachableReason` names the other. */
  addressConflict?: true
}

/** Something that a search could not ask, so that cameras may be missing from its result. */
export interface DiscoveryWarning {
  /** NIC as it was asked for; '' where none is concerned. */
  interface: string
  /** Of the `addresses`; '' where none is concerned. */
  address: string
  errno: number
  message: string
}

export interface DiscoverOptions {
  /** ms, default 2000: cameras may delay their answer by 1 s. All of it is waited unless `until` says enough. */
  timeout?: number
  /** NIC names or addresses; default all that are up. */
  interfaces?: string[]
  /** Also ask these addresses by unicast (routed networks, containers, blocked broadcast). */
  addresses?: string[]
  /** Called after each new camera; true ends the search. */
  until?: (found: CameraInfo[]) => boolean
  /**
   * Called at the end for each NIC and address that could not be asked: it is down, may not send, is nobody's name, refuses.
   * Without it they are process warnings. Where nothing at all could be asked, discover() fails instead.
   */
  onWarning?: (warning: DiscoveryWarning) => void
  signal?: AbortSignal
}

export interface WatchOptions extends Omit<DiscoverOptions, 'until'> {
  /**
   * ms from the beginning of a search to that of the next, default 1000. Each waits `timeout` for answers, by default as long as
   * the interval and at most 2000; one that is longer than the interval is followed at once.
   */
  interval?: number
  /** Searches a camera may miss before it is 'removed'; default 2. */
  misses?: number
}

export interface CameraChange {
  type: 'added' | 'changed' | 'removed'
  camera: CameraInfo
}

/**
 * An address, MAC, serial number or user name; or what discovery gave; or one or more of these by name. By a user name alone all
 * of `discoverTimeout` is waited, since a second camera may have it.
 */
export type CameraTarget =
  | string
  | CameraInfo
  | { serial?: string; mac?: string; userName?: string; address?: string }

export interface OpenOptions {
  /** Default 'control'. A camera that somebody else holds is refused at once with ERR_GIGE_ACCESS_DENIED. */
  access?: 'control' | 'exclusive' | 'monitor'
  /**
   * ms the camera waits for a sign of life before it frees itself; default: the camera's own (usually 3000). We give one each
   * third of it. With access 'monitor' nothing is written; it only says how often we look whether the camera is there.
   */
  heartbeatTimeout?: number
  /**
   * NIC name or address to reach it through; default: the one that discovery or the routing table names. A CameraInfo names its own;
   * to contradict it is refused.
   */
  interface?: string
  /** ms to look for it by name, default 2000. */
  discoverTimeout?: number
  signal?: AbortSignal
}

export interface PacketSizeResult {
  /** GevSCPSPacketSize: includes IP, UDP and GVSP headers. */
  packetSize: number
  previous: number
  limitedBy: 'interface-mtu' | 'path' | 'camera' | 'option'
  tried: { size: number; arrived: boolean; ms: number }[]
  /** A datagram was sent from the stream socket to the camera's stream port, which opens stateful firewalls. */
  punched: boolean
  ms: number
  /** False: the camera has no test packets, and its own size was kept unproven. */
  confirmed: boolean
}

export interface ResendOptions {
  /** ms a gap in the middle of a block may last before it is asked for (it may be mere reordering); default 1. */
  initialDelay?: number
  /** ms before a request is repeated, until the camera's own speed is known; default 10. */
  responseTimeout?: number
  /** ms after a block's end that later frames wait for it at most; default 100. */
  timeout?: number
  /** Rounds of requests for one block; default 8. */
  maxTries?: number
  /** Traffic budget: packets asked for, of a hundred received; default 25. */
  budgetPercent?: number
}

export type { ChunkValues }

export type BufferHandling = 'OldestFirst' | 'OldestFirstOverwrite' | 'NewestOnly'

export type StreamEngine = 'copy' | 'scatter' | 'aggregate' | 'packet-ring' | 'xdp' | 'registered'

/**
 * Of engine 'xdp': the NIC writes into our memory itself, the driver hands packets to the kernel that copies them, or the kernel
 * does so behind the driver.
 */
export type XdpMode = 'zero-copy' | 'native' | 'generic'

/** Wishes to the machine; each is told of in `stream.granted`, and a refusal is a warning. Figures: docs/performance.md. */
export interface StreamTuning {
  /**
   * us, 1 to 1000, that the receive thread asks socket and NIC (SO_BUSY_POLL) again and again before it sleeps: less latency for
   * most of a core. Packets are then not left to gather, unless `coalesce` says so.
   */
  busyPoll?: number
  /** Of the receive thread: 1 to 99 is real time (SCHED_FIFO), -20 to -1 a niceness. */
  priority?: number
  /** CPUs that the receive thread may run on. */
  cpu?: number[]
  /** Frame memory in huge pages. */
  hugePages?: boolean
}

/** A wish and what became of it; with a `reason` where that is less, and a `remedy`: what would lift it. */
export interface Grant<T> {
  asked: T
  /** undefined: nothing, or nobody knows. */
  granted: T | undefined
  reason?: string
  remedy?: string
}

export interface StreamGrants {
  /** Whether the receive thread serves this stream alone. */
  threads: 'own' | 'shared'
  /** Bytes; by 'privilege' (SO_RCVBUFFORCE), or within the 'limit' of net.core.rmem_max. */
  receiveBuffer: Grant<number> & { by: 'privilege' | 'limit' }
  busyPoll?: Grant<number>
  priority?: Grant<number>
  cpu?: Grant<number[]>
  /** Bytes. */
  hugePages?: Grant<number>
}

export interface StreamOptions {
  /** Frame slots, default 8. */
  buffers?: number
  /** Default 'auto': negotiated. A number is written as it is. */
  packetSize?: number | 'auto'
  /** SFNC names; default OldestFirst: frames that find no free slot are dropped and counted. */
  bufferHandling?: BufferHandling
  /** Default 'drop': incomplete frames are counted and told by the 'incomplete' event. */
  incomplete?: 'drop' | 'deliver'
  /** Default: on where the camera can. */
  resend?: boolean | ResendOptions
  /** Queue of the stream socket, or size of the ring; the default fits the stream. */
  receiveBufferBytes?: number
  /**
   * How packets are taken from the kernel. Default 'auto': by what is measured while the stream runs; `stream.engine` tells.
   * 'copy' (one system call for many, then a copy), 'scatter' (the kernel puts the data in place), 'aggregate' (the kernel
   * puts packets together, UDP_GRO), 'registered' (Windows: the kernel writes into memory that was registered with it); what of
   * these a system has not becomes 'copy'. 'packet-ring' (CAP_NET_RAW) and 'xdp' (CAP_NET_ADMIN, CAP_NET_RAW, CAP_BPF; not on
   * the loopback), both Linux only and never chosen by themselves, take packets below the IP stack, past the firewall; the
   * stream warns where that makes a difference. Where they cannot be had, the start fails.
   */
  engine?: 'auto' | StreamEngine
  /** ms that packets may be left to gather, so that fewer wake-ups serve more of them; default 0.25, 0 for none. */
  coalesce?: number
  /**
   * A receive thread for this stream alone (default), or one that it shares with others of this process that say the same: as many
   * as one thread can take in, by the frame rates that the cameras tell.
   */
  threads?: 'own' | 'shared'
  /** Default: nothing is asked of the machine. */
  tuning?: StreamTuning
  /** Pins the port where a firewall rule needs it; default: any free one; with access 'monitor' the one that the camera sends to. */
  streamPort?: number | [number, number]
  /** Address the camera sends to, where it is not this machine's own: behind NAT or in a container. */
  streamDestination?: string
  /** Group to send to, or (with access 'monitor') to listen to. */
  multicast?: string
  /**
   * Chunk data while this stream lasts: all that the camera has, or what ChunkSelector calls these names; `frame.chunks` has the values.
   * Default: as the camera is set.
   */
  chunks?: boolean | readonly string[]
  /** Default 'auto': AcquisitionStart after the receiver is ready, AcquisitionStop at the end. */
  acquisition?: 'auto' | 'manual'
  /** End after so many frames. */
  frames?: number
  /**
   * ms without any frame after which a warning says why; default 10000, 0: never. The stream goes on waiting. With a manual acquisition only
   * where it is given.
   */
  firstFrameTimeout?: number
  /** ms after which a block that has gone quiet is given up; default 2000. */
  frameTimeout?: number
  signal?: AbortSignal
}

export interface Frame extends Disposable {
  /** The payload, without a copy, on shared memory. Throws ERR_GIGE_FRAME_RELEASED after release. */
  readonly data: Uint8Array
  readonly width: number
  readonly height: number
  readonly offsetX: number
  readonly offsetY: number
  /** Bytes from line to line; 0 where lines do not begin on bytes. */
  readonly stride: number
  readonly paddingX: number
  readonly paddingY: number
  /** PFNC name, or `0x…` for codes without one. */
  readonly pixelFormat: string
  readonly pixelFormatCode: number
  readonly bitsPerPixel: number
  /** 'image', 'chunk', 'raw', 'file', 'jpeg', 'multi-part', ...; '+chunks' where chunks follow. */
  readonly payloadType: string
  readonly blockId: bigint
  /** Camera ticks. */
  readonly timestamp: bigint
  /** By the camera's tick frequency; undefined where it has none. */
  readonly timestampNs: bigint | undefined
  /** Host monotonic clock (process.hrtime.bigint()), the leader's arrival. */
  readonly hostTimeNs: bigint
  /** The same clock, when the frame was complete or given up. */
  readonly readyTimeNs: bigint
  readonly complete: boolean
  /** Byte ranges that did not arrive (incomplete frames only); they are zero. */
  readonly missing: { offset: number; length: number }[]
  readonly packets: { expected: number; received: number; resent: number }
  /**
   * Values that the camera attached to this frame, by feature name ('ChunkExposureTime'), read by its own description when they are first
   * asked for; none where it attached none, or the frame is incomplete. To be awaited before release, else it rejects with
   * ERR_GIGE_FRAME_RELEASED; in a worker that attached, with ERR_GIGE_FEATURE, since the description is with the camera.
   */
  readonly chunks: Promise<ChunkValues>
  /** Gives the slot back. Idempotent; also `using`. */
  release(): void
  /** A copy that outlives the frame. */
  copy(): Uint8Array
}

/** Structured-cloneable: post it to a worker and attach there with attachStream(). */
export interface StreamShare {
  id: number
  memory: SharedArrayBuffer
  baseOffset: number
  tickFrequency: bigint
}

export interface FrameStreamEvents {
  /** A frame was dropped (or delivered) incomplete. */
  incomplete: [{ blockId: bigint; missing: number; expected: number }]
  /** A frame found no free slot: release frames sooner, or ask for more buffers. */
  starved: [{ blockId: bigint; buffers: number }]
  /** No packet arrived of so many `blocks` in a row, 1 but after a long outage; `blockId` is the first of them. */
  missed: [{ blockId: bigint; blocks: number }]
  /** Something that will cost frames, and the setting that lifts it; or, at the end, that the camera may go on sending. */
  warning: [StreamWarning]
  /**
   * A frame of this stream's iterator was garbage-collected without release; `taken` is where the stream was read. Not told of
   * frames of grab(), whose stream has ended, nor of those that were taken in workers (`framesLeaked` of their stats counts them).
   */
  leak: [{ blockId: bigint; taken: string }]
  end: []
}

export interface StreamWarning {
  /**
   * 'not-stopped': neither the end of the acquisition nor that of the channel was confirmed by the camera. 'fragments',
   * 'firewall-bypassed': what engines below the IP stack see. 'no-frames': nothing has come for `firstFrameTimeout`.
   */
  code:
    | 'receive-buffer'
    | 'tuning'
    | 'no-test-packets'
    | 'payload-size'
    | 'packet-size'
    | 'not-stopped'
    | 'fragments'
    | 'firewall-bypassed'
    | 'no-frames'
  message: string
  hint: string
  /** Of 'no-frames': what preflight says about it. */
  findings?: Finding[]
}

export interface FrameStream
  extends AsyncIterable<Frame, void, undefined>,
    AsyncDisposable,
    EventEmitter<FrameStreamEvents> {
  /** What negotiation found, or what the camera made of a fixed packet size (nothing `tried`); undefined before start(). */
  readonly packetSize: PacketSizeResult | undefined
  /** How packets are taken from the kernel at the moment; undefined before start(). */
  readonly engine: StreamEngine | undefined
  /** What the machine gave of what `tuning` asked, and more; undefined before start(). */
  readonly granted: StreamGrants | undefined
  /** What the driver granted to engine 'xdp'; undefined with others, and before start(). */
  readonly xdpMode: XdpMode | undefined
  /** Negotiates, allocates, opens the stream and starts the acquisition. Iterating does it by itself. */
  start(): Promise<void>
  /** Read from shared memory, without a native call. Zeros before start(). */
  stats(): StreamStats
  /** After start(). */
  share(): StreamShare
  close(): Promise<void>
}

/** A worker's end of a stream that another thread owns. */
export interface AttachedStream extends AsyncIterable<Frame, void, undefined>, Disposable {
  stats(): StreamStats
  close(): void
}

export interface CameraEvents {
  /**
   * Control or link is gone; every call fails from now on. Told within 1.5 heartbeat intervals (thirds of the heartbeat timeout) of
   * the camera's falling silent; while its stream packets still arrive, once its last answer is as old as the heartbeat timeout;
   * while it works on a command, not before the time is over that it asked for.
   */
  lost: [{ reason: string; message: string }]
  /**
   * The camera's own events, by its message channel; the first listener opens it, and enableEvents() says what is sent. Repetitions are
   * told once. Where the channel cannot be opened a process warning says so; enableEvents() rejects with the reason.
   */
  event: [CameraEvent]
}

export interface CameraEvent {
  id: number
  /** As EventSelector has it, 'ExposureEnd'; `0x9001` where the camera's description has no features for it. */
  name: string
  /** Camera ticks. */
  timestamp: bigint
  /** By the camera's tick frequency; undefined where it has none. */
  timestampNs: bigint | undefined
  /** undefined: of none. */
  streamChannel: number | undefined
  /** 0n: of none. */
  blockId: bigint
  /** What the camera sent beyond that, as it came. */
  data: Uint8Array
  /** By feature name ('EventExposureEndFrameID'), as the camera's description takes the event apart. */
  values: ReadonlyMap<string, FeatureOutcome>
}

export interface IpConfiguration {
  /** Methods the camera knows and those switched on: 'lla' is always on. */
  supported: ('persistent' | 'dhcp' | 'lla')[]
  enabled: ('persistent' | 'dhcp' | 'lla')[]
  address: string
  subnetMask: string
  gateway: string
  persistent: { address: string; subnetMask: string; gateway: string }
}

/**
 * An open camera does not keep the process alive by itself; calls under way and waits for frames do. At the process's end, also by
 * process.exit() or an uncaught error, every camera is given back; only a signal that nobody handles leaves that to the heartbeat.
 */
export interface Camera extends AsyncDisposable, EventEmitter<CameraEvents> {
  readonly info: CameraInfo
  /** GenApi features by SFNC name. */
  readonly features: NodeMap
  readonly access: 'control' | 'exclusive' | 'monitor'
  /** 32-bit, host order. */
  readRegister(address: number): Promise<number>
  writeRegister(address: number, value: number): Promise<void>
  /** Several registers in one message where the camera can. */
  readRegisters(addresses: number[]): Promise<number[]>
  readMemory(address: number, length: number): Promise<Uint8Array>
  writeMemory(address: number, data: Uint8Array): Promise<void>
  /** All settings worth keeping, as JSON: one file makes another camera of the kind the same. Needs control, since selectors move. */
  saveSettings(): Promise<Settings>
  /** Writes saved settings; what the camera did not take is in the report. */
  loadSettings(settings: Settings): Promise<SettingsReport>
  /**
   * Has the camera send these events, by the names of EventSelector, or all that it has; gives those that are on. Errors: ERR_GIGE_FEATURE
   * where it has none, or not these; ERR_GIGE_ACCESS_DENIED without control.
   */
  enableEvents(names?: readonly string[]): Promise<string[]>
  /** Switches off again what enableEvents() switched on. */
  disableEvents(): Promise<void>
  negotiatePacketSize(options?: { min?: number; max?: number; timeout?: number }): Promise<PacketSizeResult>
  stream(options?: StreamOptions): FrameStream
  /** One frame, then stop. */
  grab(options?: StreamOptions & { timeout?: number }): Promise<Frame>
  readIpConfiguration(): Promise<IpConfiguration>
  /**
   * Takes effect at the camera's next start, or with forceIp({ address: '0.0.0.0' }). `persistent` (default true) says whether
   * the address is used then; `dhcp`, where it is left out, stays as it is; link-local is always on.
   */
  setPersistentIp(options: {
    address: string
    subnetMask: string
    gateway?: string
    persistent?: boolean
    dhcp?: boolean
  }): Promise<void>
  /** Requests, retries, timeouts, stale acks, ... of the control channel. */
  controlStats(): Record<string, number>
  /**
   * Ends streams and gives control back. Idempotent, and never an error: a camera that does not answer any more frees itself when
   * its heartbeat runs out.
   */
  close(): Promise<void>
}
