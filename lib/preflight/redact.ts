// A report without what it tells of people and places: addresses, MACs and user names become others, the same ones everywhere, so that it can
// still be read. Networks stay networks, and masks, the loopback and broadcasts what they are. Pure.

const IPV4 = /(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])/g
const MAC = /\b[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\1[0-9a-f]{2}){4}\b/gi
/** With `::` somewhere, or all of its eight parts; a zone behind it goes as well. Times have fewer colons. */
const IPV6 =
  /(?<![\w:.])(?=[0-9a-f:]*\d)(?:(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}|(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?::(?:[0-9a-f]{1,4}(?::[0-9a-f]{1,4})*)?)(?:%\w+)?(?![\w:]|\.\d)/gi
/** Of a user, a machine or an app. */
const SID = /\b(S-1-(?:5-21|12-1|15-[23]))(?:-\d+){3,}/g
/** `/home/jane`, `/Users/jane`, `C:\Users\jane`; in JSON backslashes are doubled. */
const USER = /((?:\/home\/|\/Users\/|\\Users\\+))([^/\\"]+)/g
const KEPT = /^(?:0|127|255)\./

export function redact<T>(report: T): T {
  const networks = new Map<string, number>()
  const macs = new Map<string, number>()
  const users = new Map<string, number>()
  const others = new Map<string, number>()
  const sids = new Map<string, number>()
  const numberOf = (known: Map<string, number>, key: string) => {
    const number = known.get(key) ?? known.size + 1
    known.set(key, number)
    return number
  }
  const text = JSON.stringify(report)
    .replace(IPV4, (address) => {
      if (KEPT.test(address)) return address
      const at = address.lastIndexOf('.')
      const network = numberOf(networks, address.slice(0, at))
      // In the range for documentation and tests of networks.
      return `198.${18 + (network >> 8)}.${network & 255}${address.slice(at)}`
    })
    .replace(MAC, (mac) => {
      if (/^(?:00[:-]){5}00$|^(?:ff[:-]){5}ff$/i.test(mac)) return mac
      const number = numberOf(macs, mac.toLowerCase().replaceAll('-', ':'))
      const last = [number >> 8, number & 255].map((byte) => byte.toString(16).padStart(2, '0'))
      return ['02', '00', '00', '00', ...last].join(mac[2])
    })
    .replace(IPV6, (address) => {
      if (/^::1?$/.test(address)) return address
      return `2001:db8::${numberOf(others, address.toLowerCase()).toString(16)}`
    })
    .replace(SID, (sid, kind: string) => `${kind}-0-0-0-${numberOf(sids, sid)}`)
    .replace(USER, (_, folder: string, user: string) => `${folder}user${numberOf(users, user)}`)
  return JSON.parse(text) as T
}
