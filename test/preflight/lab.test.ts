// The laboratory: real networks with one fault each, and what preflight says first, as an ordinary user. Where a command mends it, the
// command that was printed is run as it was printed, the stream must flow then, and its undo must leave every rule as it was.

import { describe, expect, it } from 'vitest'
import type { Finding, PreflightOptions, PreflightReport, SimulatorOptions } from '../../lib/index.js'
import { insideOk } from '../helpers/inside.js'
import { type CableOptions, cable, Namespace } from '../helpers/netns.js'
import { remoteSimulator } from '../helpers/remote-simulator.js'
import { describeWith } from '../helpers/requirements.js'
import { CAMERA, defaultDeny, flows, HOST, input, type Lab, look, mend, NFT, SMALL } from './laboratory.js'

interface Case {
  name: string
  /** First finding; its confidence where it matters. */
  first: string
  confidence?: Finding['confidence']
  severity?: Finding['severity']
  /** Further findings there must be. */
  also?: string[]
  firewall?: boolean
  cable?: CableOptions
  /** Shown with Aravis' fake camera as well; a text: the finding that comes before it there. */
  others?: true | string
  /** undefined: nobody at the other end. */
  simulator?: SimulatorOptions | null
  prepare?: (lab: Lab) => void | Promise<void>
  options?: PreflightOptions
  /** The printed command mends it: what it changes on this machine is read by this command; 'camera': it changes the camera. */
  mends?: [string, ...string[]] | 'camera'
  /** The other command that is printed mends it as well; what that one changes `mends` reads. */
  alternative?: boolean
  /** What is looked at again then, where that differs. */
  mended?: PreflightOptions
}

/** A router with a third network behind it: the host reaches the camera through it. */
function route(
  lab: Lab,
  masquerade: boolean,
  mtu: { near: number; far: number } = { near: 1500, far: 1500 },
): void {
  const { host, camera } = lab
  host.exec('ip', 'link', 'del', 'v0')
  const router = new Namespace()
  routers.push(router)
  const [near, far] = [
    { device: 'r0', cidr: '10.50.0.1/24' },
    { device: 'r1', cidr: '10.99.0.254/24' },
  ]
  cable(host, { device: 'v0', cidr: '10.50.0.2/24' }, router, near, { mtu: mtu.far, farMtu: mtu.near })
  cable(camera, { device: 'v1', cidr: `${CAMERA}/24` }, router, far, { mtu: mtu.far })
  router.exec('sysctl', '-qw', 'net.ipv4.ip_forward=1')
  host.exec('ip', 'route', 'add', 'default', 'via', '10.50.0.1')
  if (!masquerade) camera.exec('ip', 'route', 'add', 'default', 'via', '10.99.0.254')
  if (masquerade)
    router.nft(`table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    oifname "r1" masquerade
  }
}`)
}
const routers: Namespace[] = []

/** So that packets of the camera come by an interface that packets to it do not leave by: only the filter is in the way. */
function detour({ host, camera }: Lab): void {
  cable(host, { device: 'w0', cidr: '10.98.0.1/24' }, camera, { device: 'w1', cidr: '10.98.0.2/24' })
  const mac = host.exec('cat', '/sys/class/net/v0/address').trim()
  camera.exec('ip', 'neigh', 'replace', HOST, 'lladdr', mac, 'dev', 'v1')
  for (const which of ['all', 'v1', 'w1']) camera.exec('sysctl', '-qw', `net.ipv4.conf.${which}.rp_filter=0`)
  host.exec('ip', 'route', 'add', `${CAMERA}/32`, 'via', '10.98.0.2', 'dev', 'w0', 'src', HOST)
  for (const [which, value] of Object.entries({ all: 1, v0: 1, w0: 0 }))
    host.exec('sysctl', '-qw', `net.ipv4.conf.${which}.rp_filter=${value}`)
}

const ROUTES: [string, ...string[]] = ['ip', 'route', 'show']
const LINK: [string, ...string[]] = ['ip', '-o', 'link', 'show', 'dev', 'v0']

