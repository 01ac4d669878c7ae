// What was observed, and nothing else: the only input of the diagnosis. Purpose: one shape for what collectors read off the three
// systems and for what probes saw, plain JSON, so that it goes into a report, into a fixture and back. A field that is absent was not
// observed; that is never the same as zero or false.

export interface Facts {
  version: 1
  /** ISO 8601. */
  recorded: string
  system: 'linux' | 'windows' | 'macos'
  /** gigewire's, and Node's. */
  versions: Record<string, string>
  host: HostFacts
  firewall: FirewallFacts
  /** How the stream would be, or is, set up: what the rules are made for. */
  plan: PlanFacts
  camera?: CameraFacts
  /** In the order they were made. */
  probes: Probe[]
  /** Of a stream that was running when preflight was asked, by its statistics. */
  stream?: StreamFacts
  /** Not observed, and why: 'nft ruleset' -> 'needs CAP_NET_ADMIN'. */
  unread: Record<string, string>
}

export interface PlanFacts {
  /** Executable that receives, as named and with every link resolved. */
  program: string
  programRealPath: string
  streamPort?: number | [number, number]
  streamDestination?: string
  multicast?: string
  /** Fixed, instead of negotiated. */
  packetSize?: number
  /** The camera sends events. */
  messageChannel?: boolean
  /** Cameras keep one clock (PTP), and this computer takes part. */
  ptp?: boolean
}

// ---- this machine ---------------------------------------------------------------------------------------------------

export interface HostFacts {
  interfaces: InterfaceFacts[]
  /** The system's own choice for the camera's address. */
  route?: {
    interface: string
    source: string
    gateway?: string
    error?: string
    /** Linux, of a camera that does not answer: the NIC that its routes name, whosever address the packets bear. */
    device?: string
    /** And a route to the camera's address alone, without a metric, as `ip route` prints it; '': there is none. */
    exact?: string
  }
  neighbours: { address: string; mac: string; interface: string; state: 'complete' | 'incomplete' }[]
  environment: EnvironmentFacts
  /** Effective user id is 0, or the process is elevated. */
  privileged: boolean
  limits: LimitFacts
}

export interface InterfaceFacts {
  name: string
  address: string
  netmask: string
  mac?: string
  mtu: number
  up: boolean
  loopback: boolean
  /** False: no cable, or nobody at its end. */
  carrier?: boolean
  speedMbps?: number
  wireless?: boolean
  /** 'veth', 'bridge', 'tun', 'vmware', ... where it is not a NIC of metal. */
  virtual?: string
  /** Has the default route. */
  gateway?: string
  /** Linux: the larger of `all` and its own counts. */
  rpFilter?: number
  rpFilterOwn?: number
  /** Windows: as the rules of its firewall name it. */
  guid?: string
  profile?: 'Domain' | 'Private' | 'Public'
  driver?: string
}

export interface EnvironmentFacts {
  container?: 'docker' | 'podman' | 'lxc' | 'kubernetes' | 'other'
  wsl?: 'nat' | 'mirrored' | 'bridged' | 'unknown'
  virtualMachine?: string
  /** Network namespace other than that of the first process. */
  networkNamespace?: boolean
  snap?: boolean
  flatpak?: boolean
  selinux?: 'enforcing' | 'permissive'
  apparmorProfile?: string
  ssh?: boolean
  /** macOS: the app that answers for this process, 'Terminal', 'Visual Studio Code', ... */
  responsibleApp?: string
  osVersion?: string
}

export interface LimitFacts {
  rmemDefault?: number
  rmemMax?: number
  netdevMaxBacklog?: number
  /** net.ipv4.conf.all.rp_filter. */
  rpFilterAll?: number
  conntrack?: { udpTimeout: number; udpTimeoutStream: number; count?: number; max?: number }
  receiveBuffer?: { asked: number; granted: number }
}

// ---- firewalls ------------------------------------------------------------------------------------------------------

/** `linux`, `windows` or `macos` is there, as `Facts.system` says. */
export interface FirewallFacts {
  linux?: LinuxFirewall
  windows?: WindowsFirewall
  macos?: MacosFirewall
}

export interface LinuxFirewall {
  ufw?: { installed: boolean; enabled?: boolean; defaultInput?: string }
  firewalld?: { installed: boolean; running?: boolean; defaultZone?: string; zoneOf?: Record<string, string> }
  nftables?: {
    installed: boolean
    configured?: boolean
    active?: boolean
    /** `nft -j list ruleset`, privileged. */
    ruleset?: unknown
  }
  iptables?: { installed: boolean; rules?: string[] }
}

export interface WindowsFirewall {
  /** Merged as far as can be read: policy over local. */
  profiles: Record<'Domain' | 'Private' | 'Public', WindowsProfile>
  /** Value name -> rule string, of each store. */
  rules: { local: Record<string, string>; policy: Record<string, string>; mdm?: Record<string, string> }
  /** COM LocalPolicyModifyState: 0 ok, 1 overridden by policy, 2 all inbound blocked. */
  modifyState?: number
  /** Of SecurityCenter2; absent on servers. */
  products?: { name: string; path?: string; state: number }[]
  /** Of other makers, bound to NICs. */
  filterDrivers?: { name: string; interface: string }[]
  variables?: Record<string, string>
}

