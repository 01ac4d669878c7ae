// One Port node's road to its bytes: a device, or data that was attached to it (chunk, event), with the cache
// of what was read. The cache is kept by (address, length), so that nodes which share a register share its
// bytes, and a selector that moves an address can never show the value of another place (genapi.md 3.2).

import { GigeError } from '../../errors.js'
import { descriptionError } from '../errors.js'
import type { Port } from '../port.js'
import type { Session } from '../session.js'

export type CachingMode = 'NoCache' | 'WriteAround' | 'WriteThrough'

export interface RegisterRange {
  port: RegisterPort
  address: bigint
  length: number
}

interface CachedBytes {
  address: bigint
  data: Uint8Array
  readAt: number
}

export class RegisterPort {
  /** Data that answers instead of a device. */
  attached: Uint8Array | undefined
  /** Finds that data where a node of the description says which it is (pChunkID). */
  choose: ((s: Session) => Uint8Array | undefined) | undefined
  /** The device was asked for registers together, and refused what it gives one by one. */
  refusesTogether = false
  /** 4-byte registers are accessed by value. */
  legacy = false
  /** Counts everything that makes bytes on their way from the device too old to be kept. */
  generation = 0
  readonly #cache = new Map<string, CachedBytes>()
  readonly #lastWritten = new Map<string, Uint8Array>()

  constructor(
    readonly name: string,
    readonly device: Port | undefined,
    private readonly options: { swap: boolean; now: () => number },
  ) {}

  /** Data that answers instead of a device, at this moment. */
  data(s: Session): Uint8Array | undefined {
    return this.choose ? this.choose(s) : this.attached
  }

  /** True where a register of this length is read and written by value, which makes it big-endian. */
  usesRegisterAccess(length: number): boolean {
    return this.legacy && length === 4 && this.device?.readRegister !== undefined
  }

  /** True where scattered 4-byte registers can be read together without changing what their bytes are. */
  get readsRegistersTogether(): boolean {
    if (!this.device?.readRegisters || this.refusesTogether || this.options.swap) return false
    return this.device.registersAreBytes === true
  }

  /** Bytes of many 4-byte registers, read by value. */
  async readRegisters(addresses: readonly bigint[]): Promise<Uint8Array[]> {
    const values = await this.#connected().readRegisters!(addresses.map(Number))
    if (values.length !== addresses.length)
      throw this.#shortAnswer(values.length, addresses.length, 'registers')
    return values.map((value) => wordOf(value))
  }

  /** `isFresh` judges by the age in milliseconds; it is asked only where there is something to judge. */
  cached(address: bigint, length: number, isFresh: (age: number) => boolean): Uint8Array | undefined {
    const entry = this.#cache.get(key(address, length))
    if (!entry || !isFresh(this.options.now() - entry.readAt)) return undefined
    return entry.data
  }

  store(address: bigint, data: Uint8Array): void {
    this.#cache.set(key(address, data.length), { address, data, readAt: this.options.now() })
  }

  /** What was last written there: all that is known of a write-only register. */
  lastWritten(address: bigint, length: number): Uint8Array | undefined {
    return this.#lastWritten.get(key(address, length))
  }

  /** Forgets every cached range that shares a byte with this one. */
  forgetOverlapping(address: bigint, length: number): void {
    this.generation++
    const end = address + BigInt(length)
    for (const [name, entry] of this.#cache) {
      if (entry.address < end && address < entry.address + BigInt(entry.data.length)) this.#cache.delete(name)
    }
  }

  forget(address: bigint, length: number): void {
    this.generation++
    this.#cache.delete(key(address, length))
  }

  forgetAll(): void {
    this.generation++
    this.#cache.clear()
  }

  async read(address: bigint, length: number): Promise<Uint8Array> {
    const device = this.#connected()
    if (this.usesRegisterAccess(length)) {
      return wordOf(await device.readRegister!(Number(address)))
    }
    const data = await device.read(portAddress(address), length)
    if (data.length !== length) throw this.#shortAnswer(data.length, length, 'bytes')
    // A copy: the port may reuse its buffer, and the cache must not change with it.
    return this.options.swap ? swapWords(data) : Uint8Array.from(data)
  }

  /** Writes through to the device and leaves the cache as `mode` says. */
  async write(address: bigint, data: Uint8Array, mode: CachingMode): Promise<void> {
    const device = this.#connected()
    // Forgotten before the attempt: after a failed one nobody knows what the register holds.
    this.forgetOverlapping(address, data.length)
    if (this.usesRegisterAccess(data.length) && device.writeRegister) {
      const value = new DataView(data.buffer, data.byteOffset, 4).getUint32(0)
      await device.writeRegister(Number(address), value)
    } else {
      await device.write(portAddress(address), this.options.swap ? swapWords(data) : data)
    }
    this.#lastWritten.set(key(address, data.length), data)
    if (mode === 'WriteThrough') this.store(address, data)
  }

  #shortAnswer(given: number, asked: number, what: string) {
    return new GigeError('ERR_GIGE_STATUS', `Port ${this.name} gave ${given} of ${asked} ${what}.`, {
      hint: 'The port implementation must return exactly what it was asked for.',
    })
  }

  #connected(): Port {
    if (this.device) return this.device
    throw descriptionError(`Port ${this.name} leads nowhere.`, { port: this.name })
  }
}

const key = (address: bigint, length: number): string => `${address}:${length}`

function wordOf(value: number): Uint8Array {
  const word = new Uint8Array(4)
  new DataView(word.buffer).setUint32(0, value)
  return word
}

const portAddress = (address: bigint): number | bigint =>
  address <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(address) : address

/** Each group of 4 bytes reversed, as SwapEndianess of a Port node asks. */
function swapWords(data: Uint8Array): Uint8Array {
  const swapped = Uint8Array.from(data)
  for (let at = 0; at + 4 <= swapped.length; at += 4) swapped.subarray(at, at + 4).reverse()
  return swapped
}
