// THE contract of the native binary: every export, with its thread and lifetime. lib/native.ts is the only file that loads
// it. All calls are made on the JS thread of the environment that loaded the binary; nothing here blocks it for longer than
// a system call takes, except where a comment says so.

export interface NativeInterface {
  name: string
  index: number
  address: string // '' where the NIC has none
  netmask: string
  mtu: number
  up: boolean
  running: boolean
  loopback: boolean
}

export interface NativeCamera {
  mac: string
  address: string
  subnetMask: string
  gateway: string
  manufacturer: string
  model: string
  version: string
  serial: string
  userName: string
  manufacturerInfo: string
  specVersion: string
  interface: NativeInterface
  reachable: boolean
  unreachableReason?: string
  answeredFrom: string
  byUnicast: boolean
  duplicatePath: boolean
  addressConflict: boolean
}

export interface NativeDiscoveryReport {
  issues: { interface: string; address: string; errno: number; message: string }[]
  interfaces: NativeInterface[]
  probesSent: number
  answers: number
  malformed: number
  leftOut: number // answers of further cameras when 1024 had been found
}

/** One search, on a thread of its own ("gw-discovery"), which ends with it: an object serves one call. stop() ends it early; the promise then resolves all the same. */
export declare class Discovery {
  run(
    options: { interfaces?: string[]; addresses?: string[]; timeout?: number; broadcast?: boolean },
    onFound: (camera: NativeCamera) => void,
  ): Promise<NativeDiscoveryReport>
  /** Resolves with the camera as seen at its new address; ERR_GIGE_TIMEOUT when it never was. */
  forceIp(options: {
    mac: string
    interface: string
    address: string
    subnetMask?: string
    gateway?: string
    timeout?: number
  }): Promise<NativeCamera>
  stop(): void
}

export interface NativeCapabilities {
  specVersion: string
  deviceMode: number
  gvcp: number // register 0x0934
  gvsp: number // register 0x092C
  pendingTimeout: number
  heartbeatTimeout: number
  tickFrequency: bigint // 0n: none
  streamChannels: number
  readsDenied: boolean
  localAddress: string
  localPort: number
}

export interface NativeNegotiation {
  ok: boolean
  message: string
  packetSize: number
  previous: number
  limitedBy: 'interface-mtu' | 'path' | 'camera' | 'option'
  punched: boolean
  ms: number
  scsp: number
  sourcePort: number // where test packets came from; 0: unknown
  openedChannel: boolean
  dontFragmentKept: boolean
  fragmentCheck: boolean
  firesOnce: boolean
  foreign: number
  tried: {
    size: number
    arrived: boolean
    ms: number
    actual: number
    fragmented: boolean
    status: number
    fired: number
  }[]
}

export interface NativeIpConfiguration {
  supported: number
  enabled: number
  address: string
  subnetMask: string
  gateway: string
  persistentAddress: string
  persistentSubnetMask: string
  persistentGateway: string
}

/**
 * The control channel of one camera. Promises settle in the order of the calls, which run on this camera's worker thread
 * ("gw-control"); the heartbeat has its own ("gw-heartbeat"). onLost is called at most once. close() ends waiting calls with
 * ERR_GIGE_CLOSED, gives control back and ends the threads; it rejects where the camera did not answer. The end of the
 * environment does the same, blocking for up to 0.3 s. Later calls fail with ERR_GIGE_CLOSED; stats() stays.
 */
export declare class CameraControl {
  constructor(onLost: (reason: string, message: string) => void)
  open(options: {
    address: string
    port?: number
    localAddress?: string
    device?: string
    ackTimeout?: number
    tries?: number
  }): Promise<NativeCapabilities>
  takeControl(access: 'control' | 'exclusive' | 'monitor', heartbeatTimeout: number): Promise<void>
  readRegisters(addresses: number[]): Promise<number[]>
  writeRegister(address: number, value: number): Promise<void>
  readMemory(address: number, length: number): Promise<Uint8Array>
  writeMemory(address: number, data: Uint8Array): Promise<void>
  openStreamChannel(options: {
    channel: number
    address: string
    port: number
  }): Promise<{ sourcePort: number; scspSupported: boolean }>
  closeStreamChannel(channel: number): Promise<void>
  negotiatePacketSize(
    port: StreamPort,
    options: {
      channel?: number
      interfaceMtu?: number
      min?: number
      max?: number
      cameraMin?: number
      cameraMax?: number
      increment?: number
      timeout?: number
      punch?: boolean
      /** False: does the size come in fragments? Default true. */
      dontFragment?: boolean
      destination?: string
    },
  ): Promise<NativeNegotiation>
  readIpConfiguration(): Promise<NativeIpConfiguration>
  setPersistentIp(options: {
    persistent?: boolean
    dhcp?: boolean
    address?: string
    subnetMask?: string
    gateway?: string
  }): Promise<void>
  close(): Promise<void>
  stats(): Record<string, number>
  holder(): { address: string; port: number } | undefined
}

/** A bound UDP socket. Shared with a receiver while it uses it; close() ends a negotiation on it (ERR_GIGE_CLOSED). */
export declare class StreamPort {
  constructor(options: {
    address: string
    device?: string // NIC to pin it to, as far as the system lets us
    port?: number
    portHigh?: number
    multicast?: string
  })
  readonly port: number
  /** Asks the kernel for a queue of that many bytes. beyondLimit: granted by privilege, whatever net.core.rmem_max says. */
  setReceiveBuffer(bytes: number): { bytes: number; beyondLimit: boolean }
  /** SO_BUSY_POLL; returns 0, or the errno it was refused with. */
  setBusyPoll(microseconds: number): number
  close(): void
}

