import { cniDriver } from './cni.ts'
import type { NetworkId } from './id.ts'
import type { Labels, Meta } from './meta.ts'
import type { Driver } from './service.ts'

export interface IpamRange {
  /** CIDR. Empty in a spec: cut from the cluster's pool. */
  readonly subnet: string
  readonly range?: string
  readonly gateway?: string
  readonly auxiliary?: Readonly<Record<string, string>>
}

export interface NetworkSpec {
  readonly name: string
  readonly labels: Labels
  readonly driver: Driver
  readonly ipv6: boolean
  readonly internal: boolean
  readonly attachable: boolean
  /** The routing mesh's own network; there is at most one. */
  readonly ingress: boolean
  readonly ipam: { readonly driver: Driver; readonly ranges: readonly IpamRange[] }
  /** A network whose settings are another's (`--config-from`). */
  readonly configFrom?: string
}

export interface NetworkStatus {
  /** What the allocator chose. */
  readonly ranges: readonly IpamRange[]
  /** The VXLAN network identifier; absent until allocated. */
  readonly vxlanId?: number
  readonly error?: string
}

export interface Network {
  readonly kind: 'network'
  readonly meta: Meta<NetworkId>
  readonly spec: NetworkSpec
  readonly status: NetworkStatus
}

/** `docker network create --opt encrypted`: what hosts send each other of it is encrypted, or is not sent. */
export function isEncrypted({ spec }: Pick<Network, 'spec'>): boolean {
  const option = spec.driver.options?.['encrypted']
  return option !== undefined && option !== 'false'
}

/** Drivers whose networks are one on all hosts: their addresses are the cluster's to give. */
const spanningDrivers: ReadonlySet<string> = new Set(['overlay', cniDriver])
/** Drivers of the engine that a network of the cluster may have on each host by itself. */
export const nodeLocalDrivers = ['bridge', 'ipvlan', 'macvlan'] as const

/**
 * `docker network create --scope swarm -d macvlan …`: every host makes such a network of its own when a task comes that
 * is on it. Addresses and names there are the engines' matter, and tasks of different hosts meet only if the driver
 * lets them.
 */
export const isNodeLocal = ({ spec }: Pick<Network, 'spec'>): boolean =>
  !spanningDrivers.has(spec.driver.name)

/** Networks that every host has of its own: a service on one of them is on its host's, and not on the cluster's. */
export const hostsOwnNetworks = ['bridge', 'host'] as const

export const isHostsOwn = (target: string): boolean =>
  (hostsOwnNetworks as readonly string[]).includes(target)
