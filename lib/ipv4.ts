// IPv4 addresses as text and as numbers. Pure.

export function ipv4Number(text: string): number {
  return text.split('.').reduce((value, byte) => value * 256 + Number(byte), 0)
}

export function ipv4Text(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.')
}

/** '' stands for none, which is in no subnet. */
export function inSubnet(address: string, nic: { address: string; netmask: string }): boolean {
  if (nic.address === '' || nic.netmask === '') return false
  return ((ipv4Number(address) ^ ipv4Number(nic.address)) & ipv4Number(nic.netmask)) === 0
}
