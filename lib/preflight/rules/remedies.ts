// What to do about a finding: in words, and where there are, the commands for this machine with what takes them back.

import { inSubnet, ipv4Number, ipv4Text } from '../../ipv4.js'
import type { Facts, InterfaceFacts } from '../facts.js'
import type { FindingCode } from '../finding-codes.js'
import type { Remedy, RemedyCommand } from '../report.js'
import { filtering, nearer } from '../route.js'
import { dialectOf, inboundRule, linuxRules } from './linux.js'
import { OUTBOUND_FIREWALLD, outboundCommands } from './linux-outbound.js'
import { powershell, sh } from './quote.js'
import { netshAllow, windowsAllow, windowsDisable } from './windows.js'
import { judgeWindows } from './windows-judge.js'

const root = (command: string, undo?: string): RemedyCommand => ({
  shell: 'sh',
  command,
  ...(undo !== undefined && { undo }),
  elevated: true,
})

function nicOf({ host, camera }: Facts): InterfaceFacts | undefined {
  return (
    host.interfaces.find(({ name }) => name !== '' && name === host.route?.interface) ??
    (camera ? undefined : host.interfaces[0])
  )
}

/** The one that is accused of having no link, as the diagnosis takes it: never another that happens to be down as well. */
function nicTowards({ camera, host: { interfaces, route } }: Facts): InterfaceFacts | undefined {
  return (
    interfaces.find(({ name }) => name !== '' && name === route?.interface) ??
    interfaces.find((nic) => camera !== undefined && inSubnet(camera.address, nic))
  )
}

function inbound(text: string): (facts: Facts) => Remedy {
  return (facts) => {
    const rule = inboundRule(facts)
    switch (facts.system) {
      case 'linux':
        return { text, commands: rule ? linuxRules(rule, facts) : [] }
      case 'windows':
        return onWindows(text, facts)
      default:
        return { text: MAC_FIREWALL, commands: macAllow(facts) }
    }
  }
}

const POLICY =
  'Give this to the administrator: inbound UDP from the camera to the program is to be allowed in all profiles, by the policy. gigewire preflight --ports markdown prints what must pass.'

function onWindows(text: string, facts: Facts): Remedy {
  const { why, policyManaged } = judgeWindows(facts)
  if (policyManaged) return { text: POLICY, commands: [] } // a rule that is made here counts for nothing
  if (why === 'shields-up')
    return {
      text: "Switch 'Block all incoming connections' off for the profile of this network: meanwhile no rule counts. Then run it again.",
      commands: [],
    }
  const netsh = netshAllow(facts)
  return {
    text,
    commands: [...windowsDisable(blockRules(facts)), ...windowsAllow(facts)],
    ...(netsh && { alternatives: [netsh] }),
  }
}

function sysctl(name: string, value: number, before: number | undefined): RemedyCommand {
  return root(`sysctl -w ${name}=${value}`, before === undefined ? undefined : `sysctl -w ${name}=${before}`)
}

/** What goes to the camera leaves by the NIC that it is heard through, or that is in its subnet. */
function routeBack({ host, camera }: Facts): RemedyCommand | undefined {
  const nic = camera && nearer(host, camera.address)
  const { exact } = host.route ?? {}
  if (!nic || exact === undefined) return undefined
  if (camera.seenBy !== undefined && !camera.seenBy.includes(nic.name)) return undefined
  const to = `${camera.address}/32 dev ${sh(nic.name)}`
  return root(
    `ip route replace ${to} src ${nic.address}`,
    exact === '' ? `ip route del ${to}` : `ip route replace ${exact}`,
  )
}

const blockRules = (facts: Facts) => {
  const { why, rules } = judgeWindows(facts)
  return why === 'block-rule' ? rules : []
}

const MAC_FIREWALL =
  'Let the program in: System Settings > Network > Firewall > Options, or the command; "Block all incoming connections" must be off.'

function macAllow({ plan }: Facts): RemedyCommand[] {
  const tool = '/usr/libexec/ApplicationFirewall/socketfilterfw'
  return [
    root(
      `${tool} --unblockapp ${sh(plan.programRealPath)}`,
      `${tool} --blockapp ${sh(plan.programRealPath)}`,
    ),
  ]
}

const words = (text: string) => (): Remedy => ({ text, commands: [] })

/** Its commands are Linux' own; the others are told in words. */
function onLinux(
  linux: (facts: Facts) => Remedy,
  others: { windows: string; macos: string },
): (facts: Facts) => Remedy {
  return (facts) => (facts.system === 'linux' ? linux(facts) : { text: others[facts.system], commands: [] })
}

const elsewhere = (text: string) => ({ windows: text, macos: text })

const SUBNETS =
  'Give each network interface a subnet of its own, or name the one that the camera is at: { interface }.'
const CABLE = 'Plug the cable in at both ends; see that the camera has power.'
const MTU = "Raise the MTU of the interface, and of the switch between; or use { packetSize: 'auto' }."
const QUEUES = 'Let sockets have larger queues.'
const RING = 'Lengthen the receive ring of the interface.'

