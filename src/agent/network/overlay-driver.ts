import { errorText, MureError } from '#lib/errors.ts'
import { execResult } from '#lib/exec.ts'
import type { Logger } from '#lib/logger.ts'
import { bridgeName, hostVeth, macOfAddress, sandboxVeth } from './device-names.ts'
import type { Cable } from './guard/cables.ts'
import type {
  CreateEndpoint,
  CreateNetwork,
  EndpointOf,
  Join,
  JoinAnswer,
  NetworkDriver,
} from './plugin/protocol.ts'
import type { Sandboxes } from './sandboxes.ts'
import { ipBatch, ipBatchLoose } from './tools.ts'

/** The option of the engine's network that says which of ours it is. */
export const networkIdOption = 'mure.network.id'

export interface DriverParts {
  /** Tells apart the daemons that share a host. */
  readonly mark: string
  readonly sandboxes: Sandboxes
  readonly nameserver: string
  /** The VXLAN identifier and MTU of one of our networks, whose links are there by then. */
  readonly links: (networkId: string) => Promise<{ readonly vxlanId: number; readonly mtu: number }>
  /** Which of our networks one of the engine's is. */
  readonly ownNetworkOf: (engineNetworkId: string) => Promise<string>
  /** What a container may send by its cable, before there is one, and after it is gone. */
  readonly guard: {
    readonly admit: (cable: Cable) => Promise<void>
    readonly dismiss: (device: string) => Promise<void>
  }
  /** A sandbox has one more end of a network, or one less. */
  readonly changed: (sandbox: string) => void
  readonly logger: Logger
}

/** What the engine asks when containers come to our networks and go. */
export class OverlayDriver implements NetworkDriver {
  readonly #parts: DriverParts
  readonly #ownNetworks = new Map<string, string>()

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
    this.#ownNetworks.set(NetworkID, own)
  }

  async deleteNetwork(networkId: string): Promise<void> {
    this.#ownNetworks.delete(networkId)
  }

  async createEndpoint(call: CreateEndpoint): Promise<{ macAddress?: string }> {
    const [address = ''] = call.Interface?.Address?.split('/') ?? []
    const [address6 = ''] = call.Interface?.AddressIPv6?.split('/') ?? []
    if (address === '') throw new MureError('invalid', 'an end of a network needs an address')
    const networkId = await this.#networkOf(call.NetworkID)
    const { vxlanId, mtu } = await this.#parts.links(networkId)
    const given = call.Interface?.MacAddress ?? ''
    const mac = macOfAddress(address)
    // Other hosts tell it by the address as well: nobody has another's.
    if (given !== '' && given.toLowerCase() !== mac)
      throw new MureError(
        'invalid',
        `a hardware address cannot be chosen on a network of the swarm: there ${address} has ${mac}`,
      )
    const [outer, inner] = [hostVeth(this.#parts.mark, call.EndpointID), sandboxVeth(call.EndpointID)]
    const addresses = [address, address6].filter((one) => one !== '')
    await this.#parts.guard.admit({ device: outer, mac, addresses })
    await ipBatchLoose([`link del ${outer}`])
    await ipBatch([
      `link add ${outer} mtu ${String(mtu)} type veth peer name ${inner} mtu ${String(mtu)} address ${mac}`,
      `link set ${outer} master ${bridgeName(vxlanId)} up`,
    ])
    this.#parts.sandboxes.put({ endpointId: call.EndpointID, networkId, address, address6, sandbox: '' })
    return given === '' ? { macAddress: mac } : {}
  }

  async deleteEndpoint({ EndpointID }: EndpointOf): Promise<void> {
    const sandbox = this.#parts.sandboxes.get(EndpointID)?.sandbox ?? ''
    this.#parts.sandboxes.remove(EndpointID)
    const device = hostVeth(this.#parts.mark, EndpointID)
    await execResult('ip', ['link', 'del', device])
    await this.#parts.guard.dismiss(device)
    this.#parts.changed(sandbox)
  }

  async join({ EndpointID, SandboxKey }: Join): Promise<JoinAnswer> {
    const { sandboxes, nameserver, changed } = this.#parts
    const endpoint = sandboxes.get(EndpointID)
    const isFirst = !sandboxes.bySandbox().has(SandboxKey)
    if (endpoint !== undefined) sandboxes.put({ ...endpoint, sandbox: SandboxKey })
    changed(SandboxKey)
    return {
      InterfaceName: { SrcName: sandboxVeth(EndpointID), DstPrefix: 'eth' },
      // The way out is the engine's own bridge.
      Gateway: '',
      // One way to the name server is enough; the engine takes no route twice.
      StaticRoutes: isFirst ? [{ Destination: `${nameserver}/32`, RouteType: 1 }] : [],
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
    const known = this.#ownNetworks.get(engineNetworkId)
    if (known !== undefined) return known
    try {
      const own = await this.#parts.ownNetworkOf(engineNetworkId)
      this.#ownNetworks.set(engineNetworkId, own)
      return own
    } catch (error) {
      this.#parts.logger.warn('the engine speaks of a network that nobody knows', { error: errorText(error) })
      throw error
    }
  }
}
