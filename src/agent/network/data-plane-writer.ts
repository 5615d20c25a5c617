import type { Logger } from '#lib/logger.ts'
import type { KernelDifference } from '#model/network-examination.ts'
import type { DataPlaneState } from './data-plane-state.ts'
import { hostVeth, macOfAddress, macOfHost } from './device-names.ts'
import { containersResolvers } from './dns/host-resolvers.ts'
import { innerAddress } from './encryption/config.ts'
import type { Encryption } from './encryption/encryption.ts'
import type { Guard } from './guard/guard.ts'
import type { KnownNetworks } from './known-networks.ts'
import type { HostMesh } from './mesh/host-mesh.ts'
import { numberHosts } from './mesh/return-path.ts'
import type { HostNumbers } from './mesh/return-path.ts'
import type { NetworkPresence } from './network-presence.ts'
import type { Overlays } from './overlay/overlays.ts'
import type { ShortcutTable } from './overlay/shortcuts.ts'
import { VirtualAddressCache } from './rules/virtual-address-cache.ts'
import { SandboxKeeper } from './sandbox-keeper.ts'
import type { SandboxRules } from './sandbox-rules.ts'
import type { LocalEndpoint, Sandboxes } from './sandboxes.ts'

export interface DataPlaneWriterParts {
  readonly nodeId: string
  readonly mark: string
  readonly state: DataPlaneState
  readonly networks: KnownNetworks
  readonly presence: NetworkPresence
  readonly sandboxes: Sandboxes
  readonly overlays: Overlays
  readonly shortcuts: ShortcutTable
  readonly guard: Guard
  readonly mesh: HostMesh
  readonly encryption: Encryption
  /** Where containers' questions for names are answered. */
  readonly nameserver: () => string
  readonly signal: AbortSignal
  readonly logger: Logger
}

/**
 * Makes this host's kernel do what the managers told of the data plane, and mends what others did to it. One call at
 * a time: the caller sees to that.
 */
export class DataPlaneWriter {
  readonly #parts: DataPlaneWriterParts
  readonly #keeper: SandboxKeeper
  readonly #virtualAddresses: VirtualAddressCache
  #resolvers: readonly string[] = []
  #hostNumbers: HostNumbers = new Map()
  #bridges = ''
  /** What ran before this process did is known. */
  #isRestored = false

  constructor(parts: DataPlaneWriterParts) {
    this.#parts = parts
    const { state, sandboxes, signal, logger } = parts
    this.#virtualAddresses = new VirtualAddressCache(state)
    this.#keeper = new SandboxKeeper({ sandboxes, rulesOf: (ends) => this.#rulesOf(ends), signal, logger })
  }

  /** What containers ask for names by themselves is known from here on. */
  async readResolvers(): Promise<void> {
    this.#resolvers = await containersResolvers()
  }

  /** All containers that ran before this process did are known. `run`: one after the other with all else. */
  async restore(run: <T>(work: () => Promise<T>) => Promise<T>): Promise<void> {
    const { guard, sandboxes, mark } = this.#parts
    await guard.restore(
      sandboxes.all().map(({ endpointId, address, address6 }) => ({
        device: hostVeth(mark, endpointId),
        mac: macOfAddress(address),
        addresses: [address, address6].filter((one) => one !== ''),
      })),
    )
    await run(() => this.sync(undefined))
    this.#isRestored = true
  }

  /**
   * Links, then forwarding, then rules: nothing is sent where it cannot arrive. Names follow the state itself.
   * `changed`: the networks in which something has; undefined: all.
   */
  async sync(changed: ReadonlySet<string> | undefined): Promise<void> {
    const { nodeId, state } = this.#parts
    if (!state.hosts.has(nodeId)) return
    this.#hostNumbers = numberHosts(this.#hostNumbers, state.hosts.keys())
    try {
      await this.#syncLinks(changed)
      await this.#syncRules(changed)
    } finally {
      // Whatever failed: a shortcut to where an address was would keep frames from where it is.
      await this.#syncShortcuts()
    }
  }

  /** A container has come to a network of ours, or left one. */
  async sandboxChanged(sandbox: string): Promise<void> {
    try {
      await this.#keeper.sync(sandbox)
      await this.#parts.presence.removeUnused()
    } finally {
      await this.#syncShortcuts()
    }
  }

