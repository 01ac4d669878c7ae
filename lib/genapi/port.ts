// The way to the camera's registers, as this folder sees it. Whoever owns a connection (native control
// channel, a recording, a test) implements it; nothing in here knows another road to a device.

export interface Port {
  /** Throws where the device is gone: values that are remembered of it are then refused, too. Asked before each operation. */
  assertUsable?(): void
  /**
   * Reads `length` bytes of device memory. `address` is a bigint only beyond 2^53. Neither is aligned for
   * the transport: it pads to its granularity and splits long blocks itself.
   */
  read(address: number | bigint, length: number): Promise<Uint8Array>
  /** Writes `data` to device memory; alignment and splitting as for `read`. */
  write(address: number | bigint, data: Uint8Array): Promise<void>
  /**
   * Reads one 32-bit register by value. Used for every 4-byte access where the description asks for it
   * (schema 1.0 on GigE, "legacy endianness", genapi.md 7.1); without it those go through `read`.
   */
  readRegister?(address: number): Promise<number>
  /** Writes one 32-bit register by value; see `readRegister`. */
  writeRegister?(address: number, value: number): Promise<void>
  /** Reads many registers by value, in as few round trips as the transport allows. Fails as a whole. */
  readRegisters?(addresses: number[]): Promise<number[]>
  /**
   * True where a register's value, most significant byte first, is what `read` gives: scattered registers are then read together
   * by `readRegisters`. Big-endian devices, which is nearly all.
   */
  readonly registersAreBytes?: boolean
  /** Default RW. RO: nothing can be written, as when the camera is only listened to. */
  readonly access?: 'RO' | 'RW'
}
