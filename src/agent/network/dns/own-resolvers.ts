import type { Engine } from '#engine/engine.ts'
import type { LocalEndpoint } from '../sandboxes.ts'

const forgetAt = 4_096

/**
 * Containers that were given name servers of their own (`--dns`). The engine asks ours first, and theirs for what ours
 * fails to answer, so that they have the cluster's names and all else from where they want it.
 */
export class OwnResolvers {
  readonly #engine: Engine
  readonly #nameserver: () => string
  /** By endpoint. */
  readonly #known = new Map<string, Promise<boolean>>()

  constructor(engine: Engine, nameserver: () => string) {
    this.#engine = engine
    this.#nameserver = nameserver
  }

  /** Looked up once for each; where the engine does not say, it has none. */
  has(endpoint: LocalEndpoint): Promise<boolean> {
    const known = this.#known.get(endpoint.endpointId)
    if (known !== undefined) return known
    if (this.#known.size >= forgetAt) this.#known.clear()
    const asked = this.#ask(endpoint)
    this.#known.set(endpoint.endpointId, asked)
    return asked.catch(() => {
      this.#known.delete(endpoint.endpointId)
      return false
    })
  }

  async #ask({ endpointId, networkId }: LocalEndpoint): Promise<boolean> {
    const [network] = await this.#engine.listNetworks([`mure.network.id=${networkId}`])
    if (network === undefined) return false
    const { Containers: containers } = await this.#engine.inspectNetwork(network.Id)
    const found = Object.entries(containers ?? {}).find(([, { EndpointID }]) => EndpointID === endpointId)
    if (found === undefined) return false
    const { HostConfig: config } = await this.#engine.inspectContainer(found[0])
    return (config?.Dns ?? []).some((server) => server !== this.#nameserver())
  }
}
