import type { Network } from '#model/network.ts'
import type { DataPlaneState } from './data-plane-state.ts'
import type { EngineNetworks } from './engine-networks.ts'
import type { KnownNetworks } from './known-networks.ts'
import type { HostMesh } from './mesh/host-mesh.ts'
import type { Overlays } from './overlay/overlays.ts'
import type { Sandboxes } from './sandboxes.ts'

export interface NetworkPresenceParts {
  readonly nodeId: string
  readonly networks: KnownNetworks
  readonly state: DataPlaneState
  readonly sandboxes: Sandboxes
  readonly overlays: Overlays
  readonly mesh: HostMesh
  readonly engineNetworks: EngineNetworks
  /** Something could not be removed yet: `removeUnused` is due in a moment. */
  readonly again: () => void
}

const lookAgainMs = 300
const freshMs = 5_000

/** Which networks are wanted on this host; those that are not any more go from the engine and the kernel. */
export class NetworkPresence implements Disposable {
  readonly #parts: NetworkPresenceParts
  /** Networks that the engine has an object for, and when somebody last wanted it. */
  readonly #made = new Map<string, number>()
  /** The HTTP ingress here sends requests to tasks of any host. */
  #isIngressKept = false
  #looking: NodeJS.Timeout | undefined
  #isStopped = false

  constructor(parts: NetworkPresenceParts) {
    this.#parts = parts
  }

  /** Networks that the engine has from before this process. */
  adopt(networkIds: Iterable<string>): void {
    for (const id of networkIds) this.#made.set(id, -Infinity)
  }

  /** The engine's network that a container is about to be put on. */
  async engineNetwork(network: Network): Promise<string> {
    this.#made.set(network.meta.id, performance.now())
    return this.#parts.engineNetworks.ensure(network)
  }

  /** Whether that is a change. */
  keepIngress(isKept: boolean): boolean {
    const isChange = this.#isIngressKept !== isKept
    this.#isIngressKept = isKept
    return isChange
  }

  /** What a task here is on, or is about to be; and the mesh's own network while anything is published. */
  used(): Set<string> {
    const { networks, sandboxes, mesh } = this.#parts
    const used = new Set<string>()
    for (const id of networks.ids) if (this.#hasMember(id) || sandboxes.uses(id)) used.add(id)
    const id = networks.ingress?.meta.id
    if (id !== undefined && (this.#isIngressKept || mesh.isPublished(id))) used.add(id)
    return used
  }

  async removeUnused(): Promise<void> {
    const { sandboxes, overlays, mesh, engineNetworks } = this.#parts
    const used = this.used()
    let isLeft = false
    for (const id of new Set([...overlays.present, ...this.#made.keys()])) {
      if (used.has(id) || sandboxes.uses(id)) continue
      // Wanted a moment ago: its container is about to be made.
      const isFresh = performance.now() - (this.#made.get(id) ?? -Infinity) < freshMs
      if (!isFresh && (await engineNetworks.remove(id))) {
        this.#made.delete(id)
        await overlays.remove(id)
        mesh.bridgesAre(overlays.bridges)
      } else isLeft = true
    }
    if (isLeft) this.#lookAgain()
  }

  /** The engine is still busy with a network's last container. */
  #lookAgain(): void {
    if (this.#isStopped || this.#looking !== undefined) return
    this.#looking = setTimeout(() => {
      this.#looking = undefined
      this.#parts.again()
    }, lookAgainMs)
  }

  #hasMember(networkId: string): boolean {
    for (const member of this.#parts.state.members(networkId))
      if (member.nodeId === this.#parts.nodeId) return true
    return false
  }

  [Symbol.dispose](): void {
    this.#isStopped = true
    clearTimeout(this.#looking)
  }
}
