// The items of a GVCP event message (genapi.md 6.2), big-endian throughout: EVENT packs several without data, EVENTDATA has one with
// data, or, with extended ids, several that tell their sizes. Descriptions are written for the item of 16 bytes, so that one with 64-bit block ids is brought into that form.

const CLASSIC = 16
const EXTENDED = 24
const TIMESTAMP = 8 // where descriptions look for it

export interface EventItem {
  id: number
  streamChannel: number
  blockId: bigint
  /** Camera ticks. */
  timestamp: bigint
  /** Behind the header; EVENTDATA only. */
  data: Uint8Array
  /** What `deliverEvent` takes: the 16-byte header, and the data. */
  bytes: Uint8Array
}

export interface EventMessage {
  /** EVENTDATA: the message is one item, with data. */
  hasData: boolean
  /** By the flag in the GVCP header. */
  extendedIds: boolean
}

/** Items of a message without its GVCP header. What is too short for an item, also at the end, is left out. */
export function parseEventItems(message: Uint8Array, { hasData, extendedIds }: EventMessage): EventItem[] {
  const size = extendedIds ? EXTENDED : CLASSIC
  const items: EventItem[] = []
  for (let at = 0; at + size <= message.length; ) {
    const end = hasData ? endWithData(message, at, extendedIds) : at + size
    items.push(parseItem(message.subarray(at, end), size))
    at = end
  }
  return items
}

/** With extended ids an item tells its size, so that another one may follow; else its data goes to the end of the message. */
function endWithData(message: Uint8Array, at: number, extendedIds: boolean): number {
  const told = extendedIds ? (message[at]! << 8) | message[at + 1]! : 0
  return told >= EXTENDED && at + told <= message.length ? at + told : message.length
}

function parseItem(item: Uint8Array, size: number): EventItem {
  const view = new DataView(item.buffer, item.byteOffset, item.byteLength)
  const isExtended = size === EXTENDED
  const data = item.subarray(size)
  const timestamp = view.getBigUint64(size - 8)
  const bytes = new Uint8Array(CLASSIC + data.length)
  bytes.set(item.subarray(0, TIMESTAMP))
  new DataView(bytes.buffer).setBigUint64(TIMESTAMP, timestamp)
  bytes.set(data, CLASSIC)
  return {
    id: view.getUint16(2),
    streamChannel: view.getUint16(4),
    blockId: isExtended ? view.getBigUint64(8) : BigInt(view.getUint16(6)),
    timestamp,
    data,
    bytes,
  }
}

/** What the features of an event have in common: EventExposureEnd and EventExposureEndTimestamp belong to ExposureEnd. */
export function eventName(features: readonly string[]): string | undefined {
  const named = features.filter((name) => /^Event./.test(name)).sort((a, b) => a.length - b.length)
  return named[0]?.slice('Event'.length)
}
