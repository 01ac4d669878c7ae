// Addresses and routes: whether camera and host can talk to each other at all.

import { inSubnet } from '../../ipv4.js'
import { filtering } from '../route.js'
import type { Rule } from './rule.js'

const NETWORK_ERRORS = new Set(['ENETUNREACH', 'EADDRNOTAVAIL', 'WSAENETUNREACH'])

const wrongSubnet: Rule = ({ broadcast, camera, unicast, U, facts }) => {
  const stranger = broadcast?.answers.find(({ address, reachable }) => !reachable && address === camera)
  const noRoute = unicast?.error !== undefined && NETWORK_ERRORS.has(unicast.error)
  if (U || (!stranger && !noRoute)) return undefined
  const nics = facts.host.interfaces.filter(({ up, loopback, address }) => up && !loopback && address !== '')
  return {
    code: 'network.wrong-subnet',
    severity: 'error',
    confidence: stranger ? 'certain' : 'high',
    summary:
      stranger && nics.some((nic) => inSubnet(camera, nic))
        ? `${camera} is behind ${stranger.from}, and its address belongs to the network of another interface`
        : `No network interface of this computer is in the subnet of ${camera}`,
    evidence: [
      ...(stranger
        ? [`it answers a broadcast through ${stranger.from}: ${camera}, mask ${stranger.subnetMask}`]
        : []),
      ...(noRoute ? [`the system has no way to it (${unicast!.error})`] : []),
      ...nics.slice(0, 8).map(({ name, address, netmask }) => `${name} has ${address}, mask ${netmask}`),
    ],
  }
}

/** A single one is anybody's. */
const FEWEST_DROPS = 2

const reversePath: Rule = ({ facts, U, B, T, TP }) => {
  const dropped = facts.probes.reduce((sum, { counters }) => sum + (counters?.rpDrop ?? 0), 0)
  // It counts every packet of such a sender: where the camera's come through, they were somebody else's.
  const shots = [T, TP].filter((one) => one !== undefined && one.fired > 0)
  const silent = U === false || (shots.length > 0 && shots.every((one) => one!.arrived === 0))
  if (dropped < FEWEST_DROPS || (!silent && B !== false)) return undefined
  return {
    code: 'network.rp-filter',
    severity: silent ? 'error' : 'warning',
    confidence: silent ? 'certain' : 'high',
    summary: silent
      ? 'The kernel drops what the camera sends: by its routes that sender belongs to another interface'
      : 'The kernel drops answers to broadcasts: by its routes their sender belongs to another interface',
    evidence: [
      `IPReversePathFilter rose by ${dropped}`,
      ...filtering(facts.host).map(({ name, rpFilter }) => `rp_filter of ${name} is ${rpFilter}`),
    ],
  }
}

const ambiguousRoute: Rule = ({ facts, camera, broadcast, U, nic }) => {
  const nics = facts.host.interfaces.filter((one) => one.up && !one.loopback && inSubnet(camera, one))
  const seenBy = broadcast?.answers.find(({ address }) => address === camera)?.from
  if (nics.length < 2 || U || seenBy === undefined || seenBy === nic?.name) return undefined
  return {
    code: 'network.ambiguous-route',
    severity: 'error',
    confidence: 'certain',
    summary: `${nics.map(({ name }) => name).join(' and ')} are in one subnet, and the system sends to ${camera} by ${nic?.name ?? 'one of them'}`,
    evidence: [
      ...nics.map(({ name, address, netmask }) => `${name} has ${address}, mask ${netmask}`),
      `the camera was heard through ${seenBy}`,
    ],
  }
}

const addressConflict: Rule = ({ facts, camera, broadcast }) => {
  const macs = new Set(broadcast?.answers.filter(({ address }) => address === camera).map(({ mac }) => mac))
  if (!facts.camera?.addressConflict && macs.size < 2) return undefined
  return {
    code: 'network.address-conflict',
    severity: 'error',
    confidence: 'certain',
    summary: `More than one camera has the address ${camera}`,
    evidence: [...macs].map((mac) => `${mac} answers as ${camera}`),
  }
}

export const ADDRESSING: Rule[] = [wrongSubnet, ambiguousRoute, reversePath, addressConflict]
