// The way of a packet from the camera to the program, layer by layer: where it passes, where it is stopped, and what is not known. Purpose:
// whoever stands at the machine sees every place that could be looked at, also those that nobody here can look into. Pure.

import type { Facts } from '../facts.js'
import type { FindingCode } from '../finding-codes.js'
import type { Finding, Layer, LayerName, LayerState } from '../report.js'
import { type Evidence, evidence } from './evidence.js'

/** In the order in which a packet meets them. */
const ORDER: readonly LayerName[] = [
  'camera',
  'cable',
  'switch',
  'router',
  'interface',
  'firewall',
  'security-product',
  'program',
]

/** Where a finding lies; several places: it is one of them. */
const PLACES: Partial<Record<FindingCode, readonly LayerName[]>> = {
  'camera.busy': ['camera'],
  'camera.no-test-packet': ['camera'],
  'camera.off-or-other-segment': ['camera', 'cable', 'switch', 'router'],
  'network.not-a-camera': ['camera'],
  'network.address-conflict': ['camera'],
  'stream.waiting-for-trigger': ['camera'],
  'stream.not-acquiring': ['camera'],
  'camera.not-restored': ['camera'],
  'stream.wrong-destination': ['camera'],
  'stream.nothing-sent': ['camera', 'switch', 'router'],
  'stream.no-whole-frame': ['switch', 'router', 'interface'],
  'link.down': ['cable'],
  'mtu.path': ['switch'],
  'mtu.fragmentation': ['switch'],
  'network.switch-loss': ['switch'],
  'network.broadcast-blocked': ['switch', 'router'],
  'network.nat': ['router'],
  'network.wrong-subnet': ['interface'],
  'network.rp-filter': ['interface'],
  'network.ambiguous-route': ['interface'],
  'mtu.host': ['interface'],
  'nic.ring': ['interface'],
  'host.backlog': ['interface'],
  'firewall.inbound-stream': ['firewall'],
  'firewall.inbound-reject': ['firewall'],
  'firewall.inbound-all': ['firewall'],
  'firewall.outbound': ['firewall'],
  'firewall.broadcast-reply': ['firewall'],
  'firewall.idle-timeout': ['firewall'],
  'firewall.policy-managed': ['firewall'],
  'firewall.unicast-response-to-broadcast': ['firewall'],
  'macos.local-network-privacy': ['firewall'],
  'filter-driver.steals': ['security-product'],
  'host.receive-buffer': ['program'],
  'host.port-taken': ['program'],
  'stream.no-free-slot': ['program'],
}

const NAMES: Record<LayerName, string> = {
  camera: 'camera',
  cable: 'cable',
  switch: 'switch',
  router: 'router, second router, company filter',
  interface: 'network interface',
  firewall: 'firewall of this computer',
  'security-product': 'other security products',
  program: 'program',
}

/** Empty where no camera was asked for. */
export function layersOf(facts: Facts, findings: readonly Finding[]): Layer[] {
  const e = evidence(facts)
  if (e.camera === '') return []
  return ORDER.filter((layer) => isThere(layer, e)).map((layer) => ({
    layer,
    network: 'camera' as const,
    name: NAMES[layer],
    ...judged(layer, e, findings),
  }))
}

function isThere(layer: LayerName, { facts, nic }: Evidence): boolean {
  if (nic?.loopback && ['cable', 'switch', 'router'].includes(layer)) return false
  if (layer === 'router') return facts.host.route?.gateway !== undefined
  // Linux has none that take packets from a program.
  return layer !== 'security-product' || facts.system !== 'linux'
}

function judged(
  layer: LayerName,
  e: Evidence,
  findings: readonly Finding[],
): { state: LayerState; because: FindingCode[] } {
  const here = findings.filter(({ code, severity }) => severity !== 'info' && PLACES[code]?.includes(layer))
  const because = here.map(({ code }) => code)
  const surely = here.filter(({ code }) => placesOf(code, e) === 1)
  if (surely.some(({ severity }) => severity === 'error')) return { state: 'stops', because }
  if (surely.length > 0) return { state: 'hinders', because }
  if (here.length > 0) return { state: 'suspect', because }
  return { state: passes(layer, e) ? 'passes' : 'unknown', because }
}

const placesOf = (code: FindingCode, e: Evidence) =>
  (PLACES[code] ?? []).filter((layer) => isThere(layer, e)).length

/** Something of the camera came at least so far: as far as the program, or, of what was dropped here, as far as the interface. */
function passes(layer: LayerName, { U, B, T, TP, burst, unicast, facts }: Evidence): boolean {
  const streamed = [T?.arrived, TP?.arrived, burst?.stream.packetsReceived, facts.stream?.packetsReceived]
  if (streamed.some((count = 0) => count > 0)) return true
  const outside = ['camera', 'cable', 'switch', 'router']
  const counted = [unicast?.counters, T?.counters, TP?.counters, burst?.counters]
  if (counted.some((counters) => (counters?.fwDrop ?? 0) > 0))
    return [...outside, 'interface'].includes(layer)
  return (U === true || B === true) && outside.includes(layer)
}