  async #syncLinks(changed: ReadonlySet<string> | undefined): Promise<void> {
    const { networks, presence, overlays } = this.#parts
    for (const id of presence.used()) {
      const network = networks.get(id)
      if (network === undefined || networks.isCni(id)) continue
      const isNew = !overlays.has(id)
      await overlays.ensure(network)
      if (isNew || changed === undefined || changed.has(id)) await overlays.forward(id)
    }
  }

  async #syncRules(changed: ReadonlySet<string> | undefined): Promise<void> {
    const { networks, presence, overlays, sandboxes, mesh } = this.#parts
    for (const [sandbox, ends] of sandboxes.bySandbox())
      if (changed === undefined || ends.some(({ networkId }) => changed.has(networkId)))
        await this.#keeper.sync(sandbox)
    await presence.removeUnused()
    this.#virtualAddresses.keep(presence.used())
    if (changed === undefined) await overlays.meetHosts()
    await this.#syncGuard()
    const { ingress } = networks
    const { bridges } = overlays
    const isMeshConcerned = changed === undefined || changed.has(ingress?.meta.id ?? '')
    if (ingress !== undefined && (isMeshConcerned || bridges.join() !== this.#bridges))
      await mesh.sync(ingress, bridges)
    this.#bridges = bridges.join()
  }

  /** What somebody else has changed or flushed is put right. `isUnsure`: so may a change of ours have been cut off. */
  async compare(isUnsure: boolean): Promise<void> {
    const { nodeId, state, presence, overlays } = this.#parts
    if (!state.hosts.has(nodeId)) return
    const isMissing = [...presence.used()].some((id) => !overlays.has(id))
    if (isUnsure || isMissing) await this.sync(undefined)
    await this.repairLinks()
    await this.repairRules()
    await this.readResolvers()
    await this.#keeper.compare()
  }

  async repairLinks(): Promise<void> {
    const { overlays, shortcuts, sandboxes, logger } = this.#parts
    for (const id of overlays.present) await overlays.repair(id)
    await shortcuts.repair(overlays.shortcuts(sandboxes.all()), overlays.devices)
    if (!this.#isRestored) return
    const stale = await overlays.removeStale()
    if (stale.length > 0) logger.info('links of networks that are gone were removed', { stale })
  }

  async repairRules(): Promise<void> {
    const { guard, mesh, networks, overlays } = this.#parts
    await guard.repair()
    await mesh.repair(networks.ingress, overlays.bridges)
  }

  /** What in this host's kernel is not as it should be. */
  async differences(): Promise<KernelDifference[]> {
    const { overlays, networks, guard, mesh } = this.#parts
    const found: KernelDifference[] = []
    for (const id of overlays.present)
      for (const what of await overlays.differences(id))
        found.push({ network: networks.get(id)?.spec.name ?? id, what })
    const rules = [...(await guard.differences()), ...(await mesh.differences())]
    rules.push(...(await this.#keeper.differences()))
    return [...found, ...rules.map((what) => ({ network: '', what }))]
  }

  #syncShortcuts(): Promise<void> {
    const { shortcuts, overlays, sandboxes } = this.#parts
    return shortcuts.sync(overlays.shortcuts(sandboxes.all()), overlays.devices)
  }

  #syncGuard(): Promise<void> {
    const { nodeId, state, overlays, guard, encryption, nameserver } = this.#parts
    return guard.sync({
      bridges: overlays.bridges,
      vxlanIds: overlays.vxlanIds,
      port: state.port,
      mac: macOfHost(nodeId),
      hosts: [...state.hosts.values()]
        .flatMap((host) => [
          host.address,
          ...(host.tunnelKey === undefined ? [] : [innerAddress(host.nodeId)]),
        ])
        .sort(),
      encrypted: { device: encryption.device, vxlanIds: overlays.encryptedVxlanIds },
      nameserver: nameserver(),
    })
  }

  #rulesOf(ends: readonly LocalEndpoint[]): SandboxRules {
    const { networks, nameserver } = this.#parts
    const ingressId = networks.ingress?.meta.id
    const end = ends.find(({ networkId }) => networkId === ingressId)
    return {
      names: { resolvers: this.#resolvers, nameserver: nameserver() },
      virtualAddresses: (family) =>
        new Map(ends.flatMap(({ networkId }) => [...this.#virtualAddresses.of(family, networkId)])),
      ...(end === undefined
        ? {}
        : { mesh: { address: end.address, hasIpv6: end.address6 !== '', hosts: this.#hostNumbers } }),
    }
  }
}
