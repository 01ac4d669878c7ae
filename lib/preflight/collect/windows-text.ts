// What Windows' own tools print, as facts. Pure. `reg query` prints names and types as they are in every language; PowerShell is asked for JSON.

import type { WindowsProfile } from '../facts.js'

const MOST_VALUES = 20_000

export interface RegistryValue {
  /** Last part of the key that it stands in. */
  key: string
  /** Of the key: the firewall's own, that of a management (MDM), or another's that lies below, such as what shuts services in. */
  part: 'own' | 'mdm' | 'other'
  name: string
  type: string
  data: string
}

/** `HKEY_...\Key`, then lines of `    name    REG_SZ    data`. */
export function parseRegQuery(text: string): RegistryValue[] {
  const values: RegistryValue[] = []
  let key = ''
  let part: RegistryValue['part'] = 'own'
  for (const line of text.split(/\r?\n/)) {
    if (/^HKEY_/.test(line)) {
      key = line.split('\\').at(-1)!.trim()
      part = /\\Mdm\\/i.test(line) ? 'mdm' : /\\RestrictedServices\\/i.test(line) ? 'other' : 'own'
      continue
    }
    const match = /^ {4}(.+?) {4}(REG_[A-Z_]+)(?: {4}(.*))?$/.exec(line)
    if (!match || values.length >= MOST_VALUES) continue
    values.push({ key, part, name: match[1]!, type: match[2]!, data: match[3] ?? '' })
  }
  return values
}

/** Rules by the names of their values. */
export function rulesIn(
  values: readonly RegistryValue[],
  wanted: RegistryValue['part'] = 'own',
): Record<string, string> {
  const rules = values.filter(
    ({ key, part, type, data }) =>
      part === wanted && /Rules$/i.test(key) && type === 'REG_SZ' && /^v\d/.test(data),
  )
  return Object.fromEntries(rules.map(({ name, data }) => [name, data]))
}

const PROFILES = { Domain: 'DomainProfile', Private: 'StandardProfile', Public: 'PublicProfile' } as const
/** A policy calls the private profile by its new name. */
const POLICY_PROFILES = { ...PROFILES, Private: 'PrivateProfile' } as const

/** What a policy says beats what is set locally; what neither says is as it is on a new machine. */
export function profilesOf(
  local: readonly RegistryValue[],
  policy: readonly RegistryValue[],
): Record<keyof typeof PROFILES, WindowsProfile> {
  const number = (key: string, policyKey: string, name: string): number | undefined => {
    const find = (values: readonly RegistryValue[], where: string) =>
      values.find(
        (one) => one.part === 'own' && one.key === where && one.name.toLowerCase() === name.toLowerCase(),
      )
    const found = find(policy, policyKey) ?? find(local, key)
    const value = found && Number(found.data)
    return value === undefined || Number.isNaN(value) ? undefined : value
  }
  const profile = (name: keyof typeof PROFILES): WindowsProfile => {
    const read = (value: string) => number(PROFILES[name], POLICY_PROFILES[name], value)
    const unicast = read('DisableUnicastResponsesToMulticastBroadcast')
    const merge = policy.find(
      (one) => one.key === POLICY_PROFILES[name] && one.name === 'AllowLocalPolicyMerge',
    )
    return {
      enabled: read('EnableFirewall') !== 0,
      defaultInbound: read('DefaultInboundAction') === 0 ? 'Allow' : 'Block',
      ...(read('DoNotAllowExceptions') === 1 && { shieldsUp: true }),
      ...(read('DisableNotifications') !== undefined && { notify: read('DisableNotifications') === 0 }),
      ...(unicast !== undefined && { unicastResponsesToBroadcast: unicast === 0 }),
      ...(merge && Number(merge.data) === 0 && { localRulesIgnored: true }),
    }
  }
  return { Domain: profile('Domain'), Private: profile('Private'), Public: profile('Public') }
}

const CATEGORIES = ['Public', 'Private', 'Domain'] as const

/** Profile by the name of the NIC, from Get-NetConnectionProfile as JSON: one object, or a list of them. */
export function categoriesOf(json: string): Map<string, 'Domain' | 'Private' | 'Public'> {
  const categories = new Map<string, 'Domain' | 'Private' | 'Public'>()
  for (const { InterfaceAlias: name, NetworkCategory: category } of listOf(json)) {
    const known =
      typeof category === 'number'
        ? CATEGORIES[category]
        : CATEGORIES.find((one) => String(category).startsWith(one))
    if (typeof name === 'string' && known) categories.set(name, known)
  }
  return categories
}

/** Firewalls that registered with the Security Center, from Get-CimInstance as JSON. */
export function productsOf(json: string): { name: string; path?: string; state: number }[] {
  return listOf(json).flatMap(({ displayName, pathToSignedReportingExe: path, productState }) =>
    typeof displayName === 'string' && typeof productState === 'number'
      ? [{ name: displayName, state: productState, ...(typeof path === 'string' && { path }) }]
      : [],
  )
}

/** Windows' own, and those of capturing and of virtual machines, which take nothing away. */
const HARMLESS = /^(ms_|vms_|insecure_npcap|npcap|npf|vmware_bridge|oracle_vboxnetlwf)/i

/** What other makers have bound to network interfaces, from Get-NetAdapterBinding as JSON. */
export function filterDriversOf(json: string): { name: string; interface: string }[] {
  return listOf(json).flatMap(({ Name: nic, DisplayName: name, ComponentID: id }) =>
    typeof id === 'string' && id !== '' && typeof nic === 'string' && !HARMLESS.test(id)
      ? [{ name: typeof name === 'string' && name !== '' ? name : id, interface: nic }]
      : [],
  )
}

const isObject = (one: unknown): one is Record<string, unknown> => typeof one === 'object' && one !== null

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

/** PowerShell makes no list of a single one. */
export function listIn(value: unknown): Record<string, unknown>[] {
  return (Array.isArray(value) ? value : [value]).filter(isObject).slice(0, 1000)
}

export function objectIn(json: string): Record<string, unknown> {
  const value = parsed(json)
  return isObject(value) ? value : {}
}

const listOf = (json: string) => listIn(parsed(json))
