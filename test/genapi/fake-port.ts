// A device of plain memory that records who touched what: the accesses are half of what the tests look at.

import type { Port } from '../../lib/genapi/index.js'

export interface Access {
  op: 'read' | 'write' | 'readRegister' | 'writeRegister'
  address: number
  length: number
}

export class FakePort implements Port {
  readonly memory: Uint8Array
  readonly log: Access[] = []
  /** Called before an access is carried out; may throw or change memory. */
  onAccess: ((access: Access) => void | Promise<void>) | undefined

  constructor(size = 0x10000) {
    this.memory = new Uint8Array(size)
  }

  async read(address: number | bigint, length: number): Promise<Uint8Array> {
    await this.#record('read', Number(address), length)
    return this.memory.slice(Number(address), Number(address) + length)
  }

  async write(address: number | bigint, data: Uint8Array): Promise<void> {
    await this.#record('write', Number(address), data.length)
    this.memory.set(data, Number(address))
  }

  poke(address: number, ...bytes: number[]): this {
    this.memory.set(bytes, address)
    return this
  }

  poke32(address: number, value: number): this {
    new DataView(this.memory.buffer).setUint32(address, value)
    return this
  }

  peek(address: number, length: number): number[] {
    return Array.from(this.memory.subarray(address, address + length))
  }

  peek32(address: number): number {
    return new DataView(this.memory.buffer).getUint32(address)
  }

  /** Accesses since the last call, as "read 100+4". */
  taken(): string[] {
    return this.log.splice(0).map(({ op, address, length }) => `${op} ${address.toString(16)}+${length}`)
  }

  async #record(op: Access['op'], address: number, length: number): Promise<void> {
    const access = { op, address, length }
    this.log.push(access)
    await this.onAccess?.(access)
  }
}

/** A FakePort that also has registers by value, as GVCP's READREG and WRITEREG. */
export class RegisterFakePort extends FakePort {
  async readRegister(address: number): Promise<number> {
    this.log.push({ op: 'readRegister', address, length: 4 })
    return this.peek32(address)
  }

  async writeRegister(address: number, value: number): Promise<void> {
    this.log.push({ op: 'writeRegister', address, length: 4 })
    this.poke32(address, value)
  }
}
