// The way to a camera, as far as a NIC tells it.

import { inSubnet } from '../ipv4.js'
import type { HostFacts, InterfaceFacts } from './facts.js'

/** Interfaces that may drop a packet for the way it came by: which of them did is not counted. */
export function filtering({ interfaces }: HostFacts): InterfaceFacts[] {
  const known = new Set<string>() // an interface with several addresses is listed with each
  return interfaces.filter(({ name, up, loopback, rpFilter = 0 }) => {
    if (!up || loopback || rpFilter === 0 || known.has(name)) return false
    known.add(name)
    return true
  })
}

/** By its subnet the camera is at this one, and not at the one that the system sends to it by; undefined unless there is exactly one such. */
export function nearer({ interfaces, route }: HostFacts, camera: string): InterfaceFacts | undefined {
  const sends = route?.device ?? route?.interface ?? ''
  if (sends === '') return undefined
  const near = interfaces.filter((nic) => nic.up && !nic.loopback && inSubnet(camera, nic))
  const others = near.filter(({ name }) => name !== sends)
  return others.length === 1 ? others[0] : undefined
}

/** The NIC's gateway is on it only where the camera is in another subnet. */
export function routeBy(nic: InterfaceFacts, camera: string): NonNullable<HostFacts['route']> {
  const gateway = inSubnet(camera, nic) ? undefined : nic.gateway
  return { interface: nic.name, source: nic.address, ...(gateway !== undefined && { gateway }) }
}
