// What a Windows machine tells everybody about its firewall: the registry first, which takes milliseconds; PowerShell for what is nowhere else.
// Built from documented commands; it has not run on such a machine yet.

import path from 'node:path'
import type { InterfaceFacts, WindowsFirewall } from '../facts.js'
import { type Printed, run, textOf } from './run.js'
import { NETWORK_SCRIPT, type WindowsNetwork, windowsNetwork } from './windows-network.js'
import {
  categoriesOf,
  filterDriversOf,
  parseRegQuery,
  productsOf,
  profilesOf,
  rulesIn,
} from './windows-text.js'

const LOCAL = 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy'
const POLICY = 'HKLM\\SOFTWARE\\Policies\\Microsoft\\WindowsFirewall'
const SLOW_MS = 8000

const system = (file: string) => path.win32.join(process.env.SystemRoot ?? 'C:\\Windows', 'System32', file)
const registry = (key: string) => run(system('reg.exe'), ['query', key, '/s'])
const powershell = (script: string) =>
  run(
    system('WindowsPowerShell\\v1.0\\powershell.exe'),
    [
      '-NoProfile',
      '-NonInteractive',
      '-Command',
      `[Console]::OutputEncoding = [Text.Encoding]::UTF8; ${script}`,
    ],
    SLOW_MS,
  )

export interface WindowsFacts {
  firewall: WindowsFirewall
  network: WindowsNetwork
  /** By the name of the NIC. */
  profiles: Map<string, NonNullable<InterfaceFacts['profile']>>
}

export async function windowsFirewall(unread: Record<string, string>): Promise<WindowsFacts> {
  const [local, policy, categories, products, bindings, network] = await Promise.all([
    registry(LOCAL),
    registry(POLICY),
    powershell('Get-NetConnectionProfile | Select-Object InterfaceAlias, NetworkCategory | ConvertTo-Json'),
    powershell(
      'Get-CimInstance -Namespace root/SecurityCenter2 -ClassName FirewallProduct | Select-Object displayName, pathToSignedReportingExe, productState | ConvertTo-Json',
    ),
    powershell(
      'Get-NetAdapterBinding -AllBindings | Where-Object Enabled | Select-Object Name, DisplayName, ComponentID | ConvertTo-Json',
    ),
    powershell(NETWORK_SCRIPT),
  ])
  const tell = (what: string, printed: Printed) => {
    if ('refused' in printed) unread[what] = printed.refused
  }
  tell('rules of the firewall', local) // that there is no policy is no refusal
  tell('profiles of the networks', categories)
  tell('other firewalls', products) // servers have no Security Center
  tell('filter drivers', bindings)
  tell('network interfaces', network)
  const [localValues, policyValues] = [parseRegQuery(textOf(local)), parseRegQuery(textOf(policy))]
  return {
    network: windowsNetwork(textOf(network)),
    profiles: categoriesOf(textOf(categories)),
    firewall: {
      profiles: profilesOf(localValues, policyValues),
      rules: { local: rulesIn(localValues), policy: rulesIn(policyValues), mdm: rulesIn(localValues, 'mdm') },
      products: productsOf(textOf(products)),
      filterDrivers: filterDriversOf(textOf(bindings)),
      variables: machineVariables(),
    },
  }
}

/** Those that mean the same to the firewall's service. */
function machineVariables(): Record<string, string> {
  const names = ['SystemRoot', 'SystemDrive', 'ProgramFiles', 'ProgramFiles(x86)', 'ProgramData', 'windir']
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  )
}
