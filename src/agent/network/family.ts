/** IPv4 or IPv6, and what differs between them in the kernel's words: each has tables of its own. */
export interface Family {
  /** As nftables calls it. */
  readonly name: 'ip' | 'ip6'
  readonly addressType: 'ipv4_addr' | 'ipv6_addr'
  readonly loopback: string
  readonly has: (address: string) => boolean
}

export const ipv4: Family = {
  name: 'ip',
  addressType: 'ipv4_addr',
  loopback: '127.0.0.0/8',
  has: (address) => !address.includes(':'),
}
export const ipv6: Family = {
  name: 'ip6',
  addressType: 'ipv6_addr',
  loopback: '::1',
  has: (address) => address.includes(':'),
}
export const families: readonly Family[] = [ipv4, ipv6]
