// Bytes to numbers and back, for registers of 1 to 8 bytes in both byte orders (genapi.md 2.6, 2.8).

export type ByteOrder = 'LittleEndian' | 'BigEndian'

/** The bytes as one unsigned number. */
export function decodeUnsigned(bytes: Uint8Array, order: ByteOrder): bigint {
  let value = 0n
  for (let index = 0; index < bytes.length; index++) {
    const byte = order === 'BigEndian' ? bytes[index]! : bytes[bytes.length - 1 - index]!
    value = (value << 8n) | BigInt(byte)
  }
  return value
}

/** The low `length` bytes of `value`; negative numbers as two's complement. */
export function encodeInteger(value: bigint, length: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = BigInt.asUintN(8 * length, value)
  for (let index = 0; index < length; index++) {
    bytes[order === 'LittleEndian' ? index : length - 1 - index] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return bytes
}

/** IEEE 754, 4 or 8 bytes; the caller has checked the length. */
export function decodeFloat(bytes: Uint8Array, order: ByteOrder): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = order === 'LittleEndian'
  return bytes.length === 4 ? view.getFloat32(0, little) : view.getFloat64(0, little)
}

export function encodeFloat(value: number, length: number, order: ByteOrder): Uint8Array {
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  const little = order === 'LittleEndian'
  if (length === 4) view.setFloat32(0, value, little)
  else view.setFloat64(0, value, little)
  return bytes
}
