/** An IP address as a number, with its width: 32 bits for IPv4, 128 for IPv6. */
export interface IpAddress {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** All addresses that share their first `prefix` bits with `base`. */
export interface IpNetwork {
  readonly base: IpAddress
  readonly prefix: number
}

/** Undefined for what is not an address. IPv4 in IPv6 clothes (`::ffff:10.0.0.1`) is IPv4. */
export function parseAddress(text: string): IpAddress | undefined {
  const four = parseFour(text)
  if (four !== undefined) return { bits: 32, value: four }
  const six = parseSix(text)
  if (six === undefined) return undefined
  return six >> 32n === 0xffffn ? { bits: 32, value: six & 0xffff_ffffn } : { bits: 128, value: six }
}

/** `10.0.0.0/8`, or a lone address, which is a network of one. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [address = '', length, ...rest] = text.split('/')
  const base = parseAddress(address)
  if (base === undefined || rest.length > 0) return undefined
  if (length === undefined) return { base, prefix: base.bits }
  if (!/^\d{1,3}$/.test(length) || Number(length) > base.bits) return undefined
  return { base, prefix: Number(length) }
}

export function containsAddress(network: IpNetwork, text: string): boolean {
  const address = parseAddress(text)
  return address !== undefined && overlaps(network, { base: address, prefix: address.bits })
}

/** Whether two networks have an address in common. */
export function overlaps(a: IpNetwork, b: IpNetwork): boolean {
  if (a.base.bits !== b.base.bits) return false
  const shift = BigInt(a.base.bits - Math.min(a.prefix, b.prefix))
  return a.base.value >> shift === b.base.value >> shift
}

/** How many addresses the network has, its own and the broadcast address included. */
export const sizeOf = (network: IpNetwork): bigint => 1n << BigInt(network.base.bits - network.prefix)

/** The network's lowest address. */
export const firstOf = ({ base, prefix }: IpNetwork): bigint => {
  const shift = BigInt(base.bits - prefix)
  return (base.value >> shift) << shift
}

export function formatAddress({ bits, value }: IpAddress): string {
  if (bits === 32) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  ).join(':')
  // The longest run of zero groups is left out (RFC 5952).
  const runs = [...groups.matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)
  const [longest] = runs
  if (longest === undefined) return groups
  const before = groups.slice(0, longest.index)
  const after = groups.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}

function parseFour(text: string): bigint | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255))
    return undefined
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function parseSix(text: string): bigint | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [left, right] = halves.map((half) => (half === '' ? [] : groupsOf(half)))
  if (left === undefined || (halves.length === 2 && right === undefined)) return undefined
  const missing = 8 - left.length - (right?.length ?? 0)
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  const groups = [...left, ...Array.from({ length: missing }, () => 0n), ...(right ?? [])]
  return groups.reduce((value, group) => (value << 16n) | group, 0n)
}

function groupsOf(text: string): bigint[] | undefined {
  const groups: bigint[] = []
  for (const [index, part] of text.split(':').entries()) {
    const four = text.split(':').length === index + 1 ? parseFour(part) : undefined
    if (four !== undefined) groups.push(four >> 16n, four & 0xffffn)
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(BigInt(`0x${part}`))
    else return undefined
  }
  return groups
}
