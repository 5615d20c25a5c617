import { firstOf, formatAddress, overlaps, parseNetwork, sizeOf } from '#model/address.ts'
import type { IpNetwork } from '#model/address.ts'
import type { ClusterNetworking } from '#model/cluster.ts'
import type { NetworkId } from '#model/id.ts'
import { isNodeLocal } from '#model/network.ts'
import type { IpamRange, Network } from '#model/network.ts'
import { AddressPool } from './address-pool.ts'
import { NumberPool } from './number-pool.ts'

/** VXLAN network identifiers: 24 bits; Swarm leaves the lowest to others, and so do we. */
const firstVxlanId = 4_096
const lastVxlanId = 2 ** 24 - 1

interface Held {
  readonly network: Network
  readonly ranges: readonly IpamRange[]
  readonly subnets: readonly IpNetwork[]
  readonly addresses: readonly AddressPool[]
}

/** Subnets and VXLAN identifiers of all networks, and the addresses within each. */
export class NetworkPool {
  readonly #held = new Map<NetworkId, Held>()
  readonly #vxlanIds = new NumberPool(firstVxlanId, lastVxlanId)

  put(network: Network): void {
    const { vxlanId } = network.status
    // What is asked for is held once it is given.
    const ranges = vxlanId === undefined ? [] : network.status.ranges
    const before = this.#held.get(network.meta.id)
    const given = before?.network.status.vxlanId
    if (given !== undefined && given !== vxlanId) this.#vxlanIds.release(given)
    if (before !== undefined && sameRanges(before.ranges, ranges)) {
      this.#held.set(network.meta.id, { ...before, network })
    } else {
      this.#held.set(network.meta.id, {
        network,
        ranges,
        subnets: ranges.flatMap((range) => parseNetwork(range.subnet) ?? []),
        addresses: ranges.flatMap((range) => AddressPool.of(range) ?? []),
      })
    }
    if (vxlanId !== undefined) this.#vxlanIds.reserve(vxlanId)
  }

  remove(network: Network): void {
    this.#held.delete(network.meta.id)
    if (network.status.vxlanId !== undefined) this.#vxlanIds.release(network.status.vxlanId)
  }

  get(id: NetworkId): Network | undefined {
    return this.#held.get(id)?.network
  }

  ingress(): Network | undefined {
    for (const { network } of this.#held.values()) if (network.spec.ingress) return network
    return undefined
  }

  /** One address in each range of the network, `wanted` where one of these lies in it; or why not. */
  takeAddresses(
    id: NetworkId,
    wanted: readonly string[] = [],
  ): readonly string[] | { readonly problem: string } {
    const held = this.#held.get(id)
    if (held === undefined) return { problem: `network ${id} not found` }
    if (held.addresses.length === 0)
      return { problem: held.network.status.error ?? `network ${held.network.spec.name} has no subnet yet` }
    const { name } = held.network.spec
    const stray = wanted.find((address) => !held.addresses.some((pool) => pool.has(address)))
    if (stray !== undefined)
      return { problem: `Invalid address ${stray}: It does not belong to any of this network's subnets` }
    const taken: string[] = []
    for (const pool of held.addresses) {
      const own = wanted.find((one) => pool.has(one))
      const address = own === undefined ? pool.take() : pool.claim(own)
      if (address === undefined) {
        this.releaseAddresses(id, taken)
        return {
          problem:
            own === undefined
              ? `could not find an available IP in network ${name}: all are in use`
              : `Address already in use: ${own} in network ${name}`,
        }
      }
      taken.push(address)
    }
    return taken
  }

  reserveAddresses(id: NetworkId, addresses: readonly string[]): void {
    for (const pool of this.#held.get(id)?.addresses ?? [])
      for (const address of addresses) pool.reserve(address)
  }

  releaseAddresses(id: NetworkId, addresses: readonly string[]): void {
    for (const pool of this.#held.get(id)?.addresses ?? [])
      for (const address of addresses) pool.release(address)
  }

  /**
   * The network with its subnet and identifier, itself where it has them, or with the reason why it cannot. A subnet
   * that nobody asked for by name keeps clear of the hosts' `routes`.
   */
  allocate(
    network: Network,
    networking: ClusterNetworking,
    routes: () => readonly IpNetwork[] = () => [],
  ): Network {
    if (network.status.vxlanId !== undefined || isNodeLocal(network)) return network
    const chosen: IpamRange[] = []
    for (const range of wantedRanges(network)) {
      const subnet =
        range.subnet === ''
          ? this.#freeSubnet(networking, chosen, routes())
          : range.subnet === anyIpv6
            ? this.#freeIpv6Subnet(network.meta.id)
            : parseNetwork(range.subnet)
      if (subnet === undefined) return refused(network, 'no subnet is left in the default address pools')
      const other = this.#overlapping(subnet)
      if (other !== undefined)
        return refused(
          network,
          `invalid pool request: Pool overlaps with other one on this address space: ${textOf(subnet)} of network ${other}`,
        )
      chosen.push({ ...range, subnet: textOf(subnet), gateway: range.gateway ?? gatewayOf(subnet) })
    }
    const vxlanId = this.#vxlanIds.takeFrom(likelyVxlanId(network.meta.id))
    if (vxlanId === undefined) return refused(network, 'no VXLAN identifier is left')
    const { error: _, ...status } = network.status
    const allocated = { ...network, status: { ...status, ranges: chosen, vxlanId } }
    this.put(allocated)
    return allocated
  }

  /** The name of the network that has one of these addresses already. */
  #overlapping(subnet: IpNetwork): string | undefined {
    for (const { network, subnets } of this.#held.values())
      if (subnets.some((other) => overlaps(other, subnet))) return network.spec.name
    return undefined
  }

  #freeSubnet(
    networking: ClusterNetworking,
    besides: readonly IpamRange[],
    routes: readonly IpNetwork[],
  ): IpNetwork | undefined {
    const taken = [
      ...routes,
      ...[...this.#held.values()].flatMap((held) => held.subnets),
      ...besides.flatMap((range) => parseNetwork(range.subnet) ?? []),
    ]
    const prefix = networking.subnetSize
    for (const text of networking.defaultAddressPool) {
      const pool = parseNetwork(text)
      if (pool === undefined || pool.prefix > prefix) continue
      const step = 1n << BigInt(pool.base.bits - prefix)
      for (let value = firstOf(pool); value < firstOf(pool) + sizeOf(pool); value += step) {
        const subnet = { base: { bits: pool.base.bits, value }, prefix }
        if (!taken.some((other) => overlaps(other, subnet))) return subnet
      }
    }
    return undefined
  }

  /** A unique local one (RFC 4193), which follows from the network's id. */
  #freeIpv6Subnet(id: NetworkId): IpNetwork | undefined {
    const taken = [...this.#held.values()].flatMap((held) => held.subnets)
    for (let attempt = 0; attempt < 1_000; attempt++) {
      const value = (0xfdn << 120n) | (hash(`${id} ${String(attempt)}`, 56) << 64n)
      const subnet: IpNetwork = { base: { bits: 128, value }, prefix: 64 }
      if (!taken.some((other) => overlaps(other, subnet))) return subnet
    }
    return undefined
  }
}

/** Anywhere in the range: clusters that share a host, or a wire, hardly ever choose the same. */
const likelyVxlanId = (id: NetworkId): number =>
  firstVxlanId + (Number(hash(id, 32)) % (lastVxlanId - firstVxlanId + 1))

/** FNV-1a of 64 bits, cut: spreads ids evenly, and is the same everywhere. */
function hash(text: string, bits: number): bigint {
  let value = 0xcbf29ce484222325n
  for (const char of text)
    value = BigInt.asUintN(64, (value ^ BigInt(char.codePointAt(0) ?? 0)) * 0x100000001b3n)
  return value >> BigInt(64 - bits)
}

/** In place of a subnet: one of IPv6 is to be chosen. */
const anyIpv6 = '::'

/** Every network has an IPv4 range, which comes first, and one of IPv6 where that is wanted. */
function wantedRanges({ spec }: Network): readonly IpamRange[] {
  const six = spec.ipam.ranges.filter(isIpv6)
  const four = spec.ipam.ranges.filter((range) => !isIpv6(range))
  return [
    ...(four.length > 0 ? four : [{ subnet: '' }]),
    ...(six.length === 0 && spec.ipv6 ? [{ subnet: anyIpv6 }] : six),
  ]
}

const isIpv6 = (range: IpamRange): boolean => range.subnet.includes(':')

const refused = (network: Network, error: string): Network =>
  network.status.error === error ? network : { ...network, status: { ...network.status, error } }

const textOf = (subnet: IpNetwork): string =>
  `${formatAddress({ ...subnet.base, value: firstOf(subnet) })}/${String(subnet.prefix)}`

const gatewayOf = (subnet: IpNetwork): string =>
  formatAddress({ ...subnet.base, value: firstOf(subnet) + 1n })

const sameRanges = (a: readonly IpamRange[], b: readonly IpamRange[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b)
