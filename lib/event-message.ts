// GVCP messages of the message channel as bytes: EVENT and EVENTDATA commands, and the acknowledge. Pure. Source: reference page
// "GigE Vision on the wire", section 1.9.

const KEY = 0x42
const HEADER = 8
const EVENT = 0x00c0
const EVENTDATA = 0x00c2
const ACK_WANTED = 0x01
const EXTENDED_IDS = 0x10

export interface EventCommand {
  requestId: number
  hasData: boolean
  extendedIds: boolean
  /** Behind the header, a view. */
  payload: Uint8Array
  /** What the camera waits for; undefined: for nothing. */
  acknowledge: Uint8Array | undefined
}

/** undefined: no event, cut off, or of another protocol. */
export function parseEventCommand(datagram: Uint8Array): EventCommand | undefined {
  if (datagram.length < HEADER || datagram[0] !== KEY) return undefined
  const view = new DataView(datagram.buffer, datagram.byteOffset, datagram.byteLength)
  const flags = view.getUint8(1)
  const command = view.getUint16(2)
  const length = view.getUint16(4)
  const requestId = view.getUint16(6)
  if (command !== EVENT && command !== EVENTDATA) return undefined
  if (requestId === 0 || HEADER + length > datagram.length) return undefined
  return {
    requestId,
    hasData: command === EVENTDATA,
    extendedIds: (flags & EXTENDED_IDS) !== 0,
    payload: datagram.subarray(HEADER, HEADER + length),
    acknowledge: (flags & ACK_WANTED) !== 0 ? acknowledge(command + 1, requestId) : undefined,
  }
}

/** Success, without a payload. */
function acknowledge(command: number, requestId: number): Uint8Array {
  const ack = new Uint8Array(HEADER)
  const view = new DataView(ack.buffer)
  view.setUint16(2, command)
  view.setUint16(6, requestId)
  return ack
}
