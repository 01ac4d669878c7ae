// Rules of Windows' firewall as the registry keeps them (reference/firewall.md section 1.2): `v2.30|Action=Allow|Active=TRUE|Dir=In|...|`. Pure.

import { ipv4Number } from '../../ipv4.js'

export type Profile = 'Domain' | 'Private' | 'Public'

export interface WindowsRule {
  /** Its value's name in the registry. */
  id: string
  store: 'local' | 'policy' | 'mdm'
  action: 'Allow' | 'Block' | 'ByPass' | ''
  active: boolean
  direction: 'In' | 'Out' | ''
  /** undefined: any. */
  protocol: number | undefined
  /** Empty: all. */
  profiles: Profile[]
  localPorts: string[]
  remoteAddresses: string[]
  program: string | undefined
  service: string | undefined
  /** Only packets of an authenticated connection (IPsec). */
  secure: boolean
  /** For an app of the Store, which this program is not. */
  forApp: boolean
  /** Made when somebody answered a prompt. */
  byPrompt: boolean
  name: string
  /** Conditions that are not understood here: whether it applies cannot be said. */
  unknown: string[]
}

const MOST_FIELDS = 500
/** An app's package, and its container. Its owner stands beside them; alone it may be whoever runs this program. */
const FOR_APPS = new Set(['AppPkgId', 'AppContainer'])
/** From there on Windows chooses the ports of those who do not mind. */
const FIRST_DYNAMIC = 49_152
const LAST_PORT = 65_535
/** Keys that decide nothing here. */
const IDLE = new Set(['Name', 'Desc', 'EmbedCtxt', 'Edge', 'LSM', 'Platform', 'Platform2', 'Skip'])

/** undefined: it is no rule. */
export function parseWindowsRule(
  id: string,
  text: string,
  store: WindowsRule['store'],
): WindowsRule | undefined {
  const [version, ...fields] = text.split('|').slice(0, MOST_FIELDS)
  if (!/^v\d+\.\d+$/.test(version ?? '')) return undefined
  const rule: WindowsRule = {
    id,
    store,
    action: '',
    active: false,
    direction: '',
    protocol: undefined,
    profiles: [],
    localPorts: [],
    remoteAddresses: [],
    program: undefined,
    service: undefined,
    secure: false,
    forApp: false,
    byPrompt: /^(TCP|UDP) Query User/.test(id),
    name: '',
    unknown: [],
  }
  for (const field of fields) {
    const at = field.indexOf('=')
    if (at > 0) take(rule, field.slice(0, at), field.slice(at + 1))
  }
  return rule
}

function take(rule: WindowsRule, key: string, value: string): void {
  switch (key) {
    case 'Action':
      if (value === 'Allow' || value === 'Block' || value === 'ByPass') rule.action = value
      return
    case 'Active':
      rule.active = value.toUpperCase() === 'TRUE'
      return
    case 'Dir':
      if (value === 'In' || value === 'Out') rule.direction = value
      return
    case 'Protocol':
      rule.protocol = Number(value)
      return
    case 'Profile':
      if (value === 'Domain' || value === 'Private' || value === 'Public') rule.profiles.push(value)
      return
    case 'LPort':
    case 'LPort2_10':
      rule.localPorts.push(value)
      return
    case 'RA4':
      rule.remoteAddresses.push(value)
      return
    case 'App':
      rule.program = value
      return
    case 'Svc':
      rule.service = value
      return
    case 'Defer':
      rule.byPrompt ||= value === 'User'
      return
    case 'Name':
      rule.name = value
      return
    default:
      if (/^Security/.test(key)) rule.secure = true
      else if (FOR_APPS.has(key)) rule.forApp = true
      // Other address families, and what is not understood, narrow a rule in a way that is not known here.
      else if (!IDLE.has(key) && !/^(RA6|LA6)$/.test(key)) rule.unknown.push(key)
  }
}

/** `%SystemRoot%\x` with the variables of the machine; what is not known stays. */
export function expandVariables(path: string, variables: Record<string, string>): string {
  const known = new Map(Object.entries(variables).map(([name, value]) => [name.toUpperCase(), value]))
  return path.replace(/%([^%]+)%/g, (whole, name: string) => known.get(name.toUpperCase()) ?? whole)
}

/** By the letters, whatever their case and the kind of slash. */
export function samePath(a: string, b: string): boolean {
  const plain = (path: string) =>
    path
      .replaceAll('/', '\\')
      .replace(/^\\\\\?\\/, '')
      .toLowerCase()
  return plain(a) === plain(b)
}

export function coversPort(ports: readonly string[], port: number | 'dynamic'): boolean | 'maybe' {
  if (ports.length === 0) return true
  const ranges = ports.map((text) => /^(\d+)(?:-(\d+))?$/.exec(text))
  if (ranges.includes(null)) return 'maybe' // RPC and other words
  const bounds = ranges.map((range) => [Number(range![1]), Number(range![2] ?? range![1])] as const)
  if (port !== 'dynamic') return bounds.some(([low, high]) => port >= low && port <= high)
  if (bounds.some(([low, high]) => low <= FIRST_DYNAMIC && high >= LAST_PORT)) return true
  return bounds.some(([, high]) => high >= FIRST_DYNAMIC) ? 'maybe' : false
}

export function coversAddress(
  addresses: readonly string[],
  camera: string,
  isLocalSubnet: boolean,
): boolean | 'maybe' {
  if (addresses.length === 0) return true
  let maybe = false
  for (const text of addresses) {
    if (text === 'LocalSubnet') {
      if (isLocalSubnet) return true
      continue
    }
    const range = /^([\d.]+)-([\d.]+)$/.exec(text)
    const masked = /^([\d.]+)\/([\d.]+)$/.exec(text)
    if (range) {
      if (ipv4Number(camera) >= ipv4Number(range[1]!) && ipv4Number(camera) <= ipv4Number(range[2]!))
        return true
    } else if (masked) {
      const mask = masked[2]!.includes('.') ? ipv4Number(masked[2]!) : 2 ** 32 - 2 ** (32 - Number(masked[2]))
      if (((ipv4Number(camera) ^ ipv4Number(masked[1]!)) & mask) === 0) return true
    } else if (/^[\d.]+$/.test(text)) {
      if (text === camera) return true
    } else {
      maybe = true // DNS, DHCP, ... or something newer
    }
  }
  return maybe ? 'maybe' : false
}
