/** One end of a network in a sandbox of this host. */
export interface LocalEndpoint {
  readonly endpointId: string
  readonly networkId: string
  /** IPv4. */
  readonly address: string
  /** IPv6; '' where the network has none. */
  readonly address6: string
  /** The path of the sandbox's network namespace; '' until it joins. */
  readonly sandbox: string
}

/** The ends of our networks on this host, as the engine makes and removes them. */
export class Sandboxes {
  readonly #endpoints = new Map<string, LocalEndpoint>()
  /** Asked for each name that is looked up. */
  readonly #byAddress = new Map<string, string>()
  readonly #changed: () => void

  /** `changed`: is called with each change, at once. */
  constructor(changed: () => void = () => undefined) {
    this.#changed = changed
  }

  put(endpoint: LocalEndpoint): void {
    this.#changed()
    this.#endpoints.set(endpoint.endpointId, endpoint)
    this.#byAddress.set(endpoint.address, endpoint.endpointId)
  }

  /** The end's sandbox has this address as well, on a network that is none of ours. */
  alsoAt(address: string, endpointId: string): void {
    if (this.byAddress(address) !== undefined) return
    this.#changed()
    this.#byAddress.set(address, endpointId)
  }

  get(endpointId: string): LocalEndpoint | undefined {
    return this.#endpoints.get(endpointId)
  }

  all(): LocalEndpoint[] {
    return [...this.#endpoints.values()]
  }

  remove(endpointId: string): void {
    this.#changed()
    const address = this.#endpoints.get(endpointId)?.address ?? ''
    if (this.#byAddress.get(address) === endpointId) this.#byAddress.delete(address)
    this.#endpoints.delete(endpointId)
  }

  /** Sandboxes with their endpoints. */
  bySandbox(): ReadonlyMap<string, readonly LocalEndpoint[]> {
    return Map.groupBy(
      [...this.#endpoints.values()].filter(({ sandbox }) => sandbox !== ''),
      ({ sandbox }) => sandbox,
    )
  }

  /** The endpoint that a packet with this source address comes from: who asks for a name. */
  byAddress(address: string): LocalEndpoint | undefined {
    return this.#endpoints.get(this.#byAddress.get(address) ?? '')
  }

  /** The networks of the sandbox that has this address. */
  networksBeside(endpoint: LocalEndpoint): ReadonlySet<string> {
    const networks = new Set([endpoint.networkId])
    for (const other of this.#endpoints.values())
      if (other.sandbox === endpoint.sandbox && other.sandbox !== '') networks.add(other.networkId)
    return networks
  }

  uses(networkId: string): boolean {
    for (const endpoint of this.#endpoints.values()) if (endpoint.networkId === networkId) return true
    return false
  }
}
