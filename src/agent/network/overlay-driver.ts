import { errorText, MureError } from '#lib/errors.ts'
import type { Logger } from '#lib/logger.ts'
import { sandboxVeth } from './device-names.ts'
import type { EngineNetworkIds } from './engine-network-ids.ts'
import type {
  CreateEndpoint,
  CreateNetwork,
  EndpointOf,
  Join,
  JoinAnswer,
  NetworkDriver,
} from './plugin/protocol.ts'
import type { Sandboxes } from './sandboxes.ts'
import type { Wiring } from './wiring.ts'

/** The option of the engine's network that says which of ours it is. */
export const networkIdOption = 'mure.network.id'

export interface DriverParts {
  readonly sandboxes: Sandboxes
  readonly nameserver: string
  /** How containers are put on one of our networks. */
  readonly wiringOf: (networkId: string) => Wiring
  readonly networkIds: EngineNetworkIds
  /** Asks the engine which of our networks one of its own is. */
  readonly ownNetworkOf: (engineNetworkId: string) => Promise<string>
  /** Resolves once it is known what kind of network it is, and where this host's tunnels end. */
  readonly told: (networkId: string) => Promise<void>
  /** A sandbox has one more end of a network, or one less. */
  readonly changed: (sandbox: string) => void
  readonly logger: Logger
}

/** What the engine asks when containers come to our networks and go. */
export class OverlayDriver implements NetworkDriver {
  readonly #parts: DriverParts

  constructor(parts: DriverParts) {
    this.#parts = parts
  }

  async createNetwork({ NetworkID, Options }: CreateNetwork): Promise<void> {
    const generic = Options?.['com.docker.network.generic'] as Record<string, unknown> | undefined
    const own = generic?.[networkIdOption]
    if (typeof own !== 'string')
      throw new MureError(
        'invalid',
        'networks of this driver are made by the swarm: docker network create -d overlay',
      )
    await this.#parts.networkIds.put(NetworkID, own)
  }

  async deleteNetwork(networkId: string): Promise<void> {
    await this.#parts.networkIds.remove(networkId)
  }

  async createEndpoint(call: CreateEndpoint): Promise<{ macAddress?: string }> {
    const [address = ''] = call.Interface?.Address?.split('/') ?? []
    const [address6 = ''] = call.Interface?.AddressIPv6?.split('/') ?? []
    if (address === '') throw new MureError('invalid', 'an end of a network needs an address')
    const endpointId = call.EndpointID
    const networkId = await this.#networkOf(call.NetworkID)
    await this.#parts.told(networkId)
    const given = call.Interface?.MacAddress ?? ''
    await this.#supersede(networkId, address, endpointId)
    const link = sandboxVeth(endpointId)
    const { mac } = await this.#parts
      .wiringOf(networkId)
      .connect({ endpointId, networkId, address, address6, mac: given, link })
    this.#parts.sandboxes.put({ endpointId, networkId, address, address6, sandbox: '' })
    return given === '' ? { macAddress: mac } : {}
  }

  async deleteEndpoint({ EndpointID, NetworkID }: EndpointOf): Promise<void> {
    const endpoint = this.#parts.sandboxes.get(EndpointID)
    const networkId = endpoint?.networkId ?? (await this.#networkOf(NetworkID))
    this.#parts.sandboxes.remove(EndpointID)
    await this.#parts.wiringOf(networkId).disconnect(EndpointID)
    this.#parts.changed(endpoint?.sandbox ?? '')
  }

  /**
   * The managers give an address to one end at a time. Another that still has it is of an engine that died before it
   * could take it away, and what is sent there would be lost.
   */
  async #supersede(networkId: string, address: string, endpointId: string): Promise<void> {
    for (const other of this.#parts.sandboxes.all())
      if (other.networkId === networkId && other.address === address && other.endpointId !== endpointId)
        await this.deleteEndpoint({ EndpointID: other.endpointId, NetworkID: '' })
  }

  async join({ EndpointID, SandboxKey }: Join): Promise<JoinAnswer> {
    const { sandboxes, nameserver, wiringOf, changed } = this.#parts
    const endpoint = sandboxes.get(EndpointID)
    const wiring = endpoint === undefined ? undefined : wiringOf(endpoint.networkId)
    // One way to the name server is enough; the engine takes no route twice.
    const beside = sandboxes.bySandbox().get(SandboxKey) ?? []
    const hasWay = beside.some(({ networkId }) => wiringOf(networkId).reachesHost)
    if (endpoint !== undefined) sandboxes.put({ ...endpoint, sandbox: SandboxKey })
    changed(SandboxKey)
    return {
      InterfaceName: { SrcName: sandboxVeth(EndpointID), DstPrefix: 'eth' },
      // The way out is the engine's own bridge, unless the network has one.
      Gateway: (await wiring?.gatewayOf(EndpointID)) ?? '',
      StaticRoutes:
        wiring?.reachesHost === true && !hasWay ? [{ Destination: `${nameserver}/32`, RouteType: 1 }] : [],
    }
  }

  async leave({ EndpointID }: EndpointOf): Promise<void> {
    const endpoint = this.#parts.sandboxes.get(EndpointID)
    if (endpoint === undefined) return
    this.#parts.sandboxes.put({ ...endpoint, sandbox: '' })
    this.#parts.changed(endpoint.sandbox)
  }

  /** After a restart of ours the engine speaks of networks that it made before. */
  async #networkOf(engineNetworkId: string): Promise<string> {
    const known = this.#parts.networkIds.get(engineNetworkId)
    if (known !== undefined) return known
    try {
      const own = await this.#parts.ownNetworkOf(engineNetworkId)
      await this.#parts.networkIds.put(engineNetworkId, own)
      return own
    } catch (error) {
      this.#parts.logger.warn('the engine speaks of a network that nobody knows', { error: errorText(error) })
      throw error
    }
  }
}
