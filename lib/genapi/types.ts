// The public vocabulary of the node map: what a feature is, and what can be asked of it.

import type { AccessMode } from './access.js'
import type { EventItem } from './event-items.js'
import type { FeatureTypes } from './index.js'
import type { CachingMode } from './registers/register-port.js'

export type { AccessMode, CachingMode }

/** GenApi's interface types; `Node` stands for dummies and for 1394 leftovers that carry no value here. */
export type InterfaceType =
  | 'Integer'
  | 'Float'
  | 'Boolean'
  | 'Command'
  | 'Enumeration'
  | 'EnumEntry'
  | 'String'
  | 'Register'
  | 'Category'
  | 'Port'
  | 'Node'

/**
 * Integer: number while safe, bigint beyond 2^53. Float: number. Boolean: boolean. Enumeration: entry name.
 * String: string. Register: bytes.
 */
export type FeatureValue = number | bigint | boolean | string | Uint8Array

export type Visibility = 'Beginner' | 'Expert' | 'Guru' | 'Invisible'

export interface ReadOptions {
  /** Ask the device even where a cached value is valid. */
  ignoreCache?: boolean
}

export interface WriteOptions {
  /** Default true. False skips range and increment checks and pError; access and entries are always checked. */
  verify?: boolean
  /**
   * Default false. True: reads the feature from the device after the write, where that is possible, and throws ERR_GIGE_FEATURE
   * ('differs') with `asked` and `value` in its details when the device made something else of it. Costs a round trip.
   */
  readBack?: boolean
}

export interface ExecuteOptions {
  /** Default true: resolve when the device reports the command as done. False: when it was sent. */
  wait?: boolean
  /** Milliseconds until ERR_GIGE_TIMEOUT; default 10000. */
  timeout?: number
  signal?: AbortSignal
}

export interface EnumerationEntry {
  name: string
  value: number | bigint
  displayName: string
  /** False: the camera knows it, but not with its present settings. */
  available: boolean
}

/** One node of the description. Static facts are properties; whatever may need the device is a promise. */
export interface FeatureNode {
  readonly name: string
  readonly type: InterfaceType
  /** Element name in the description: IntReg, MaskedIntReg, Converter, ... */
  readonly kind: string
  readonly displayName: string
  readonly description: string
  readonly toolTip: string
  readonly visibility: Visibility
  readonly unit: string
  /** 'Standard': the name is one of the SFNC. */
  readonly nameSpace: 'Standard' | 'Custom'
  /** Where the maker documents it, placeholders filled in; '' without. */
  readonly documentationUrl: string
  readonly deprecated: boolean
  /** Another node that stands for the same thing: GainRaw for Gain. */
  readonly alias: string | undefined
  /** Another node to use in place of this one where its type fits better. */
  readonly castAlias: string | undefined
  /** Event after which the value is another one. */
  readonly eventId: number | undefined
  /** Milliseconds after which a value that was read is out of date: of this node, or of one that it depends on. Undefined: never. */
  readonly pollingTime: number | undefined
  /** How values are kept: the weakest mode of all nodes that this one is computed from. */
  readonly cachingMode: CachingMode
  /** Linear, Logarithmic, Boolean, PureNumber, HexNumber, IPV4Address, MACAddress; '' for types without. */
  readonly representation: string
  /** Worth saving with the camera's settings, by its own declaration or by that of the register behind it. */
  readonly streamable: boolean
  /** Reachable from the category Root. */
  readonly isFeature: boolean
  /** Features whose value depends on this selector. */
  readonly selects: string[]
  /** Selectors that choose what this feature shows. */
  readonly selectedBy: string[]
  /** Members of a category in the description's order; empty for other types. */
  features(): FeatureNode[]
  access(): Promise<AccessMode>
  /** Narrows the access from here on, as the description's ImposedAccessMode does; 'RW' takes that back. */
  imposeAccess(mode: AccessMode): void
  /** True where reading it now would ask no device. */
  isCached(): boolean
  min(): Promise<number | bigint | undefined>
  max(): Promise<number | bigint | undefined>
  inc(): Promise<number | bigint | undefined>
  /** The only values that are accepted, where the description lists them. */
  validValues(): Promise<(number | bigint)[] | undefined>
  /** Entries of an Enumeration that this camera implements; empty for other types. */
  entries(): Promise<EnumerationEntry[]>
  get(options?: ReadOptions): Promise<FeatureValue>
  /** Integer behind an Integer, Boolean, Enumeration or rounded Float: the code of a PixelFormat, say. */
  getInteger(options?: ReadOptions): Promise<number | bigint>
  set(value: FeatureValue, options?: WriteOptions): Promise<void>
  execute(options?: ExecuteOptions): Promise<void>
  /** Of a command: whether the device has carried it out. Always true where that cannot be known. */
  isDone(): Promise<boolean>
  /** Value as the description wants it shown: hexadecimal, IP and MAC addresses, decimal places. */
  getText(options?: ReadOptions): Promise<string>
  /** Counterpart of `getText`; also accepts decimal and 0x numbers. */
  setText(text: string, options?: WriteOptions): Promise<void>
}

/** What became of one feature in `getMany`. */
export interface EventValues {
  /** As EventSelector has it ('ExposureEnd'), by what its features are called; undefined where the description has none for it. */
  name: string | undefined
  values: Map<string, FeatureOutcome>
}