const aravis = async ({ camera }: Lab) => {
  camera.spawn('arv-fake-gv-camera-0.8', ['-i', 'v1', '-s', 'GV01'], { stdio: 'ignore' })
  await camera.listening(3956)
}

async function hold({ camera }: Lab): Promise<void> {
  const holder = camera.spawn(process.execPath, ['--input-type=module', '-e', HOLD])
  await new Promise<void>((resolve) => holder.stdout!.once('data', () => resolve()))
}

const CASES: Case[] = [
  { name: 'nothing is wrong', first: 'ok' },
  {
    name: 'default deny with connection tracking',
    first: 'firewall.inbound-stream',
    confidence: 'certain',
    severity: 'warning',
    also: ['firewall.broadcast-reply'],
    firewall: true,
    prepare: ({ host }) => host.nft(defaultDeny()),
    mends: NFT,
  },
  {
    name: 'unrequested UDP is dropped, however it was asked for',
    others: true,
    first: 'firewall.inbound-stream',
    confidence: 'certain',
    severity: 'error',
    firewall: true,
    prepare: ({ host }) => host.nft(input('udp sport != 3956 ip saddr 10.99.0.2 drop')),
    mends: NFT,
  },
  {
    name: 'a way that was opened is shut again after a silence',
    first: 'firewall.idle-timeout',
    confidence: 'certain',
    severity: 'warning',
    also: ['firewall.broadcast-reply'],
    firewall: true,
    options: { idle: [0.5, 4] },
    prepare: ({ host }) => {
      host.nft(defaultDeny())
      for (const which of ['', '_stream'])
        host.exec('sysctl', '-qw', `net.netfilter.nf_conntrack_udp_timeout${which}=2`)
    },
    mends: NFT,
  },
  {
    name: 'it is rejected',
    others: true,
    first: 'firewall.inbound-reject',
    confidence: 'certain',
    firewall: true,
    prepare: ({ host }) =>
      host.nft(input('ct state established,related accept', 'ip saddr 10.99.0.2 reject')),
    mends: NFT,
  },
  {
    name: 'all that the camera sends is dropped',
    first: 'firewall.inbound-all',
    confidence: 'certain',
    firewall: true,
    prepare: ({ host }) => host.nft(input('meta l4proto udp drop')),
    mends: NFT,
  },
  {
    name: 'it is dropped at the ingress of the interface',
    others: true,
    first: 'firewall.inbound-stream',
    confidence: 'high',
    firewall: true,
    prepare: ({ host }) =>
      host.nft(`table netdev early {
  chain in {
    type filter hook ingress device v0 priority 0; policy accept;
    udp sport != 3956 ip saddr 10.99.0.2 drop
  }
}`),
    mends: NFT,
  },
  {
    name: 'answers to broadcasts alone are dropped',
    others: true,
    first: 'firewall.broadcast-reply',
    confidence: 'high',
    firewall: true,
    prepare: ({ host }) => host.nft(input('ct state new udp sport 3956 drop')),
    mends: NFT,
  },
  {
    name: 'nothing may be sent',
    others: true,
    first: 'firewall.outbound',
    confidence: 'certain',
    firewall: true,
    prepare: ({ host }) =>
      host.nft(`table inet filter {
  chain output {
    type filter hook output priority 0; policy accept;
    udp dport 3956 drop
  }
}`),
    mends: NFT,
  },
  {
    name: 'iptables lets nothing be sent',
    others: true,
    first: 'firewall.outbound',
    confidence: 'certain',
    firewall: true,
    prepare: ({ host }) => {
      host.exec('iptables', '-A', 'OUTPUT', '-p', 'udp', '-j', 'DROP')
    },
    mends: NFT,
  },
  {
    name: 'iptables drops it',
    others: true,
    first: 'firewall.inbound-stream',
    confidence: 'certain',
    firewall: true,
    prepare: ({ host }) => {
      host.exec(
        'iptables',
        '-A',
        'INPUT',
        '-m',
        'conntrack',
        '--ctstate',
        'ESTABLISHED,RELATED',
        '-j',
        'ACCEPT',
      )
      host.exec('iptables', '-A', 'INPUT', '-p', 'udp', '-j', 'DROP')
    },
    mends: NFT,
  },
  {
    name: 'strict reverse-path filter, and a route by another interface',
    others: true,
    first: 'network.rp-filter',
    confidence: 'certain',
    prepare: ({ host, camera }) => {
      // A camera that knows where the host is: the filter would swallow its ARP requests as well, uncounted.
      const mac = host.exec('cat', '/sys/class/net/v0/address').trim()
      camera.exec('ip', 'neigh', 'replace', HOST, 'lladdr', mac, 'dev', 'v1')
      host.exec('ip', 'link', 'add', 'dummy0', 'type', 'veth', 'peer', 'name', 'dummy1')
      host.exec('ip', 'link', 'set', 'dummy1', 'up')
      host.exec('ip', 'link', 'set', 'dummy0', 'up')
      host.exec('ip', 'route', 'add', `${CAMERA}/32`, 'dev', 'dummy0')
      for (const which of ['all', 'v0']) host.exec('sysctl', '-qw', `net.ipv4.conf.${which}.rp_filter=1`)
    },
    mends: ROUTES,
  },
  {
    name: 'strict reverse-path filter, and packets that come by another way than they go',
    first: 'network.rp-filter',
    confidence: 'certain',
    prepare: detour,
    alternative: true,
    mends: [
      'sysctl',
      'net.ipv4.conf.all.rp_filter',
      'net.ipv4.conf.v0.rp_filter',
      'net.ipv4.conf.w0.rp_filter',
    ],
  },
  {
    name: 'camera and host are in different subnets',
    others: true,
    first: 'network.wrong-subnet',
    confidence: 'certain',
    prepare: ({ host, camera }) => {
      host.exec('ip', 'addr', 'flush', 'dev', 'v0')
      host.address('v0', '10.77.0.1/24')
      // A simulated camera takes no address that its machine has not.
      camera.address('v1', '10.77.0.254/24')
    },
    mends: 'camera',
    mended: { camera: '10.77.0.254' },
  },
  {
    name: 'two interfaces are in one subnet',
    others: true,
    first: 'network.ambiguous-route',
    prepare: ({ host }) => {
      host.exec('ip', 'link', 'add', 'dummy0', 'type', 'veth', 'peer', 'name', 'dummy1')
      host.exec('ip', 'link', 'set', 'dummy1', 'up')
      host.address('dummy0', '10.99.0.7/24')
      host.exec('ip', 'link', 'set', 'dummy0', 'up')
      host.exec('ip', 'route', 'del', '10.99.0.0/24', 'dev', 'v0')
      for (const which of ['all', 'v0']) host.exec('sysctl', '-qw', `net.ipv4.conf.${which}.rp_filter=0`)
    },
    mends: ROUTES,
  },
  {
    name: 'a packet size that the interface does not take',
    first: 'mtu.host',
    confidence: 'certain',
    cable: { mtu: 1500, farMtu: 9000 },
    options: { packetSize: 8000 },
    mends: LINK,
    mended: { packetSize: 8000 },
  },
  {
    name: 'a path narrower than the interface, without a word',
    first: 'mtu.path',
    confidence: 'certain',
    cable: { mtu: 9000, farMtu: 1500 },
  },
  {
    name: 'a path narrower than the interface, where a router says so',
    first: 'mtu.path',
    confidence: 'certain',
    prepare: (lab) => route(lab, false, { near: 1500, far: 9000 }),
  },
  {
    name: 'packets that are cut into fragments on their way',
    first: 'mtu.fragmentation',
    confidence: 'certain',
    cable: { mtu: 9000, farMtu: 1500 },
    simulator: { ...SMALL, faults: { packetSize: 'ignore-df' } },
  },
  {
    name: 'a socket queue too small for the frames',
    first: 'host.receive-buffer',
    simulator: { width: 4096, height: 3000, frameRate: 2 },
  },
  {
    name: 'another application controls the camera',
    first: 'camera.busy',
    confidence: 'certain',
    prepare: hold,
  },
  {
    name: 'a camera without test packets, made by others',
    first: 'camera.no-test-packet',
    simulator: null,
    prepare: aravis,
  },
  {
    name: 'a camera made by others, and default deny',
    first: 'firewall.inbound-stream',
    confidence: 'high',
    also: ['firewall.broadcast-reply'],
    firewall: true,
    simulator: null,
    prepare: async (lab) => {
      await aravis(lab)
      lab.host.nft(defaultDeny())
    },
  },
  {
    name: 'a camera made by others, and all that it sends is dropped',
    first: 'firewall.inbound-all',
    confidence: 'certain',
    firewall: true,
    simulator: null,
    prepare: async (lab) => {
      await aravis(lab)
      lab.host.nft(input('meta l4proto udp drop'))
    },
  },
  {
    name: 'a camera made by others, held by somebody else',
    first: 'camera.busy',
    confidence: 'certain',
    simulator: null,
    prepare: async (lab) => {
      await aravis(lab)
      await hold(lab)
    },
  },
  {
    name: 'a camera whose test packets take a third of a second',
    first: 'ok',
    simulator: { ...SMALL, faults: { testPacketDelayMs: 330 } },
  },
  {
    name: 'a wrong address, at which another host is',
    first: 'network.not-a-camera',
    confidence: 'high',
    simulator: null,
  },
  {
    name: 'a host that has the address and says nothing',
    others: true,
    first: 'network.not-a-camera',
    confidence: 'medium',
    prepare: ({ camera }) => camera.nft(input('meta l4proto udp drop')),
  },
  {
    name: 'nobody has the address',
    first: 'camera.off-or-other-segment',
    simulator: null,
    options: { camera: '10.99.0.77' },
  },
  {
    name: 'the link is down',
    first: 'link.down',
    confidence: 'certain',
    prepare: ({ camera }) => {
      camera.exec('ip', 'link', 'set', 'v1', 'down')
    },
  },
  {
    name: 'the interface is switched off',
    others: true,
    first: 'link.down',
    confidence: 'certain',
    prepare: ({ host }) => {
      host.exec('ip', 'link', 'set', 'v0', 'down')
    },
    mends: LINK,
  },
  {
    name: 'a router between that translates addresses',
    others: true,
    first: 'network.nat',
    confidence: 'high',
    prepare: (lab) => route(lab, true),
  },
  {
    name: 'a router between, which broadcasts do not cross',
    others: 'camera.no-test-packet',
    first: 'network.broadcast-blocked',
    prepare: (lab) => route(lab, false),
  },
  {
    name: 'the camera waits for a trigger',
    first: 'stream.waiting-for-trigger',
    confidence: 'certain',
    prepare: async ({ camera }) => {
      await insideOk(
        camera,
        async (gigewire, address) => {
          const opened = await gigewire.openCamera(address)
          await opened.features.set('TriggerMode', 'On')
          await opened.close()
        },
        CAMERA,
      )
    },
  },
  {
    name: 'packets are lost before they reach this computer',
    first: 'network.switch-loss',
    simulator: { ...SMALL, gso: false },
    prepare: ({ camera }) =>
      camera.nft(`table netdev t {
  chain out {
    type filter hook egress device v1 priority 0;
    udp sport != 3956 meta length > 1000 numgen random mod 10 == 0 drop
  }
}`),
  },
]

