import { firstOf, formatAddress, overlaps, parseNetwork, sizeOf } from '#model/address.ts'
import type { IpNetwork } from '#model/address.ts'
import type { ClusterNetworking } from '#model/cluster.ts'
import type { NetworkId } from '#model/id.ts'
import type { IpamRange, Network } from '#model/network.ts'
import { AddressPool } from './address-pool.ts'
import { NumberPool } from './number-pool.ts'

/** VXLAN network identifiers: 24 bits; Swarm leaves the lowest to others, and so do we. */
const firstVxlanId = 4_096
const lastVxlanId = 2 ** 24 - 1

interface Held {
  readonly network: Network
  readonly subnets: readonly IpNetwork[]
  readonly addresses: readonly AddressPool[]
}

/** Subnets and VXLAN identifiers of all networks, and the addresses within each. */
export class NetworkPool {
  readonly #held = new Map<NetworkId, Held>()
  readonly #vxlanIds = new NumberPool(firstVxlanId, lastVxlanId)

  put(network: Network): void {
    const { ranges, vxlanId } = network.status
    const before = this.#held.get(network.meta.id)
    if (before !== undefined && sameRanges(before.network.status.ranges, ranges)) {
      this.#held.set(network.meta.id, { ...before, network })
    } else {
      this.#held.set(network.meta.id, {
        network,
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

  /** One address in each range of the network, or why not. */
  takeAddresses(id: NetworkId): readonly string[] | { readonly problem: string } {
    const held = this.#held.get(id)
    if (held === undefined) return { problem: `network ${id} not found` }
    if (held.addresses.length === 0)
      return { problem: held.network.status.error ?? `network ${held.network.spec.name} has no subnet yet` }
    const taken: string[] = []
    for (const pool of held.addresses) {
      const address = pool.take()
      if (address === undefined) {
        this.releaseAddresses(id, taken)
        return {
          problem: `could not find an available IP in network ${held.network.spec.name}: all are in use`,
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

  /** The network with its subnet and identifier, itself where it has them, or with the reason why it cannot. */
  allocate(network: Network, networking: ClusterNetworking): Network {
    if (network.status.vxlanId !== undefined || network.spec.driver.name !== 'overlay') return network
    const ranges = network.spec.ipam.ranges.length > 0 ? network.spec.ipam.ranges : [{ subnet: '' }]
    const chosen: IpamRange[] = []
    for (const range of ranges) {
      const subnet = range.subnet === '' ? this.#freeSubnet(networking, chosen) : parseNetwork(range.subnet)
      if (subnet === undefined) return refused(network, 'no subnet is left in the default address pools')
      chosen.push({ ...range, subnet: textOf(subnet), gateway: range.gateway ?? gatewayOf(subnet) })
    }
    const vxlanId = this.#vxlanIds.take()
    if (vxlanId === undefined) return refused(network, 'no VXLAN identifier is left')
    const { error: _, ...status } = network.status
    const allocated = { ...network, status: { ...status, ranges: chosen, vxlanId } }
    this.put(allocated)
    return allocated
  }

  #freeSubnet(networking: ClusterNetworking, besides: readonly IpamRange[]): IpNetwork | undefined {
    const taken = [
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
}

const refused = (network: Network, error: string): Network =>
  network.status.error === error ? network : { ...network, status: { ...network.status, error } }

const textOf = (subnet: IpNetwork): string =>
  `${formatAddress({ ...subnet.base, value: firstOf(subnet) })}/${String(subnet.prefix)}`

const gatewayOf = (subnet: IpNetwork): string =>
  formatAddress({ ...subnet.base, value: firstOf(subnet) + 1n })

const sameRanges = (a: readonly IpamRange[], b: readonly IpamRange[]): boolean =>
  JSON.stringify(a) === JSON.stringify(b)
