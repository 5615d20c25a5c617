import { formatAddress, parseAddress } from '#model/address.ts'

/** A container's cable to a bridge of ours, seen from the host, and who may speak on it. */
export interface Cable {
  readonly device: string
  readonly mac: string
  /** IPv4 and IPv6. */
  readonly addresses: readonly string[]
}

const chainOf = (device: string): string => `c_${device}`

/**
 * What comes in by a container's cable is that container's own: its hardware address, its IP addresses, and no
 * answers to others' questions for an address. Looked at before the bridge learns anything, so that no other way of
 * telling who is where has to be trusted. A cable that is not known lets nothing through.
 */
export const cableFrame = (table: string, devicePrefix: string): string[] => [
  `add table bridge ${table}`,
  `delete table bridge ${table}`,
  `add table bridge ${table}`,
  `add map bridge ${table} cables { type ifname : verdict; }`,
  `add chain bridge ${table} inbound { type filter hook prerouting priority -300; }`,
  `add rule bridge ${table} inbound iifname vmap @cables`,
  `add rule bridge ${table} inbound iifname "${devicePrefix}*" drop`,
]

export function renderCable(table: string, { device, mac, addresses }: Cable): string[] {
  const chain = chainOf(device)
  const rule = (text: string) => `add rule bridge ${table} ${chain} ${text}`
  const lines = [`add chain bridge ${table} ${chain}`, `flush chain bridge ${table} ${chain}`]
  lines.push(rule(`ether saddr != ${mac} drop`))
  for (const address of addresses.filter((one) => !one.includes(':')))
    lines.push(
      rule(`ip saddr ${address} accept`),
      rule(`arp saddr ether ${mac} arp saddr ip ${address} accept`),
    )
  const six = addresses.filter((one) => one.includes(':'))
  if (six.length > 0) {
    const own = [...six, linkLocalOf(mac)]
    lines.push(
      rule('icmpv6 type { nd-router-advert, nd-redirect } drop'),
      // The address that is answered for stands behind the header and eight bytes.
      rule(`icmpv6 type nd-neighbor-advert @nh,384,128 != { ${own.map(asNumber).join(', ')} } drop`),
      rule(`ip6 saddr { ${own.join(', ')} } accept`),
      // A link asks whether its own address is free before it has one.
      rule('ip6 saddr :: icmpv6 type { nd-neighbor-solicit, mld2-listener-report } accept'),
    )
  }
  lines.push(rule('drop'), `add element bridge ${table} cables { "${device}" : goto ${chain} }`)
  return lines
}

export const removeCable = (table: string, { device }: Cable): string[] => [
  `delete element bridge ${table} cables { "${device}" }`,
  `flush chain bridge ${table} ${chainOf(device)}`,
  `delete chain bridge ${table} ${chainOf(device)}`,
]

/** The address that a link gives itself, from its hardware address (RFC 4291, appendix A). */
export function linkLocalOf(mac: string): string {
  const bytes = mac.split(':').map((part) => Number.parseInt(part, 16))
  const [first = 0, second = 0, third = 0, ...last] = bytes
  const id = [first ^ 2, second, third, 0xff, 0xfe, ...last]
  const value = id.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  return formatAddress({ bits: 128, value: (0xfe80n << 112n) | value })
}

const asNumber = (address: string): string => `0x${(parseAddress(address)?.value ?? 0n).toString(16)}`