export interface WindowsProfile {
  enabled: boolean
  defaultInbound: 'Allow' | 'Block'
  defaultOutbound?: 'Allow' | 'Block'
  /** Policy forbids local rules: AllowLocalPolicyMerge = 0. */
  localRulesIgnored?: boolean
  /** 'Block all incoming': DoNotAllowExceptions. */
  shieldsUp?: boolean
  notify?: boolean
  unicastResponsesToBroadcast?: boolean
}

export interface MacosFirewall {
  enabled?: boolean
  blockAll?: boolean
  allowSigned?: boolean
  stealth?: boolean
  /** What it says of the program. */
  program?: 'allowed' | 'blocked' | 'unlisted'
}

// ---- the camera -----------------------------------------------------------------------------------------------------

export interface CameraFacts {
  address: string
  mac?: string
  subnetMask?: string
  model?: string
  /** As it was seen, by which NIC; absent: nothing of it was seen. */
  seenBy?: string[]
  reachable?: boolean
  unreachableReason?: string
  addressConflict?: boolean
  triggerMode?: string
  triggerSource?: string
}

// ---- probes ---------------------------------------------------------------------------------------------------------

/** What a probe did to the counters of this host (reference/firewall.md section 4); absent: no such counter here. */
export interface CounterDelta {
  nicRx?: number
  nicDrop?: number
  softDrop?: number
  ipReceives?: number
  ipDelivers?: number
  fwDrop?: number
  rpDrop?: number
  rejSent?: number
  sockDrop?: number
  noSock?: number
  fragIn?: number
  fragBad?: number
  /** Counters of the NIC's driver that rose, by their names. */
  driver?: Record<string, number>
}

interface Common {
  ms: number
  /** NIC whose counters were taken. */
  interface?: string
  counters?: CounterDelta
  /** Of the first call that the system refused: 'EPERM', 'EHOSTUNREACH', 'WSAEACCES', ... */
  error?: string
}

export type Probe =
  | BroadcastProbe
  | UnicastProbe
  | AccessProbe
  | CapabilityProbe
  | TestPacketProbe
  | BurstProbe
  | IdleProbe
  | PortProbe
  | RefusedProbe
  | RestoreProbe

/** P1 and, with `ack` 'broadcast', P2. */
export interface BroadcastProbe extends Common {
  probe: 'broadcast'
  ack: 'unicast' | 'broadcast'
  rounds: number
  sent: number
  answers: {
    address: string
    mac: string
    /** NIC that heard it. */
    from: string
    subnetMask: string
    model: string
    /** By its address, from that NIC. */
    reachable: boolean
  }[]
}

/** P3, on a connected socket. */
export interface UnicastProbe extends Common {
  probe: 'unicast'
  address: string
  sent: number
  answers: number
}

/** P5. `status` is GVCP's, 0x8006: somebody else holds it. */
export interface AccessProbe extends Common {
  probe: 'access'
  ccp?: number
  granted: boolean
  status?: number
  holder?: { address: string; port: number }
}

/** P6. */
export interface CapabilityProbe extends Common {
  probe: 'capabilities'
  gvspCapability?: number
  /** 0: not supported, or unknown before a stream is set up. */
  sourcePort: number
  testPackets?: boolean
}

/** P7 to P10. */
export interface TestPacketProbe extends Common {
  probe: 'test-packet'
  size: number
  dontFragment: boolean
  /** Datagrams had been sent from the stream socket to the camera before. */
  punched: boolean
  fired: number
  arrived: number
  /** Arrived, put together by this host of fragments. */
  fragmented: number
  /** GVCP status of the register write that fires. */
  refused?: number
  destination: string
  port: number
}

/** P11, and a one-frame stream instead of test packets. */
export interface BurstProbe extends Common {
  probe: 'burst'
  packetSize: number
  /** False: at the smallest size, since no test packet had arrived. */
  proven: boolean
  seconds: number
  stream: StreamFacts
}

/** P12: test packets through a way that was opened from inside, after a silence. */
export interface IdleProbe extends Common {
  probe: 'idle'
  /** Of the silence. */
  seconds: number
  fired: number
  arrived: number
  arrivedAfterPunch?: number
}

/** A pinned stream port that this computer does not give away. */
export interface PortProbe extends Common {
  probe: 'port'
  port: number | [number, number]
}

/** In place of P11: the stream could not be started. */
export interface RefusedProbe extends Common {
  probe: 'stream-refused'
}

/** P13. */
export interface RestoreProbe extends Common {
  probe: 'restore'
  restored: string[]
  failed: string[]
}

/** A stream's statistics, as far as they tell a cause. */
export interface StreamFacts {
  seconds: number
  /** Of them since the first frame was there. */
  flowing?: number
  framesComplete: number
  framesIncomplete: number
  packetsExpected: number
  packetsReceived: number
  lostInKernel: number
  lostOnWire: number
  blocksNoSlot: number
  foreign: number
  malformed: number
  /** By AcquisitionStatus, while it was waited for. */
  acquiring?: boolean
  /** Frames per second to be expected, by the camera's features. */
  frameRate?: number
  /** Since it was started. */
  counters?: CounterDelta
  /** Where the camera sends to now, by its registers. */
  destination?: { address: string; port: number }
  port?: number
}
