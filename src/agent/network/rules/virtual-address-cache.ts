import type { DataPlaneState } from '../data-plane-state.ts'
import type { Family } from '../family.ts'
import { virtualAddressesOf } from './virtual-addresses.ts'
import type { VirtualAddresses } from './virtual-addresses.ts'

interface Known {
  readonly version: number
  readonly addresses: VirtualAddresses
}

/**
 * The virtual addresses of networks, worked out once for each change however many sandboxes are on them. What stands
 * behind an address that has not changed is the same list as before, so that it is not looked at again.
 */
export class VirtualAddressCache {
  readonly #state: DataPlaneState
  readonly #known = new Map<string, Known>()

  constructor(state: DataPlaneState) {
    this.#state = state
  }

  of(family: Family, networkId: string): VirtualAddresses {
    const key = `${family.name} ${networkId}`
    const version = this.#state.version(networkId)
    const before = this.#known.get(key)
    if (before?.version === version) return before.addresses
    const fresh = virtualAddressesOf(family, this.#state.endpoints(networkId), this.#state.members(networkId))
    const addresses = new Map(
      [...fresh].map(([address, backends]) => {
        const was = before?.addresses.get(address)
        return [address, was?.join() === backends.join() ? was : backends]
      }),
    )
    this.#known.set(key, { version, addresses })
    return addresses
  }

  /** Networks that are not here any more are forgotten. */
  keep(networkIds: ReadonlySet<string>): void {
    for (const key of this.#known.keys())
      if (!networkIds.has(key.split(' ')[1] ?? '')) this.#known.delete(key)
  }
}
