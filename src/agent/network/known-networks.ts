import { cniDriver } from '#model/cni.ts'
import type { Network } from '#model/network.ts'
import type { Difference } from '#rpc/messages.ts'

/** The networks that this host was told of. */
export class KnownNetworks {
  readonly #networks = new Map<string, Network>()

  take(networks: Difference<Network>, isFull: boolean): void {
    if (isFull) this.#networks.clear()
    for (const network of networks.put) this.put(network)
    for (const id of networks.remove) this.#networks.delete(id)
  }

  put(network: Network): void {
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