const HOLD = `
import { openCamera } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).pathname)}
const camera = await openCamera('${CAMERA}')
console.log('held')
setInterval(() => void camera, 1000)
`

/** By a command that changes nothing of this machine. */
async function mendCamera(host: Namespace, report: PreflightReport, mended: PreflightOptions): Promise<void> {
  const [one] = report.findings[0]!.remedy!.commands
  expect(one!.elevated).toBe(false)
  expect(await flows(host, {}, {})).toBe(false)
  // npx would ask for a newer npm now and then, and wait for an answer that cannot come.
  const run = (command: string) => host.exec('env', 'npm_config_update_notifier=false', 'sh', '-c', command)
  run(one!.command)
  expect(await flows(host, {}, mended)).toBe(true)
  run(one!.undo!)
  const { facts, findings } = await look(host, { camera: CAMERA })
  expect(findings[0]?.code).toBe('network.wrong-subnet')
  expect(facts.camera?.subnetMask).toBe(report.facts.camera?.subnetMask)
}

/** The commands, and where another way is printed beside them, that one as well. */
async function mendBoth(
  host: Namespace,
  report: PreflightReport,
  { mends, mended, alternative }: Case,
): Promise<void> {
  const list = mends as [string, ...string[]]
  const [first] = report.findings
  const { alternatives, ...remedy } = first!.remedy!
  if (alternative) {
    await mend(host, report, {}, ROUTES, mended)
    const other = { ...first!, remedy: { ...remedy, commands: alternatives! } }
    await mend(host, { ...report, findings: [other] }, {}, list, mended)
  } else await mend(host, report, {}, list, mended)
}

