// The codes of findings, the fixed vocabulary of the diagnosis: programs match on these. Row numbers are those of
// reference/firewall.md section 6.

export const FINDING_CODES = {
  ok: 'everything that was tried passed', // 1
  'firewall.inbound-stream': 'unrequested UDP from the camera is dropped on this computer or right before it', // 2, 3
  'firewall.inbound-reject': 'unrequested UDP from the camera is rejected by this computer', // 4
  'firewall.broadcast-reply': 'answers to broadcasts are dropped on this computer', // 5
  'network.broadcast-blocked': 'broadcasts do not reach the camera, or its answers not this NIC', // 6
  'firewall.unicast-response-to-broadcast': 'this profile forbids unicast answers to broadcasts', // 7
  'firewall.inbound-all': 'every datagram of the camera is dropped, answers included', // 8
  'firewall.outbound': 'the system refuses to send to the camera', // 9
  'macos.local-network-privacy': 'the system hides the local network from this app', // 10
  'network.wrong-subnet': 'camera and NIC are in different subnets', // 11
  'network.rp-filter': 'reverse-path filtering drops what the camera sends', // 12
  'network.ambiguous-route': 'two NICs are in one subnet, and the wrong one is used', // 13
  'network.address-conflict': 'two devices have the address of the camera',
  'mtu.host': 'packets are larger than the MTU of this NIC', // 14, 17
  'mtu.path': 'packets are larger than something on the way lets through', // 15
  'mtu.fragmentation': 'packets arrive as IP fragments', // 16
  'nic.ring': 'the NIC drops packets for want of receive descriptors', // 17, 20
  'camera.busy': 'another application controls the camera', // 18
  'host.receive-buffer': 'the queue of the stream socket is too small', // 19
  'host.port-taken': 'the pinned stream port is not to be had on this computer',
  'host.backlog': 'the kernel drops packets before IP', // 21
  'network.switch-loss': 'packets are lost before this computer', // 22
  'filter-driver.steals': "another vendor's filter driver takes the packets", // 23
  'network.not-a-camera': 'a host answers at this address, but not as a camera', // 24
  'camera.off-or-other-segment': 'nobody answers at this address', // 25
  'link.down': 'no link at this NIC', // 26
  'network.nat': 'address translation between camera and this program', // 27
  'camera.no-test-packet': 'the camera sends no test packets', // 28
  'firewall.idle-timeout': 'the way in closes when nothing is sent for a while', // 29
  'firewall.policy-managed': 'firewall rules of this computer come from a policy', // 30
  'camera.not-restored': 'registers that preflight had written could not be put back',
  'firewall.rule': 'a firewall rule of this computer would not do what it seems to', // the linter
  transient: 'results changed from one round to the next', // 31
  'stream.waiting-for-trigger': 'the camera waits for a trigger',
  'stream.not-acquiring': 'the camera does not acquire',
  'stream.nothing-sent': 'the camera was told to acquire, and nothing of it came',
  'stream.no-whole-frame': 'packets of the stream came, and no frame of them is whole',
  'stream.no-free-slot': 'frames came, and all buffers were taken',
  'stream.wrong-destination': 'the camera sends somewhere else',
  unknown: 'nothing fits', // 32
} as const

export type FindingCode = keyof typeof FINDING_CODES
