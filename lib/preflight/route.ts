// The way to a camera, as far as a NIC tells it.

import { inSubnet } from '../ipv4.js'
import type { HostFacts, InterfaceFacts } from './facts.js'

/** The NIC's gateway is on it only where the camera is in another subnet. */
export function routeBy(nic: InterfaceFacts, camera: string): NonNullable<HostFacts['route']> {
  const gateway = inSubnet(camera, nic) ? undefined : nic.gateway
  return { interface: nic.name, source: nic.address, ...(gateway !== undefined && { gateway }) }
}