/** What preflight says is what the case is, said in time; and no firewall is accused where none is to blame. */
async function judge(host: Namespace, one: Case): Promise<PreflightReport> {
  const report = await look(host, { camera: CAMERA, ...one.options })
  const told = report.findings.map(({ code, confidence, severity }) => ({ code, confidence, severity }))
  const what = JSON.stringify(report.findings, null, 1) + JSON.stringify(report.facts.probes)
  expect(told[0]?.code, what).toBe(one.first)
  if (one.confidence) expect(told[0]?.confidence, what).toBe(one.confidence)
  if (one.severity) expect(told[0]?.severity, what).toBe(one.severity)
  expect(told.map(({ code }) => code)).toEqual(expect.arrayContaining(one.also ?? []))
  const accused = told.filter(({ code }) => code.startsWith('firewall.'))
  if (!one.firewall) expect(accused, what).toEqual([])
  if (told[0]?.severity !== 'info')
    expect(report.layers.filter(({ because }) => because.includes(told[0]!.code))).not.toEqual([])
  if (!one.options?.idle) expect(report.ms, what).toBeLessThan(3000)
  return report
}

describeWith(['netns', 'nft', 'iptables', 'arv-fake-gv-camera-0.8', 'sysctl'], 'the laboratory', () => {
  describe.each(CASES.map((one) => [one.name, one] as const))('%s', (_, one) => {
    it(`is ${one.first}`, async () => {
      using host = new Namespace()
      using camera = new Namespace()
      const ends = [
        { device: 'v0', cidr: `${HOST}/24` },
        { device: 'v1', cidr: `${CAMERA}/24` },
      ] as const
      cable(host, ends[0], camera, ends[1], one.cable)
      const simulator =
        one.simulator === null
          ? undefined
          : await remoteSimulator(camera, { ...(one.simulator ?? SMALL), address: CAMERA })
      try {
        await one.prepare?.({ host, camera, simulator })
        const report = await judge(host, one)
        if (one.mends === 'camera') await mendCamera(host, report, one.mended!)
        else if (one.mends) await mendBoth(host, report, one)
      } finally {
        for (const router of routers.splice(0)) router[Symbol.dispose]()
      }
    })
  })

  const others = CASES.filter((one) => one.others).map((one) => [one.name, one] as const)
  it.each(others)('with a camera made by others: %s', async (_, one) => {
    using host = new Namespace()
    using camera = new Namespace()
    cable(host, { device: 'v0', cidr: `${HOST}/24` }, camera, { device: 'v1', cidr: `${CAMERA}/24` })
    try {
      await one.prepare?.({ host, camera, simulator: undefined })
      await aravis({ host, camera, simulator: undefined })
      // How sure a finding is and what is found beside it belongs to what the simulator can do and this one cannot.
      const { confidence: _c, severity: _s, also: _a, ...rest } = one
      await judge(host, one.others === true ? rest : { ...rest, first: one.others!, also: [one.first] })
    } finally {
      for (const router of routers.splice(0)) router[Symbol.dispose]()
    }
  })
})