const REMEDIES: Partial<Record<FindingCode, (facts: Facts) => Remedy>> = {
  'firewall.inbound-stream': inbound(
    'Let UDP of the camera in. Where the images must pass a rule for a port, pin it with { streamPort }.',
  ),
  'firewall.inbound-reject': inbound('Let UDP of the camera in; the firewall rejects it now.'),
  'firewall.inbound-all': inbound('Let UDP of the camera in: now not even answers pass.'),
  'firewall.idle-timeout': inbound(
    'Streams keep the way open with a datagram every 10 s. What comes after a longer silence needs a rule: let UDP of the camera in.',
  ),
  'firewall.broadcast-reply': inbound(
    'Give the address of the camera where you open it, or let UDP of the camera in.',
  ),
  'firewall.policy-managed': words(POLICY),
  'firewall.unicast-response-to-broadcast': words(
    'Give the address of the camera where you open it, or let the profile answer broadcasts (AllowUnicastResponseToMulticast).',
  ),
  'firewall.rule': words('Delete what does not match, and make one rule with the real path of the program.'),
  'filter-driver.steals': words(
    "Untick the other maker's filter driver in the properties of the network interface, or use its own software.",
  ),
  'macos.local-network-privacy': words(
    'System Settings > Privacy & Security > Local Network: switch the app on; where it is on already, off and on again. A program started from Terminal needs none.',
  ),
  'firewall.outbound': onLinux(
    (facts) => ({
      text:
        dialectOf(facts) === 'firewalld'
          ? OUTBOUND_FIREWALLD
          : 'Let UDP out to the camera: commands to port 3956, and from the port of the stream.',
      commands: outboundCommands(facts),
    }),
    {
      windows:
        'Windows lets everything out but for what a rule or a profile forbids: in Windows Defender Firewall with Advanced Security > Outbound Rules disable the block, or allow the program UDP to the camera.',
      macos:
        "macOS itself lets everything out: allow the program UDP to the camera in the other maker's firewall (Little Snitch, LuLu), or in the rules of pf (sudo pfctl -s rules).",
    },
  ),
  'network.broadcast-blocked': words(
    'Give the address of the camera where you open it. In a container, host networking makes broadcasts work.',
  ),
  'network.wrong-subnet': ({ host, camera, system }) => {
    const nics = host.interfaces.filter(({ up, loopback, address }) => up && !loopback && address !== '')
    const nic = nics.find(({ name }) => camera?.seenBy?.includes(name)) ?? nics[0]
    const mask = camera?.subnetMask ?? '255.255.255.0'
    const forceIp = `npx gigewire force-ip ${camera?.mac}`
    const name = nic && (system === 'windows' ? powershell : sh)(nic.name)
    return {
      text: `Give the camera an address of this network, or this computer one of the camera's (mask ${mask}).`,
      commands:
        nic && camera?.mac
          ? [
              {
                shell: system === 'windows' ? 'powershell' : 'sh',
                command: `${forceIp} ${neighbourOf(nic)} --netmask ${nic.netmask} --interface ${name}`,
                ...(camera.subnetMask !== undefined && {
                  undo: `${forceIp} ${camera.address} --netmask ${camera.subnetMask} --interface ${name}`,
                }),
                elevated: false,
              },
            ]
          : [],
    }
  },
  'network.rp-filter': onLinux((facts) => {
    const { host, camera } = facts
    const settings = filtering(host).map(({ name, rpFilterOwn }) => ({
      name: `net.ipv4.conf.${name.replaceAll('.', '/')}.rp_filter`, // how sysctl wants the name of a VLAN
      before: rpFilterOwn,
    }))
    settings.unshift({ name: 'net.ipv4.conf.all.rp_filter', before: host.limits.rpFilterAll })
    const changed = settings.filter(({ before }) => before !== 0)
    const set = (value: (one: { before: number | undefined }) => number) =>
      `sysctl -w ${changed.map((one) => sh(`${one.name}=${value(one)}`)).join(' ')}`
    const direct = routeBack(facts)
    const known = changed.every(({ before }) => before !== undefined)
    const off = root(
      set(() => 0),
      known ? set(({ before }) => before!) : undefined,
    )
    return {
      text: `Give camera and interface addresses of one subnet that no other interface has, and no other one the route to it (ip route get ${camera?.address ?? '<camera>'} names it); until then ${direct ? 'send to it by the interface of its subnet, or switch the filter off and see to the other' : 'switch the filter off here'}.`,
      commands: [direct ?? off],
      ...(direct && { alternatives: [off] }),
    }
  }, elsewhere('Give camera and interface addresses of one subnet that no other interface has.')),
  'network.ambiguous-route': onLinux((facts) => {
    const direct = routeBack(facts)
    return {
      text: `${SUBNETS}${direct ? ' Until then send to it by the interface that it is heard through.' : ''}`,
      commands: direct ? [direct] : [],
    }
  }, elsewhere(SUBNETS)),
  'network.address-conflict': words(
    'Give the cameras addresses of their own: npx gigewire force-ip <MAC> <address>.',
  ),
  'network.nat': words(
    'Use host networking, or say where the camera reaches this computer: { streamDestination }, with a pinned { streamPort } that is forwarded.',
  ),
  'network.not-a-camera': words('Look for the right address: gigewire list.'),
  'camera.off-or-other-segment': words(
    "See the camera's power and cable, and whether it is in this network (VLAN); one that has just started needs up to a minute.",
  ),
  'link.down': onLinux(
    (facts) => {
      const nic = nicTowards(facts)
      return {
        text: CABLE,
        commands:
          nic && !nic.up ? [root(`ip link set ${sh(nic.name)} up`, `ip link set ${sh(nic.name)} down`)] : [],
      }
    },
    elsewhere(`${CABLE} See that the interface is switched on in the settings of the system.`),
  ),
  'mtu.host': onLinux(
    (facts) => {
      const nic = nicOf(facts)
      const size = facts.plan.packetSize ?? 9000
      return {
        text: MTU,
        commands: nic
          ? [
              root(
                `ip link set ${sh(nic.name)} mtu ${Math.max(size, 1500)}`,
                `ip link set ${sh(nic.name)} mtu ${nic.mtu}`,
              ),
            ]
          : [],
      }
    },
    {
      windows: `${MTU} It is set as Jumbo Packet, in the properties of the interface > Configure > Advanced.`,
      macos: `${MTU} It is set in System Settings > Network > Details > Hardware.`,
    },
  ),
  'mtu.path': words(
    'Streams use the largest size that passes by themselves. For larger ones switch jumbo frames on at the switch between.',
  ),
  'mtu.fragmentation': words("Use { packetSize: 'auto' }: such sizes are refused then."),
  'camera.busy': words(
    "Close the other application, or wait for its heartbeat to run out (3 s by default); listen with { access: 'monitor' } meanwhile.",
  ),
  'camera.no-test-packet': words(
    'Give { packetSize } where you know what passes: 1500 does nearly everywhere.',
  ),
  'camera.not-restored': words(
    'The next stream sets them anew. Restart the camera where another application relies on what they were.',
  ),
  'host.port-taken': words(
    'Close the program that has it (ss -ulpn, on Windows netstat -abn), or choose another { streamPort }; a range leaves a choice.',
  ),
  'host.receive-buffer': onLinux(
    ({ host: { limits } }) => ({
      text: QUEUES,
      commands: [
        sysctl('net.core.rmem_max', Math.max(limits.receiveBuffer?.asked ?? 0, 32 << 20), limits.rmemMax),
      ],
    }),
    {
      windows:
        'Windows has no setting for it: ask for smaller or fewer frames, and spread what the cameras send (gigewire plan).',
      macos: `${QUEUES} The limit is kern.ipc.maxsockbuf (sysctl).`,
    },
  ),
  'host.backlog': onLinux(
    ({ host: { limits } }) => ({
      text: 'Let more packets wait before IP, and keep other work off the core that takes the interrupts.',
      commands: [sysctl('net.core.netdev_max_backlog', 10_000, limits.netdevMaxBacklog)],
    }),
    elsewhere('Keep other work off the core that takes the interrupts of the network interface.'),
  ),
  'nic.ring': onLinux(
    (facts) => {
      const nic = nicOf(facts)
      return { text: RING, commands: nic ? [root(`ethtool -G ${sh(nic.name)} rx 4096`)] : [] }
    },
    {
      windows: `${RING} It is set as Receive Buffers, in the properties of the interface > Configure > Advanced.`,
      macos: 'Use an interface with a longer receive ring: macOS has no setting for it.',
    },
  ),
  'network.switch-loss': words(
    "See cable and connectors, the switch's counters, and the sum of what the cameras send; gigewire plan spreads it.",
  ),
  transient: words('Wait a minute, and run it again.'),
  'stream.waiting-for-trigger': words('Trigger it, or set TriggerMode to Off.'),
  'stream.not-acquiring': words('Start the acquisition: AcquisitionStart.'),
  'stream.nothing-sent': words(
    "See that it is told to acquire and of a trigger; where a size was given, try { packetSize: 'auto' }: larger packets may be lost without a trace.",
  ),
  'stream.no-whole-frame': words(
    "See what its statistics count: stream.stats(), or gigewire stream <camera>; try { packetSize: 'auto' }, and resends.",
  ),
  'stream.no-free-slot': words('Release frames sooner, or ask for more { buffers }.'),
  'stream.wrong-destination': words(
    'Another application, or an earlier run, has set the destination: start the stream anew.',
  ),
}

/** The last address of the network but one, by which nobody is likely to live. */
function neighbourOf({ address, netmask }: InterfaceFacts): string {
  const [own, mask] = [ipv4Number(address), ipv4Number(netmask)]
  const last = (((own & mask) >>> 0) + (~mask >>> 0) - 1) >>> 0
  const chosen = last === own ? last - 1 : last
  return ipv4Text(chosen)
}

export function remedyFor(code: FindingCode, facts: Facts): Remedy | undefined {
  return REMEDIES[code]?.(facts)
}