export type FeatureOutcome = { value: FeatureValue } | { error: unknown }

/** A node that could not be built, or an oddity that was worked around. */
export interface DescriptionProblem {
  name: string
  line: number
  message: string
}

/** Identity of a description, from its root element. */
export interface DescriptionInfo {
  modelName: string
  vendorName: string
  toolTip: string
  /** None, IIDC, GEV, CL or USB; about most cameras it says None. */
  standardNameSpace: string
  /** Version of the file, e.g. "2.1.0". */
  version: string
  /** Version of the schema, e.g. "1.1.0". */
  schemaVersion: string
}

/** An oddity met while running: worked around, and worth a line in a log. */
export interface FeatureWarning {
  feature: string
  message: string
}

export interface NodeMapEvents {
  /** A feature whose value or access may have changed: written, invalidated, or dependent on such a one. Once per operation. */
  change: [name: string]
  warning: [warning: FeatureWarning]
}

export interface WatchOptions {
  /** Milliseconds between looks at the device; default the feature's `pollingTime`, and without one only changes that are known here. */
  interval?: number
  signal?: AbortSignal
}

/** How 4-byte registers are accessed, and what decided it. */
export interface EndiannessVerdict {
  legacy: boolean
  by: 'evidence' | 'table' | 'schema'
}

/** Known names first, so that editors offer them; any other name is accepted, too. */
export type FeatureName<F> = (keyof F & string) | (string & {})

/** A known feature's type, and any value's for other names. */
export type ValueOf<F, N> = N extends keyof F ? F[N] : FeatureValue

/** `F` names the types of a camera's features, as `gigewire types` prints them. */
export interface NodeMap<F = FeatureTypes> {
  readonly info: DescriptionInfo
  /** Builds every node and lists those that failed, as reading them would tell one by one. */
  problems(): DescriptionProblem[]
  has(name: string): boolean
  /** Throws ERR_GIGE_FEATURE ('unknown') with near names. */
  node(name: string): FeatureNode
  /** First of the names that exists, is of the type if given, and is implemented: for legacy spellings. */
  firstOf(names: readonly string[], type?: InterfaceType): Promise<FeatureNode | undefined>
  get<N extends FeatureName<F>>(name: N, options?: ReadOptions): Promise<ValueOf<F, N>>
  /** Many features in few round trips; each has its value or its own error. */
  getMany(names: readonly string[], options?: ReadOptions): Promise<Map<string, FeatureOutcome>>
  set<N extends FeatureName<F>>(name: N, value: ValueOf<F, N>, options?: WriteOptions): Promise<void>
  execute(name: string, options?: ExecuteOptions): Promise<void>
  /** Forgets what was read through this node, or through all. */
  invalidate(name?: string): void
  /** Called after an operation with the names of all nodes whose value may have changed. */
  onChange(listener: (names: string[]) => void): () => void
  on<K extends keyof NodeMapEvents>(event: K, listener: (...args: NodeMapEvents[K]) => void): this
  once<K extends keyof NodeMapEvents>(event: K, listener: (...args: NodeMapEvents[K]) => void): this
  off<K extends keyof NodeMapEvents>(event: K, listener: (...args: NodeMapEvents[K]) => void): this
  /**
   * The feature's value now, and each other value that it takes. Asks the device again after every change that is known here, and
   * at an interval where the description gives a PollingTime. Ends with the loop, or with the signal (by its reason).
   */
  watch<N extends FeatureName<F>>(name: N, options?: WatchOptions): AsyncGenerator<ValueOf<F, N>, void, void>
  /**
   * Finds out how the camera's registers must be read (genapi.md 7.1), by its answers or else by who made it. To be called once,
   * before use, unless `legacyEndianness` was given. Reads a picture size in both ways; writes nothing.
   */
  settleEndianness(): Promise<EndiannessVerdict>
  /** Gives chunk ports their data, by chunk id; ports without a chunk in `chunks` become not available. */
  attachChunks(chunks: ReadonlyMap<number, Uint8Array>): void
  /**
   * Values of the features that lie in the chunks of a payload, by name; a feature whose chunk is not in it is left out. Reads what it
   * needs of `payload` before it resolves, and keeps nothing of it afterwards.
   */
  chunkValues(payload: Uint8Array): Promise<Map<string, FeatureOutcome>>
  /**
   * Name and values of the features that an event brings, as `parseEventItems` found it in a message. One item after the other, whatever
   * is called meanwhile; the features keep these values until the next event of their kind.
   */
  eventValues(item: EventItem): Promise<EventValues>
  /** Gives the ports of an event their item (16-byte header and data); returns the nodes of that event. */
  deliverEvent(id: number, item: Uint8Array): string[]
  [Symbol.iterator](): Iterator<FeatureNode>
}

export interface NodeMapOptions {
  /** Ports other than the device's, by the name of their Port node. */
  ports?: Readonly<Record<string, import('./port.js').Port>>
  /** Overrides the schema's verdict: true reads and writes 4-byte registers by value (genapi.md 7.1). */
  legacyEndianness?: boolean
  /**
   * Other descriptions, merged into the first: nodes that it lacks are added, categories united, and the rest goes by the
   * MergePriority of the injected node (genapi.md 2.2).
   */
  inject?: readonly string[]
  /** Milliseconds, for the age of cached values; default performance.now. */
  now?: () => number
}
