// Windows' firewall, from rule stores written by its documented grammar: what is expected of them, what is wrong with them, and what preflight
// says. No such machine was at hand; the stores are ours.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tellMac, tellWindows } from '../../lib/preflight/collect/index.js'
import { parseApplicationFirewall } from '../../lib/preflight/collect/macos.js'
import { carriersIn, gatewaysIn, neighboursIn } from '../../lib/preflight/collect/macos-network.js'
import { windowsNetwork } from '../../lib/preflight/collect/windows-network.js'
import {
  categoriesOf,
  filterDriversOf,
  parseRegQuery,
  productsOf,
  profilesOf,
  rulesIn,
} from '../../lib/preflight/collect/windows-text.js'
import { diagnose } from '../../lib/preflight/diagnosis/index.js'
import type { Facts, WindowsProfile } from '../../lib/preflight/facts.js'
import { report } from '../../lib/preflight/preflight.js'
import { parseWindowsRule } from '../../lib/preflight/rules/windows-grammar.js'
import { judgeWindows } from '../../lib/preflight/rules/windows-judge.js'
import { windowsLadder } from '../../lib/preflight/rules/windows-ladder.js'
import { lintWindowsRules } from '../../lib/preflight/rules/windows-lint.js'
import { access, broadcast, CAMERA, facts, nic, shot, unicast } from './facts-builder.js'

const NODE = 'C:\\Program Files\\nodejs\\node.exe'
const PROMPT = `UDP Query User{6E1C2F5A-0000-4000-8000-000000000001}${NODE}`
const rule = (...fields: string[]) => `v2.30|${fields.join('|')}|`
const allow = (...more: string[]) => rule('Action=Allow', 'Active=TRUE', 'Dir=In', ...more, 'Name=ours')
const block = (...more: string[]) => rule('Action=Block', 'Active=TRUE', 'Dir=In', ...more, 'Name=theirs')
const app = (path = NODE) => `App=${path}`

interface Store {
  local?: Record<string, string>
  policy?: Record<string, string>
  settings?: Partial<WindowsProfile>
  more?: Partial<NonNullable<Facts['firewall']['windows']>>
  host?: Partial<Facts['host']>
  plan?: Partial<Facts['plan']>
}

function windows(
  { local = {}, policy = {}, settings = {}, more = {}, host = {}, plan = {} }: Store,
  arrived = 0,
): Facts {
  const profile: WindowsProfile = { enabled: true, defaultInbound: 'Block', ...settings }
  return facts(
    [unicast(1), broadcast(1), access(), { ...shot(arrived), counters: {} }],
    {
      system: 'windows',
      firewall: {
        windows: {
          profiles: { Domain: profile, Private: profile, Public: profile },
          rules: { local, policy },
          variables: { ProgramFiles: 'C:\\Program Files', SystemRoot: 'C:\\Windows' },
          ...more,
        },
      },
      plan: { program: 'node', programRealPath: NODE, ...plan },
    },
    { interfaces: [nic({ profile: 'Public' })], ...host },
  )
}