export interface NativeStreamOptions {
  slots: number
  slotBytes: number
  packetSize: number
  packetSizeConfirmed: boolean
  payloadSize: number
  cameraAddress: string
  channelIsNew?: boolean // the camera's block ids begin at 1
  cameraPort?: number // 0: that of the first packet
  cameraPortProven?: boolean // no other port is ever believed
  channel?: number
  bufferHandling?: 'OldestFirst' | 'OldestFirstOverwrite' | 'NewestOnly'
  deliverIncomplete?: boolean
  resend?: {
    enabled: boolean
    initialDelay?: number
    responseTimeout?: number
    idleDelay?: number
    timeout?: number
    maxTries?: number
    budgetPercent?: number
    budgetBurst?: number
  }
  frameTimeout?: number
  reorderGrace?: number
  keepAlive?: number // ms; 0: none
  engine?: 'auto' | 'copy' | 'scatter' | 'aggregate' | 'packet-ring' | 'xdp' | 'registered'
  device?: string // for 'packet-ring' and 'xdp': the NIC that the stream comes in by; '' or none: the loopback
  coalesce?: number // ms, 0 to 10; 0: none
  queueBytes?: number // of the socket, as granted; of a ring, as wanted
  punchAddress?: string
  punchPort?: number // gets a datagram at start() and as keep-alive; 0: none
  busyPoll?: number // us to ask the socket again and again before the receive thread sleeps; stop() takes as long
  priority?: number // of a thread of its own: 1 to 99 real time, -20 to -1 niceness, 0 as it is
  cpus?: number[] // where that thread may run
  hugePages?: boolean
  sharedThread?: boolean // one receive thread for several streams, where the engine's source can be polled
  packetsPerSecond?: number // foreseen, to fill shared threads by
}

/** Errors are errno; 0: granted, or not asked for. */
export interface NativeGrants {
  sharedThread: boolean
  priorityError: number
  priorityLimit: number // RLIMIT_RTPRIO, or RLIMIT_NICE for a niceness, of this process
  cpuError: number
  cpus: number[] // where the thread may run
  hugeError: number
  hugePossible: number // bytes that whole huge pages can cover
  hugeGranted: number // bytes in huge pages
  hugeCounted: boolean // false: the system does not tell
}

/**
 * The receive thread ("gw-rx-<port>"; with further streams that it serves "gw-rx-<port>+<n>") over shared memory. It pins `memory` (a Uint8Array over a SharedArrayBuffer) until
 * stop(), which joins the thread or leaves the shared one (microseconds) and leaves final statistics and frames in the memory. onWake is called on
 * the JS thread when frames or events came, merged; and once after the thread ended. What it throws is an uncaught exception.
 */
export declare class StreamReceiver {
  constructor(
    options: NativeStreamOptions,
    control: CameraControl | undefined,
    port: StreamPort,
    memory: Uint8Array,
    onWake: () => void,
  )
  readonly id: number // for StreamConsumer in other environments of this process
  readonly baseOffset: number // where the control block begins in memory
  readonly queueBytes: number // of a ring, as granted; else as in the options
  readonly mode: 'zero-copy' | 'native' | 'generic' | '' // of engine 'xdp'
  start(): NativeGrants
  stop(): void
  ref(on: boolean): void // whether a wait for frames keeps the process alive
}

/** Another environment's ear for the same stream: onWake as above. ERR_GIGE_CLOSED when the stream is gone. */
export declare class StreamConsumer {
  constructor(id: number, onWake: () => void)
  /** Written to a slot's header with each lease: what this environment still holds when it ends is given back. */
  readonly holder: number
  close(): void
  ref(on: boolean): void
}

/** A simulated camera with threads of its own ("gev-sim-ctl", "gev-sim-snd"); options as in lib/simulator.ts. */
export declare class NativeSimulator {
  constructor(options: object)
  stop(): void
  stats(): Record<string, unknown>
  /** Block id, time, block id, time, ... of at most `sendTimes` blocks, in no order. */
  sendTimes(): BigUint64Array
  setFaults(faults: object): void
  inject(what: 'crash' | 'reboot' | 'stall' | 'loseControl' | 'trigger', ms?: number): void
}

/** Offsets and constants of the shared memory, for the test that compares them with lib/layout.ts. */
export declare const layout: Record<string, Record<string, unknown>>

export declare function setErrorFactory(
  factory: (code: string, message: string, details: Record<string, unknown>) => Error,
): void
/** Stops every stream, simulator and search of this environment and gives every camera back. Blocks until done. */
export declare function closeAll(): void
export declare function listInterfaces(): NativeInterface[]
/** What the driver of a network card counts, by its own names; {} where it tells none, or the system does not say. */
export declare function driverCounters(nic: string): Record<string, number>
/** Bytes a stream needs; total memory is totalSize + page, so that the block can be aligned. */
export declare function streamLayout(
  slots: number,
  slotBytes: number,
  packetSize: number,
): { totalSize: number; page: number }
export declare function pixelFormat(
  format: number | string,
): { code: number; name: string; bitsPerPixel: number; packedLines: boolean } | undefined
/** Offset of the first byte that is not the simulator's checkable pattern, or -1. */
export declare function firstWrongByte(image: Uint8Array, blockId: bigint, seed: bigint): number
