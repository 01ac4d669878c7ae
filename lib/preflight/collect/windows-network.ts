// What Windows tells everybody about its network, by one run of PowerShell: cables, gateways, neighbours, and whether this process is
// elevated. Built from documented commands and their documented output; it has not run on such a machine yet.

import type { HostFacts, InterfaceFacts } from '../facts.js'
import { listIn, objectIn } from './windows-text.js'

const ADMINISTRATOR =
  '([Security.Principal.WindowsPrincipal][Security.Principal.WindowsIdentity]::GetCurrent()).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)'

/** Prints JSON; what a part of it refuses is left out. */
export const NETWORK_SCRIPT = `$ErrorActionPreference = 'SilentlyContinue'; [pscustomobject]@{ ${[
  'adapters = @(Get-NetAdapter | Select-Object Name, Status, Speed, MacAddress, NdisPhysicalMedium, Virtual, DriverDescription)',
  'routes = @(Get-NetRoute -DestinationPrefix 0.0.0.0/0 | Select-Object InterfaceAlias, NextHop)',
  'neighbours = @(Get-NetNeighbor -AddressFamily IPv4 | Select-Object IPAddress, LinkLayerAddress, State, InterfaceAlias)',
  `elevated = ${ADMINISTRATOR}`,
  'version = [string][Environment]::OSVersion.Version',
].join('; ')} } | ConvertTo-Json -Depth 3`

export interface WindowsNetwork {
  nics: Map<
    string,
    Partial<
      Pick<InterfaceFacts, 'mac' | 'carrier' | 'speedMbps' | 'wireless' | 'virtual' | 'driver' | 'gateway'>
    >
  >
  neighbours: HostFacts['neighbours']
  elevated?: boolean
  version?: string
}

/** NdisPhysicalMediumNative802_11. */
const WIRELESS = 9
/** MSFT_NetNeighbor.State: somebody is there, or was a moment ago. */
const ANSWERED = new Set([2, 3, 4, 5, 'Probe', 'Delay', 'Stale', 'Reachable'])
const UNANSWERED = new Set([0, 1, 'Unreachable', 'Incomplete'])

export function windowsNetwork(json: string): WindowsNetwork {
  const all = objectIn(json)
  const nics: WindowsNetwork['nics'] = new Map()
  for (const { Name: name, Status: status, Speed: speed, MacAddress: mac, ...more } of listIn(all.adapters)) {
    if (typeof name !== 'string') continue
    nics.set(name, {
      ...(typeof mac === 'string' && mac !== '' && { mac: mac.toLowerCase().replaceAll('-', ':') }),
      ...(status === 'Up' && { carrier: true }),
      ...(status === 'Disconnected' && { carrier: false }),
      ...(typeof speed === 'number' && speed > 0 && { speedMbps: Math.round(speed / 1e6) }),
      ...(more.NdisPhysicalMedium === WIRELESS && { wireless: true }),
      ...(more.Virtual === true && { virtual: 'virtual' }),
      ...(typeof more.DriverDescription === 'string' && { driver: more.DriverDescription }),
    })
  }
  for (const { InterfaceAlias: name, NextHop: gateway } of listIn(all.routes)) {
    if (typeof name !== 'string' || typeof gateway !== 'string' || gateway === '0.0.0.0') continue
    nics.set(name, { ...nics.get(name), gateway })
  }
  return {
    nics,
    neighbours: neighboursIn(all.neighbours),
    ...(typeof all.elevated === 'boolean' && { elevated: all.elevated }),
    ...(typeof all.version === 'string' && { version: all.version }),
  }
}

function neighboursIn(list: unknown): HostFacts['neighbours'] {
  return listIn(list).flatMap(
    ({ IPAddress: address, LinkLayerAddress: mac, State: state, InterfaceAlias: nic }) => {
      if (typeof address !== 'string' || typeof nic !== 'string') return []
      const complete = ANSWERED.has(state as number)
      if (!complete && !UNANSWERED.has(state as number)) return [] // set by hand, or for groups
      const known = complete && typeof mac === 'string' ? mac.toLowerCase().replaceAll('-', ':') : ''
      return [
        {
          address,
          mac: known,
          interface: nic,
          state: complete ? ('complete' as const) : ('incomplete' as const),
        },
      ]
    },
  )
}
