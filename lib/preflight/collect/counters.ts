// What a probe did to the counters of this host (reference/firewall.md section 4): taken before and after, told as the difference. Only
// Linux tells them to everybody; elsewhere there is nothing to tell.

import { readdirSync } from 'node:fs'
import { native } from '../../native.js'
import { readNumber, readText } from '../../system-files.js'
import type { CounterDelta } from '../facts.js'
import { parseNamedCounters, parseSoftnetDrops } from './proc.js'

const STATISTICS = ['rx_packets', 'rx_dropped', 'rx_errors', 'rx_missed_errors', 'rx_length_errors'] as const

/** Names differ from driver to driver; these say that something was received and not handed on. */
const LOSSES = /drop|miss|fifo|no_?buf|over|discard|jabber|length|alloc_fail/i
const SENDING = /(^|_)tx/i

export interface CounterSnapshot {
  system: Map<string, number>
  softDrops: number | undefined
  nic: Partial<Record<(typeof STATISTICS)[number], number>>
  /** Of its driver, where they are of losses. */
  driver: Map<string, number>
}

/** `nic`: whose own counters are looked at. */
export function takeCounters(nic: string): CounterSnapshot | undefined {
  const snmp = readText('/proc/net/snmp')
  if (process.platform !== 'linux' || snmp === undefined) return undefined
  const folder = readdirSafely('/sys/class/net').includes(nic) ? `/sys/class/net/${nic}/statistics` : ''
  const found: CounterSnapshot['nic'] = {}
  for (const name of STATISTICS) {
    const value = folder === '' ? undefined : readNumber(`${folder}/${name}`)
    if (value !== undefined) found[name] = value
  }
  return {
    system: new Map([
      ...parseNamedCounters(snmp),
      ...parseNamedCounters(readText('/proc/net/netstat') ?? ''),
    ]),
    softDrops: parseSoftnetDrops(readText('/proc/net/softnet_stat') ?? ''),
    nic: found,
    driver: new Map(
      Object.entries(native.driverCounters(nic)).filter(([name]) => LOSSES.test(name) && !SENDING.test(name)),
    ),
  }
}

function readdirSafely(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

export function counterDelta(before: CounterSnapshot, after: CounterSnapshot): CounterDelta {
  const rose = (name: string) => (after.system.get(name) ?? 0) - (before.system.get(name) ?? 0)
  const known = (name: string) => after.system.has(name) && before.system.has(name)
  const nicRose = (...names: (typeof STATISTICS)[number][]) => {
    const each = names.map((name) => {
      const [was, is] = [before.nic[name], after.nic[name]]
      return was === undefined || is === undefined ? undefined : is - was
    })
    const numbers = each.filter((value) => value !== undefined)
    return numbers.length === 0 ? undefined : numbers.reduce((sum, value) => sum + value, 0)
  }
  const delta: CounterDelta = {}
  const put = (name: Exclude<keyof CounterDelta, 'driver'>, value: number | undefined) => {
    if (value !== undefined) delta[name] = Math.max(0, value)
  }
  put('nicRx', nicRose('rx_packets'))
  put('nicDrop', nicRose('rx_dropped', 'rx_errors', 'rx_missed_errors'))
  const { softDrops: was } = before
  if (was !== undefined && after.softDrops !== undefined) put('softDrop', after.softDrops - was)
  if (known('Ip.InReceives')) {
    const rpDrop = rose('TcpExt.IPReversePathFilter')
    const folded = rose('Ip.ReasmReqds') - rose('Ip.ReasmOKs')
    const refused =
      rose('Ip.InHdrErrors') + rose('Ip.InAddrErrors') + rose('Ip.InUnknownProtos') + rose('Ip.InDiscards')
    put('ipReceives', rose('Ip.InReceives'))
    put('ipDelivers', rose('Ip.InDelivers'))
    put(
      'fwDrop',
      rose('Ip.InReceives') - rose('Ip.InDelivers') - rose('Ip.ForwDatagrams') - refused - rpDrop - folded,
    )
    put('rpDrop', rpDrop)
    put('rejSent', rose('Icmp.OutDestUnreachs'))
    put('sockDrop', rose('Udp.RcvbufErrors'))
    put('noSock', rose('Udp.NoPorts'))
    put('fragIn', rose('Ip.ReasmOKs'))
    put('fragBad', rose('Ip.ReasmFails') + rose('Ip.ReasmTimeout'))
  }
  const driver = [...after.driver].flatMap(([name, value]) => {
    const rise = value - (before.driver.get(name) ?? value)
    return rise > 0 ? [[name, rise] as const] : []
  })
  if (driver.length > 0) delta.driver = Object.fromEntries(driver)
  return delta
}
