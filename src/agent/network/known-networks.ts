import { cniDriver } from '#model/cni.ts'
import type { Network } from '#model/network.ts'
import type { Difference } from '#rpc/messages.ts'

/** The networks that this host was told of. */
export class KnownNetworks {
  readonly #networks = new Map<string, Network>()
  readonly #changed: () => void

  /** `changed`: is called with each change, at once. */
  constructor(changed: () => void) {
    this.#changed = changed
  }

  take(networks: Difference<Network>, isFull: boolean): void {
    this.#changed()
    if (isFull) this.#networks.clear()
    for (const network of networks.put) this.put(network)
    for (const id of networks.remove) this.#networks.delete(id)
  }

  put(network: Network): void {
    this.#changed()
    this.#networks.set(network.meta.id, network)
  }

  get(id: string): Network | undefined {
    return this.#networks.get(id)
  }

  get ids(): Iterable<string> {
    return this.#networks.keys()
  }

  /** The routing mesh's own. */
  get ingress(): Network | undefined {
    for (const network of this.#networks.values()) if (network.spec.ingress) return network
    return undefined
  }

  /** It is wired by plugins, not by us. */
  isCni(id: string): boolean {
    return this.#networks.get(id)?.spec.driver.name === cniDriver
  }
}