const STORES: [name: string, store: Store, verdict: string, why: string, lints: string[]][] = [
  [
    'rules of an app of the Store, and of a user',
    {
      local: {
        a: allow('Protocol=17', 'LUOwn=S-1-5-21-1-2-3-1001', 'AppPkgId=S-1-15-2-1'),
        b: block('AppPkgId=S-1-15-2-1'),
      },
    },
    'blocked',
    'default',
    [],
  ],
  [
    'a folder that names version and kind',
    { local: { a: allow('Protocol=17', app('C:\\tools\\node-v18.1.0-win-x64\\node.exe')) } },
    'blocked',
    'default',
    ['orphaned-version'],
  ],
  [
    'a block for an owner alone',
    { local: { a: block('LUOwn=S-1-5-21-1-2-3-1001', app()) } },
    'maybe',
    'unknown-condition',
    [],
  ],
  ['a low port of everybody', { local: { a: allow('Protocol=17', 'LPort=5353') } }, 'blocked', 'default', []],
  ['no rule at all', {}, 'blocked', 'default', []],
  [
    'an allow rule for the program',
    { local: { a: allow('Protocol=17', app()) } },
    'allowed',
    'allow-rule',
    [],
  ],
  ['one for any protocol', { local: { a: allow(app()) } }, 'allowed', 'allow-rule', []],
  [
    'one with a variable of the machine',
    { local: { a: allow('Protocol=17', app('%ProgramFiles%\\nodejs\\node.exe')) } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'letters of another case',
    { local: { a: allow('Protocol=17', app(NODE.toUpperCase())) } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'a block made by a prompt',
    { local: { [PROMPT]: block('Protocol=17', app(), 'Defer=User') } },
    'blocked',
    'block-rule',
    ['by-prompt'],
  ],
  [
    'the same beside an allow rule',
    { local: { [PROMPT]: block('Protocol=17', app(), 'Defer=User'), a: allow('Protocol=17', app()) } },
    'blocked',
    'block-rule',
    ['by-prompt', 'blocked-anyway'],
  ],
  [
    'a block for TCP alone',
    { local: { [PROMPT.replace('UDP', 'TCP')]: block('Protocol=6', app()), a: allow('Protocol=17', app()) } },
    'allowed',
    'allow-rule',
    ['by-prompt'],
  ],
  [
    'a variable of a user',
    { local: { a: allow('Protocol=17', app('%USERPROFILE%\\node\\node.exe')) } },
    'blocked',
    'default',
    ['user-variable'],
  ],
  [
    'LOCALAPPDATA',
    { local: { a: allow('Protocol=17', app('%LocalAppData%\\Programs\\node.exe')) } },
    'blocked',
    'default',
    ['user-variable'],
  ],
  [
    'a variable that nobody knows',
    { local: { a: allow(app('%NODE_HOME%\\node.exe')) } },
    'blocked',
    'default',
    ['unknown-variable'],
  ],
  [
    'a path of an older version',
    { local: { a: allow('Protocol=17', app('C:\\nvm\\v18.1.0\\node.exe')) } },
    'blocked',
    'default',
    ['orphaned-version'],
  ],
  [
    'another copy',
    { local: { a: allow('Protocol=17', app('D:\\tools\\node.exe')) } },
    'blocked',
    'default',
    ['other-copy'],
  ],
  [
    'a short path',
    { local: { a: allow('Protocol=17', app('C:\\PROGRA~1\\nodejs\\node.exe')) } },
    'blocked',
    'default',
    ['short-path'],
  ],
  [
    'the wrong profile',
    { local: { a: allow('Protocol=17', 'Profile=Private', 'Profile=Domain', app()) } },
    'blocked',
    'default',
    ['wrong-profile'],
  ],
  [
    'all profiles by name',
    { local: { a: allow('Protocol=17', 'Profile=Private', 'Profile=Domain', 'Profile=Public', app()) } },
    'allowed',
    'allow-rule',
    [],
  ],
  ['TCP alone', { local: { a: allow('Protocol=6', app()) } }, 'blocked', 'default', ['wrong-protocol']],
  [
    'a rule of a service',
    { local: { a: allow('Protocol=17', app(), 'Svc=dhcp') } },
    'blocked',
    'default',
    ['service'],
  ],
  [
    'a rule for IPsec',
    { local: { a: allow('Protocol=17', app(), 'Security=Authenticate') } },
    'blocked',
    'default',
    ['ipsec'],
  ],
  [
    'a rule that is switched off',
    { local: { a: allow(app()).replace('Active=TRUE', 'Active=FALSE') } },
    'blocked',
    'default',
    ['inactive'],
  ],
  [
    'LocalSubnet, and a camera in it',
    { local: { a: allow('Protocol=17', 'RA4=LocalSubnet', app()) } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'LocalSubnet, and a camera behind a router',
    {
      local: { a: allow('Protocol=17', 'RA4=LocalSubnet', app()) },
      host: {
        interfaces: [nic({ profile: 'Public', address: '10.0.0.1' })],
        route: { interface: 'eth1', source: '10.0.0.1', gateway: '10.0.0.254' },
      },
    },
    'blocked',
    'default',
    ['local-subnet'],
  ],
  [
    'the address of the camera',
    { local: { a: allow('Protocol=17', `RA4=${CAMERA}`, app()) } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'a net with its mask',
    { local: { a: allow('Protocol=17', 'RA4=192.168.0.0/255.255.0.0', app()) } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'a range without it',
    { local: { a: allow('Protocol=17', 'RA4=192.168.7.20-192.168.7.30', app()) } },
    'blocked',
    'default',
    [],
  ],
  [
    'a port, and a pinned stream',
    { local: { a: allow('Protocol=17', 'LPort=5000') }, plan: { streamPort: 5000 } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'another port',
    { local: { a: allow('Protocol=17', 'LPort2_10=6000-6010') }, plan: { streamPort: 5000 } },
    'blocked',
    'default',
    [],
  ],
  [
    'a range that the system chooses from, and a stream that takes any',
    { local: { a: allow('Protocol=17', 'LPort2_10=50000-60000', app()) } },
    'maybe',
    'unknown-condition',
    [],
  ],
  [
    'a port, and a stream that takes any',
    { local: { a: allow('Protocol=17', 'LPort=5000') } },
    'blocked',
    'default',
    [],
  ],
  [
    'a condition of times to come',
    { local: { a: allow('Protocol=17', app(), 'Moon=Full') } },
    'maybe',
    'unknown-condition',
    [],
  ],
  [
    'a policy that forbids local rules',
    { local: { a: allow('Protocol=17', app()) }, settings: { localRulesIgnored: true } },
    'blocked',
    'default',
    [],
  ],
  [
    'a policy that forbids local rules and allows the program',
    { policy: { p: allow('Protocol=17', app()) }, settings: { localRulesIgnored: true } },
    'allowed',
    'allow-rule',
    [],
  ],
  [
    'block all incoming',
    { local: { a: allow('Protocol=17', app()) }, settings: { shieldsUp: true } },
    'blocked',
    'shields-up',
    [],
  ],
  ['a profile that is switched off', { settings: { enabled: false } }, 'allowed', 'off', []],
  ['a profile that allows by default', { settings: { defaultInbound: 'Allow' } }, 'allowed', 'default', []],
]

describe('rule stores', () => {
  it.each(STORES)('%s', (_, store, verdict, why, lints) => {
    const given = windows(store)
    expect([judgeWindows(given).verdict, judgeWindows(given).why]).toEqual([verdict, why])
    expect(lintWindowsRules(given).map(({ problem }) => problem)).toEqual(lints)
  })

  it.each(STORES)(
    '%s: what is found, when nothing arrives and when it does',
    (_, store, verdict, __, lints) => {
      const byPolicy = store.settings?.localRulesIgnored === true || store.more?.modifyState === 1
      const expected =
        verdict === 'blocked' ? (byPolicy ? 'firewall.policy-managed' : 'firewall.inbound-stream') : 'unknown'
      const [found, ...others] = diagnose(windows(store))
      expect(
        [found!.code, ...others.map(({ code }) => code)].filter((code) => code !== 'firewall.rule'),
      ).toEqual([expected])
      // Told as high at most: the probe that failed says that something is shut, and its rules what.
      if (expected === 'firewall.inbound-stream') expect(found!.confidence).toBe('high')
      expect(others.some(({ code }) => code === 'firewall.rule')).toBe(lints.length > 0)
      const arrives = diagnose(windows(store, 1))
      expect(arrives.map(({ code }) => code).filter((code) => code !== 'firewall.rule')).toEqual(['ok'])
    },
  )

  it('of any text are read or left out, and never run', () => {
    fc.assert(
      fc.property(fc.string(), fc.array(fc.tuple(fc.string(), fc.string())), (id, pairs) => {
        parseWindowsRule(id, `v2.30|${pairs.map((pair) => pair.join('=')).join('|')}`, 'local')
        expect(
          parseWindowsRule(
            id,
            pairs
              .map((pair) => pair.join('='))
              .join('|')
              .replace(/^v/, 'w'),
            'local',
          ),
        ).toBeUndefined()
      }),
    )
  })
})

describe("what Windows' tools print", () => {
  const reg = (...keys: [key: string, ...values: string[]][]) =>
    keys
      .map(
        ([key, ...values]) =>
          `\r\nHKEY_LOCAL_MACHINE\\X\\${key}\r\n${values.map((value) => `    ${value}\r\n`).join('')}`,
      )
      .join('')

  it('rules and settings, where a policy beats what is set locally', () => {
    const local = parseRegQuery(
      reg(
        [
          'FirewallRules',
          `a    REG_SZ    ${allow('Protocol=17', app())}`,
          'b    REG_SZ    no rule',
          'c    REG_DWORD    0x1',
        ],
        [
          'PublicProfile',
          'EnableFirewall    REG_DWORD    0x1',
          'DisableUnicastResponsesToMulticastBroadcast    REG_DWORD    0x1',
        ],
        ['StandardProfile', 'EnableFirewall    REG_DWORD    0x0'],
      ),
    )
    const policy = parseRegQuery(
      reg(
        [
          'PublicProfile',
          'AllowLocalPolicyMerge    REG_DWORD    0x0',
          'DoNotAllowExceptions    REG_DWORD    0x1',
        ],
        ['PrivateProfile', 'EnableFirewall    REG_DWORD    0x1'],
      ),
    )
    const others = parseRegQuery(
      reg(
        ['Mdm\\FirewallRules', `m    REG_SZ    ${allow(app())}`],
        ['RestrictedServices\\AppIso\\FirewallRules', `r    REG_SZ    ${block()}`],
        ['Mdm\\PublicProfile', 'EnableFirewall    REG_DWORD    0x0'],
      ),
    )
    expect([rulesIn(others), rulesIn(others, 'mdm')]).toEqual([{}, { m: allow(app()) }])
    expect(profilesOf(others, []).Public.enabled).toBe(true)
    expect(rulesIn(local)).toEqual({ a: allow('Protocol=17', app()) })
    expect(profilesOf(local, policy)).toEqual({
      Domain: { enabled: true, defaultInbound: 'Block' },
      Private: { enabled: true, defaultInbound: 'Block' },
      Public: {
        enabled: true,
        defaultInbound: 'Block',
        shieldsUp: true,
        localRulesIgnored: true,
        unicastResponsesToBroadcast: false,
      },
    })
  })

  it('profiles of networks and other firewalls, one or several; nonsense is none', () => {
    expect(categoriesOf('{"InterfaceAlias":"Ethernet 2","NetworkCategory":0}')).toEqual(
      new Map([['Ethernet 2', 'Public']]),
    )
    expect(
      categoriesOf(
        '[{"InterfaceAlias":"A","NetworkCategory":"DomainAuthenticated"},{"InterfaceAlias":"B","NetworkCategory":1},{"x":1}]',
      ),
    ).toEqual(
      new Map([
        ['A', 'Domain'],
        ['B', 'Private'],
      ]),
    )
    expect(
      productsOf('{"displayName":"Wall","pathToSignedReportingExe":"C:\\\\w.exe","productState":4096}'),
    ).toEqual([{ name: 'Wall', path: 'C:\\w.exe', state: 4096 }])
    for (const text of ['', 'null', '7', '[1,2]', '{', '"x"'])
      expect([categoriesOf(text).size, productsOf(text)]).toEqual([0, []])
    fc.assert(fc.property(fc.string(), (text) => void parseRegQuery(text)))
  })
})

describe('what systems tell of their networks', () => {
  const host = (): Facts['host'] => ({
    interfaces: [nic({ name: 'Ethernet 2', carrier: undefined as never })],
    neighbours: [],
    environment: {},
    limits: {},
    privileged: false,
  })

  it("Windows', of PowerShell's JSON", () => {
    const json = JSON.stringify({
      adapters: [
        {
          Name: 'Ethernet 2',
          Status: 'Disconnected',
          Speed: 1e9,
          MacAddress: '00-1C-02-03-04-05',
          NdisPhysicalMedium: 0,
          Virtual: false,
          DriverDescription: 'Some NIC',
        },
        {
          Name: 'Wi-Fi',
          Status: 'Up',
          Speed: 866_700_000,
          MacAddress: '00-1C-02-03-04-06',
          NdisPhysicalMedium: 9,
        },
        { Name: 7 },
      ],
      routes: { InterfaceAlias: 'Wi-Fi', NextHop: '192.168.1.1' },
      neighbours: [
        { IPAddress: CAMERA, LinkLayerAddress: '00-11-22-33-44-55', State: 5, InterfaceAlias: 'Ethernet 2' },
        { IPAddress: '192.168.7.99', LinkLayerAddress: '', State: 0, InterfaceAlias: 'Ethernet 2' },
        {
          IPAddress: '224.0.0.22',
          LinkLayerAddress: '01-00-5E-00-00-16',
          State: 6,
          InterfaceAlias: 'Ethernet 2',
        },
      ],
      elevated: true,
      version: '10.0.22631.0',
    })
    const network = windowsNetwork(json)
    expect(network.nics.get('Wi-Fi')).toEqual({
      mac: '00:1c:02:03:04:06',
      carrier: true,
      speedMbps: 867,
      wireless: true,
      gateway: '192.168.1.1',
    })
    const told = host()
    tellWindows(told, network)
    expect(told).toMatchObject({
      interfaces: [{ name: 'Ethernet 2', carrier: false, speedMbps: 1000, mac: '00:1c:02:03:04:05' }],
      privileged: true,
      environment: { osVersion: '10.0.22631.0' },
    })
    expect(told.neighbours).toEqual([
      { address: CAMERA, mac: '00:11:22:33:44:55', interface: 'Ethernet 2', state: 'complete' },
      { address: '192.168.7.99', mac: '', interface: 'Ethernet 2', state: 'incomplete' },
    ])
    expect(
      diagnose(facts([unicast(0), broadcast(0)], { system: 'windows', firewall: {} }, told))[0]?.code,
    ).toBe('link.down')
    for (const text of ['', '7', 'null', '{"adapters":7,"routes":[[]],"neighbours":{"State":5}}'])
      expect(windowsNetwork(text)).toEqual({ nics: new Map(), neighbours: [] })
    fc.assert(fc.property(fc.json(), (text) => void windowsNetwork(text)))
  })

  it("macOS', of its commands' tables", () => {
    const routes = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
default            192.168.1.1        UGScg                 en0
default            link#14            UCSIg             bridge0
127                127.0.0.1          UCS                   lo0
`
    const arp = `? (192.168.7.10) at 0:11:22:33:44:5 on en5 ifscope [ethernet]
? (192.168.7.99) at (incomplete) on en5 ifscope [ethernet]
nonsense
`
    const nics = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
en5: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether 00:1c:02:03:04:05
	status: inactive
en0: flags=8863<UP> mtu 1500
	status: active
`
    expect(gatewaysIn(routes)).toEqual(new Map([['en0', '192.168.1.1']]))
    expect(carriersIn(nics)).toEqual(
      new Map([
        ['en5', false],
        ['en0', true],
      ]),
    )
    const told = { ...host(), interfaces: [nic({ name: 'en5' })] }
    tellMac(told, {
      gateways: gatewaysIn(routes),
      carriers: carriersIn(nics),
      neighbours: neighboursIn(arp),
      rmemMax: 8 << 20,
      environment: { osVersion: '15.1', responsibleApp: 'Apple_Terminal' },
    })
    expect(told.neighbours).toEqual([
      { address: '192.168.7.10', mac: '00:11:22:33:44:05', interface: 'en5', state: 'complete' },
      { address: '192.168.7.99', mac: '', interface: 'en5', state: 'incomplete' },
    ])
    expect([told.interfaces[0]?.carrier, told.limits.rmemMax]).toEqual([false, 8 << 20])
    fc.assert(
      fc.property(fc.string(), (text) => void [gatewaysIn(text), carriersIn(text), neighboursIn(text)]),
    )
  })
})

describe('findings on Windows', () => {
  const first = (store: Store) => diagnose(windows(store))[0]!

  it('a prompt-made block: disable it by its very name, and allow the program', () => {
    const { code, confidence, remedy, evidence } = first({
      local: { [PROMPT]: block('Protocol=17', app(), 'Defer=User') },
    })
    expect([code, confidence]).toEqual(['firewall.inbound-stream', 'high'])
    expect(evidence).toContain(`made by a prompt: ${PROMPT}`)
    expect(remedy!.commands.map(({ command }) => command)).toEqual([
      `Get-NetFirewallRule | Where-Object { $_.Name -ceq '${PROMPT}' } | Disable-NetFirewallRule`,
      expect.stringMatching(
        /^New-NetFirewallRule -Name 'gigewire\/[0-9a-f]{12}' .* -Program 'C:\\Program Files\\nodejs\\node\.exe' -RemoteAddress 'LocalSubnet'$/,
      ),
    ])
  })

  it('a policy: nothing to type, but a text for the administrator', () => {
    const found = first({ settings: { localRulesIgnored: true } })
    expect([found.code, found.remedy!.commands]).toEqual(['firewall.policy-managed', []])
  })

  it('answers to broadcasts that are forbidden', () => {
    const given = windows(
      { local: { a: allow('Protocol=17', app()) }, settings: { unicastResponsesToBroadcast: false } },
      1,
    )
    given.probes[1] = broadcast(0)
    expect(diagnose(given)[0]?.code).toBe('firewall.unicast-response-to-broadcast')
  })

  it('another product, and a filter driver, only where the own firewall lets it in', () => {
    const allowed = { local: { a: allow('Protocol=17', app()) } }
    expect(first({ ...allowed, more: { products: [{ name: 'Wall 3', state: 0x1000 }] } }).summary).toContain(
      'Wall 3',
    )
    const filterDrivers = [{ name: 'Filter X', interface: 'eth1' }]
    expect(first({ ...allowed, more: { filterDrivers } })).toMatchObject({
      code: 'filter-driver.steals',
      evidence: expect.arrayContaining(['bound to eth1: Filter X']),
    })
    expect(first({ more: { filterDrivers } }).code).toBe('firewall.inbound-stream')
    const elsewhere = [{ name: 'Filter X', interface: 'eth0' }]
    expect(first({ ...allowed, more: { filterDrivers: elsewhere } }).code).not.toBe('filter-driver.steals')
  })

  it('filter drivers are those of other makers, where they are bound', () => {
    const bound = (Name: unknown, DisplayName: unknown, ComponentID: unknown) => ({
      Name,
      DisplayName,
      ComponentID,
    })
    const printed = JSON.stringify([
      bound('Ethernet 2', 'Internet Protocol Version 4 (TCP/IPv4)', 'ms_tcpip'),
      bound('Ethernet 2', 'Npcap Packet Driver (NPCAP)', 'INSECURE_NPCAP'),
      bound('Ethernet 2', 'Filter of a camera maker', 'maker_gige_filter'),
      bound('Ethernet 3', '', 'other_filter'),
      bound(7, 'nobody', 'x'),
      bound('Ethernet 2', 'nothing', 7),
    ])
    expect(filterDriversOf(printed)).toEqual([
      { name: 'Filter of a camera maker', interface: 'Ethernet 2' },
      { name: 'other_filter', interface: 'Ethernet 3' },
    ])
    expect(filterDriversOf('no JSON')).toEqual([])
  })

  it('rules that were read accuse nobody where packets arrive', () => {
    const codes = diagnose(windows({}, 1)).map(({ code }) => code)
    expect(codes).toEqual(['ok'])
  })

  it('nothing in a path gets out of its quotes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("'", '\u2019', '"', '$', '(', ')', ';', '`', 'x', '\\') }),
        (text) => {
          const given = windows({ plan: { programRealPath: `C:\\${text}\\node.exe` } })
          const [, command] = [undefined, diagnose(given)[0]!.remedy!.commands.at(-1)!.command]
          const outside = command.replace(
            /['\u2018\u2019\u201a\u201b](?:[^'\u2018\u2019\u201a\u201b]|['\u2018\u2019\u201a\u201b]{2})*['\u2018\u2019\u201a\u201b]/g,
            '',
          )
          expect(outside).toBe(
            'New-NetFirewallRule -Name  -DisplayName  -Group  -Direction Inbound -Action Allow -Protocol UDP -Profile Any -Enabled True -Program  -RemoteAddress ',
          )
        },
      ),
    )
  })
})

describe('findings on macOS', () => {
  it('what socketfilterfw says, in the words of several systems', () => {
    expect(
      parseApplicationFirewall(
        'Firewall is enabled. (State = 1)\nFirewall has block all state set to disabled.\nAutomatically allow built-in signed software ENABLED.\nStealth mode is off',
        'Incoming connection to the application is permitted.',
      ),
    ).toEqual({ enabled: true, blockAll: false, allowSigned: true, stealth: false, program: 'allowed' })
    expect(
      parseApplicationFirewall(
        'Firewall is disabled. (State = 0)\nBlock all DISABLED!',
        'The application is blocked.',
      ),
    ).toEqual({
      enabled: false,
      blockAll: false,
      program: 'blocked',
    })
    expect(parseApplicationFirewall('', '')).toEqual({})
  })

  const mac =
    (more: Partial<Facts>, host: Partial<Facts['host']> = {}) =>
    (probes: Facts['probes']) =>
      diagnose(facts(probes, { system: 'macos', firewall: { macos: {} }, ...more }, host))[0]!

  it('Local Network privacy, by EHOSTUNREACH where there is a route', () => {
    const found = mac(
      {},
      { neighbours: [], environment: { responsibleApp: 'Visual Studio Code', osVersion: '15.1' } },
    )([unicast(0, { sent: 0, error: 'EHOSTUNREACH' }), broadcast(0)])
    expect([found.code, found.confidence]).toEqual(['macos.local-network-privacy', 'high'])
    expect(found.summary).toContain('Visual Studio Code')
  })

  it('the Application Firewall: everything, or the program', () => {
    const blind = [unicast(1), broadcast(1), access(), { ...shot(0), counters: {} }]
    for (const macos of [
      { enabled: true, blockAll: true },
      { enabled: true, program: 'blocked' as const },
    ])
      expect(mac({ firewall: { macos } })(blind).code).toBe('firewall.inbound-stream')
    expect(mac({ firewall: { macos: { enabled: true, program: 'allowed' } } })(blind).code).toBe('unknown')
    expect(mac({ firewall: { macos: { enabled: false, blockAll: true } } })(blind).code).toBe('unknown')
  })
})

describe('steps to find out whether it is the firewall', () => {
  const steps = (host: Partial<Facts['host']>) =>
    windowsLadder(windows({ host: { interfaces: [nic({ profile: 'Public' })], ...host } }))

  it('leave out an interface only where nothing but the camera is behind it', () => {
    expect(steps({})).toHaveLength(3)
    for (const more of [{ gateway: '192.168.7.254' }, { wireless: true }, { profile: undefined as never }])
      expect(steps({ interfaces: [nic({ profile: 'Public', ...more })] })).toHaveLength(2)
    expect(steps({ environment: { ssh: true } })).toHaveLength(2)
    for (const settings of [{ localRulesIgnored: true }, { shieldsUp: true }]) {
      const [audit, ...others] = windowsLadder(windows({ settings }))
      expect([audit!.commands[0]!.command.split(' ')[0], others]).toEqual(['auditpol', []])
    }
  })

  it('open nothing before something is there that shuts it, and quote what they are given', () => {
    const [open, audit, out] = windowsLadder(
      windows({
        host: {
          interfaces: [nic({ name: "NIC's", profile: 'Public' })],
          route: { interface: "NIC's", source: '' },
        },
      }),
    )
    for (const step of [open!, out!])
      expect(step.commands[0]!.command).toMatch(/^Register-ScheduledTask .*AddMinutes\(2\)/)
    expect(out!.commands[1]!.command).toBe(
      "Set-NetFirewallProfile -Name Public -DisabledInterfaceAliases 'NIC''s'",
    )
    expect(audit!.commands.at(-1)!.command).toContain("-match '\\b192\\.168\\.7\\.10\\b'")
    expect(audit!.commands.map(({ undo }) => undo !== undefined)).toEqual([false, true, false])
  })
})

describe('what is printed for Windows', () => {
  const first = (given: Facts) => diagnose(given).find(({ code }) => code.startsWith('firewall.'))!
  const commandsOf = (given: Facts) => first(given).remedy!

  it('is certain where a way opened from inside shows it, and never by what was read alone', () => {
    const given = windows({})
    given.probes.push({ ...shot(1, { punched: true }), counters: {} })
    expect(first(given)).toMatchObject({ code: 'firewall.inbound-stream', confidence: 'certain' })
    const opened = windows({ settings: { localRulesIgnored: true } })
    opened.probes.push({ ...shot(1, { punched: true }), counters: {} })
    expect(first(opened)).toMatchObject({ code: 'firewall.policy-managed', severity: 'warning' })
    const unread = windows({ settings: { localRulesIgnored: true } })
    unread.probes = [unicast(1), broadcast(1)]
    expect(first(unread)).toMatchObject({ code: 'firewall.policy-managed', confidence: 'high' })
  })

  it('lists each rule that names the program', () => {
    const { rules } = report(
      windows({
        local: { [PROMPT]: block('Protocol=17', app()), a: allow(app('D:\\node.exe')) },
        policy: { p: allow(app()) },
      }),
    )
    expect(rules).toEqual([
      { id: PROMPT, name: 'theirs', store: 'local', action: 'Block', active: true },
      { id: 'p', name: 'ours', store: 'policy', action: 'Allow', active: true },
    ])
  })

  it('is no rule where none counts', () => {
    for (const settings of [{ localRulesIgnored: true }, { shieldsUp: true }]) {
      for (const { remedy } of diagnose(windows({ settings }))) expect(remedy?.commands ?? []).toEqual([])
    }
    expect(commandsOf(windows({ settings: { shieldsUp: true } })).text).toContain('Block all incoming')
  })

  it('has the port that is pinned, and the address of a camera that is in no subnet of this computer', () => {
    const pinned = commandsOf(windows({ plan: { streamPort: [5000, 5010] } }))
    expect(pinned.commands.at(-1)!.command).toMatch(/ -RemoteAddress 'LocalSubnet' -LocalPort '5000-5010'$/)
    const events = commandsOf(windows({ plan: { streamPort: 5000, messageChannel: true } }))
    expect(events.commands.at(-1)!.command).not.toContain('-LocalPort')
    expect(pinned.alternatives![0]!.command).toMatch(/ localport=5000-5010 remoteip=localsubnet$/)
    const routed = commandsOf(
      windows({ host: { interfaces: [nic({ profile: 'Public', address: '10.0.0.1' })] } }),
    )
    expect(routed.commands.at(-1)!.command).toContain(`-RemoteAddress '${CAMERA}'`)
    expect(routed.alternatives![0]!.command).toMatch(new RegExp(` localport=any remoteip=${CAMERA}$`))
  })

  it('by netsh quotes any path that cmd.exe can be given, and is left out for others', () => {
    const path = fc.string({ unit: fc.constantFrom(...'ab \\&|<>^%!"\'()$`;,=é\n') })
    fc.assert(
      fc.property(path, (program) => {
        const netsh = commandsOf(windows({ plan: { programRealPath: program } })).alternatives?.[0]
        expect(netsh === undefined).toBe(/["%!\n]|\\$/.test(program))
        if (!netsh) return
        // Within its quotes, and nothing but that is between them; outside there is nothing that cmd.exe would take for its own.
        const [outside, inside] = [
          netsh.command.split('"').filter((_, i) => i % 2 === 0),
          netsh.command.split('"'),
        ]
        expect(inside[3]).toBe(program)
        expect(outside.join('')).toMatch(/^[a-z0-9 =.-]+$/)
      }),
    )
  })
})
