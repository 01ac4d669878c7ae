// Linux' text files under /proc/net as numbers. Pure: from text to values, whatever the text is; a line that makes no sense is left out.

/** `Ip: InReceives InDelivers` above `Ip: 12 10`, as in /proc/net/snmp and /proc/net/netstat: 'Ip.InReceives' -> 12. */
export function parseNamedCounters(text: string): Map<string, number> {
  const counters = new Map<string, number>()
  const lines = text.split('\n')
  for (let i = 0; i + 1 < lines.length; i++) {
    const [names, values] = [lines[i]!.trim().split(/\s+/), lines[i + 1]!.trim().split(/\s+/)]
    if (!names[0]?.endsWith(':') || names[0] !== values[0] || !Number.isNaN(Number(names[1]))) continue
    for (let column = 1; column < Math.min(names.length, values.length); column++) {
      const value = Number(values[column])
      if (Number.isFinite(value)) counters.set(`${names[0].slice(0, -1)}.${names[column]}`, value)
    }
  }
  return counters
}

/** Second column of /proc/net/softnet_stat, hexadecimal, of all CPUs: packets dropped since the backlog was full. */
export function parseSoftnetDrops(text: string): number | undefined {
  const rows = text.split('\n').filter((row) => /^[0-9a-f]+\s+[0-9a-f]+/i.test(row))
  if (rows.length === 0) return undefined
  return rows.reduce((sum, row) => sum + Number.parseInt(row.split(/\s+/)[1]!, 16), 0)
}

export interface Neighbour {
  address: string
  mac: string
  interface: string
  state: 'complete' | 'incomplete'
}

/** /proc/net/arp; flag 0x2: somebody answered. */
export function parseArp(text: string): Neighbour[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length >= 6)
    .map(([address, , flags, mac, , device]) => ({
      address: address!,
      mac: mac!,
      interface: device!,
      state: (Number(flags) & 2) !== 0 ? 'complete' : 'incomplete',
    }))
}

/** Of what `ip route get` printed. */
export function parseDevice(text: string): string | undefined {
  return / dev (\S{1,15})(?: |$)/m.exec(text)?.[1]
}

/** What `ip route show exact` printed, but for a route with a metric, which another one may stand beside, and for the state of its link. */
export function parseExactRoute(text: string, address: string): string {
  const lines = text.split('\n').map((line) => line.replace(/ (linkdown|dead|offload|trap)\b/g, '').trim())
  const plain = lines.find((line) => /^[\w.:/@ -]+$/.test(line) && !/ metric /.test(line))
  return plain?.split(' ')[0] === address ? plain : ''
}

/** Addresses of the gateways of default routes by NIC, from /proc/net/route. */
export function parseGateways(text: string): Map<string, string> {
  const gateways = new Map<string, string>()
  for (const line of text.split('\n').slice(1)) {
    const [device, destination, gateway] = line.trim().split(/\s+/)
    if (!device || destination !== '00000000' || !/^[0-9A-F]{8}$/i.test(gateway ?? '')) continue
    const bytes = gateway!.match(/../g)!.map((byte) => Number.parseInt(byte, 16))
    gateways.set(device, bytes.reverse().join('.')) // of a machine that is little-endian, as all are that this runs on
  }
  return gateways
}

/** `KEY=value` and `KEY="value"`, as in /etc/default/ufw. */
export function parseAssignments(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const match = /^\s*([A-Z_][A-Z0-9_]*)=(?:"([^"]*)"|'([^']*)'|([^#\s]*))/.exec(line)
    if (match) values.set(match[1]!, match[2] ?? match[3] ?? match[4] ?? '')
  }
  return values
}
